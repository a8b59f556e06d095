/* What the SQLite store does with files that are not what it left: it refuses, says why, and
 * touches nothing. */
#include "store/file.h"
#include "store/migrate.h"
#include "store/store.h"

#include "harness/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT(literal) bytes_of(literal, sizeof(literal) - 1)
#define FILE_MAX      (1 << 20)

static char folder[256], path[300];
static const struct uuid shop = {.byte = {1}};

static const char *beside(const char *suffix)
{
    static char name[320];
    (void)snprintf(name, sizeof name, "%s%s", path, suffix);
    return name;
}

static void empty_folder(void)
{
    DIR *dir = opendir(folder);
    char name[600];
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        (void)snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.') (void)unlink(name);
    }
    (void)closedir(dir);
}

static size_t read_file(uint8_t *out, const char *name)
{
    FILE *file = fopen(name, "rb");
    size_t len = file == NULL ? 0 : fread(out, 1, FILE_MAX, file);
    if (file != NULL) (void)fclose(file);
    return len;
}

static void write_file(const char *name, const void *data, size_t len)
{
    FILE *file = fopen(name, "wb");
    CHECK(file != NULL && fwrite(data, 1, len, file) == len);
    if (file != NULL) (void)fclose(file);
}

static void run_sql(const char *name, const char *sql)
{
    sqlite3 *handle = NULL;
    CHECK_INT(sqlite3_open(name, &handle), SQLITE_OK);
    CHECK_INT(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_close(handle), SQLITE_OK);
}

static int64_t ask_sql(const char *name, const char *sql)
{
    sqlite3 *handle = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t answer = -1;
    CHECK_INT(sqlite3_open(name, &handle), SQLITE_OK);
    CHECK_INT(sqlite3_prepare_v2(handle, sql, -1, &statement, NULL), SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW) answer = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(handle);
    return answer;
}

static void refused(enum err expected)
{
    struct store *store = (struct store *)(void *)folder;
    const char *why = NULL;
    CHECK_INT(store_sqlite_open(&store, path, &why), expected);
    CHECK(store == NULL);
    CHECK(why != NULL && why[0] != 0);
}

static struct store *opened(void)
{
    struct store *store = NULL;
    const char *why = NULL;
    CHECK_INT(store_sqlite_open(&store, path, &why), ERR_OK);
    CHECK(why == NULL);
    if (store == NULL) exit(EXIT_FAILURE);
    return store;
}

/* A cleanly closed database of some pages. */
static void make_database(void)
{
    struct arena arena;
    struct row row;
    char reference[32];
    empty_folder();
    struct store *store = opened();
    struct write project = {.kind = WRITE_PROJECT, .project = {.id = shop}};
    settings_standard(project.project.setting);
    arena_init(&arena, 1 << 20);
    CHECK_INT(store_commit_wait(store, &project, 1, &row, &arena), ERR_OK);
    for (uint8_t i = 1; i < 100; i++) {
        (void)snprintf(reference, sizeof reference, "user-%d", i);
        struct write user = {.kind = WRITE_USER,
                             .user.user = {.id = {.byte = {i}},
                                           .project = shop,
                                           .kind = USER_PARTICIPANT,
                                           .reference = bytes_of_text(reference),
                                           .address = {.type = ADDRESS_SUBSCRIBER}}};
        CHECK_INT(store_commit_wait(store, &user, 1, &row, &arena), ERR_OK);
    }
    store->ops->close(store);
    arena_release(&arena);
}

static void refuses_what_is_no_database(void)
{
    static uint8_t garbage[5000];
    static const size_t lengths[] = {0, 1, 16, 99, 100, 4095, 4096, 5000};
    for (size_t i = 0; i < sizeof garbage; i++)
        garbage[i] = (uint8_t)(i * 7 + 3);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        static uint8_t after[FILE_MAX];
        CHECK_NOTE("%zu bytes", lengths[i]);
        empty_folder();
        write_file(path, garbage, lengths[i]);
        refused(ERR_CORRUPT);
        CHECK_INT(read_file(after, path), lengths[i]); /* nobody has put an empty store in its place */
        CHECK(memcmp(after, garbage, lengths[i]) == 0);
    }
}

