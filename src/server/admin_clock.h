/* admin_clock.h — `coatcheck clock advance`, the server's side: a test project's clock is moved forward.
 *
 * The answer comes when the advance is stored, every lane decides by it, and the deadlines of the project's
 * live sessions follow it. Nothing but the asker's answer is lost when the server stops in between. */
#ifndef COATCHECK_SERVER_ADMIN_CLOCK_H
#define COATCHECK_SERVER_ADMIN_CLOCK_H

#include "server/admin.h"
#include "server/admin_ask.h"

/* On lane 0, for a connection that waits (admin_wait). */
void admin_clock(struct lane *lane, uint64_t serial, const struct admin_ask *ask);

#endif
