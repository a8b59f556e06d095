/* sqlite_writer.c — the writer's thread, which takes all commits that wait into one transaction; and the
 * sweeper's. */
#include "base/log.h"
#include "store/rows.h"
#include "store/sqlite.h"

struct batch {
    struct store_commit *commits[STORE_BATCH_MAX];
    size_t count;
};

static int log_grew(void *store, sqlite3 *handle, const char *name, int pages)
{
    (void)handle;
    (void)name;
    ((struct sqlite_store *)store)->log_pages = pages;
    return SQLITE_OK;
}

/* 16 MiB: the upper levels of the indexes of a million users stay in memory, which saves a tenth of an
 * insert. It is taken page by page as they are used. */
static const char writer_setup[] = "PRAGMA cache_size = -16384;";

enum err sqlite_open_writer(struct sqlite_store *store, db_open_fn *open)
{
    enum err e;
    TRY(e = open(&store->writer_db, store->path), done);
    TRY(e = db_script(store->writer_db, writer_setup), failed);
    (void)sqlite3_wal_hook(store->writer_db->handle, log_grew, store); /* returns the hook before it: none */
    return ERR_OK;
failed:
    db_free(store->writer_db);
    store->writer_db = NULL;
done:
    return e;
}

/* met: how many of the writes were made before a gate was not as it should be; all of them, if none was. */
static enum err write_all(size_t *met, struct db *db, struct store_commit *commit)
{
    enum err e = ERR_OK;
    for (*met = 0; *met < commit->write_count; ++*met) {
        const struct write *write = &commit->writes[*met];
        TRY(e = sqlite_write(&commit->rows[*met], db, write, commit->arena), done);
        if (write_stops_commit(write, commit->rows[*met].state)) break;
    }
done:
    return e;
}

static void forget_rows(struct store_commit *commit)
{
    for (size_t i = 0; i < commit->write_count; i++)
        commit->rows[i] = (struct row){0};
}

/* If it fails, half a commit must not stay: all of the batch goes. */
static enum err undo(struct db *db)
{
    enum err e = db_run(db, QUERY_ROLLBACK_TO);
    if (e != ERR_OK) (void)db_run(db, QUERY_ROLLBACK); /* the error at hand says more */
    return e;
}

/* A savepoint costs 2 µs and the copy of each page it touches: a commit that is one
 * statement does without. */
static enum err write_commit(struct db *db, struct store_commit *commit)
{
    size_t met;
    enum err e;
    if (commit->write_count == 0) return ERR_OK; /* for the floor alone */
    if (commit->write_count == 1 && sqlite_write_is_single(commit->writes[0].kind))
        return write_all(&met, db, commit); /* a gate alone that is not met writes nothing anyway */
    TRY(e = db_run(db, QUERY_SAVEPOINT), done);
    e = write_all(&met, db, commit);
    if (met < commit->write_count && db_in_transaction(db)) {
        enum err undone = undo(db);
        if (undone != ERR_OK) return undone;
        if (e == ERR_OK) rows_skip(commit->rows, commit->write_count, met);
    }
    if (db_in_transaction(db)) {
        enum err released = db_run(db, QUERY_RELEASE);
        if (released != ERR_OK)
            (void)db_run(db, QUERY_ROLLBACK); /* or the batch would write what is refused */
        if (e == ERR_OK) e = released;
    }
done:
    return e;
}

/* Last in its transaction, so that it is no earlier than anything that was decided for it. */
static enum err write_floor(struct db *db, int64_t floor_ms)
{
    struct query_run run;
    query_start(&run, db, QUERY_FLOOR_WRITE, NULL);
    query_bind_number(&run, floor_ms);
    (void)query_step(&run); /* query_end tells */
    return query_end(&run);
}

static int64_t floor_wanted_ms(const struct sqlite_store *store)
{
    const struct store *base = &store->store;
    return base->floor == NULL ? store->floor_ms : base->floor(base->floor_state, store->floor_ms);
}

