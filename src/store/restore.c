/* restore.c — the half of backup.h that puts a backup in the place of a database. */
#include "store/backup.h"
#include "store/file.h"
#include "store/migrate.h"
#include "store/rows.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES 65536
#define KEEP_S     31536000 /* as engine/revoke.c: no credential outlives it */

/* How far a database had come, in what must never be handed out twice. */
struct reached {
    int64_t epoch, floor_ms, cut_ms;
};

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static enum err ask_number(int64_t *out, struct db *db, enum query query)
{
    struct query_run run;
    query_start(&run, db, query, NULL);
    if (query_step(&run)) *out = query_read_number(&run);
    return query_end(&run);
}

/* An older schema has less to tell. */
static enum err read_reached(struct reached *out, struct db *db)
{
    const char *why;
    int64_t schema = 0, floor_ms = 0, cut_ms = 0, epoch = 0;
    enum err e;
    *out = (struct reached){0};
    TRY(e = file_check_owner(db, &why), done);
    TRY(e = ask_number(&schema, db, QUERY_SCHEMA_VERSION), done);
    TRY(e = ask_number(&epoch, db, QUERY_EPOCH), done);
    if (schema >= 3) TRY(e = ask_number(&floor_ms, db, QUERY_FLOOR), done);
    if (schema >= 4) TRY(e = ask_number(&cut_ms, db, QUERY_CUTOFF_LATEST), done);
    if (epoch < 0 || floor_ms < 0 || floor_ms > STORE_FLOOR_MAX_MS || cut_ms > STORE_FLOOR_MAX_MS)
        e = ERR_CORRUPT;
    if (e == ERR_OK) *out = (struct reached){epoch, floor_ms, cut_ms};
done:
    return e;
}

/* Best effort: who restores may do so because nothing can be read here any more. SQLite is not shown what is
 * no database: it would clear the log beside one that is empty. */
static void read_replaced(struct store_restore *restore, struct reached *out)
{
    struct db *db = NULL;
    off_t size;
    bool is_ours;
    enum err e;
    *out = (struct reached){0};
    TRY(e = file_size(&size, restore->to, ""), done);
    if (size < 0) goto done;
    TRY(e = file_is_ours(&is_ours, restore->to), done);
    e = ERR_CORRUPT;
    if (!is_ours) goto done;
    TRY(e = db_open(&db, restore->to), done);
    /* it is put aside as it is */
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    e = read_reached(out, db);
done:
    db_free(db);
    restore->is_blind = e != ERR_OK;
}

static enum err copy_bytes(int to, int from)
{
    static uint8_t part[COPY_BYTES]; /* one restore a process */
    ssize_t len;
    while ((len = read(from, part, sizeof part)) > 0)
        for (ssize_t at = 0, put; at < len; at += put) {
            put = write(to, part + at, (size_t)(len - at));
            if (put <= 0) return ERR_IO;
        }
    return len == 0 && fsync(to) == 0 ? ERR_OK : ERR_IO;
}

/* Read as bytes: a backup may lie where nothing can be written, and is one file. */
static enum err copy_backup(const char *name, const char *from, const char **why)
{
    off_t log_size;
    int in = -1, out = -1;
    enum err e;
    *why = "a write-ahead log lies beside this file: it is no backup but a database, copied while in use";
    TRY(e = file_size(&log_size, from, "-wal"), done);
    e = ERR_CONFIG;
    if (log_size > 0) goto done;
    *why = "the backup cannot be read";
    e = ERR_IO;
    in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0) goto done;
    *why = "the backup cannot be copied into the data folder: is there room?";
    TRY(e = file_create_private(name), done);
    e = ERR_IO;
    out = open(name, O_WRONLY | O_CLOEXEC);
    if (out >= 0) e = copy_bytes(out, in);
done:
    if (in >= 0) (void)close(in);
    if (out >= 0) (void)close(out); /* synced */
    return e;
}

/* Of its time a restore makes the epoch: two of one backup, on two machines even, are not the same. */
static enum err void_everything(struct store_restore *restore, struct db *db, const struct reached *replaced)
{
    struct reached own;
    struct query_run run;
    enum err e;
    TRY(e = read_reached(&own, db), done);
    restore->epoch = greater(greater(own.epoch, replaced->epoch) + 1, restore->now_ms / 1000);
    restore->cut_ms = cutoff_next_ms(greater(restore->now_ms, greater(own.floor_ms, replaced->floor_ms)),
                                     greater(own.cut_ms, replaced->cut_ms));
    TRY(e = db_run(db, QUERY_BEGIN_WRITE), done);
    query_start(&run, db, QUERY_EPOCH_SET, NULL);
    query_bind_number(&run, restore->epoch);
    (void)query_step(&run); /* query_end tells */
    TRY(e = query_end(&run), done);
    query_start(&run, db, QUERY_CUTOFF_ALL, NULL);
    query_bind_number(&run, restore->cut_ms);
    query_bind_number(&run, cutoff_until_s(restore->cut_ms, KEEP_S));
    (void)query_step(&run);
    TRY(e = query_end(&run), done);
    e = db_run(db, QUERY_COMMIT);
done:
    if (db_in_transaction(db)) (void)db_run(db, QUERY_ROLLBACK); /* the error at hand says more */
    return e;
}

