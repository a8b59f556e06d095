#include "service/lease.h"

#include <stdlib.h>

enum err publication_new(struct publication **out, struct facts *facts, unsigned lanes)
{
    *out = calloc(1, sizeof **out);
    if (!*out) return ERR_NO_MEMORY;
    (*out)->facts = facts;
    atomic_init(&(*out)->lanes, lanes);
    return ERR_OK;
}

void publication_let_go(struct publication *publication)
{
    /* acquire-release: what other lanes read through the snapshot happens before it is freed here */
    if (atomic_fetch_sub_explicit(&publication->lanes, 1, memory_order_acq_rel) != 1) return;
    facts_free(publication->facts);
    free(publication);
}

enum err lease_new(struct lease **out, struct publication *publication)
{
    *out = calloc(1, sizeof **out);
    if (!*out) return ERR_NO_MEMORY;
    (*out)->publication = publication;
    (*out)->users = 1;
    return ERR_OK;
}

struct lease *lease_hold(struct lease *lease)
{
    lease->users++;
    return lease;
}

void lease_drop(struct lease *lease)
{
    if (!lease || --lease->users) return;
    publication_let_go(lease->publication);
    free(lease);
}

const struct facts *lease_facts(const struct lease *lease)
{
    return lease->publication->facts;
}