static void refuses_a_database_cut_anywhere(void)
{
    static uint8_t whole[FILE_MAX], after[FILE_MAX];
    make_database();
    size_t len = read_file(whole, path);
    CHECK(len > 40000 && len < FILE_MAX);
    for (size_t cut = 0; cut < len; cut += cut < 4096 ? 512 : 1531) {
        CHECK_NOTE("cut to %zu of %zu", cut, len);
        write_file(path, whole, cut);
        refused(ERR_CORRUPT);
        CHECK_INT(read_file(after, path), cut);
    }
    write_file(path, whole, len);
    struct store *store = opened();
    store->ops->close(store);
}

static void refuses_a_database_with_a_damaged_page(void)
{
    static uint8_t data[FILE_MAX];
    make_database();
    size_t len = read_file(data, path);
    memset(data + len / 4096 / 2 * 4096, 0xA5, 4096);
    write_file(path, data, len);
    refused(ERR_CORRUPT);
}

static void refuses_a_database_of_somebody_else(void)
{
    empty_folder();
    run_sql(path, "CREATE TABLE meta (version); INSERT INTO meta VALUES (1);");
    refused(ERR_CORRUPT);
    CHECK_INT(ask_sql(path, "SELECT version FROM meta"), 1);
}

static void refuses_a_newer_schema(void)
{
    make_database();
    run_sql(path, "PRAGMA user_version = 99;");
    refused(ERR_STORE_NEWER);
    CHECK_INT(ask_sql(path, "PRAGMA user_version"), 99);
    CHECK(access(beside(".before-99"), F_OK) != 0);
}

static void refuses_a_floor_beyond_all_clocks(void)
{
    make_database();
    run_sql(path, "UPDATE meta SET floor_ms = 253402300800001");
    refused(ERR_CORRUPT);
    run_sql(path, "UPDATE meta SET floor_ms = 253402300800000");
    struct store *store = opened();
    store->ops->close(store);
}

static void refuses_a_log_without_its_database(void)
{
    empty_folder();
    write_file(beside("-wal"), "log", 3);
    refused(ERR_CORRUPT);
    CHECK(access(path, F_OK) != 0);
}

static void refuses_a_folder_that_is_not_there(void)
{
    char before[sizeof path];
    memcpy(before, path, sizeof path);
    (void)snprintf(path, sizeof path, "%s/none/coatcheck.db", folder);
    refused(ERR_IO);
    memcpy(path, before, sizeof path);
}

static void begins_again_after_a_creation_cut_short(void)
{
    empty_folder();
    write_file(beside(".new"), "half", 4);
    write_file(beside(".new-journal"), "of it", 5);
    struct store *store = opened();
    store->ops->close(store);
    CHECK(access(beside(".new"), F_OK) != 0);
}

static int mode_of(const char *name)
{
    struct stat info;
    return stat(name, &info) == 0 ? (int)(info.st_mode & 0777) : -1;
}

static void keeps_its_files_private(void)
{
    mode_t before = umask(0);
    empty_folder();
    struct store *store = opened();
    CHECK_INT(mode_of(path), 0600);
    CHECK_INT(mode_of(beside("-wal")), 0600);
    CHECK_INT(mode_of(beside("-shm")), 0600);
    store->ops->close(store);
    CHECK(access(beside("-wal"), F_OK) != 0); /* a clean end leaves no log */
    (void)umask(before);
}

static void opens_a_copy_that_lost_its_log_mode(void)
{
    make_database();
    run_sql(path, "PRAGMA journal_mode = DELETE;");
    struct store *store = opened();
    CHECK(access(beside("-wal"), F_OK) == 0);
    store->ops->close(store);
}

static const struct migration steps[] = {
    {"0001_one", "CREATE TABLE one (a); INSERT INTO one VALUES (41); PRAGMA user_version = 1;"},
    {"0002_two", "UPDATE one SET a = a + 1; CREATE TABLE two (b); PRAGMA user_version = 2;"},
    {"0003_bad", "INSERT INTO two VALUES (1); INSERT INTO three VALUES (1); PRAGMA user_version = 3;"},
};

