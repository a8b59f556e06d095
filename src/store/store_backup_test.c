/* Copies of a database in use, and databases put back: what is refused leaves everything as it was, and a
 * process that dies anywhere on the way leaves the old one or the new one. The program is linked with --wrap
 * for the calls that change a folder, so that it can die before each of them. */
#include "store/migrate.h"
#include "store/backup.h"
#include "store/db.h"

#include "harness/store_round.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOW_MS    ((int64_t)2000000000000)
#define WHOLE_MAX (1 << 20)

static char copy[320];
static long calls_left = -1; /* until this process dies; below zero: it lives */
static long syncs_left = -1; /* until one fails */

int __real_rename(const char *from, const char *to);
int __real_unlink(const char *name);
int __real_fsync(int file);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *name);
int __wrap_fsync(int file);

static void die_in_time(void)
{
    if (calls_left >= 0 && calls_left-- == 0) _exit(9);
}

int __wrap_rename(const char *from, const char *to)
{
    die_in_time();
    return __real_rename(from, to);
}

int __wrap_unlink(const char *name)
{
    die_in_time();
    return __real_unlink(name);
}

int __wrap_fsync(int file)
{
    die_in_time();
    if (syncs_left >= 0 && syncs_left-- == 0) {
        errno = EIO;
        return -1;
    }
    return __real_fsync(file);
}

/* --- words --- */

static const char *beside(const char *suffix)
{
    static char name[340];
    (void)snprintf(name, sizeof name, "%s%s", path, suffix);
    return name;
}

static bool is_there(const char *name)
{
    return access(name, F_OK) == 0;
}

static void empty_folder(void)
{
    DIR *dir = opendir(folder);
    char name[600];
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        (void)snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.') (void)__real_unlink(name);
    }
    (void)closedir(dir);
}

static size_t read_file(uint8_t *out, const char *name)
{
    FILE *file = fopen(name, "rb");
    size_t len = file == NULL ? 0 : fread(out, 1, WHOLE_MAX, file);
    if (file != NULL) (void)fclose(file);
    return len;
}

