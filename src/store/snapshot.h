/* snapshot.h — builds a struct facts: room for a known number of things, then each of them, then the order.
 *
 * Strings are copied into the snapshot's own arena. More things than announced are ERR_CORRUPT: the store
 * then has not counted and read in one transaction. */
#ifndef COATCHECK_STORE_SNAPSHOT_H
#define COATCHECK_STORE_SNAPSHOT_H

#include "engine/decision.h"

#define FACTS_BYTES_MAX ((size_t)1 << 30) /* of one snapshot: about 4 million keys */

struct snapshot_counts {
    size_t projects, keys, addresses, origins, resources, studies, settings;
};

struct snapshot_meta {
    uint64_t version, epoch;
    int64_t pruned_through_s;
};

struct snapshot_origin {
    struct uuid project;
    struct bytes origin;
};

struct snapshot_setting {
    struct uuid project;
    enum setting setting;
    int64_t value;
};

struct snapshot {
    struct facts *facts;
    struct snapshot_counts room, used;
    struct fact_project *projects;
    struct fact_key *keys;
    struct address *addresses;
    struct snapshot_origin *origins;
    struct resource *resources;
    struct study *studies;
    struct snapshot_setting *settings;
};

MUST_USE enum err snapshot_init(struct snapshot *snapshot, struct snapshot_counts room);
void snapshot_release(struct snapshot *snapshot); /* frees what snapshot_finish has not handed out */

struct arena *snapshot_arena(struct snapshot *snapshot);
MUST_USE enum err snapshot_add_project(struct snapshot *snapshot, const struct fact_project *project);
MUST_USE enum err snapshot_add_key(struct snapshot *snapshot, const struct fact_key *key);
MUST_USE enum err snapshot_add_address(struct snapshot *snapshot, const struct address *address);
MUST_USE enum err snapshot_add_origin(struct snapshot *snapshot, const struct uuid *project,
                                      struct bytes origin);
MUST_USE enum err snapshot_add_resource(struct snapshot *snapshot, const struct resource *resource);
MUST_USE enum err snapshot_add_study(struct snapshot *snapshot, const struct study *study);
/* Over what its project was added with. A name that is none, or a value out of its bounds: ERR_CORRUPT, and
 * the log names it. No older or newer program can have written it, because the schema's number says whose the
 * file is; a limit that is silently not kept would be worse than a start that fails. */
MUST_USE enum err snapshot_add_setting(struct snapshot *snapshot, const struct uuid *project,
                                       struct bytes name, int64_t value);

MUST_USE enum err snapshot_finish(struct facts **out, struct snapshot *snapshot,
                                  const struct snapshot_meta *meta);

/* What outlives its request, for the stores to fill; the _free of each (store.h) ends it. */
struct store_ring;
struct store_cutoffs;
struct store_key_uses;
MUST_USE enum err facts_new(struct facts **out);
MUST_USE enum err store_ring_new(struct store_ring **out, size_t room);
MUST_USE enum err store_cutoffs_new(struct store_cutoffs **out, size_t room);
MUST_USE enum err store_key_uses_new(struct store_key_uses **out, size_t room);

#endif
