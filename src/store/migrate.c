#include "store/migrate.h"

#include "base/log.h"
#include "store/file.h"

const struct migration migrations[] = {
#include "store/schema.inc"
};
const size_t migration_count = sizeof migrations / sizeof migrations[0];

static enum err read_version(int64_t *out, struct db *db)
{
    struct query_run run;
    *out = 0;
    query_start(&run, db, QUERY_SCHEMA_VERSION, NULL);
    if (query_step(&run)) *out = query_read_number(&run);
    return query_end(&run);
}

static enum err copy_into(sqlite3 *to, sqlite3 *from)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == NULL) return db_error(sqlite3_errcode(to));
    (void)sqlite3_backup_step(backup, -1); /* finish repeats its error */
    return db_error(sqlite3_backup_finish(backup));
}

/* An earlier copy of the same name is from a migration that failed: the database is still
 * what it was then. */
static enum err back_up(struct db *db, const char *path, size_t number)
{
    struct buf name;
    sqlite3 *copy = NULL;
    enum err e;
    buf_init(&name, FILE_PATH_MAX);
    buf_append_text(&name, path);
    buf_append_text(&name, ".before-");
    buf_append_u64(&name, number);
    buf_append_byte(&name, 0);
    TRY(e = buf_error(&name), done);
    const char *target = (const char *)name.ptr;
    TRY(e = file_create_private(target), done);
    TRY(e = db_error(sqlite3_open_v2(target, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)),
        done);
    TRY(e = copy_into(copy, db->handle), done);
    TRY(e = file_sync_folder(target), done);
    log_info("store_backed_up", log_text("to", target));
done:
    (void)sqlite3_close(copy); /* the copy was synced by its own commit */
    buf_release(&name);
    return e;
}

static enum err take_step(struct db *db, const struct migration *step, int64_t number)
{
    int64_t reached;
    enum err e;
    TRY(e = db_run(db, QUERY_BEGIN_WRITE), done);
    TRY(e = db_script(db, step->sql), done);
    TRY(e = read_version(&reached, db), done);
    e = reached == number ? db_run(db, QUERY_COMMIT) : ERR_CORRUPT;
done:
    if (db_in_transaction(db)) (void)db_run(db, QUERY_ROLLBACK); /* the error at hand says more */
    if (e == ERR_OK) log_info("store_migrated", log_text("step", step->name));
    return e;
}

enum err migrate(struct db *db, const char *path, const struct migration *steps, size_t count,
                 const char **why)
{
    int64_t version;
    enum err e;
    *why = "the schema version cannot be read";
    TRY(e = read_version(&version, db), done);
    if (version < 0 || version > (int64_t)count) {
        *why = "the database was written by a newer version of this program";
        return ERR_STORE_NEWER;
    }
    if (path != NULL && version > 0 && version < (int64_t)count) {
        *why = "the copy that must precede a migration cannot be made";
        TRY(e = back_up(db, path, count), done);
    }
    *why = "a schema migration failed; the database is as it was before that step";
    for (int64_t i = version; i < (int64_t)count; i++)
        TRY(e = take_step(db, &steps[i], i + 1), done);
    *why = NULL;
done:
    return e;
}
