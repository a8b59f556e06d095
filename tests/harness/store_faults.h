/* store_faults.h — operations of a store on a disk that fails, and what must be true after each.
 *
 * What was acknowledged is there: at once, and after the store was closed, or the power cut, and opened again
 * on a good disk. What was refused is not there while the store lives, and after a power cut whole or not at
 * all. The store goes on by itself: the same operation succeeds when the fault is gone. For test programs
 * alone; each includes it once. */
#ifndef COATCHECK_TESTS_STORE_FAULTS_H
#define COATCHECK_TESTS_STORE_FAULTS_H

#include "store/clerk.h"
#include "store/file.h"
#include "store/migrate.h"
#include "store/store.h"

#include "harness/check.h"
#include "harness/fault_vfs.h"

#include <unistd.h>

#define TEXT(literal) bytes_of(literal, sizeof(literal) - 1)
#define COUNT(list)   (sizeof(list) / sizeof(list)[0])
#define IMAGE_MAX     ((size_t)1 << 20)
#define GROUP         24

static char folder[256], path[300];
static struct store *store;
static struct arena arena;
static unsigned places;
static const struct uuid shop = {.byte = {0x50, 1}}, ada = {.byte = {1, 1}};

/* --- files, without any fault --- */

enum ground { NOTHING, OLD, CLOSED, LOGGED, GROUNDS }; /* LOGGED: as a crash leaves it, with a log */

static struct image {
    uint8_t bytes[IMAGE_MAX];
    size_t len;
} grounds[GROUNDS], logs[GROUNDS];

static const char *beside(const char *suffix)
{
    static char name[360];
    (void)snprintf(name, sizeof name, "%s%s", path, suffix);
    return name;
}

static void forget_files(void)
{
    static const char *const suffixes[] = {"",     "-wal",     "-shm",     "-journal",
                                           ".new", ".new-wal", ".new-shm", ".new-journal"};
    char copy[32];
    for (size_t i = 0; i < COUNT(suffixes); i++)
        (void)unlink(beside(suffixes[i]));
    (void)snprintf(copy, sizeof copy, ".before-%zu", migration_count);
    (void)unlink(beside(copy));
    (void)snprintf(copy, sizeof copy, ".before-%zu-journal", migration_count);
    (void)unlink(beside(copy));
}

static void keep(struct image *image, const char *name)
{
    FILE *file = fopen(name, "rb");
    image->len = file == NULL ? 0 : fread(image->bytes, 1, IMAGE_MAX, file);
    if (file != NULL) (void)fclose(file);
}

static void put_back(const struct image *image, const char *name)
{
    FILE *file = image->len == 0 ? NULL : fopen(name, "wb");
    if (file == NULL) return;
    CHECK_INT(fwrite(image->bytes, 1, image->len, file), image->len);
    CHECK_INT(fclose(file), 0);
}