static void write_file(const char *name, const void *data, size_t len)
{
    FILE *file = fopen(name, "wb");
    CHECK(file != NULL && fwrite(data, 1, len, file) == len);
    if (file != NULL) (void)fclose(file);
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

static enum err back_up(bool replaces)
{
    struct store_backup backup = {.from = path, .to = copy, .replaces = replaces};
    const char *why = NULL;
    enum err e = store_back_up(&backup, &why);
    CHECK((e == ERR_OK) == (why == NULL) && (e == ERR_OK) == (backup.bytes > 0));
    return e;
}

static enum err restore(struct store_restore *out, bool replaces)
{
    const char *why = NULL;
    *out = (struct store_restore){.from = copy, .to = path, .replaces = replaces, .now_ms = NOW_MS};
    enum err e = store_restore(out, &why);
    CHECK((e == ERR_OK) == (why == NULL));
    CHECK(!is_there(beside(".restoring")) && !is_there(beside(".restored")));
    return e;
}

/* A fresh store with the project alone, and a user in it. */
static void open_fresh(const struct uuid *project, uint32_t number)
{
    struct write user = user_write(project, number, TEXT("ada"), TEXT("/private/ada"));
    open_store();
    CHECK_INT(put_project(project, true), ROW_WRITTEN);
    CHECK_INT(put_fact(&user), ROW_WRITTEN);
}

static void close_store(void)
{
    store->ops->close(store);
}

/* copy: a backup of a shop. The folder then holds no database. */
static void make_copy(void)
{
    empty_folder();
    open_fresh(&shop, 1);
    CHECK_INT(back_up(false), ERR_OK);
    close_store();
    CHECK_INT(__real_unlink(path), 0);
}

/* True: it died before it was done. */
static bool die_after(long calls, void (*work)(void))
{
    int status = 0;
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        calls_left = calls;
        work();
        _exit(0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9);
    return WEXITSTATUS(status) == 9;
}

/* An old database whose log was left by a kill: the last thing in it is there alone. */
static void leave_with_a_log(void)
{
    open_fresh(&lab, 2);
    _exit(9);
}

/* --- copies --- */

static void refuses_what_may_not_be_written_to(void)
{
    static uint8_t whole[WHOLE_MAX], after[WHOLE_MAX];
    char before[sizeof copy];
    empty_folder();
    CHECK_INT(back_up(false), ERR_CONFIG); /* no database */
    CHECK(!is_there(copy) && !is_there(path));
    open_fresh(&shop, 1);
    write_file(copy, "a letter", 8);
    CHECK_INT(back_up(false), ERR_CONFIG);
    CHECK_INT(back_up(true), ERR_CONFIG); /* no backup */
    CHECK(read_file(after, copy) == 8 && memcmp(after, "a letter", 8) == 0);
    memcpy(before, copy, sizeof copy);
    memcpy(copy, path, sizeof path);
    CHECK_INT(back_up(false), ERR_CONFIG);
    CHECK_INT(back_up(true), ERR_CONFIG); /* itself */
    (void)snprintf(copy, sizeof copy, "%s/none/copy", folder);
    CHECK_INT(back_up(false), ERR_IO);
    memcpy(copy, before, sizeof copy);
    CHECK_INT(__real_unlink(copy), 0);
    CHECK_INT(symlink(path, copy), 0);
    CHECK_INT(back_up(true), ERR_CONFIG);
    CHECK_INT(__real_unlink(copy), 0);
    CHECK_INT(back_up(false), ERR_OK);
    size_t len = read_file(whole, copy);
    CHECK_INT(back_up(false), ERR_CONFIG);
    CHECK(read_file(after, copy) == len && memcmp(after, whole, len) == 0);
    CHECK_INT(back_up(true), ERR_OK);
    close_store();
}

static void refuses_databases_it_does_not_know(void)
{
    make_copy();
    CHECK_INT(__real_rename(copy, path), 0);
    CHECK_INT(ask_sql(path, "PRAGMA user_version = 99"), -1);
    CHECK_INT(back_up(false), ERR_STORE_NEWER);
    CHECK_INT(ask_sql(path, "PRAGMA user_version = 4"), -1);
    CHECK_INT(ask_sql(path, "PRAGMA application_id = 7"), -1);
    CHECK_INT(back_up(false), ERR_CORRUPT);
    write_file(path, "no database at all", 18);
    CHECK_INT(back_up(false), ERR_CORRUPT);
    CHECK(!is_there(copy));
}

static void lets_one_write_at_a_time(void)
{
    char part[340];
    empty_folder();
    open_fresh(&shop, 1);
    (void)snprintf(part, sizeof part, "%s.part", copy);
    write_file(part, "left by a kill", 14);
    int other = open(part, O_RDWR | O_CLOEXEC);
    CHECK(other >= 0 && flock(other, LOCK_EX | LOCK_NB) == 0);
    CHECK_INT(back_up(false), ERR_LOCKED);
    CHECK(is_there(part) && !is_there(copy));
    (void)close(other);
    CHECK_INT(back_up(false), ERR_OK);
    CHECK(!is_there(part));
    CHECK_INT(ask_sql(copy, "SELECT count(*) FROM users"), 1);
    close_store();
}

/* Where nobody else is, a log is what a crash has left: one that is damaged has lost what
 * was acknowledged. */
static void refuses_a_log_with_a_hole(void)
{
    static uint8_t log[WHOLE_MAX];
    struct store_backup backup = {.from = path, .to = copy, .is_alone = true};
    const char *why;
    empty_folder();
    CHECK(die_after(-1, leave_with_a_log));
    CHECK_INT(store_back_up(&backup, &why), ERR_OK);
    CHECK_INT(ask_sql(copy, "SELECT count(*) FROM users"), 1);
    CHECK_INT(__real_unlink(copy), 0);
    size_t len = read_file(log, beside("-wal"));
    CHECK(len > 3 * 4120);
    log[32 + 24 + 100] ^= 1; /* in the first page */
    write_file(beside("-wal"), log, len);
    CHECK_INT(store_back_up(&backup, &why), ERR_CORRUPT);
    CHECK(!is_there(copy));
    empty_folder();
    open_fresh(&shop, 1);
    close_store(); /* a clean end leaves none */
    CHECK_INT(store_back_up(&backup, &why), ERR_OK);
    CHECK(!is_there(beside("-wal")) && !is_there(beside("-shm")));
}

static unsigned slices;

/* Between two slices a commit goes through: nobody waits for a backup. */
static void write_meanwhile(void *state, int64_t bytes, int64_t bytes_in_all)
{
    struct write user = user_write(&shop, 100 + slices, BYTES_NONE, BYTES_NONE);
    CHECK(state == &slices && bytes <= bytes_in_all && bytes_in_all > 4096);
    user.user.user.kind = USER_PARTICIPANT;
    CHECK_INT(put_fact(&user), ROW_WRITTEN);
    slices++;
}

static void copies_one_moment_while_others_write(void)
{
    struct store_backup backup = {.from = path, .to = copy, .tell = write_meanwhile, .state = &slices};
    struct stat made;
    const char *why;
    char text[256];
    struct write answer = {
        .kind = WRITE_ANSWER,
        .answer = {.project = shop, .interview = id_of(9, 1), .user = id_of(1, 1), .answer = BYTES_NONE}};
    struct write talk = {
        .kind = WRITE_INTERVIEW,
        .interview = {.id = id_of(9, 1), .project = shop, .user = id_of(1, 1), .state = INTERVIEW_AGREED}};
    static uint8_t long_text[1 << 16];
    empty_folder();
    arena_reset(&arena);
    open_fresh(&shop, 1);
    CHECK_INT(put_fact(&talk), ROW_WRITTEN);
    memset(long_text, 'x', sizeof long_text);
    answer.answer.answer = bytes_of(long_text, sizeof long_text);
    for (int i = 0; i < 200; i++) { /* 13 MB */
        (void)snprintf(text, sizeof text, "q%d", i);
        answer.answer.question = bytes_of_text(text);
        CHECK_INT(put_fact(&answer), ROW_WRITTEN);
    }
    slices = 0;
    CHECK_INT(store_back_up(&backup, &why), ERR_OK);
    CHECK(slices >= 3);
    CHECK_INT(ask_sql(path, "SELECT count(*) FROM users"), 1 + slices);
    CHECK_INT(ask_sql(copy, "SELECT count(*) FROM users"), 1);
    CHECK_INT(ask_sql(copy, "SELECT sum(length(answer)) FROM answers"), 200 * (1 << 16));
    CHECK(stat(copy, &made) == 0 && (made.st_mode & 0777) == 0600);
    CHECK_INT(made.st_size, backup.bytes);
    (void)snprintf(text, sizeof text, "%.200s-wal", copy);
    CHECK(!is_there(text)); /* not even after it was opened: it is one file */
    close_store();
    CHECK(!is_there(beside("-wal")));
}

/* --- putting back --- */

static void check_all_void(const struct store_restore *done, int64_t over_ms, uint64_t over_epoch)
{
    struct store_cutoffs *cutoffs;
    struct facts *facts;
    open_store();
    CHECK_INT(store->ops->facts(store, &facts), ERR_OK);
    CHECK(facts->epoch > over_epoch && facts->epoch == (uint64_t)done->epoch);
    CHECK_INT(store->ops->cutoffs(store, &cutoffs), ERR_OK);
    size_t cut = 0;
    for (size_t i = 0; i < cutoffs->count; i++) {
        const struct cutoff *cutoff = &cutoffs->list[i];
        if (cutoff->of != CUTOFF_PROJECT || cutoff->t_ms != done->cut_ms) continue;
        CHECK(cutoff->t_ms > over_ms && bytes_equal(cutoff->id, uuid_bytes(&cutoff->project)));
        cut++;
    }
    CHECK_INT(cut, facts->project_count);
    store_cutoffs_free(cutoffs);
    facts_free(facts);
    close_store();
}

static void voids_all_that_was_granted(void)
{
    struct store_restore done;
    struct row row;
    struct user found;
    struct write once = {.kind = WRITE_ONCE, .once = {.id = id_of(6, 1), .bucket_s = 60}};
    empty_folder();
    open_fresh(&shop, 1);
    CHECK_INT(put_project(&lab, false), ROW_WRITTEN);
    CHECK_INT(put_fact(&once), ROW_WRITTEN);
    CHECK_INT(back_up(false), ERR_OK);
    close_store();
    CHECK_INT(__real_unlink(path), 0);
    CHECK_INT(restore(&done, false), ERR_OK);
    CHECK(done.projects == 2 && done.users == 1 && done.schema == (int64_t)migration_count &&
          done.aside == 0 && !done.is_blind);
    check_all_void(&done, NOW_MS, (uint64_t)NOW_MS / 1000 - 1);
    open_store();
    CHECK(look_up(&found, READ_USER_BY_REFERENCE, &shop, TEXT("ada"), NULL));
    CHECK_INT(write_one(&row, &once), ROW_EXISTS); /* what was used stays used */
    close_store();
}

/* The same backup twice, with a life between: what was granted in that life is void, too. */
static void goes_beyond_what_it_replaces(void)
{
    struct store_restore first, second;
    struct write cut = {.kind = WRITE_CUTOFF,
                        .cutoff = {.cutoff = {.of = CUTOFF_PROJECT, .project = shop, .id = uuid_bytes(&shop)},
                                   .now_ms = NOW_MS + 500000,
                                   .keep_s = 100}};
    make_copy();
    open_fresh(&lab, 2);
    close_store();
    CHECK_INT(restore(&first, false), ERR_CONFIG); /* there is one */
    CHECK_INT(ask_sql(path, "SELECT is_test FROM projects WHERE hex(id) LIKE '5002%'"), 1);
    CHECK_INT(restore(&first, true), ERR_OK);
    CHECK_INT(first.aside, 1);
    CHECK_INT(ask_sql(beside(".replaced-1"), "SELECT count(*) FROM projects WHERE hex(id) LIKE '5002%'"), 1);
    check_all_void(&first, NOW_MS, 1);
    open_store();
    CHECK_INT(put_fact(&cut), ROW_WRITTEN);
    close_store();
    CHECK_INT(ask_sql(path, "UPDATE meta SET floor_ms = 2000000900000"), -1); /* a clock that went ahead */
    CHECK_INT(restore(&second, true), ERR_OK);
    CHECK_INT(second.aside, 2);
    CHECK(second.epoch > first.epoch && !second.is_blind);
    check_all_void(&second, NOW_MS + 900000, (uint64_t)first.epoch);
    CHECK_INT(ask_sql(path, "SELECT floor_ms FROM meta"), 0); /* that is the backup's */
}

static void puts_damage_aside_with_its_log(void)
{
    struct store_restore done;
    static uint8_t after[WHOLE_MAX];
    make_copy();
    write_file(path, "damaged", 7);
    write_file(beside("-wal"), "its log", 7);
    CHECK_INT(restore(&done, false), ERR_CONFIG);
    CHECK_INT(restore(&done, true), ERR_OK);
    CHECK(done.is_blind && done.aside == 1);
    CHECK(read_file(after, beside(".replaced-1")) == 7 && memcmp(after, "damaged", 7) == 0);
    CHECK(read_file(after, beside(".replaced-1-wal")) == 7 && memcmp(after, "its log", 7) == 0);
    CHECK(!is_there(beside("-wal")));
    check_all_void(&done, NOW_MS, 1);
}

static void refuses_what_is_no_backup(void)
{
    static uint8_t whole[WHOLE_MAX], before[WHOLE_MAX], after[WHOLE_MAX];
    struct store_restore done;
    char log[340];
    make_copy();
    size_t len = read_file(whole, copy);
    open_fresh(&lab, 2);
    close_store();
    size_t kept = read_file(before, path);
    for (size_t cut = 0; cut < len; cut += cut < 4096 ? 700 : 4096 + 1531) {
        CHECK_NOTE("cut to %zu of %zu", cut, len);
        write_file(copy, whole, cut);
        CHECK_INT(restore(&done, true), ERR_CORRUPT);
    }
    CHECK_NOTE("%s", "");
    memset(whole + 8192, 0xA5, 4096);
    write_file(copy, whole, len);
    CHECK_INT(restore(&done, true), ERR_CORRUPT);
    make_copy();
    write_file(path, before, kept);
    CHECK_INT(ask_sql(copy, "PRAGMA user_version = 99"), -1);
    CHECK_INT(restore(&done, true), ERR_STORE_NEWER);
    CHECK_INT(ask_sql(copy, "PRAGMA user_version = 0"), -1);
    CHECK_INT(restore(&done, true), ERR_CORRUPT);
    CHECK_INT(ask_sql(copy, "PRAGMA user_version = 4"), -1);
    CHECK_INT(ask_sql(copy, "PRAGMA application_id = 7"), -1);
    CHECK_INT(restore(&done, true), ERR_CORRUPT);
    (void)snprintf(log, sizeof log, "%s-wal", copy);
    write_file(log, "log", 3);
    CHECK_INT(restore(&done, true), ERR_CONFIG);
    CHECK_INT(__real_unlink(log), 0);
    CHECK_INT(__real_unlink(copy), 0);
    CHECK_INT(restore(&done, true), ERR_IO);
    CHECK(read_file(after, path) == kept && memcmp(after, before, kept) == 0); /* nothing has touched it */
    CHECK(!is_there(beside(".replaced-1")));
}

/* --- kills --- */

static void restore_in_child(void)
{
    struct store_restore done = {.from = copy, .to = path, .replaces = true, .now_ms = NOW_MS};
    const char *why;
    if (store_restore(&done, &why) != ERR_OK) _exit(1);
}

static void open_in_child(void)
{
    open_store();
    close_store();
}

static bool opens_as_new(void)
{
    struct facts *facts;
    open_store();
    CHECK_INT(store->ops->facts(store, &facts), ERR_OK);
    bool is_new = facts_project(facts, &shop) != NULL, is_old = facts_project(facts, &lab) != NULL;
    CHECK(is_new != is_old && facts->project_count == 1);
    CHECK(is_old || facts->epoch > 1);
    facts_free(facts);
    close_store();
    return is_new;
}

static void leaves_the_old_or_the_new(void)
{
    bool was_new = false;
    long calls = 0, ends = 0;
    for (bool dies = true; dies; calls++) {
        make_copy();
        CHECK(die_after(-1, leave_with_a_log));
        CHECK(is_there(beside("-wal")));
        CHECK_NOTE("killed before call %ld", calls);
        dies = die_after(calls, restore_in_child);
        for (long again = 0; is_there(beside(".restored")) && die_after(again, open_in_child); again++)
            ends++; /* nor do later kills, while it is being ended */
        bool is_new = opens_as_new();
        CHECK(is_new || !was_new);
        CHECK(!is_new || is_there(beside(".replaced-1")));
        was_new = is_new;
    }
    CHECK_NOTE("%s", "");
    CHECK(was_new && calls > 8 && ends > 8);
}

/* --- a disk that reports an error --- */

static bool fails_to_sync(long after, enum err (*work)(void))
{
    syncs_left = after;
    enum err e = work();
    bool has_failed = syncs_left < 0;
    syncs_left = -1;
    CHECK_INT(e, has_failed ? ERR_IO : ERR_OK);
    return has_failed;
}

static enum err back_up_again(void)
{
    return back_up(true);
}

static enum err restore_over(void)
{
    struct store_restore done = {.from = copy, .to = path, .replaces = true, .now_ms = NOW_MS};
    const char *why;
    enum err e = store_restore(&done, &why);
    CHECK((e == ERR_OK) == (why == NULL));
    return e;
}

/* What may not be on the disk is not said to be: neither a copy nor a restore. */
static void believes_no_sync_that_failed(void)
{
    static uint8_t before[WHOLE_MAX], after[WHOLE_MAX];
    long n = 0;
    make_copy();
    size_t len = read_file(before, copy);
    open_fresh(&lab, 2);
    CHECK(fails_to_sync(0, back_up_again)); /* of the data: it never gets its name */
    CHECK(read_file(after, copy) == len && memcmp(after, before, len) == 0);
    CHECK(fails_to_sync(1, back_up_again)); /* of the folder: it has it, but perhaps not for long */
    CHECK(!fails_to_sync(2, back_up_again));
    CHECK_INT(ask_sql(copy, "SELECT count(*) FROM projects WHERE hex(id) LIKE '5002%'"), 1);
    close_store();
    for (bool fails = true; fails; n++) {
        CHECK_NOTE("sync %ld", n);
        make_copy();
        open_fresh(&lab, 2);
        close_store();
        fails = fails_to_sync(n, restore_over);
        CHECK(opens_as_new() || fails);
    }
    CHECK_NOTE("%s", "");
    CHECK(n > 4);
}

static void gives_it_to_the_owner_of_the_folder(void)
{
    struct store_restore done;
    struct stat made;
    make_copy();
    if (geteuid() == 0) CHECK_INT(chown(folder, 65534, 65533), 0); /* nobody else may give files away */
    CHECK_INT(restore(&done, false), ERR_OK);
    CHECK_INT(stat(path, &made), 0);
    CHECK_INT(made.st_uid, geteuid() == 0 ? 65534 : geteuid());
    CHECK_INT(made.st_mode & 0777, 0600);
    if (geteuid() == 0) CHECK_INT(chown(folder, 0, 0), 0);
}

int main(void)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/store-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL) return EXIT_FAILURE;
    (void)snprintf(path, sizeof path, "%s/coatcheck.db", folder);
    (void)snprintf(copy, sizeof copy, "%s/copy", folder);
    is_durable = true;
    arena_init(&arena, 64 << 20);
    CHECK_RUN(refuses_what_may_not_be_written_to);
    CHECK_RUN(refuses_databases_it_does_not_know);
    CHECK_RUN(lets_one_write_at_a_time);
    CHECK_RUN(refuses_a_log_with_a_hole);
    CHECK_RUN(copies_one_moment_while_others_write);
    CHECK_RUN(voids_all_that_was_granted);
    CHECK_RUN(goes_beyond_what_it_replaces);
    CHECK_RUN(puts_damage_aside_with_its_log);
    CHECK_RUN(refuses_what_is_no_backup);
    CHECK_RUN(leaves_the_old_or_the_new);
    CHECK_RUN(believes_no_sync_that_failed);
    CHECK_RUN(gives_it_to_the_owner_of_the_folder);
    arena_release(&arena);
    empty_folder();
    (void)rmdir(folder);
    return CHECK_END();
}
