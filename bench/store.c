/* store.c — what durable writes cost: the store, with all that stands between an asker and the disk, against
 * a loop over the same statements with nothing around it.
 *
 *     bench_store [--writes N] [--dir DIR]      default 20000, /tmp; prints a table and fails nothing
 *
 * Three kinds: a user inserted, a one-time id burnt, a family moved on from its generation. Each with 1, 8
 * and 64 writes in one durable transaction: for the store, so many commits of one write wait at a time and
 * are answered before the next so many are posted; for the bare loop, so many statements stand between BEGIN
 * and COMMIT. Time is the processor's, of all threads: what the disk takes is in the rate alone. */
#include <getopt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bare_rows.h"
#include "store/clerk.h"

#define TOGETHER_MAX 64
#define BUCKET_S     ((int64_t)4000000000)

enum kind { INSERT_USER, BURN_ONCE, STEP_FAMILY, KINDS };
static const char *const kind_names[KINDS] = {"user inserted", "one-time id burnt", "family moved on"};

struct slot {
    struct store_commit commit;
    struct write write;
    struct row row;
    struct arena arena;
    char reference[40], address[48];
};
static struct slot slots[TOGETHER_MAX];
static atomic_uint unanswered;
static sem_t all_answered;

struct figure {
    double per_s, cpu_us;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_store: %s failed\n", what);
    exit(EXIT_FAILURE);
}

