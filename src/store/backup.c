#include "store/backup.h"

#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOURNAL_MODE_AT 18 /* two bytes of the header: 1 is a rollback journal, 2 a write-ahead log */

/* Whoever writes the part holds its lock; one that a kill has left is taken over. */
static enum err take_part(int *out, const char *part)
{
    struct stat held, named;
    int file = open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    enum err e = ERR_IO;
    *out = -1;
    if (file < 0) return ERR_IO;
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        e = errno == EWOULDBLOCK ? ERR_LOCKED : ERR_IO;
        goto failed;
    }
    if (fstat(file, &held) != 0 || lstat(part, &named) != 0) goto failed;
    if (held.st_ino != named.st_ino || held.st_dev != named.st_dev) { /* it just got its name */
        e = ERR_LOCKED;
        goto failed;
    }
    if (held.st_uid != geteuid() || held.st_nlink != 1 || !S_ISREG(held.st_mode)) goto failed;
    if (fchmod(file, 0600) != 0 || ftruncate(file, 0) != 0) goto failed;
    *out = file;
    return ERR_OK;
failed:
    (void)close(file); /* nothing was written */
    return e;
}

/* The database must stay, and so must what somebody named by mistake. */
static enum err check_target(const struct store_backup *backup, const char **why)
{
    struct stat from, to;
    bool is_ours = false;
    enum err e;
    *why = "there is no database here: name the server's folder with --data";
    if (stat(backup->from, &from) != 0) return errno == ENOENT ? ERR_CONFIG : ERR_IO;
    *why = "the file cannot be examined";
    if (lstat(backup->to, &to) != 0) return errno == ENOENT ? ERR_OK : ERR_IO;
    *why = "this file is there already: name another, or say --replace if it is an older backup";
    if (!backup->replaces) return ERR_CONFIG;
    *why = "this file is the database itself";
    if (from.st_dev == to.st_dev && from.st_ino == to.st_ino) return ERR_CONFIG;
    *why = "this file is no backup of this program, and is not replaced";
    if (!S_ISREG(to.st_mode)) return ERR_CONFIG;
    TRY(e = file_is_ours(&is_ours, backup->to), done);
    if (!is_ours) e = ERR_CONFIG;
done:
    return e;
}

/* Holds one look at the log until it is rolled back. */
static enum err begin_look(struct db **out, const struct store_backup *backup, const char **why)
{
    const char *path = backup->from;
    struct db *db = NULL;
    off_t log_size;
    enum err e;
    *why = "the database cannot be opened: ask as the one who runs the server";
    TRY(e = file_size(&log_size, path, "-wal"), done);
    if (backup->is_alone && log_size > 0) TRY(e = file_check_log(path, why), done);
    TRY(e = db_open(&db, path), done);
    /* The last one to leave would tidy up the log, and it is a crash's mark until the next start. */
    if (log_size > 0) (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    TRY(e = db_run(db, QUERY_BEGIN_READ), done);
    TRY(e = file_check_owner(db, why), done);
    e = file_check_schema(NULL, db, why);
    *out = db;
    db = NULL;
done:
    db_free(db);
    return e;
}

static enum err copy_slices(struct store_backup *backup, sqlite3 *to, struct db *from, int part)
{
    sqlite3_backup *copy = sqlite3_backup_init(to, "main", from->handle, "main");
    int code = SQLITE_OK;
    if (copy == NULL) return db_error(sqlite3_errcode(to));
    while (code == SQLITE_OK) {
        code = sqlite3_backup_step(copy, BACKUP_SLICE_PAGES);
        if (code == SQLITE_OK && fdatasync(part) != 0) code = SQLITE_IOERR;
        int64_t all = sqlite3_backup_pagecount(copy), left = sqlite3_backup_remaining(copy);
        if (backup->tell != NULL) backup->tell(backup->state, (all - left) * 4096, all * 4096);
    }
    int finished = sqlite3_backup_finish(copy);
    return code == SQLITE_DONE        ? db_error(finished)
           : db_error(code) == ERR_OK ? ERR_STORE_FAILED
                                      : db_error(code);
}

/* Nobody else knows the part yet, and a cut-short one is thrown away: it needs no journal. */
static enum err copy_into_part(struct store_backup *backup, const char *part_name, int part, struct db *from)
{
    sqlite3 *to = NULL;
    enum err e;
    TRY(e = db_error(sqlite3_open_v2(part_name, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)),
        done);
    TRY(e = db_error(
            sqlite3_exec(to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL)),
        done);
    e = copy_slices(backup, to, from, part);
done:
    (void)sqlite3_close(to); /* it has no statement left; what it wrote is synced below */
    if (e == ERR_OK && pwrite(part, "\1\1", 2, JOURNAL_MODE_AT) != 2)
        e = ERR_IO; /* one file, without a log */
    if (e == ERR_OK && fsync(part) != 0) e = ERR_IO;
    return e;
}

static enum err check_part(const char *part, const char **why)
{
    struct db *db = NULL;
    enum err e;
    *why = "the copy is damaged, and so is the database: stop the server and look into its log";
    TRY(e = db_open(&db, part), done);
    e = file_check_pages(db);
done:
    db_free(db);
    return e;
}

static enum err make_part(struct store_backup *backup, const char *part_name, int part, const char **why)
{
    struct db *from = NULL;
    struct stat made;
    enum err e;
    TRY(e = begin_look(&from, backup, why), done);
    *why = "the copy cannot be written: is there room where it shall lie?";
    TRY(e = copy_into_part(backup, part_name, part, from), done);
    TRY(e = check_part(part_name, why), done);
    *why = "the copy cannot be given its name";
    e = fstat(part, &made) == 0 && rename(part_name, backup->to) == 0 ? ERR_OK : ERR_IO;
    if (e == ERR_OK) e = file_sync_folder(backup->to);
    if (e == ERR_OK) backup->bytes = (int64_t)made.st_size;
done:
    if (from != NULL) (void)db_run(from, QUERY_ROLLBACK); /* nothing was written */
    db_free(from);
    return e;
}

enum err store_back_up(struct store_backup *backup, const char **why)
{
    struct buf name;
    int part = -1;
    enum err e;
    backup->bytes = 0;
    buf_init(&name, FILE_PATH_MAX);
    TRY(e = check_target(backup, why), done);
    *why = "the name is too long";
    TRY(e = file_beside(&name, backup->to, ".part"), done);
    const char *part_name = (const char *)name.ptr;
    *why = "the copy cannot be begun: is the folder there, and may you write in it?";
    TRY(e = take_part(&part, part_name), done);
    e = make_part(backup, part_name, part, why);
    if (e != ERR_OK) (void)unlink(part_name); /* or the next one takes it over */
done:
    if (part >= 0) (void)close(part); /* synced before it got its name */
    buf_release(&name);
    if (e == ERR_LOCKED) *why = "another backup is being written to this file";
    if (e == ERR_STORE_BUSY) *why = "another program holds the database: try again";
    if (e == ERR_OK) *why = NULL;
    return e;
}
