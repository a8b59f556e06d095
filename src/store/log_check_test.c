/* A write-ahead log that was damaged, against one that a crash has cut: the first is refused, of the second
 * what was acknowledged is taken. */
#include "store/log_check.h"
#include "store/store.h"

#include "harness/check.h"

#include <sqlite3.h>
#include <unistd.h>

#define TEXT(literal) bytes_of(literal, sizeof(literal) - 1)
#define FILE_MAX      (1 << 20)
#define COMMITS       12
#define FRAME_LEN     (24 + 4096)
#define HEADER_LEN    32

static char folder[256], path[300], log_path[310];
static uint8_t data[FILE_MAX], whole[FILE_MAX];
static size_t data_len, log_len;
static size_t log_lens[COMMITS + 1]; /* after so many commits */

static size_t read_file(uint8_t *out, const char *name)
{
    FILE *file = fopen(name, "rb");
    size_t len = file == NULL ? 0 : fread(out, 1, FILE_MAX, file);
    if (file != NULL) (void)fclose(file);
    return len;
}

static void write_file(const char *name, const void *content, size_t len)
{
    FILE *file = fopen(name, "wb");
    CHECK(file != NULL && fwrite(content, 1, len, file) == len);
    if (file != NULL) (void)fclose(file);
}

/* Twelve commits in the log and none in the file, as a crash leaves them. */
static void make_log(void)
{
    static uint8_t scratch[FILE_MAX];
    struct store *store = NULL;
    struct arena arena;
    struct row row;
    const char *why;
    arena_init(&arena, 1 << 16);
    CHECK_INT(store_sqlite_open(&store, path, &why), ERR_OK);
    for (uint8_t i = 0; i < COMMITS; i++) {
        struct write once = {.kind = WRITE_ONCE, .once = {.id = {.byte = {i}}, .bucket_s = 60 + i}};
        CHECK_INT(store_commit_wait(store, &once, 1, &row, &arena), ERR_OK);
        log_lens[i + 1] = read_file(scratch, log_path);
    }
    data_len = read_file(data, path);
    log_len = read_file(whole, log_path);
    store->ops->close(store);
    arena_release(&arena);
    CHECK(data_len > 4096 && log_len >= HEADER_LEN + COMMITS * FRAME_LEN && log_len < FILE_MAX);
}

static void lay(const uint8_t *log, size_t len)
{
    char shared[320];
    (void)snprintf(shared, sizeof shared, "%s-shm", path);
    (void)unlink(shared);
    write_file(path, data, data_len);
    write_file(log_path, log, len);
}

/* -1: the store does not open. */
static int commits_found(void)
{
    struct store *store = NULL;
    struct arena arena;
    struct row row = {0};
    const char *why = NULL;
    int found = 0;
    enum err e = store_sqlite_open(&store, path, &why);
    CHECK((e == ERR_OK) == (why == NULL));
    if (e != ERR_OK) CHECK_INT(e, ERR_CORRUPT);
    if (e != ERR_OK) return -1;
    arena_init(&arena, 1 << 16);
    for (uint8_t i = 0; i < COMMITS; i++) {
        struct write once = {.kind = WRITE_ONCE, .once = {.id = {.byte = {i}}, .bucket_s = 60 + i}};
        CHECK_INT(store_commit_wait(store, &once, 1, &row, &arena), ERR_OK);
        if (row.state == ROW_EXISTS) CHECK_INT(found++, i); /* the first so many, and no other */
    }
    store->ops->close(store);
    arena_release(&arena);
    return found;
}

/* One byte anywhere: refused, and nothing is changed; only in the last commit it cannot be
 * told from a crash. */
static void refuses_a_damaged_log(void)
{
    static uint8_t log[FILE_MAX], after[FILE_MAX];
    for (size_t at = 0; at < log_len; at += at < HEADER_LEN + FRAME_LEN ? 131 : 997) {
        CHECK_NOTE("byte %zu of %zu", at, log_len);
        memcpy(log, whole, log_len);
        log[at] ^= 0x40;
        lay(log, log_len);
        int found = commits_found();
        if (found < 0) {
            CHECK_INT(read_file(after, log_path), log_len);
            CHECK(memcmp(after, log, log_len) == 0);
        } else {
            CHECK(at >= log_lens[COMMITS - 2]);
            CHECK(found >= COMMITS - 2);
        }
    }
}

static void takes_a_log_cut_anywhere_up_to_a_whole_commit(void)
{
    for (size_t cut = 0; cut <= log_len; cut += cut < HEADER_LEN ? 8 : 777) {
        int least = 0;
        CHECK_NOTE("cut to %zu of %zu", cut, log_len);
        while (least < COMMITS && log_lens[least + 1] <= cut)
            least++;
        lay(whole, cut);
        CHECK_INT(commits_found(), least);
    }
}

static void takes_the_whole_log(void)
{
    lay(whole, log_len);
    CHECK_INT(log_check(log_path), ERR_OK);
    CHECK_INT(commits_found(), COMMITS);
}

/* The frames of an older, longer life of the log stand behind those of this one: no damage. */
static void takes_a_log_that_began_again(void)
{
    static uint8_t log[FILE_MAX];
    memcpy(log, whole, log_len);
    for (size_t at = log_lens[COMMITS - 4]; at < log_len; at += FRAME_LEN)
        log[at + 8] ^= 1; /* the salt */
    lay(log, log_len);
    CHECK_INT(commits_found(), COMMITS - 4);
}

static void refuses_what_cannot_be_read(void)
{
    CHECK_INT(log_check(folder), ERR_IO);
    CHECK_INT(log_check("/nowhere/coatcheck.db-wal"), ERR_IO);
}

int main(void)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/store-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL) return EXIT_FAILURE;
    (void)snprintf(path, sizeof path, "%s/coatcheck.db", folder);
    (void)snprintf(log_path, sizeof log_path, "%s-wal", path);
    make_log();
    CHECK_RUN(refuses_a_damaged_log);
    CHECK_RUN(refuses_what_cannot_be_read);
    CHECK_RUN(takes_a_log_cut_anywhere_up_to_a_whole_commit);
    CHECK_RUN(takes_a_log_that_began_again);
    CHECK_RUN(takes_the_whole_log);
    (void)unlink(path);
    (void)unlink(log_path);
    (void)rmdir(folder);
    return CHECK_END();
}
