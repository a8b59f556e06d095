/* sqlite.c — the SQLite store as store.h has it: its clerks, and the way of work to them. */
#include "store/sqlite.h"

#include "store/file.h"
#include "store/rows.h"

#include <stdlib.h>
#include <string.h>

static struct sqlite_store *store_of(struct store *store)
{
    return (struct sqlite_store *)(void *)store; /* its first member */
}

/* True: one more may wait. */
static bool take_place(atomic_uint *waiting)
{
    if (atomic_fetch_add(waiting, 1) < STORE_WAITING_MAX) return true;
    atomic_fetch_sub(waiting, 1);
    return false;
}

static void sqlite_commit(struct store *base, struct store_commit *commit)
{
    struct sqlite_store *store = store_of(base);
    if (!take_place(&store->commits_waiting)) {
        for (size_t i = 0; i < commit->write_count; i++)
            commit->rows[i] = (struct row){0};
        commit->error = ERR_STORE_BUSY;
        commit->post(commit->to, &commit->mail);
    } else if (mailbox_post(&store->commits, &commit->mail)) {
        clerk_ring(&store->writer);
    }
}

static void sqlite_read(struct store *base, struct store_read *read)
{
    struct sqlite_store *store = store_of(base);
    store_read_begin(read);
    if (!take_place(&store->reads_waiting)) {
        read->error = ERR_STORE_BUSY;
        read->post(read->to, &read->mail);
    } else if (mailbox_post(&store->reads, &read->mail)) {
        clerk_ring(&store->reader);
    }
}

static enum err ask_reader(struct sqlite_store *store, enum err (*answer)(void *out, struct db *db),
                           void *out)
{
    struct question question = {.answer = answer, .out = out};
    if (sem_init(&question.bell, 0, 0) != 0) return ERR_IO;
    if (mailbox_post(&store->questions, &question.mail)) clerk_ring(&store->reader);
    bell_wait(&question.bell);
    sem_destroy(&question.bell);
    return question.error;
}

static enum err sqlite_facts(struct store *store, struct facts **out)
{
    *out = NULL;
    return ask_reader(store_of(store), sqlite_answer_facts, out);
}

static enum err sqlite_facts_version(struct store *store, uint64_t *out)
{
    *out = 0;
    return ask_reader(store_of(store), sqlite_answer_version, out);
}

static enum err sqlite_ring(struct store *store, struct store_ring **out)
{
    *out = NULL;
    return ask_reader(store_of(store), sqlite_answer_ring, out);
}

static enum err sqlite_floor(struct store *store, int64_t *out)
{
    *out = 0;
    return ask_reader(store_of(store), sqlite_answer_floor, out);
}

static enum err sqlite_cutoffs(struct store *store, struct store_cutoffs **out)
{
    *out = NULL;
    return ask_reader(store_of(store), sqlite_answer_cutoffs, out);
}

static enum err sqlite_key_uses(struct store *store, const struct uuid *project, struct store_key_uses **out)
{
    struct key_uses_wanted wanted = {.project = *project};
    enum err e = ask_reader(store_of(store), sqlite_answer_key_uses, &wanted);
    *out = wanted.uses;
    return e;
}

/* The writer goes first: what it still commits, the others may look at. Its connection is closed last, and as
 * the last one moves the log into the file and removes it: the mark of a clean end. */
static void sqlite_close(struct store *base)
{
    struct sqlite_store *store = store_of(base);
    if (store == NULL) return;
    clerk_stop(&store->writer);
    clerk_stop(&store->reader);
    clerk_stop(&store->sweeper);
    db_free(store->reader_db);
    db_free(store->sweeper_db);
    db_free(store->writer_db);
    free(store->path);
    free(store);
}

static const struct store_ops sqlite_ops = {.name = "sqlite",
                                            .commit = sqlite_commit,
                                            .read = sqlite_read,
                                            .facts = sqlite_facts,
                                            .facts_version = sqlite_facts_version,
                                            .ring = sqlite_ring,
                                            .floor = sqlite_floor,
                                            .cutoffs = sqlite_cutoffs,
                                            .key_uses = sqlite_key_uses,
                                            .close = sqlite_close};

static enum err start(struct sqlite_store *store)
{
    enum err e;
    TRY(e = sqlite_open_writer(store, db_open), done);
    TRY(e = sqlite_answer_floor(&store->floor_ms, store->writer_db), done);
    TRY(e = db_open(&store->reader_db, store->path), done);
    TRY(e = db_open(&store->sweeper_db, store->path), done);
    TRY(e = clerk_start(&store->writer, "store-writer", sqlite_writer_run, store), done);
    TRY(e = clerk_start(&store->reader, "store-reader", sqlite_reader_run, store), done);
    TRY(e = clerk_start(&store->sweeper, "store-sweeper", sqlite_sweeper_run, store), done);
done:
    return e;
}

enum err store_sqlite_open(struct store **out, const char *path, const char **why)
{
    struct sqlite_store *store = NULL;
    enum err e;
    *out = NULL;
    TRY(e = file_prepare(path, why), done);
    *why = "no memory, thread or file descriptor is left for the store";
    e = ERR_NO_MEMORY;
    store = calloc(1, sizeof *store);
    if (store == NULL) goto done;
    store->store.ops = &sqlite_ops;
    store->path = strdup(path);
    if (store->path == NULL) goto done;
    TRY(e = start(store), done);
    *out = &store->store;
    store = NULL;
    *why = NULL;
done:
    if (store != NULL) sqlite_close(&store->store);
    return e;
}

const char *store_library(void)
{
    return sqlite3_libversion();
}
