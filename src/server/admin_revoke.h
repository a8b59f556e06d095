/* admin_revoke.h — the command line revokes: commit, then every lane, then the answer with how many
 * sessions ended. */
#ifndef COATCHECK_SERVER_ADMIN_REVOKE_H
#define COATCHECK_SERVER_ADMIN_REVOKE_H

#include "server/admin.h"
#include "server/admin_ask.h"

/* On lane 0, for a connection that waits (admin_wait). */
void admin_revoke(struct lane *lane, uint64_t serial, const struct admin_ask *ask);

#endif
