/* file.h — the database file on its way to being used: created whole or not at all, checked, migrated.
 *
 * A new database is built under another name and renamed when it is complete. Therefore a file that is there
 * but empty, cut, or of somebody else is damage, and is refused: never is an empty store put in its place. */
#ifndef COATCHECK_STORE_FILE_H
#define COATCHECK_STORE_FILE_H

#include "store/db.h"

#include <sys/types.h>

#define FILE_PATH_MAX 4096

/* Leaves at path a database of the newest schema. On failure *why names the reason (a static string). */
MUST_USE enum err file_prepare(const char *path, const char **why);

/* Ends a restore that was cut short after its new database was complete (backup.h). *aside: N of what was put
 * aside, 0 if nothing was; may be NULL. */
MUST_USE enum err file_settle(unsigned *aside, const char *path);

/* On a database that is open. */
MUST_USE enum err file_check_owner(struct db *db, const char **why);
MUST_USE enum err file_check_schema(int64_t *out, struct db *db, const char **why); /* out may be NULL */
MUST_USE enum err file_check_pages(struct db *db);
MUST_USE enum err file_check_log(const char *path, const char **why); /* of a database that nobody uses */

MUST_USE enum err file_is_ours(bool *out, const char *path); /* by its header alone; nothing is opened */
MUST_USE enum err file_beside(struct buf *out, const char *path, const char *suffix); /* as a C string */
MUST_USE enum err file_size(off_t *out, const char *path, const char *suffix);        /* -1: there is none */
/* Removes path with suffix and what SQLite may have put beside that. name: room to build names in. */
MUST_USE enum err file_clear(struct buf *name, const char *path, const char *suffix);
MUST_USE enum err file_folder(struct buf *out, const char *path); /* that it lies in, as a C string */
MUST_USE enum err file_sync(const char *path);
MUST_USE enum err file_create_private(const char *path); /* empty, mode 0600, in place of what was there */
MUST_USE enum err file_sync_folder(const char *path);    /* makes the entry of path in its folder durable */

#endif
