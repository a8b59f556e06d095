#include "store/file.h"

#include "base/log.h"
#include "store/log_check.h"
#include "store/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 1131372916 /* as in schema/0001_ground.sql */
#define OWNER_AT       68         /* where it stands in the file, big-endian */

/* A whole look through the file takes about a second per GiB: always for a small one, else only
 * after a crash. */
#define CHECKED_ALWAYS_BYTES ((off_t)64 << 20)

enum err file_create_private(const char *path)
{
    if (unlink(path) != 0 && errno != ENOENT) return ERR_IO;
    /* SQLite gives the log the same mode */
    int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) return ERR_IO;
    (void)close(file); /* nothing was written that could be lost */
    return ERR_OK;
}

enum err file_folder(struct buf *out, const char *path)
{
    const char *slash = strrchr(path, '/');
    buf_reset(out);
    buf_append(out, slash == NULL ? BYTES(".") : bytes_of(path, (size_t)(slash - path) + 1));
    buf_append_byte(out, 0);
    return buf_error(out);
}

enum err file_sync_folder(const char *path)
{
    struct buf folder;
    enum err e;
    buf_init(&folder, FILE_PATH_MAX);
    TRY(e = file_folder(&folder, path), done);
    int descriptor = open((const char *)folder.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0 || fsync(descriptor) != 0) e = ERR_IO;
    if (descriptor >= 0) (void)close(descriptor); /* was only read */
done:
    buf_release(&folder);
    return e;
}

enum err file_beside(struct buf *out, const char *path, const char *suffix)
{
    buf_reset(out);
    buf_append_text(out, path);
    buf_append_text(out, suffix);
    buf_append_byte(out, 0);
    return buf_error(out);
}

enum err file_size(off_t *out, const char *path, const char *suffix)
{
    struct buf name;
    struct stat info;
    enum err e;
    *out = -1;
    buf_init(&name, FILE_PATH_MAX);
    TRY(e = file_beside(&name, path, suffix), done);
    if (stat((const char *)name.ptr, &info) == 0)
        *out = info.st_size;
    else if (errno != ENOENT)
        e = ERR_IO;
done:
    buf_release(&name);
    return e;
}

/* The log's mode is kept in the file; a copy made by other tools may have lost it. */
static enum err keep_log(struct db *db, const char **why)
{
    struct arena arena;
    struct query_run run;
    struct bytes mode = BYTES_NONE;
    arena_init(&arena, 64);
    query_start(&run, db, QUERY_LOG_MODE, &arena);
    if (query_step(&run)) mode = query_read_text(&run);
    enum err e = query_end(&run);
    if (e == ERR_OK && !bytes_equal(mode, BYTES("wal"))) {
        *why = "the database cannot keep a write-ahead log here; is the folder on a network file system?";
        e = ERR_IO;
    }
    arena_release(&arena);
    return e;
}

enum err file_clear(struct buf *name, const char *path, const char *suffix)
{
    static const char *const beside[] = {"", "-wal", "-shm", "-journal"};
    enum err e = ERR_OK;
    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        buf_reset(name);
        buf_append_text(name, path);
        buf_append_text(name, suffix);
        buf_append_text(name, beside[i]);
        buf_append_byte(name, 0);
        TRY(e = buf_error(name), done);
        if (unlink((const char *)name->ptr) != 0 && errno != ENOENT) e = ERR_IO;
    }
done:
    return e;
}

enum err file_sync(const char *path)
{
    int file = open(path, O_RDWR | O_CLOEXEC);
    enum err e = file >= 0 && fsync(file) == 0 ? ERR_OK : ERR_IO;
    if (file >= 0) (void)close(file); /* synced */
    return e;
}

/* What a crash has left of an earlier attempt goes first. */
static enum err begin_attempt(struct buf *name, const char *path)
{
    enum err e;
    TRY(e = file_clear(name, path, ".new"), done);
    TRY(e = file_beside(name, path, ".new"), done);
    e = file_create_private((const char *)name->ptr);
done:
    return e;
}

