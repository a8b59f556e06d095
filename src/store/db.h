/* db.h — one connection to SQLite, and statements that are bound and read in order.
 *
 *     struct query_run run;
 *     query_start(&run, db, QUERY_USER_BY_ID, arena);
 *     query_bind_number(&run, project); query_bind_uuid(&run, id);
 *     while (query_step(&run)) text = query_read_text(&run);
 *     e = query_end(&run);
 *
 * Errors are sticky: after the first, binding and reading do nothing and query_end tells. What is bound
 * is borrowed until query_end; what is read is copied into the arena. A connection belongs to one
 * thread at a time. */
#ifndef COATCHECK_STORE_DB_H
#define COATCHECK_STORE_DB_H

#include "base/arena.h"
#include "base/uuid.h"

#include <sqlite3.h>

enum query {
#define QUERY(name, sql) QUERY_##name,
#include "store/queries.def"
#undef QUERY
    QUERY_COUNT
};

struct db {
    sqlite3 *handle;
    bool is_failing; /* said so in the log already; cleared when something works again */
    sqlite3_stmt *statements[QUERY_COUNT];
};

typedef enum err db_open_fn(struct db **out, const char *path);
MUST_USE enum err db_open(struct db **out, const char *path); /* the file must exist */
/* after a failure, which the log knows of: silent until something works */
MUST_USE enum err db_reopen(struct db **out, const char *path);
void db_free(struct db *db);

enum err db_error(int sqlite_code);
MUST_USE enum err db_script(struct db *db, const char *sql); /* fixed text only, never with values in it */
MUST_USE enum err db_run(struct db *db, enum query query);   /* nothing to bind, nothing to read */
MUST_USE enum err db_sweep(struct db *db);                   /* moves what it can of the log into the file */
MUST_USE enum err db_empty_log(struct db *db);               /* moves all of it, or fails */
bool db_in_transaction(const struct db *db);
bool db_has_changed(const struct db *db); /* the last INSERT, UPDATE or DELETE met a row to write */
int64_t db_changes(const struct db *db);  /* so many */

struct query_run {
    struct db *db;
    enum query query;
    sqlite3_stmt *statement;
    struct arena *arena; /* NULL: no text is read */
    int place;           /* of the last parameter bound or column read */
    enum err error;
};

void query_start(struct query_run *run, struct db *db, enum query query, struct arena *arena);
void query_bind_number(struct query_run *run, int64_t number);
void query_bind_number_or_none(struct query_run *run, int64_t number); /* 0: NULL */
void query_bind_text(struct query_run *run, struct bytes text);        /* absent: NULL */
void query_bind_blob(struct query_run *run, struct bytes blob);        /* absent: NULL */
void query_bind_uuid(struct query_run *run, const struct uuid *id);    /* zero: NULL */

bool query_step(struct query_run *run); /* true: a row to read */
int64_t query_read_number(struct query_run *run);
int query_read_choice(struct query_run *run, int last);         /* 1..last, else ERR_CORRUPT */
int query_read_choice_or_none(struct query_run *run, int last); /* NULL: 0 */
struct bytes query_read_text(struct query_run *run);            /* NULL: absent */
void query_read_uuid(struct uuid *out, struct query_run *run);  /* NULL: zero; not 16 bytes: ERR_CORRUPT */
void query_read_exactly(uint8_t *out, size_t len, struct query_run *run); /* another length: ERR_CORRUPT */
MUST_USE enum err query_end(struct query_run *run);

#endif
