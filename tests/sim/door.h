/* door.h — backends at the standard door: they look at tokens, and revoke them. Refreshes and exchanges there
 * are those of the other doors in other words.
 *
 * Active is what is good for this project at this moment and nothing else; what was revoked is void once that
 * was answered. */
#ifndef COATCHECK_TESTS_SIM_DOOR_H
#define COATCHECK_TESTS_SIM_DOOR_H

#include "sim/tap.h"

struct request *door_send(struct buf *out, struct link *link);
void door_arrived(const struct link *link, struct request *request); /* whole, at the node */

/* What its status is where the same is asked in a vendor's words. */
int door_status(const struct request *request, struct bytes text);
void door_answered(struct link *link, struct request *request, struct bytes text); /* 200 */

#endif