static enum err create(const char *path, const char **why)
{
    struct buf name;
    struct db *db = NULL;
    enum err e;
    buf_init(&name, FILE_PATH_MAX);
    *why = "the database file cannot be created";
    TRY(e = begin_attempt(&name, path), done);
    TRY(e = db_open(&db, (const char *)name.ptr), done);
    TRY(e = keep_log(db, why), done);
    TRY(e = migrate(db, NULL, migrations, migration_count, why), done);
    *why = "the new database cannot be written to the disk";
    /* Closing would do it, too, but not tell: and the file would get its name without its content. */
    TRY(e = db_empty_log(db), done);
    db_free(db);
    db = NULL;
    *why = "the database file cannot be given its name";
    if (rename((const char *)name.ptr, path) != 0) {
        e = ERR_IO;
        goto done;
    }
    e = file_sync_folder(path);
done:
    db_free(db);
    buf_release(&name);
    return e;
}

enum err file_check_owner(struct db *db, const char **why)
{
    struct query_run run;
    int64_t id = 0;
    query_start(&run, db, QUERY_APPLICATION_ID, NULL);
    if (query_step(&run)) id = query_read_number(&run);
    enum err e = query_end(&run);
    if (e != ERR_OK || id == APPLICATION_ID) return e;
    *why = "the file is a database, but not one of this program";
    return ERR_CORRUPT;
}