static enum err migrate_to(size_t count, const char **why)
{
    struct db *db = NULL;
    CHECK_INT(db_open(&db, path), ERR_OK);
    enum err e = migrate(db, path, steps, count, why);
    db_free(db);
    return e;
}

static void copies_before_it_migrates(void)
{
    const char *why = NULL;
    empty_folder();
    CHECK_INT(file_create_private(path), ERR_OK);
    CHECK_INT(migrate_to(1, &why), ERR_OK);
    CHECK(why == NULL);
    CHECK(access(beside(".before-1"), F_OK) != 0); /* there was nothing to lose */
    CHECK_INT(migrate_to(2, &why), ERR_OK);
    CHECK_INT(ask_sql(path, "SELECT a FROM one"), 42);
    CHECK_INT(ask_sql(beside(".before-2"), "SELECT a FROM one"), 41);
    CHECK_INT(ask_sql(beside(".before-2"), "PRAGMA user_version"), 1);
    CHECK_INT(mode_of(beside(".before-2")), 0600);
    CHECK_INT(migrate_to(2, &why), ERR_OK); /* nothing left to do */
    CHECK_INT(ask_sql(path, "SELECT a FROM one"), 42);
    CHECK_INT(migrate_to(1, &why), ERR_STORE_NEWER);
    CHECK(why != NULL);
}

static void leaves_a_failed_step_undone(void)
{
    const char *why = NULL;
    empty_folder();
    CHECK_INT(file_create_private(path), ERR_OK);
    CHECK_INT(migrate_to(1, &why), ERR_OK);
    for (int attempt = 0; attempt < 2; attempt++) { /* the second finds a copy from the first */
        CHECK_INT(migrate_to(3, &why), ERR_STORE_FAILED);
        CHECK(why != NULL);
        CHECK_INT(ask_sql(path, "PRAGMA user_version"), 2);
        CHECK_INT(ask_sql(path, "SELECT count(*) FROM two"), 0);
    }
    CHECK_INT(ask_sql(beside(".before-3"), "PRAGMA user_version"),
              2); /* it was at 2 before the second attempt */
}

/* A database of the first schema, with rows in it: opening it moves it forward, and nobody has aged.
 * Settings keep their meaning; what is out of today's bounds is moved to the bound, what is the default
 * leaves no row. */
