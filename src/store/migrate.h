/* migrate.h — from no schema, or an older one, to the newest: numbered steps, forward only.
 *
 * Step N ends with `PRAGMA user_version = N` and runs in a transaction of its own, so that a database is
 * always at a whole number. Before a database with content is changed it is copied to path.before-N, N being
 * where it goes; path NULL: it is a copy itself. */
#ifndef COATCHECK_STORE_MIGRATE_H
#define COATCHECK_STORE_MIGRATE_H

#include "store/db.h"

struct migration {
    const char *name, *sql;
};
extern const struct migration migrations[]; /* schema/NNNN_name.sql, embedded in their order */
extern const size_t migration_count;

/* ERR_STORE_NEWER if the database is past the last step. *why names a failure for the operator. */
MUST_USE enum err migrate(struct db *db, const char *path, const struct migration *steps, size_t count,
                          const char **why);

#endif