/* SQLite before 3.42 takes a page that cannot be read, or for which there is no memory, for a finding. */
static bool means_unreadable(struct bytes finding)
{
    static const char *const words[] = {"unable to get the page", "failed to get page"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (finding.len && memmem(finding.ptr, finding.len, words[i], strlen(words[i])) != NULL) return true;
    return false;
}

enum err file_check_pages(struct db *db)
{
    struct arena arena;
    struct query_run run;
    struct bytes finding = BYTES_NONE;
    arena_init(&arena, 4096);
    query_start(&run, db, QUERY_CHECK, &arena);
    if (query_step(&run)) finding = query_read_text(&run);
    enum err e = query_end(&run);
    if (e == ERR_OK && !bytes_equal(finding, BYTES("ok"))) {
        e = means_unreadable(finding) ? ERR_STORE_FAILED : ERR_CORRUPT;
        log_error("store_damaged", log_bytes("finding", finding));
    }
    arena_release(&arena);
    return e;
}

enum err file_check_log(const char *path, const char **why)
{
    struct buf name;
    enum err e;
    buf_init(&name, FILE_PATH_MAX);
    const char *kept = *why;
    *why = "the write-ahead log cannot be read";
    TRY(e = file_beside(&name, path, "-wal"), done);
    e = log_check((const char *)name.ptr);
    if (e == ERR_CORRUPT) *why = "the write-ahead log is damaged, and with it commits that were acknowledged";
    if (e == ERR_OK) *why = kept;
done:
    buf_release(&name);
    return e;
}

enum err file_check_schema(int64_t *out, struct db *db, const char **why)
{
    struct query_run run;
    int64_t schema = 0;
    query_start(&run, db, QUERY_SCHEMA_VERSION, NULL);
    if (query_step(&run)) schema = query_read_number(&run);
    enum err e = query_end(&run);
    if (out != NULL) *out = schema;
    if (e != ERR_OK) return e;
    *why = "the database was written by a newer version of this program";
    if (schema > (int64_t)migration_count) return ERR_STORE_NEWER;
    *why = "the database has no schema";
    return schema < 1 ? ERR_CORRUPT : ERR_OK;
}

enum err file_is_ours(bool *out, const char *path)
{
    static const char magic[16] = "SQLite format 3";
    uint8_t head[OWNER_AT + 4];
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    *out = false;
    if (file < 0) return ERR_IO;
    if (read(file, head, sizeof head) == (ssize_t)sizeof head) {
        uint32_t id = (uint32_t)head[OWNER_AT] << 24 | (uint32_t)head[OWNER_AT + 1] << 16 |
                      (uint32_t)head[OWNER_AT + 2] << 8 | head[OWNER_AT + 3];
        *out = memcmp(head, magic, sizeof magic) == 0 && id == APPLICATION_ID;
    }
    (void)close(file); /* was only read */
    return ERR_OK;
}

static enum err check_and_migrate(const char *path, off_t size, bool was_closed, const char **why)
{
    struct db *db = NULL;
    bool is_checked = false;
    bool is_ours;
    enum err e;
    *why = "the file is not a database of this program, or its beginning is damaged";
    TRY(e = file_is_ours(&is_ours, path), done);
    e = ERR_CORRUPT;
    if (!is_ours)
        goto done; /* SQLite is not shown it: it would clear the log beside what is shorter than a page */
    TRY(e = db_open(&db, path), done);
    TRY(e = file_check_owner(db, why), done);
    *why = "the database is damaged";
    if (!was_closed || size < CHECKED_ALWAYS_BYTES) TRY(e = file_check_pages(db), done);
    TRY(e = keep_log(db, why), done);
    is_checked = true;
    e = migrate(db, path, migrations, migration_count, why);
done:
    db_free(db);
    if (e == ERR_STORE_BUSY) *why = "another process is using the database";
    if (!is_checked && e == ERR_STORE_FAILED) *why = "the disk fails to read the database; the log says more";
    if (!is_checked && e == ERR_NO_MEMORY) *why = "there is not enough memory to look at the database";
    return e;
}

/* path.replaced-N with a suffix, for the least N that no database was put aside as. */
static enum err name_aside(struct buf *out, unsigned *number, const char *path, const char *suffix)
{
    enum err e = ERR_OK;
    for (*number = 1; e == ERR_OK; ++*number) {
        buf_reset(out);
        buf_append_text(out, path);
        buf_append_text(out, ".replaced-");
        buf_append_u64(out, *number);
        size_t len = out->len;
        buf_append_byte(out, 0);
        TRY(e = buf_error(out), done);
        if (access((const char *)out->ptr, F_OK) == 0) continue;
        buf_truncate(out, len);
        buf_append_text(out, suffix);
        buf_append_byte(out, 0);
        return buf_error(out);
    }
done:
    return e;
}

static enum err put_aside(unsigned *number, const char *path, const char *suffix)
{
    struct buf from, to;
    enum err e;
    buf_init(&from, FILE_PATH_MAX);
    buf_init(&to, FILE_PATH_MAX);
    TRY(e = file_beside(&from, path, suffix), done);
    TRY(e = name_aside(&to, number, path, suffix), done);
    if (rename((const char *)from.ptr, (const char *)to.ptr) != 0) {
        *number = 0;
        if (errno != ENOENT) e = ERR_IO;
    }
done:
    buf_release(&from);
    buf_release(&to);
    return e;
}

/* The database goes last: until then its log finds the same number, however often this is cut short. */
static enum err put_all_aside(unsigned *number, const char *path)
{
    unsigned logs;
    struct buf shared;
    enum err e;
    buf_init(&shared, FILE_PATH_MAX);
    TRY(e = put_aside(&logs, path, "-wal"), done);
    TRY(e = put_aside(&logs, path, "-journal"), done);
    TRY(e = file_beside(&shared, path, "-shm"), done);
    if (unlink((const char *)shared.ptr) != 0 && errno != ENOENT) e = ERR_IO; /* an index to the log */
    if (e == ERR_OK) e = file_sync_folder(path);
    if (e == ERR_OK) e = put_aside(number, path, "");
    if (e == ERR_OK) e = file_sync_folder(path);
done:
    buf_release(&shared);
    return e;
}

enum err file_settle(unsigned *aside, const char *path)
{
    struct buf ready;
    unsigned number = 0;
    enum err e;
    buf_init(&ready, FILE_PATH_MAX);
    TRY(e = file_beside(&ready, path, ".restored"), done);
    if (access((const char *)ready.ptr, F_OK) == 0) {
        TRY(e = put_all_aside(&number, path), done);
        if (rename((const char *)ready.ptr, path) != 0) e = ERR_IO;
        if (e == ERR_OK) e = file_sync_folder(path);
    }
done:
    if (aside != NULL) *aside = number;
    buf_release(&ready);
    return e;
}

enum err file_prepare(const char *path, const char **why)
{
    off_t size, log_size;
    enum err e;
    *why = "a restored database is complete, but cannot take its place";
    TRY(e = file_settle(NULL, path), done);
    *why = "the database file cannot be examined";
    TRY(e = file_size(&size, path, ""), done);
    TRY(e = file_size(&log_size, path, "-wal"), done);
    if (size < 0 && log_size < 0) {
        e = create(path, why);
    } else if (size < 0) {
        *why = "the database file is missing, but its write-ahead log is there";
        e = ERR_CORRUPT;
    } else if (size == 0) {
        *why = "the database file is empty";
        e = ERR_CORRUPT;
    } else {
        if (log_size > 0) TRY(e = file_check_log(path, why), done);
        e = check_and_migrate(path, size, log_size <= 0, why);
    }
done:
    if (e == ERR_OK) *why = NULL;
    return e;
}
