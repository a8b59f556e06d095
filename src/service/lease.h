/* lease.h — which snapshot of the facts a lane is using, and who still holds an older one.
 *
 * A publication is one snapshot given to every lane. A lane takes the new one at once; asks under way keep
 * the one they began with. When the last lane has let go of an old publication, it is freed by whichever
 * lane was last. */
#ifndef COATCHECK_SERVICE_LEASE_H
#define COATCHECK_SERVICE_LEASE_H

#include <stdatomic.h>

#include "store/store.h"

struct publication { /* shared by all lanes */
    struct facts *facts;
    _Atomic unsigned lanes; /* that still hold it; the last one frees both */
};
/* owns facts on success */
MUST_USE enum err publication_new(struct publication **out, struct facts *facts, unsigned lanes);

/* by a lane that will not take it, or takes it no longer */
void publication_let_go(struct publication *publication);

struct lease { /* one lane's hold on one publication; heap, freed with its last user */
    struct publication *publication;
    unsigned users; /* asks under way, plus one while it is the lane's current lease */
};
MUST_USE enum err lease_new(struct lease **out, struct publication *publication);
struct lease *lease_hold(struct lease *lease); /* for an ask that begins; returns lease */
void lease_drop(struct lease *lease); /* by that ask, or by the lane when a newer one came; NULL is fine */
const struct facts *lease_facts(const struct lease *lease);

#endif
