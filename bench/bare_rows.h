/* bare_rows.h — the statements of durable writes with nothing around them: what both floors write.
 *
 * The same prepared statements, bound in the same way, of a project whose number is 1. Nothing is looked up,
 * no row comes back, and a write that meets none ends the program: both floors only write what is new. */
#ifndef COATCHECK_BENCH_BARE_ROWS_H
#define COATCHECK_BENCH_BARE_ROWS_H

#include "store/db.h"
#include "store/store.h"

extern const struct uuid bare_project; /* its number is 1 */

/* A fresh database at path, with the project in it: what was there is removed. By the store,
 * which stays open. */
struct store *bare_rows_make(const char *path);
void bare_rows_remove(const char *path);
struct db *bare_rows_open(const char *path); /* as the store's writer has it */

/* As random as drawn ones, so that an index is met at a different page each time. */
struct uuid bare_id(uint8_t kind, uint64_t number);

void bare_begin(struct db *db);
void bare_write(struct db *db, const struct write *write);
/* All or none of several, as a commit of the store is. */
void bare_write_together(struct db *db, const struct write *writes, size_t count);
void bare_commit(struct db *db);

#endif