static double seconds(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static struct uuid id_of(enum kind kind, uint64_t number)
{
    return bare_id((uint8_t)(kind + 1), number);
}

/* Each family is moved on once for every so many writes: the number tells which one, and from where. */
static struct write family_write(uint64_t number, uint64_t families)
{
    uint32_t from = (uint32_t)(number / families);
    return (struct write){
        .kind = WRITE_FAMILY,
        .is_gate = from > 0,
        .family = {.family = {.id = id_of(STEP_FAMILY, number % families),
                              .project = bare_project,
                              .user = bare_project,
                              .state = FAMILY_LIVE,
                              .generation = from + 1,
                              .rotated_ms = (int64_t)number,
                              .succ_exp_s = BUCKET_S,
                              .bucket_s = BUCKET_S,
                              .holder = BYTES("0123456789abcdef0123456789abcdef0123456789a"),
                              .holder_is_bound = true,
                              .seal_key = BYTES("0000000a")},
                   .from_generation = from}};
}

static struct write write_of(struct slot *slot, enum kind kind, uint64_t number, uint64_t families)
{
    struct write write = {.kind = WRITE_ONCE};
    if (kind == STEP_FAMILY) return family_write(number, families);
    write.once.id = id_of(kind, number);
    write.once.bucket_s = BUCKET_S;
    if (kind == BURN_ONCE) return write;
    (void)snprintf(slot->reference, sizeof slot->reference, "user-%llu@example.com",
                   (unsigned long long)number);
    (void)snprintf(slot->address, sizeof slot->address, "/private/user-%llu", (unsigned long long)number);
    write = (struct write){.kind = WRITE_USER};
    write.user.user = (struct user){.id = id_of(kind, number),
                                    .project = bare_project,
                                    .kind = USER_SUBSCRIBER,
                                    .reference = bytes_of_text(slot->reference),
                                    .created_ms = 1,
                                    .updated_ms = 1,
                                    .address = {.id = id_of(kind, number),
                                                .project = bare_project,
                                                .resource = id_of(kind, number),
                                                .name = bytes_of_text(slot->address),
                                                .type = ADDRESS_SUBSCRIBER,
                                                .created_ms = 1}};
    return write;
}

/* --- the store --- */

static void take_answer(void *to, struct mail *mail)
{
    struct slot *slot = to;
    (void)mail;
    if (slot->commit.error != ERR_OK || slot->row.state != ROW_WRITTEN) die("a write");
    if (atomic_fetch_sub(&unanswered, 1) == 1) (void)sem_post(&all_answered);
}

static void write_together(struct store *store, enum kind kind, uint64_t first, unsigned together,
                           uint64_t families)
{
    atomic_store(&unanswered, together);
    for (unsigned i = 0; i < together; i++) {
        struct slot *slot = &slots[i];
        arena_reset(&slot->arena);
        slot->write = write_of(slot, kind, first + i, families);
        slot->commit = (struct store_commit){.post = take_answer,
                                             .to = slot,
                                             .writes = &slot->write,
                                             .write_count = 1,
                                             .rows = &slot->row,
                                             .arena = &slot->arena};
        store->ops->commit(store, &slot->commit);
    }
    bell_wait(&all_answered);
}

static void run_store(struct store *store, enum kind kind, uint64_t from, uint64_t to, unsigned together,
                      uint64_t families)
{
    for (uint64_t at = from; at < to; at += together)
        write_together(store, kind, at, together, families);
}

/* --- the same statements with nothing around them --- */

static void run_bare(struct db *db, enum kind kind, uint64_t from, uint64_t to, unsigned together,
                     uint64_t families)
{
    for (uint64_t at = from; at < to; at += together) {
        bare_begin(db);
        for (unsigned i = 0; i < together; i++) {
            struct write write = write_of(&slots[0], kind, at + i, families);
            bare_write(db, &write);
        }
        bare_commit(db);
        if (at / 1024 != (at + together) / 1024)
            (void)db_sweep(db); /* about as often as the store's sweeper */
    }
}

/* --- both, on a fresh file each --- */

/* What is there before the clock starts: the first generation of every family, or as many rows
 * as are measured. */
static struct figure measure(const char *path, enum kind kind, uint64_t writes, unsigned together,
                             bool is_bare)
{
    uint64_t families = writes;
    struct store *store = bare_rows_make(path);
    struct db *db = NULL;
    run_store(store, kind, 0, writes, TOGETHER_MAX, families);
    if (is_bare) {
        store->ops->close(store);
        db = bare_rows_open(path);
    }
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (is_bare)
        run_bare(db, kind, writes, 2 * writes, together, families);
    else
        run_store(store, kind, writes, 2 * writes, together, families);
    wall = seconds(CLOCK_MONOTONIC) - wall;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (is_bare)
        db_free(db);
    else
        store->ops->close(store);
    bare_rows_remove(path);
    return (struct figure){(double)writes / wall, cpu / (double)writes * 1e6};
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"writes", required_argument, NULL, 'w'}, {"dir", required_argument, NULL, 'd'}, {NULL, 0, NULL, 0}};
    static const unsigned together[] = {1, 8, 64};
    const char *dir = "/tmp";
    char path[300];
    uint64_t writes = 20000;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd') dir = optarg;
        if (option == '?' || (option == 'w' && !bytes_to_u64(&writes, bytes_of_text(optarg), 10000000))) {
            fputs("usage: bench_store [--writes N] [--dir DIR]\n", stderr);
            return 2;
        }
    }
    writes = (writes + TOGETHER_MAX - 1) / TOGETHER_MAX * TOGETHER_MAX;
    (void)snprintf(path, sizeof path, "%s/bench_store-%ld.db", dir, (long)getpid());
    (void)sem_init(&all_answered, 0, 0);
    for (size_t i = 0; i < TOGETHER_MAX; i++)
        arena_init(&slots[i].arena, 4096);
    printf("| write | together | bare: a second, CPU µs | store: a second, CPU µs | ratio of CPU "
           "|\n|---|---|---|---|---|\n");
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < sizeof together / sizeof together[0]; i++) {
            struct figure bare = measure(path, (enum kind)kind, writes, together[i], true);
            struct figure ours = measure(path, (enum kind)kind, writes, together[i], false);
            printf("| %s | %u | %.0f, %.1f | %.0f, %.1f | %.2f |\n", kind_names[kind], together[i],
                   bare.per_s, bare.cpu_us, ours.per_s, ours.cpu_us, bare.cpu_us / ours.cpu_us);
            (void)fflush(stdout); /* a run takes minutes on a slow disk */
        }
    for (size_t i = 0; i < TOGETHER_MAX; i++)
        arena_release(&slots[i].arena);
    return EXIT_SUCCESS;
}