/* By the ordinary disk, also while the store is open through the other. */
static sqlite3 *look_begin(void)
{
    sqlite3 *handle = NULL;
    CHECK_INT(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
    (void)sqlite3_busy_timeout(handle, 5000); /* the writer may be opening it anew */
    return handle;
}

static int64_t ask_sql(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t answer = -1;
    if (sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        answer = sqlite3_column_int64(statement, 0);
    else
        fprintf(stderr, "    %s\n", sqlite3_errmsg(handle));
    (void)sqlite3_finalize(statement);
    return answer;
}

/* --- writes --- */

static const uint8_t hash[PASSWORD_HASH_LEN] = {7};

static struct write project_write(uint8_t number)
{
    struct write write = {
        .kind = WRITE_PROJECT,
        .project = {.id = {.byte = {0x50, number}}, .name = TEXT("A shop"), .is_test = number == 1}};
    settings_standard(write.project.setting);
    return write;
}

static struct write user_write(uint8_t number, struct bytes reference)
{
    return (struct write){
        .kind = WRITE_USER,
        .user = {
            .user = {.id = {.byte = {1, number}},
                     .project = shop,
                     .kind = USER_SUBSCRIBER,
                     .reference = reference,
                     .address = {.id = {.byte = {2, number}}, .name = reference, .type = ADDRESS_SUBSCRIBER}},
            .password_hash = bytes_of(hash, sizeof hash)}};
}

static enum err commit(const struct write *writes, size_t count)
{
    struct row rows[4];
    enum err e = store_commit_wait(store, writes, count, rows, &arena);
    for (size_t i = 0; i < count && e != ERR_OK; i++)
        CHECK(uuid_is_zero(&rows[i].user.id)); /* a refused write shows nobody */
    return e;
}

static enum err commit_user(void)
{
    struct write write = user_write(2, TEXT("bob"));
    return commit(&write, 1);
}

static enum err commit_profile(void)
{
    struct write write = {.kind = WRITE_PROFILE, .profile = {.project = shop, .user = ada, .now_ms = 9}};
    write.profile.profile.value[PROFILE_COUNTRY] = TEXT("Portugal");
    return commit(&write, 1);
}

static enum err commit_once(void)
{
    return commit(&(struct write){.kind = WRITE_ONCE, .once = {.id = {.byte = {9}}, .bucket_s = 60}}, 1);
}

static enum err commit_prune(void)
{
    return commit(&(struct write){.kind = WRITE_PRUNE, .prune = {.through_s = 30}}, 1);
}

static enum err commit_project(void)
{
    struct write write = project_write(7);
    return commit(&write, 1);
}

static enum err commit_age(void)
{
    return commit(&(struct write){.kind = WRITE_AGE, .age = {.project = shop, .by_ms = 500}}, 1);
}

static enum err commit_key(void)
{
    return commit(&(struct write){.kind = WRITE_KEY,
                                  .key = {.project = shop, .kind = KEY_SECRET, .public_id = TEXT("k2")}},
                  1);
}

static enum err commit_origin(void)
{
    return commit(&(struct write){.kind = WRITE_ORIGIN,
                                  .origin = {.project = shop, .origin = TEXT("https://b.example")}},
                  1);
}

static enum err commit_address(void)
{
    return commit(&(struct write){.kind = WRITE_ADDRESS,
                                  .address = {.id = {.byte = {3}},
                                              .project = shop,
                                              .name = TEXT("/public/desk"),
                                              .type = ADDRESS_APP}},
                  1);
}

static enum err commit_study(void)
{
    static uint8_t questions[20000]; /* on pages of its own */
    memset(questions, 'q', sizeof questions);
    return commit(&(struct write){.kind = WRITE_STUDY,
                                  .study = {.id = {.byte = {4}},
                                            .project = shop,
                                            .title = TEXT("one"),
                                            .questions_json = bytes_of(questions, sizeof questions)}},
                  1);
}

static enum err commit_ring_key(void)
{
    return commit(&(struct write){.kind = WRITE_RING_KEY,
                                  .ring_key = {.id = TEXT("0badcafe"),
                                               .use = RING_SEAL,
                                               .state = RING_SIGNING,
                                               .wrapped = TEXT("wrapped")}},
                  1);
}

static enum err commit_several(void)
{
    const struct write writes[] = {
        {.kind = WRITE_ONCE, .once = {.id = {.byte = {8}}, .bucket_s = 60}},
        {.kind = WRITE_ORIGIN, .origin = {.project = shop, .origin = TEXT("https://c.example")}},
        user_write(3, TEXT("eve")),
    };
    return commit(writes, COUNT(writes));
}

/* --- a group of commits, of one write and of two by turns --- */

static struct {
    struct store_commit commits[GROUP];
    struct write writes[GROUP][2];
    struct row rows[GROUP][2];
    bool is_there[GROUP]; /* acknowledged, by any attempt */
    sem_t bell;
} group;

static void ring_bell(void *bell, struct mail *mail)
{
    (void)mail;
    (void)sem_post(bell);
}

static enum err commit_group(void)
{
    enum err e = ERR_OK;
    (void)sem_init(&group.bell, 0, 0);
    for (uint8_t i = 0; i < GROUP; i++) {
        for (uint8_t part = 0; part < 2; part++)
            group.writes[i][part] = (struct write){
                .kind = WRITE_ONCE, .once = {.id = {.byte = {0x99, i, part}}, .bucket_s = 60 + i}};
        if (i % 4 == 3) group.writes[i][1] = user_write((uint8_t)(100 + i), BYTES_NONE);
        if (i % 4 == 3) group.writes[i][1].user.user.reference = bytes_of(&group.writes[i][0].once.id, 16);
        group.commits[i] = (struct store_commit){.post = ring_bell,
                                                 .to = &group.bell,
                                                 .writes = group.writes[i],
                                                 .write_count = 1 + i % 2,
                                                 .rows = group.rows[i],
                                                 .arena = &arena};
        store->ops->commit(store, &group.commits[i]);
    }
    for (size_t i = 0; i < GROUP; i++)
        bell_wait(&group.bell);
    (void)sem_destroy(&group.bell);
    for (size_t i = 0; i < GROUP; i++) {
        if (group.commits[i].error == ERR_OK)
            group.is_there[i] = true;
        else
            e = group.commits[i].error;
    }
    return e;
}

/* Each commit by itself, all or nothing: those acknowledged are there, and unless the power
 * was cut no other. */
static void look_at_group(sqlite3 *handle, bool is_exact)
{
    char sql[256];
    for (unsigned i = 0; i < GROUP; i++) {
        (void)snprintf(sql, sizeof sql,
                       "SELECT (SELECT count(*) FROM once WHERE hex(substr(id, 1, 2)) = '99%02X') + "
                       "(SELECT count(*) FROM users WHERE hex(substr(id, 1, 2)) = '01%02X')",
                       i, 100 + i);
        int64_t there = ask_sql(handle, sql), whole = 1 + i % 2;
        if (group.is_there[i] || (!is_exact && there != 0))
            CHECK_INT(there, whole);
        else
            CHECK_INT(there, 0);
    }
}

/* --- opening, reading, sweeping, closing --- */

static enum err open_store(void)
{
    const char *why = NULL;
    enum err e = store_sqlite_open(&store, path, &why);
    CHECK((e == ERR_OK) == (store != NULL));
    CHECK((e == ERR_OK) == (why == NULL));
    return e;
}

static void close_store(void)
{
    if (store != NULL) store->ops->close(store);
    store = NULL;
}

static enum err read_facts(void)
{
    struct facts *facts = NULL;
    enum err e = store->ops->facts(store, &facts);
    CHECK((e == ERR_OK) == (facts != NULL));
    if (e == ERR_OK) CHECK(facts->project_count == 1 && facts->key_count == 1);
    facts_free(facts);
    return e;
}

static enum err read_version(void)
{
    uint64_t version = 0;
    enum err e = store->ops->facts_version(store, &version);
    CHECK(e != ERR_OK || version == 3);
    return e;
}

static enum err read_ring(void)
{
    struct store_ring *ring = NULL;
    enum err e = store->ops->ring(store, &ring);
    CHECK((e == ERR_OK) == (ring != NULL));
    store_ring_free(ring);
    return e;
}

static enum err read_user(void)
{
    sem_t bell;
    struct store_read read = {.post = ring_bell,
                              .to = &bell,
                              .kind = READ_USER_BY_REFERENCE,
                              .project = shop,
                              .text = TEXT("ada"),
                              .arena = &arena};
    (void)sem_init(&bell, 0, 0);
    store->ops->read(store, &read);
    bell_wait(&bell);
    (void)sem_destroy(&bell);
    CHECK(read.found == (read.error == ERR_OK)); /* a failed look never says "nobody" */
    return read.error;
}

static enum err sweep(void)
{
    struct db *db = NULL;
    enum err e = db_open(&db, path);
    if (e == ERR_OK) e = db_sweep(db);
    db_free(db);
    return e;
}

/* The last connection moves the log into the file. It cannot say how that went; nothing may be lost. */
static enum err close_and_open(void)
{
    close_store();
    return open_store();
}

/* --- the table --- */

struct operation {
    const char *name;
    enum ground ground;
    bool opens; /* the store is not open before */
    enum err (*run)(void);
    const char *counts;       /* what it writes */
    int64_t whole;            /* so many when all is there, and none when nothing is */
    enum err (*before)(void); /* writes it while nothing fails yet */
};

static const struct operation operations[] = {
    {"create", NOTHING, true, open_store, NULL, 0, NULL},
    {"migrate", OLD, true, open_store, NULL, 0, NULL},
    {"open", CLOSED, true, open_store, NULL, 0, NULL},
    {"recover", LOGGED, true, open_store, NULL, 0, NULL},
    {"user", CLOSED, false, commit_user, "SELECT count(*) FROM users WHERE reference = 'bob'", 1, NULL},
    {"user, log", LOGGED, false, commit_user, "SELECT count(*) FROM users WHERE reference = 'bob'", 1, NULL},
    {"profile", CLOSED, false, commit_profile, "SELECT count(*) FROM users WHERE country = 'Portugal'", 1,
     NULL},
    {"once", CLOSED, false, commit_once, "SELECT count(*) FROM once WHERE bucket_s = 60", 1, NULL},
    {"prune", CLOSED, false, commit_prune, "SELECT 2 - count(*) FROM once WHERE bucket_s <= 30", 2, NULL},
    {"project", CLOSED, false, commit_project,
     "SELECT (SELECT count(*) FROM projects) - 1 + (SELECT version - 3 FROM meta)", 2, NULL},
    {"age", CLOSED, false, commit_age,
     "SELECT age_ms / 500 + (SELECT version - 3 FROM meta) FROM projects WHERE number = 1", 2, NULL},
    {"key", CLOSED, false, commit_key,
     "SELECT (SELECT count(*) FROM keys) - 1 + (SELECT version - 3 FROM meta)", 2, NULL},
    {"origin", CLOSED, false, commit_origin,
     "SELECT (SELECT count(*) FROM origins) + (SELECT version - 3 FROM meta)", 2, NULL},
    {"address", CLOSED, false, commit_address,
     "SELECT (SELECT count(*) FROM addresses) + (SELECT version - 3 FROM meta)", 2, NULL},
    {"study", CLOSED, false, commit_study,
     "SELECT (SELECT count(*) FROM studies WHERE length(questions_json) = 20000) + (SELECT version - 3 FROM "
     "meta)",
     2, NULL},
    {"ring key", CLOSED, false, commit_ring_key,
     "SELECT (SELECT count(*) FROM ring_keys) + (SELECT version - 3 FROM meta)", 2, NULL},
    {"several", CLOSED, false, commit_several,
     "SELECT (SELECT count(*) FROM once WHERE bucket_s = 60) + (SELECT count(*) FROM origins) + "
     "(SELECT count(*) FROM users WHERE reference = 'eve') + (SELECT version - 3 FROM meta)",
     4, NULL},
    {"group", CLOSED, false, commit_group, NULL, 0, NULL},
    {"group, log", LOGGED, false, commit_group, NULL, 0, NULL},
    {"facts", CLOSED, false, read_facts, NULL, 0, NULL},
    {"version", CLOSED, false, read_version, NULL, 0, NULL},
    {"ring", CLOSED, false, read_ring, NULL, 0, NULL},
    {"read", LOGGED, false, read_user, NULL, 0, NULL},
    {"sweep", LOGGED, false, sweep, NULL, 0, NULL},
    {"close", LOGGED, false, close_and_open, "SELECT count(*) FROM users WHERE reference = 'bob'", 1,
     commit_user},
};

enum ending { GOES_ON, CUT_SAFE, CUT_ALL, CUT_SOME };

static void lay(enum ground ground)
{
    forget_files();
    put_back(&grounds[ground], path);
    put_back(&logs[ground], beside("-wal"));
    arena_init(&arena, 1 << 20);
    memset(group.is_there, 0, sizeof group.is_there);
}

static void look(sqlite3 *handle, const struct operation *operation, bool is_acknowledged, bool is_exact)
{
    if (operation->run == commit_group) look_at_group(handle, is_exact);
    if (operation->counts == NULL) return;
    int64_t there = ask_sql(handle, operation->counts);
    if (is_acknowledged || operation->before != NULL || (!is_exact && there != 0))
        CHECK_INT(there, operation->whole);
    else
        CHECK_INT(there, 0);
}

static void look_now(const struct operation *operation, bool is_acknowledged)
{
    if (store == NULL) return;
    sqlite3 *handle = look_begin();
    look(handle, operation, is_acknowledged, true);
    CHECK_INT(sqlite3_close(handle), SQLITE_OK);
}

/* What is left, on a disk without faults. */
static void look_after(const struct operation *operation, bool is_acknowledged, bool is_exact)
{
    sqlite3 *handle = look_begin();
    look(handle, operation, is_acknowledged, is_exact);
    CHECK_INT(ask_sql(handle, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    if (operation->ground != NOTHING)
        CHECK_INT(ask_sql(handle, "SELECT (SELECT count(*) FROM users WHERE reference = 'ada') + "
                                  "(SELECT count(*) FROM keys WHERE public_id = 'k1')"),
                  2);
    CHECK_INT(sqlite3_close(handle), SQLITE_OK);
}

static void check_error(enum err e, const struct fault *fault)
{
    bool is_expected = e == ERR_STORE_FAILED || e == ERR_IO;
    if (fault->effect == FAULT_GARBAGE) is_expected = is_expected || e == ERR_CORRUPT;
    if (fault->calls == FAULT_MEMORY) is_expected = is_expected || e == ERR_NO_MEMORY;
    if (!is_expected) CHECK_INT(e, ERR_STORE_FAILED);
}

static void make_ready(const struct operation *operation)
{
    lay(operation->ground);
    fault_begin();
    if (operation->opens) return;
    CHECK_INT(open_store(), ERR_OK);
    CHECK_INT(read_facts(), ERR_OK); /* the reader knows the file, as it does after a start */
    if (operation->before != NULL) CHECK_INT(operation->before(), ERR_OK);
}

/* False: the operation needed fewer such calls. */
static bool try_fault(const struct operation *operation, const struct fault *fault, enum ending ending)
{
    const char *why;
    make_ready(operation);
    fault_arm(fault);
    enum err e = operation->run();
    bool has_struck = fault_has_struck(), is_acknowledged = e == ERR_OK;
    if (ending != GOES_ON) fault_power_off();
    fault_arm(NULL);
    if (e != ERR_OK && fault->effect != FAULT_POWER) check_error(e, fault);
    if (ending == GOES_ON) {
        look_now(operation, is_acknowledged);
        if (e != ERR_OK) {
            CHECK_INT(operation->run(), ERR_OK);
            look_now(operation, is_acknowledged = true);
        }
    }
    close_store();
    if (ending != GOES_ON) fault_cut_power((enum disk_survival)(ending - CUT_SAFE), fault->at);
    fault_end();
    if (ending != GOES_ON) CHECK_INT(file_prepare(path, &why), ERR_OK);
    look_after(operation, is_acknowledged, ending == GOES_ON);
    arena_release(&arena);
    return has_struck;
}

/* Every place at first; then, in operations of many calls, fewer: they do the same thing again and again. A
 * fault that stays is met by the next call, whatever that is. */
static unsigned step_after(const struct fault *fault)
{
    if (fault->stays) return fault->at > 4 ? fault->at / 2 : 1;
    return fault->at > 24 ? fault->at / 8 : 1;
}

static void try_each_place(const struct operation *operation, const char *name, struct fault fault,
                           unsigned endings)
{
    bool strikes = true;
    for (fault.at = 1; strikes && fault.at < 100000; fault.at += step_after(&fault))
        for (unsigned i = 0; i < endings; i++) {
            enum ending ending =
                endings == 2 && i == 1 ? (enum ending)(CUT_SAFE + fault.at % 3) : (enum ending)i;
            if (fault.effect == FAULT_POWER) ending = (enum ending)(CUT_SAFE + i);
            CHECK_NOTE("%s: %s %u, ending %d", operation->name, name, fault.at, ending);
            strikes = try_fault(operation, &fault, ending);
            places += strikes;
        }
    CHECK(!strikes);
}

/* --- the beginning --- */

static void make_old(void)
{
    struct db *db = NULL;
    const char *why = NULL;
    CHECK_INT(file_create_private(path), ERR_OK);
    CHECK_INT(db_open(&db, path), ERR_OK);
    CHECK_INT(db_script(db, "PRAGMA journal_mode = WAL"), ERR_OK);
    CHECK_INT(migrate(db, path, migrations, 1, &why), ERR_OK);
    CHECK_INT(
        db_script(
            db, "INSERT INTO projects VALUES (1, x'50010000000000000000000000000000', 'A shop', 1, 1, 2, 3);"
                "INSERT INTO keys VALUES ('k1', 1, 1, zeroblob(32), 0, 0, NULL);"
                "INSERT INTO users (id, project, kind, reference, created_ms, updated_ms, address_type, "
                "address_created_ms) VALUES (x'01010000000000000000000000000000', 1, 1, 'ada', 1, 1, 1, 1)"),
        ERR_OK);
    db_free(db);
    keep(&grounds[OLD], path);
    forget_files();
}

static void make_grounds(void)
{
    const struct write writes[] = {
        project_write(1),
        {.kind = WRITE_KEY, .key = {.project = shop, .kind = KEY_SECRET, .public_id = TEXT("k1")}},
        user_write(1, TEXT("ada")),
        {.kind = WRITE_ONCE, .once = {.id = {.byte = {5}}, .bucket_s = 30}}};
    make_old();
    arena_init(&arena, 1 << 20);
    CHECK_INT(open_store(), ERR_OK);
    for (size_t i = 0; i < COUNT(writes); i++)
        CHECK_INT(commit(&writes[i], 1), ERR_OK);
    CHECK_INT(commit(&(struct write){.kind = WRITE_ONCE, .once = {.id = {.byte = {6}}, .bucket_s = 30}}, 1),
              ERR_OK);
    keep(&grounds[LOGGED], path);
    keep(&logs[LOGGED], beside("-wal"));
    close_store();
    keep(&grounds[CLOSED], path);
    arena_release(&arena);
    CHECK(grounds[OLD].len > 0 && grounds[CLOSED].len > 0 && logs[LOGGED].len > 0);
}

/* A folder for the files, and what they are like before an operation. */
static bool begin_faults(void)
{
    const char *base = getenv("TMPDIR");
    if (base == NULL && access("/dev/shm", W_OK) == 0)
        base = "/dev/shm"; /* thousands of files, none to keep */
    (void)snprintf(folder, sizeof folder, "%s/store-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL) return false;
    (void)snprintf(path, sizeof path, "%s/coatcheck.db", folder);
    make_grounds();
    return true;
}

static int end_faults(void)
{
    forget_files();
    (void)rmdir(folder);
    printf("%u places\n", places);
    return CHECK_END();
}

#endif