static void brings_the_first_schema_forward(void)
{
    struct db *db = NULL;
    struct facts *facts = NULL;
    const char *why = NULL;
    empty_folder();
    CHECK_INT(file_create_private(path), ERR_OK);
    CHECK_INT(db_open(&db, path), ERR_OK);
    CHECK_INT(migrate(db, path, migrations, 1, &why), ERR_OK);
    db_free(db);
    run_sql(path,
            "INSERT INTO projects (id, name, is_test, sat_life_s, sat_life_max_s, family_max_age_s) "
            "VALUES (x'01000000000000000000000000000000', 'shop', 0, 1, 600, 31536001),"
            "(x'02000000000000000000000000000000', 'lab', 1, 7200, 86400, 2592000);"
            "INSERT INTO keys VALUES ('k', 1, 3, zeroblob(32), 7, 1, NULL);"
            "INSERT INTO users (id, project, kind, reference, created_ms, updated_ms, address_name, "
            "address_id, address_resource, address_type, address_created_ms, display_name, password_hash) "
            "VALUES (x'03000000000000000000000000000000', 1, 1, 'ada', 5, 6, '/private/ada', "
            "x'04000000000000000000000000000000', x'05000000000000000000000000000000', 4, 7, 'Ada', "
            "zeroblob(48)); INSERT INTO once VALUES (60, x'06');"
            "INSERT INTO ring_keys VALUES ('0000000a', 1, 2, 'ES256', x'07', 77)");
    struct store *store = opened();
    CHECK_INT(store->ops->facts(store, &facts), ERR_OK);
    CHECK_INT(facts->project_count, 2);
    const struct fact_project *project = facts_project(facts, &shop);
    CHECK_INT(project->age_ms, 0);
    CHECK_INT(project->setting[SETTING_SAT_LIFE], 60);
    CHECK_INT(project->setting[SETTING_SAT_LIFE_MAX], 600);
    CHECK_INT(project->setting[SETTING_FAMILY_MAX_AGE], 31536000);
    CHECK_INT(project->setting[SETTING_INVITE_LIFE], 7200);
    CHECK(facts->key_count == 1 && facts->keys[0].is_retired && facts->keys[0].permissions == 7);
    CHECK_INT(facts->pruned_through_s, 0);
    facts_free(facts);
    store->ops->close(store);
    CHECK_INT(ask_sql(path, "SELECT count(*) FROM settings"), 3);
    CHECK_INT(ask_sql(path, "SELECT count(*) FROM once"), 1);
    CHECK_INT(ask_sql(path, "SELECT since_ms FROM ring_keys WHERE id = '0000000a'"), 77);
    CHECK_INT(ask_sql(path,
                      "SELECT count(*) FROM users WHERE reference = 'ada' AND created_ms = 5 AND "
                      "updated_ms = 6 AND address_name = '/private/ada' AND address_type = 4 AND "
                      "address_created_ms = 7 AND display_name = 'Ada' AND password_hash = zeroblob(48) "
                      "AND hex(id) LIKE '03%' AND hex(address_id) LIKE '04%' AND payload IS NULL AND "
                      "hex(address_resource) LIKE '05%' AND external_id IS NULL AND first_name IS NULL"),
              1);
    CHECK_INT(ask_sql(path, "PRAGMA user_version"), (int64_t)migration_count);
    char before[16];
    (void)snprintf(before, sizeof before, ".before-%zu", migration_count);
    CHECK(access(beside(before), F_OK) == 0);
}

/* The same from the third, whose projects may have aged: nothing that outlives a clock is lost. */
static void brings_the_third_schema_forward(void)
{
    char before[32];
    struct db *db = NULL;
    struct facts *facts = NULL;
    const char *why = NULL;
    int64_t floor_ms = 0;
    empty_folder();
    CHECK_INT(file_create_private(path), ERR_OK);
    CHECK_INT(db_open(&db, path), ERR_OK);
    CHECK_INT(migrate(db, path, migrations, 3, &why), ERR_OK);
    db_free(db);
    run_sql(path,
            "INSERT INTO projects (number, id, is_test, sat_life_s, sat_life_max_s, family_max_age_s, age_ms)"
            " VALUES (7, x'01000000000000000000000000000000', 1, 3600, 86400, 2592000, 5000);"
            "INSERT INTO keys VALUES ('k', 7, 3, zeroblob(32), 7, 0, NULL);"
            "INSERT INTO origins VALUES (7, 'https://a.example');"
            "INSERT INTO addresses VALUES (x'06000000000000000000000000000000', 7, NULL, '/public/desk', "
            "NULL, 1, 9);"
            "INSERT INTO users (number, id, project, kind, reference, created_ms, updated_ms, address_type, "
            "address_created_ms) VALUES (3, x'03000000000000000000000000000000', 7, 1, 'ada', 5, 6, 4, 7), "
            "(9, x'04000000000000000000000000000000', 7, 1, 'bob', 5, 6, 4, 7); "
            "INSERT INTO once VALUES (60, x'06'); INSERT INTO ring_keys VALUES ('0000000a', 2, 2, NULL, "
            "x'77', 1); UPDATE meta SET version = 40, epoch = 3, floor_ms = 1234, pruned_through_s = 56");
    struct store *store = opened();
    CHECK_INT(store->ops->facts(store, &facts), ERR_OK);
    CHECK(facts->version >= 40 && facts->epoch == 3 && facts->pruned_through_s == 56);
    const struct fact_project *project = facts_project(facts, &shop);
    CHECK_INT(project->age_ms, 5000);
    CHECK_INT(project->setting[SETTING_SAT_LIFE], 3600);
    CHECK_INT(project->setting[SETTING_SAT_LIFE_MAX], 86400);
    CHECK(project->origin_count == 1 && facts->key_count == 1 && facts->address_count == 1);
    facts_free(facts);
    CHECK_INT(store->ops->floor(store, &floor_ms), ERR_OK);
    CHECK_INT(floor_ms, 1234);
    store->ops->close(store);
    CHECK_INT(ask_sql(path, "SELECT count(*) FROM once"), 1);
    CHECK_INT(ask_sql(path, "SELECT count(*) FROM ring_keys"), 1);
    CHECK_INT(ask_sql(path, "SELECT number FROM users WHERE reference = 'bob' AND project = 7"), 9);
    CHECK_INT(ask_sql(path, "SELECT count(*) FROM settings"), 1);
    CHECK_INT(ask_sql(path, "PRAGMA foreign_key_check"), -1); /* no row: nothing points nowhere */
    (void)snprintf(before, sizeof before, ".before-%zu", migration_count);
    CHECK_INT(ask_sql(beside(before), "SELECT age_ms FROM projects"), 5000);
}

