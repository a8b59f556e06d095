/* memory_tables.h — the inside of the memory store: lists of the writes it accepted, newest first
 * for each kind.
 *
 * A later write of the same thing hides an earlier one; what is gone is hidden by an entry that says so. A
 * thing is kept under the kind that made it (a user under WRITE_USER, whatever changed it since), so that
 * undoing a commit is putting the heads of the lists back where they were. It is for tests: look-ups walk the
 * lists, and what is hidden stays until the end. */
#ifndef COATCHECK_STORE_MEMORY_TABLES_H
#define COATCHECK_STORE_MEMORY_TABLES_H

#include "store/snapshot.h"
#include "store/store.h"

struct kept {
    struct kept *older;
    bool is_gone;
    uint64_t number;    /* of a user: the order they were made in */
    int64_t uses;       /* counted, of a WRITE_USE */
    struct write write; /* strings in the tables' arena */
};

struct lists {
    struct kept *newest[WRITE_ANSWER + 1];
    uint64_t version, epoch, users_made;
    int64_t pruned_through_s;
};

struct tables {
    struct arena arena;
    struct lists lists;
};

void tables_init(struct tables *tables);
void tables_release(struct tables *tables);

MUST_USE enum err tables_keep(struct tables *tables, const struct write *write);
MUST_USE enum err tables_keep_use(struct tables *tables, const struct write *write, int64_t uses);
MUST_USE enum err tables_keep_user(struct tables *tables, const struct user *user, uint64_t number);
MUST_USE enum err tables_drop(struct tables *tables, const struct kept *kept); /* from now on it is gone */

/* The newest entry of the same thing, unless it is gone. */
const struct kept *tables_same(const struct tables *tables, const struct write *write);
bool tables_is_same(const struct write *a, const struct write *b); /* two versions of one thing */
bool tables_is_current(const struct tables *tables, const struct kept *kept);
const struct write *tables_project(const struct tables *tables, const struct uuid *id);
const struct kept *tables_user(const struct tables *tables, enum read_kind kind, const struct uuid *project,
                               struct bytes text, const struct uuid *id);
const struct family *tables_family(const struct tables *tables, const struct uuid *project,
                                   const struct uuid *id, int64_t bucket_s);
const struct interview *tables_interview(const struct tables *tables, const struct uuid *project,
                                         const struct uuid *id, const struct uuid *user);
bool tables_name_is_taken(const struct tables *tables, const struct uuid *project, struct bytes name);
size_t tables_count(const struct tables *tables, enum write_kind kind); /* at most so many things */

MUST_USE enum err tables_write(struct row *row, struct tables *tables, const struct write *write,
                               struct arena *arena);
MUST_USE enum err tables_read(struct store_read *read, const struct tables *tables);

MUST_USE enum err tables_facts(struct facts **out, const struct tables *tables);
MUST_USE enum err tables_ring(struct store_ring **out, const struct tables *tables);
MUST_USE enum err tables_cutoffs(struct store_cutoffs **out, const struct tables *tables);
MUST_USE enum err tables_key_uses(struct store_key_uses **out, const struct tables *tables,
                                  const struct uuid *project);

#endif
