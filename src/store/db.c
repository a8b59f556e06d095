#include "store/db.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#define BUSY_WAIT_MS 2000 /* for an operator's shell that holds the write lock */

static const char *const query_texts[QUERY_COUNT] = {
#define QUERY(name, sql) [QUERY_##name] = (sql),
#include "store/queries.def"
#undef QUERY
};
static const char *const query_names[QUERY_COUNT] = {
#define QUERY(name, sql) [QUERY_##name] = #name,
#include "store/queries.def"
#undef QUERY
};

/* synchronous=FULL: in WAL mode only this syncs the log at each commit. Checkpoints have a thread of their
 * own. What is deleted, such as a key of the ring, is overwritten in its page. */
static const char setup[] =
    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 0;"
    "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
    "PRAGMA secure_delete = FAST;";

enum err db_error(int sqlite_code)
{
    switch (sqlite_code & 0xFF) { /* the low byte is the primary code */
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return ERR_OK;
    case SQLITE_NOMEM:
        return ERR_NO_MEMORY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_STORE_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    default:
        return ERR_STORE_FAILED;
    }
}

/* Once per failing spell: a full disk must not fill the log with one line per request. */
static enum err failed(struct db *db, const char *what, int sqlite_code)
{
    if (!db->is_failing)
        log_error("store_failing", log_text("doing", what),
                  log_number("code", sqlite3_extended_errcode(db->handle)),
                  log_text("because", sqlite3_errmsg(db->handle)));
    db->is_failing = true;
    return db_error(sqlite_code);
}

static enum err open_connection(struct db **out, const char *path, bool is_failing)
{
    struct db *db = calloc(1, sizeof *db);
    struct query_run rollback;
    enum err e = ERR_NO_MEMORY;
    *out = NULL;
    if (db == NULL) return e;
    db->is_failing = is_failing;
    int code = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        e = failed(db, "open", code);
        goto done;
    }
    (void)sqlite3_busy_timeout(db->handle, BUSY_WAIT_MS);
    /* a second fence: nothing writes the schema */
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    TRY(e = db_script(db, setup), done);
    query_start(&rollback, db, QUERY_ROLLBACK, NULL); /* made now: to leave a transaction needs no memory */
    TRY(e = rollback.error, done);
    *out = db;
    db = NULL;
done:
    db_free(db);
    return e;
}

enum err db_open(struct db **out, const char *path)
{
    return open_connection(out, path, false);
}

enum err db_reopen(struct db **out, const char *path)
{
    return open_connection(out, path, true);
}

void db_free(struct db *db)
{
    if (db == NULL) return;
    for (size_t i = 0; i < QUERY_COUNT; i++)
        (void)sqlite3_finalize(db->statements[i]); /* repeats the statement's last error, told already */
    (void)sqlite3_close(db->handle);               /* cannot be busy: no statement is left */
    free(db);
}

enum err db_script(struct db *db, const char *sql)
{
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? ERR_OK : failed(db, "script", code);
}

enum err db_run(struct db *db, enum query query)
{
    struct query_run run;
    query_start(&run, db, query, NULL);
    (void)query_step(&run); /* query_end tells */
    return query_end(&run);
}

enum err db_sweep(struct db *db)
{
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    /* busy: another sweeps */
    return code == SQLITE_OK || code == SQLITE_BUSY ? ERR_OK : failed(db, "sweep", code);
}

enum err db_empty_log(struct db *db)
{
    int left = 0;
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, &left, NULL);
    if (code != SQLITE_OK) return failed(db, "empty the log", code);
    return left <= 0 ? ERR_OK : ERR_STORE_BUSY; /* below zero: there was none */
}

bool db_in_transaction(const struct db *db)
{
    return sqlite3_get_autocommit(db->handle) == 0;
}

bool db_has_changed(const struct db *db)
{
    return db_changes(db) > 0;
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}

void query_start(struct query_run *run, struct db *db, enum query query, struct arena *arena)
{
    sqlite3_stmt **kept = &db->statements[query];
    *run = (struct query_run){.db = db, .query = query, .arena = arena, .error = ERR_OK};
    if (*kept == NULL) {
        int code =
            sqlite3_prepare_v3(db->handle, query_texts[query], -1, SQLITE_PREPARE_PERSISTENT, kept, NULL);
        if (code != SQLITE_OK) run->error = failed(db, query_names[query], code);
    }
    run->statement = *kept;
}

