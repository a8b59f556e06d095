#include "bare_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct uuid bare_project = {.byte = {1}};

static void die(const char *what)
{
    fprintf(stderr, "bench: %s failed\n", what);
    exit(EXIT_FAILURE);
}

/* ---- the file ---- */

void bare_rows_remove(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char name[400];
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
}

struct store *bare_rows_make(const char *path)
{
    struct write write = {.kind = WRITE_PROJECT, .project = {.id = bare_project}};
    struct store *store;
    struct row row;
    const char *why;
    bare_rows_remove(path);
    settings_standard(write.project.setting);
    if (store_sqlite_open(&store, path, &why) != ERR_OK) die("opening");
    if (store_commit_wait(store, &write, 1, &row, NULL) != ERR_OK) die("the project");
    return store;
}

struct db *bare_rows_open(const char *path)
{
    struct db *db;
    if (db_open(&db, path) != ERR_OK || db_script(db, "PRAGMA cache_size = -16384") != ERR_OK) die("opening");
    return db;
}

struct uuid bare_id(uint8_t kind, uint64_t number)
{
    struct uuid id = {.byte = {0}};
    uint64_t mixed = (number + 1) * 0x9E3779B97F4A7C15u;
    mixed ^= mixed >> 29;
    memcpy(id.byte, &mixed, sizeof mixed);
    memcpy(id.byte + 8, &number, 7);
    id.byte[15] = kind;
    return id;
}

/* ---- the rows ---- */

static void bind_family(struct query_run *run, const struct family *family, uint32_t from)
{
    query_bind_number(run, 1);
    query_bind_number(run, family->bucket_s);
    query_bind_uuid(run, &family->id);
    query_bind_uuid(run, &family->user);
    query_bind_number(run, family->state);
    query_bind_number(run, family->generation);
    query_bind_number(run, family->rotated_ms);
    query_bind_number(run, family->succ_exp_s);
    query_bind_number(run, family->age_ms);
    query_bind_text(run, family->holder);
    query_bind_number(run, family->holder_is_bound);
    query_bind_text(run, family->seal_key);
    if (from > 0) query_bind_number(run, from);
}

static void bind_user(struct query_run *run, const struct user *user)
{
    query_bind_number(run, 1);
    query_bind_blob(run, BYTES_NONE);
    query_bind_uuid(run, &user->id);
    query_bind_number(run, user->kind);
    query_bind_text(run, user->reference);
    query_bind_text(run, user->external_id);
    query_bind_text(run, user->payload);
    query_bind_number(run, user->created_ms);
    query_bind_number(run, user->updated_ms);
    query_bind_uuid(run, &user->address.id);
    query_bind_uuid(run, &user->address.resource);
    query_bind_text(run, user->address.name);
    query_bind_text(run, user->address.display_name);
    query_bind_number_or_none(run, user->address.type);
    query_bind_number(run, user->address.created_ms);
    for (size_t i = 0; i < PROFILE_COUNT; i++)
        query_bind_text(run, user->profile.value[i]);
}

void bare_write(struct db *db, const struct write *write)
{
    struct query_run run;
    uint32_t from = write->family.from_generation;
    if (write->kind == WRITE_USER) {
        query_start(&run, db, QUERY_USER_INSERT, NULL);
        bind_user(&run, &write->user.user);
    } else if (write->kind == WRITE_ONCE) {
        query_start(&run, db, QUERY_ONCE_INSERT, NULL);
        query_bind_number(&run, write->once.bucket_s);
        query_bind_uuid(&run, &write->once.id);
    } else {
        query_start(&run, db, from > 0 ? QUERY_FAMILY_STEP : QUERY_FAMILY_INSERT, NULL);
        bind_family(&run, &write->family.family, from);
    }
    (void)query_step(&run); /* query_end tells */
    if (query_end(&run) != ERR_OK || !db_has_changed(db)) die("a statement");
}

void bare_write_together(struct db *db, const struct write *writes, size_t count)
{
    if (count > 1 && db_run(db, QUERY_SAVEPOINT) != ERR_OK) die("a savepoint");
    for (size_t i = 0; i < count; i++)
        bare_write(db, &writes[i]);
    if (count > 1 && db_run(db, QUERY_RELEASE) != ERR_OK) die("a release");
}

void bare_begin(struct db *db)
{
    if (db_run(db, QUERY_BEGIN_WRITE) != ERR_OK) die("begin");
}

void bare_commit(struct db *db)
{
    if (db_run(db, QUERY_COMMIT) != ERR_OK) die("commit");
}
