/* file.h — the database file on its way to being used: created whole or not at all, checked, migrated.
 *
 * A new database is built under another name and renamed when it is complete. Therefore a file that is there
 * but empty, cut, or of somebody else is damage, and is refused: never is an empty store put in its place. */
#ifndef COATCHECK_STORE_FILE_H
#define COATCHECK_STORE_FILE_H

#include "base/err.h"

#define FILE_PATH_MAX 4096

/* Leaves at path a database of the newest schema. On failure *why names the reason (a static string). */
MUST_USE enum err file_prepare(const char *path, const char **why);

MUST_USE enum err file_create_private(const char *path); /* empty, mode 0600, in place of what was there */
MUST_USE enum err file_sync_folder(const char *path);    /* makes the entry of path in its folder durable */

#endif