static void facts_refused(const char *sql)
{
    struct facts *facts = NULL;
    CHECK_NOTE("%s", sql);
    make_database();
    run_sql(path, sql);
    struct store *store = opened();
    CHECK_INT(store->ops->facts(store, &facts), ERR_CORRUPT);
    CHECK(facts == NULL);
    store->ops->close(store);
    CHECK_NOTE("%s", "");
}

/* A setting that is not kept is worse than a start that fails. */
static void refuses_settings_nobody_knows(void)
{
    facts_refused("INSERT INTO settings VALUES (1, 'sat_lief', 60)");
    facts_refused("INSERT INTO settings VALUES (1, '', 60)");
    facts_refused("INSERT INTO settings VALUES (1, 'SAT_LIFE', 60)");
    facts_refused("INSERT INTO settings VALUES (1, 'sat_life', 59)");
    facts_refused("INSERT INTO settings VALUES (1, 'sat_life', 86401)");
    facts_refused("INSERT INTO settings VALUES (1, 'sat_life', -1)");
}

/* The last fence: not even a hand at the database moves a live project's clock, or a test
 * project's back below 0. */
static void keeps_live_projects_young(void)
{
    sqlite3 *handle = NULL;
    make_database();
    CHECK_INT(sqlite3_open(path, &handle), SQLITE_OK);
    CHECK_INT(sqlite3_exec(handle, "UPDATE projects SET age_ms = 1", NULL, NULL, NULL), SQLITE_CONSTRAINT);
    CHECK_INT(sqlite3_exec(handle, "UPDATE projects SET age_ms = -1, is_test = 1", NULL, NULL, NULL),
              SQLITE_CONSTRAINT);
    CHECK_INT(sqlite3_close(handle), SQLITE_OK);
}

int main(void)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/store-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL) return EXIT_FAILURE;
    (void)snprintf(path, sizeof path, "%s/coatcheck.db", folder);
    CHECK_RUN(refuses_what_is_no_database);
    CHECK_RUN(refuses_a_database_cut_anywhere);
    CHECK_RUN(refuses_a_database_with_a_damaged_page);
    CHECK_RUN(refuses_a_database_of_somebody_else);
    CHECK_RUN(refuses_a_newer_schema);
    CHECK_RUN(refuses_a_floor_beyond_all_clocks);
    CHECK_RUN(refuses_a_log_without_its_database);
    CHECK_RUN(refuses_a_folder_that_is_not_there);
    CHECK_RUN(begins_again_after_a_creation_cut_short);
    CHECK_RUN(keeps_its_files_private);
    CHECK_RUN(opens_a_copy_that_lost_its_log_mode);
    CHECK_RUN(copies_before_it_migrates);
    CHECK_RUN(leaves_a_failed_step_undone);
    CHECK_RUN(brings_the_first_schema_forward);
    CHECK_RUN(brings_the_third_schema_forward);
    CHECK_RUN(refuses_settings_nobody_knows);
    CHECK_RUN(keeps_live_projects_young);
    empty_folder();
    (void)rmdir(folder);
    return CHECK_END();
}
