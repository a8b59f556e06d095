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
    /* acquire-release: what other lanes read through the snapshot happens before it is freed here */
    if (atomic_fetch_sub_explicit(&lease->publication->lanes, 1, memory_order_acq_rel) == 1) {
        facts_free(lease->publication->facts);
        free(lease->publication);
    }
    free(lease);
}

const struct facts *lease_facts(const struct lease *lease)
{
    return lease->publication->facts;
}
