/* store.h — facts and writes made durable. One struct of operations; memory, SQLite and later PostgreSQL
 * stand behind it.
 *
 * Commits and reads are asked for from any thread and answered by opening their mail wherever `post` sends
 * it: the asking loop's mailbox. Many commits that wait together become one durable transaction (group
 * commit); each of them is atomic by itself: all of its writes happen or none. A commit that is answered
 * ERR_OK is on disk and survives kill -9 and power loss. ERR_STORE_FAILED: nothing of it is seen by
 * anybody (should the disk have failed in the midst of a sync, and the process die before the next commit, it
 * may then be found whole); ERR_STORE_BUSY: too many wait, try later.
 *
 * With each group the store asks what its floor of time shall be now (server/clock.h) and keeps that in the
 * same transaction. A commit without writes is for the floor alone; it costs nothing if that stays.
 *
 * Everything a commit or read points to belongs to the asker, who keeps it until the answer. Strings of rows
 * are copied into the asker's arena by the store's thread: the asker must not touch that arena meanwhile. */
#ifndef COATCHECK_STORE_STORE_H
#define COATCHECK_STORE_STORE_H

#include "base/mailbox.h"
#include "engine/decision.h"

#define STORE_WAITING_MAX  65536 /* commits that may wait at once; beyond it ERR_STORE_BUSY at once */
#define STORE_BATCH_MAX    512   /* commits in one durable transaction */
#define STORE_FLOOR_MAX_MS ((int64_t)253402300800000) /* the year 10000 */

struct store_commit {
    struct mail mail; /* set mail.open; opened once, after the answer is in */
    void (*post)(void *to, struct mail *mail);
    void *to;
    const struct write *writes;
    size_t write_count;
    struct row *rows;    /* write_count of them, filled by the store */
    struct arena *arena; /* for the rows' strings */
    enum err error;
};

enum read_kind {
    READ_USER_BY_REFERENCE,
    READ_USER_BY_ID,
    READ_USER_BY_ADDRESS,
    READ_USER_BY_RESOURCE,     /* a subscriber, by the id its address names as resource */
    READ_USERS_BY_EXTERNAL_ID, /* for operators: a label may be many users' */
    READ_USERS,                /* a page of subscribers, by the order they were made */
    READ_ADDRESSES,            /* of resources and users alike, by the ids */
    READ_FAMILY,               /* by id and bucket_s: both are sealed into its credentials */
    READ_INTERVIEW             /* by id, of this user */
};

struct store_read {
    struct mail mail;
    void (*post)(void *to, struct mail *mail);
    void *to;
    enum read_kind kind;
    struct uuid project, id;
    struct bytes text; /* reference, address name, external id, or a page's cursor: absent is the first page;
                          what was no `next` of this project, or whose user is gone since, is ERR_MALFORMED */
    int64_t bucket_s;  /* READ_FAMILY: the end of its absolute life */
    struct uuid owner; /* READ_INTERVIEW: whose it must be */
    uint32_t limit;    /* of a list, at most PAGE_SIZE_MAX */
    const struct uuid *ids;
    size_t id_count; /* at most ADDRESSES_MAX */

    struct user user; /* valid when found */
    bool found;
    const struct user *users; /* of a list, in the arena */
    size_t user_count;
    struct bytes next;               /* the next page's cursor; absent: no more */
    const struct address *addresses; /* those that are there, in no order; in the arena */
    size_t address_count;
    struct family family;
    struct interview interview;
    struct arena *arena;
    enum err error;
};

/* What only the start needs: the key ring, wrapped. */
struct store_ring {
    struct arena arena; /* owns */
    struct ring_key *keys;
    size_t count;
};

/* All cutoffs that still matter (some may be over already), for a process that starts. */
struct store_cutoffs {
    struct arena arena; /* owns */
    struct cutoff *list;
    size_t count;
};

/* What an operator wants to know of a key besides its facts. */
struct store_key_use {
    struct bytes public_id;
    int64_t used_ms; /* 0: never */
};
struct store_key_uses {
    struct arena arena; /* owns */
    struct store_key_use *list;
    size_t count;
};

/* Given the floor that is stored, which it shall be; called on the store's threads. */
typedef int64_t store_floor_fn(void *state, int64_t stored_ms);

struct store;
struct store_ops {
    const char *name;
    void (*commit)(struct store *store, struct store_commit *commit);     /* never blocks */
    void (*read)(struct store *store, struct store_read *read);           /* never blocks */
    enum err (*facts)(struct store *store, struct facts **out);           /* blocks; a whole new snapshot */
    enum err (*facts_version)(struct store *store, uint64_t *out);        /* blocks shortly */
    enum err (*ring)(struct store *store, struct store_ring **out);       /* blocks */
    enum err (*floor)(struct store *store, int64_t *out);                 /* blocks; 0: none yet */
    enum err (*cutoffs)(struct store *store, struct store_cutoffs **out); /* blocks */
    /* blocks */
    enum err (*key_uses)(struct store *store, const struct uuid *project, struct store_key_uses **out);
    void (*close)(struct store *store); /* finishes what waits, then frees */
};
struct store { /* first member of every store */
    const struct store_ops *ops;
    store_floor_fn *floor; /* NULL: it stays. Set while no commit waits, or all come from this thread */
    void *floor_state;
};

/* path: the database file, created if absent, migrated forward if older (after a copy to path.before-N),
 * refused with ERR_STORE_NEWER if newer, ERR_CORRUPT if damaged: *why then names it for the operator (a
 * static string). */
MUST_USE enum err store_sqlite_open(struct store **out, const char *path, const char **why);
MUST_USE enum err store_memory_open(struct store **out);

/* Commits and waits: for start-up and commands, never on a loop. */
MUST_USE enum err store_commit_wait(struct store *store, const struct write *writes, size_t count,
                                    struct row *rows, struct arena *arena);
/* Reads and waits, in the same places. read's mail, post and to are filled here. */
MUST_USE enum err store_read_wait(struct store *store, struct store_read *read);
void facts_free(struct facts *facts);
void store_ring_free(struct store_ring *ring);
void store_cutoffs_free(struct store_cutoffs *cutoffs);
void store_key_uses_free(struct store_key_uses *uses);
const char *store_library(void); /* version of the embedded database, for people */

#endif