/* Some failures (a full disk, an I/O error) end the whole transaction: then nothing of the batch is written.
 * A damaged page does not, and may be met in the middle of a statement: what that has done must not stay. */
static enum err write_batch(struct sqlite_store *store, struct batch *batch)
{
    struct db *db = store->writer_db;
    int64_t floor_ms;
    enum err e = db_run(db, QUERY_BEGIN_WRITE);
    for (size_t i = 0; i < batch->count && e == ERR_OK; i++) {
        batch->commits[i]->error = write_commit(db, batch->commits[i]);
        if (batch->commits[i]->error == ERR_CORRUPT)
            e = ERR_CORRUPT;
        else if (!db_in_transaction(db))
            e = ERR_STORE_FAILED;
    }
    if (e != ERR_OK) return e;
    floor_ms = floor_wanted_ms(store);
    if (floor_ms != store->floor_ms) e = write_floor(db, floor_ms);
    if (e != ERR_OK || db_run(db, QUERY_COMMIT) != ERR_OK) return ERR_STORE_FAILED;
    store->floor_ms = floor_ms;
    return ERR_OK;
}

/* What is left in memory after a failed transaction is not trusted: the next batch starts on a
 * new connection. */
static void reopen(struct sqlite_store *store)
{
    db_free(store->writer_db);                  /* rolls back whatever is open */
    (void)sqlite_open_writer(store, db_reopen); /* if not, it is tried again with the next batch */
}

static void answer(struct sqlite_store *store, struct batch *batch, enum err e)
{
    atomic_fetch_sub(&store->commits_waiting, (unsigned)batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        struct store_commit *commit = batch->commits[i];
        if (e != ERR_OK) commit->error = e;
        if (commit->error != ERR_OK) forget_rows(commit);
        commit->post(commit->to, &commit->mail); /* it may be gone after this */
    }
}

/* Rings once per LOG_PAGES_TO_SWEEP: a sweep for each commit would write the same pages again and again. */
static void sweep(struct sqlite_store *store)
{
    if (store->log_pages < store->log_pages_swept) store->log_pages_swept = 0; /* the log has started over */
    if (store->log_pages - store->log_pages_swept < LOG_PAGES_TO_SWEEP) return;
    store->log_pages_swept = store->log_pages;
    if (store->log_pages >= LOG_PAGES_TOO_MANY)
        (void)db_sweep(store->writer_db); /* failing leaves the log as it is: the next sweep tries again */
    else
        clerk_ring(&store->sweeper);
}

static void commit_batch(struct sqlite_store *store, struct batch *batch)
{
    enum err e = ERR_STORE_FAILED;
    if (store->writer_db == NULL) reopen(store);
    if (store->writer_db != NULL) e = write_batch(store, batch);
    if (e == ERR_OK && store->writer_db->is_failing) {
        store->writer_db->is_failing = false;
        log_info("store_working", log_number("commits", (int64_t)batch->count));
    }
    answer(store, batch, e);
    if (e == ERR_OK)
        sweep(store);
    else if (e != ERR_STORE_BUSY) /* busy: nothing was begun */
        reopen(store);
}

static void work_off(struct sqlite_store *store)
{
    struct batch batch = {.count = 0};
    struct mail *mail = mailbox_take(&store->commits);
    while (mail != NULL) {
        struct store_commit *commit = (struct store_commit *)(void *)mail; /* its first member */
        mail = mail->next;
        batch.commits[batch.count++] = commit;
        if (mail != NULL && batch.count < STORE_BATCH_MAX) continue;
        commit_batch(store, &batch);
        batch.count = 0;
    }
}

void *sqlite_writer_run(void *state)
{
    struct sqlite_store *store = state;
    while (clerk_wait(&store->writer))
        work_off(store);
    work_off(store);
    return NULL;
}

void *sqlite_sweeper_run(void *state)
{
    struct sqlite_store *store = state;
    while (clerk_wait(&store->sweeper))
        (void)db_sweep(store->sweeper_db); /* it has told the log; the next ring tries again */
    return NULL;
}
