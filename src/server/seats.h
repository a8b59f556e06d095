/* seats.h — how many sessions are open at once with one credential: one table for all lanes, exact.
 *
 * Only a session whose credential bounds them takes a seat, at its connect; who keeps it for how long is
 * session_seats.h. A count must be exact over lanes and giving back must not fail, not even while
 * lanes stop one after the other; letters between lanes would have to allocate for the one and outlive them
 * for the other. So a lock stands here, held for one look at one chain, and nobody else ever meets it. */
#ifndef COATCHECK_SERVER_SEATS_H
#define COATCHECK_SERVER_SEATS_H

#include "base/err.h"
#include "base/uuid.h"

struct seats;
MUST_USE enum err seats_new(struct seats **out, uint64_t seed); /* seed: from dice */
void seats_free(struct seats *seats);                           /* with whatever is still taken */

/* Any thread. *out NULL: `most` of them are taken. It stays with `seats` until it is given back. */
struct seat;
MUST_USE enum err seats_take(struct seat **out, struct seats *seats, const struct uuid *of, int64_t most);
void seats_give_back(struct seats *seats, struct seat *seat); /* NULL is fine */

#endif
