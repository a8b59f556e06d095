/* admin.h — the door for the command line: a local socket in the data folder, for its owner only, on lane 0.
 *
 * One ask a line, one answer a line, in order (admin_ask.h); while an answer is fetched nothing is read. A
 * why goes as one letter from lane to lane and home, so no lane ever looks into another's records. A letter
 * knows its connection by number, not by pointer: either may end first. A connection that is silent for a
 * while, or sends what is no ask, is closed. */
#ifndef COATCHECK_SERVER_ADMIN_H
#define COATCHECK_SERVER_ADMIN_H

#include "server/lane.h"

#define ADMIN_CONNECTIONS_MAX 16

void admin_accept(void *lane, struct stream *stream); /* a listener_accept_fn */
void admins_stop(struct lane *lane);

#endif
