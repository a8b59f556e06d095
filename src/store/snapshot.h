/* snapshot.h — builds a struct facts: room for a known number of things, then each of them, then the order.
 *
 * Strings are copied into the snapshot's own arena. More things than announced are ERR_CORRUPT: the store
 * then has not counted and read in one transaction. */
#ifndef COATCHECK_STORE_SNAPSHOT_H
#define COATCHECK_STORE_SNAPSHOT_H

#include "engine/decision.h"

#define FACTS_BYTES_MAX ((size_t)1 << 30) /* of one snapshot: about 4 million keys */

struct snapshot_counts {
    size_t projects, keys, addresses, origins;
};

struct snapshot_origin {
    struct uuid project;
    struct bytes origin;
};

struct snapshot {
    struct facts *facts;
    struct snapshot_counts room, used;
    struct fact_project *projects;
    struct fact_key *keys;
    struct address *addresses;
    struct snapshot_origin *origins;
};

MUST_USE enum err snapshot_init(struct snapshot *snapshot, struct snapshot_counts room);
void snapshot_release(struct snapshot *snapshot); /* frees what snapshot_finish has not handed out */

struct arena *snapshot_arena(struct snapshot *snapshot);
MUST_USE enum err snapshot_add_project(struct snapshot *snapshot, const struct fact_project *project);
MUST_USE enum err snapshot_add_key(struct snapshot *snapshot, const struct fact_key *key);
MUST_USE enum err snapshot_add_address(struct snapshot *snapshot, const struct address *address);
MUST_USE enum err snapshot_add_origin(struct snapshot *snapshot, const struct uuid *project,
                                      struct bytes origin);

MUST_USE enum err snapshot_finish(struct facts **out, struct snapshot *snapshot, uint64_t version,
                                  uint64_t epoch);

/* The two things that outlive their request, for the stores to fill: facts_free and store_ring_free end them.
 */
struct store_ring;
MUST_USE enum err facts_new(struct facts **out);
MUST_USE enum err store_ring_new(struct store_ring **out, size_t room);

#endif