/* A cut within the last page may hit nothing but zeros, which nobody would miss: it is refused
 * like any other. */
static enum err check_whole(struct db *db, const char *name)
{
    int64_t page_bytes = 0;
    off_t size;
    enum err e;
    TRY(e = ask_number(&page_bytes, db, QUERY_PAGE_SIZE), done);
    TRY(e = file_size(&size, name, ""), done);
    if (page_bytes < 1 || size % page_bytes != 0) e = ERR_CORRUPT;
done:
    return e;
}

static enum err adapt(struct store_restore *restore, const char *name, const struct reached *replaced,
                      const char **why)
{
    struct db *db = NULL;
    enum err e;
    *why = "the backup is not a database, or its beginning is damaged";
    TRY(e = db_open(&db, name), done);
    TRY(e = file_check_owner(db, why), done);
    TRY(e = file_check_schema(&restore->schema, db, why), done);
    *why = "the backup is damaged";
    TRY(e = check_whole(db, name), done);
    TRY(e = file_check_pages(db), done);
    TRY(e = migrate(db, NULL, migrations, migration_count, why), done);
    *why = "the restored database cannot be written: is there room?";
    TRY(e = void_everything(restore, db, replaced), done);
    TRY(e = ask_number(&restore->projects, db, QUERY_PROJECT_COUNT), done);
    e = ask_number(&restore->users, db, QUERY_USER_COUNT);
done:
    db_free(db);
    return e;
}

/* Root may restore for the server's user, whose folder it is. */
static enum err give_to_owner(const char *name, const char *to)
{
    struct buf folder;
    struct stat owner;
    enum err e;
    buf_init(&folder, FILE_PATH_MAX);
    TRY(e = file_folder(&folder, to), done);
    if (geteuid() != 0) goto done;
    if (stat((const char *)folder.ptr, &owner) != 0 || chown(name, owner.st_uid, owner.st_gid) != 0)
        e = ERR_IO;
done:
    buf_release(&folder);
    return e;
}

static enum err make(struct store_restore *restore, struct buf *name, const struct reached *replaced,
                     const char **why)
{
    struct buf ready;
    enum err e;
    buf_init(&ready, FILE_PATH_MAX);
    *why = "the name of the data folder is too long, or what an earlier restore has left cannot be removed";
    TRY(e = file_beside(&ready, restore->to, ".restored"), done);
    TRY(e = file_clear(name, restore->to, ".restoring"), done);
    TRY(e = file_beside(name, restore->to, ".restoring"), done);
    TRY(e = copy_backup((const char *)name->ptr, restore->from, why), done);
    TRY(e = adapt(restore, (const char *)name->ptr, replaced, why), done);
    *why = "the restored database cannot be given to the owner of the folder, or its name";
    TRY(e = give_to_owner((const char *)name->ptr, restore->to), done);
    TRY(e = file_sync((const char *)name->ptr), done);
    if (rename((const char *)name->ptr, (const char *)ready.ptr) != 0) e = ERR_IO;
    if (e == ERR_OK) e = file_sync_folder(restore->to); /* from now on it counts */
done:
    buf_release(&ready);
    return e;
}

static enum err check_place(const struct store_restore *restore, const char **why)
{
    off_t size, log_size;
    enum err e;
    *why = "an earlier restore cannot be ended";
    TRY(e = file_settle(NULL, restore->to), done);
    *why = "the data folder cannot be examined";
    TRY(e = file_size(&size, restore->to, ""), done);
    TRY(e = file_size(&log_size, restore->to, "-wal"), done);
    *why = "there is a database here already: name another folder, or say --replace to put it aside";
    if (!restore->replaces && (size >= 0 || log_size >= 0)) e = ERR_CONFIG;
done:
    return e;
}

enum err store_restore(struct store_restore *restore, const char **why)
{
    struct buf name;
    struct reached replaced;
    enum err e;
    buf_init(&name, FILE_PATH_MAX);
    TRY(e = check_place(restore, why), done);
    read_replaced(restore, &replaced);
    e = make(restore, &name, &replaced, why);
    if (e != ERR_OK) {
        (void)file_clear(&name, restore->to, ".restoring"); /* or the next one does */
        goto done;
    }
    *why = "the restored database is complete, but cannot take its place: the next start tries again";
    e = file_settle(&restore->aside, restore->to);
done:
    buf_release(&name);
    if (e == ERR_OK) *why = NULL;
    return e;
}