static void bound(struct query_run *run, int code)
{
    if (code != SQLITE_OK) run->error = failed(run->db, query_names[run->query], code);
}

void query_bind_number(struct query_run *run, int64_t number)
{
    if (run->error == ERR_OK) bound(run, sqlite3_bind_int64(run->statement, ++run->place, number));
}

void query_bind_number_or_none(struct query_run *run, int64_t number)
{
    if (number != 0)
        query_bind_number(run, number);
    else if (run->error == ERR_OK)
        bound(run, sqlite3_bind_null(run->statement, ++run->place));
}

/* An absent value has ptr NULL, which SQLite binds as NULL; an empty one is the empty text. */
void query_bind_text(struct query_run *run, struct bytes text)
{
    if (run->error != ERR_OK) return;
    bound(run, sqlite3_bind_text64(run->statement, ++run->place, (const char *)text.ptr, text.len,
                                   SQLITE_STATIC, SQLITE_UTF8));
}

void query_bind_blob(struct query_run *run, struct bytes blob)
{
    if (run->error != ERR_OK) return;
    bound(run, sqlite3_bind_blob64(run->statement, ++run->place, blob.ptr, blob.len, SQLITE_STATIC));
}

void query_bind_uuid(struct query_run *run, const struct uuid *id)
{
    query_bind_blob(run, uuid_is_zero(id) ? BYTES_NONE : uuid_bytes(id));
}

bool query_step(struct query_run *run)
{
    if (run->error != ERR_OK) return false;
    int code = sqlite3_step(run->statement);
    run->place = -1; /* columns count from 0 */
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) run->error = failed(run->db, query_names[run->query], code);
    return false;
}

int64_t query_read_number(struct query_run *run)
{
    return run->error == ERR_OK ? sqlite3_column_int64(run->statement, ++run->place) : 0;
}

int query_read_choice(struct query_run *run, int last)
{
    int64_t number = query_read_number(run);
    if (number >= 1 && number <= last) return (int)number;
    if (run->error == ERR_OK) run->error = ERR_CORRUPT;
    return 0;
}

static bool next_is_null(const struct query_run *run)
{
    return run->error == ERR_OK && sqlite3_column_type(run->statement, run->place + 1) == SQLITE_NULL;
}

int query_read_choice_or_none(struct query_run *run, int last)
{
    if (!next_is_null(run)) return query_read_choice(run, last);
    run->place++;
    return 0;
}

/* The column as it lies in SQLite's memory until the next step: absent, or with a pointer even when empty. */
static struct bytes column(struct query_run *run)
{
    if (run->error != ERR_OK) return BYTES_NONE;
    int place = ++run->place;
    if (sqlite3_column_type(run->statement, place) == SQLITE_NULL) return BYTES_NONE;
    const void *ptr = sqlite3_column_blob(run->statement, place);
    int len = sqlite3_column_bytes(run->statement, place);
    if (ptr == NULL && len > 0) run->error = ERR_NO_MEMORY;
    return ptr == NULL ? BYTES("") : bytes_of(ptr, (size_t)len);
}

struct bytes query_read_text(struct query_run *run)
{
    struct bytes text = column(run);
    struct bytes copy = arena_copy(run->arena, text);
    if (arena_copy_failed(text, copy)) run->error = ERR_NO_MEMORY;
    return copy;
}

void query_read_exactly(uint8_t *out, size_t len, struct query_run *run)
{
    struct bytes blob = column(run);
    memset(out, 0, len);
    if (run->error != ERR_OK) return;
    if (blob.len == len)
        memcpy(out, blob.ptr, len);
    else
        run->error = ERR_CORRUPT;
}

void query_read_uuid(struct uuid *out, struct query_run *run)
{
    if (next_is_null(run)) {
        run->place++;
        *out = (struct uuid){0};
        return;
    }
    query_read_exactly(out->byte, sizeof out->byte, run);
}

enum err query_end(struct query_run *run)
{
    if (run->statement != NULL) (void)sqlite3_reset(run->statement); /* repeats the error of the step */
    return run->error;
}
