/* disk.h — what survives: the log of durable commits, and a store behind store.h that writes it.
 *
 * The store answers late and in groups, as the real one does: commits wait, a group reaches the disk at once,
 * then its answers are posted in order. It can be busy or fail; a crash loses what waits, and of the group
 * under way an arbitrary first part reaches the disk without an answer. Its tables are the memory store's,
 * opened anew at each start and filled from the log, then compared with what the log says of users. */
#ifndef COATCHECK_TESTS_SIM_DISK_H
#define COATCHECK_TESTS_SIM_DISK_H

#include "store/store.h"

#define SHOWN_MAX 64

struct disk_user { /* a user as the log has it */
    struct uuid project, id;
    char reference[REFERENCE_MAX + 1];
    size_t reference_len;
    unsigned shown[SHOWN_MAX]; /* display names it has had, by number, oldest first */
    unsigned shown_count;
};

int64_t disk_floor_ms(void);
int64_t disk_pruned_s(void); /* of what ended before it nobody knows whether it was used */
void disk_begin(void);
void disk_end(void);
/* For many worlds on one founding: what is durable now is where disk_rewind goes back to. */
void disk_keep_founding(void);
void disk_rewind(void);
const struct disk_user *disk_user(const struct uuid *project, struct bytes reference);
/* What has no reference: who was redeemed, and what may not be used again. */
bool disk_has_user(const struct uuid *project, const struct uuid *id);
bool disk_has_once(const struct uuid *id);
/* disk_seen.c, for the log: begins, takes a write that is durable, finds all of them in tables opened anew.
 */
void disk_seen_begin(void);
void disk_see(const struct write *write, const struct row *row);
void disk_see_commit(const struct store_commit *commit);
void disk_seen_compare(struct store *tables, struct arena *arena, void (*post)(void *to, struct mail *mail));
/* The last place of this display name in the user's history, 1-based; 0: never durable. */
unsigned disk_shown_at(const struct disk_user *user, unsigned shown);

void disk_keep(struct write *write, struct arena *arena); /* its strings are copied into the arena */

/* A store over the disk. Until store_goes_live commits are answered at once and nothing fails. */
MUST_USE enum err disk_store_open(struct store **out);
void disk_store_goes_live(struct store *store);
void disk_store_crash(struct store *base); /* its process is gone */
/* A commit of the command line, in the same process; the write is copied. */
bool disk_store_operate(struct store *store, const struct write *write); /* false: it failed */
void disk_store_trouble(struct store *store);                            /* the next commits and reads fail */

#endif
