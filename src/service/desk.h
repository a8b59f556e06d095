/* desk.h — one lane's bench of keys, and who still works at it.
 *
 * When the ring or the deployment epoch changes, a lane makes itself a new bench and goes on with that. An
 * ask under way may still point into the old one, and into each that came after it, so all of them stay until
 * it has ended. Inside the service: not for other folders. */
#ifndef COATCHECK_SERVICE_DESK_H
#define COATCHECK_SERVICE_DESK_H

#include "service/keys.h"

struct desk { /* heap */
    struct desk **list, *next, *prev;
    struct keyring *ring;
    uint64_t epoch;
    struct key_bench bench;
    unsigned users; /* asks under way, plus one while it is the lane's current one */
};

MUST_USE enum err desk_new(struct desk **out, struct desk **list, struct keyring *ring, uint64_t epoch);
struct desk *desk_hold(struct desk *desk); /* for an ask that begins; returns desk */
void desk_drop(struct desk *desk);   /* by that ask, or by the lane when a newer one came; NULL is fine */
void desks_free(struct desk **list); /* all of them, whoever still works there */

#endif
