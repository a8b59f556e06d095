/* admin.h — the door for the command line: a local socket in the data folder, for its owner only, on lane 0.
 *
 * One ask a line, one answer a line, in order (admin_ask.h); while an answer is fetched nothing is read. A
 * why goes as one letter from lane to lane and home, so no lane ever looks into another's records; a clock is
 * admin_clock.c. What fetches an answer knows its connection by number, not by pointer: either may end first.
 * A connection that is silent for a while, or sends what is no ask, is closed; beyond ADMIN_CONNECTIONS_MAX
 * the oldest that waits for nothing gives way. */
#ifndef COATCHECK_SERVER_ADMIN_H
#define COATCHECK_SERVER_ADMIN_H

#include "server/lane.h"

#define ADMIN_CONNECTIONS_MAX 16

struct admin;

void admin_accept(void *state, struct stream *stream); /* a listener_accept_fn; state is the lane */
void admins_stop(struct lane *lane);

/* For commands whose answer takes a while: nothing is read between the two. On lane 0's thread. */
uint64_t admin_wait(struct admin *admin);                                   /* the connection's number */
void admin_answer(struct lane *lane, uint64_t serial, struct buf *line);    /* one JSON object */
void admin_refuse(struct lane *lane, uint64_t serial, const char *because); /* a clause: {"refused":…} */

#endif
