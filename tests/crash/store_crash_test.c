/* What was acknowledged survives kill -9: a child commits users without a pause and writes each acknowledged
 * one to a pipe, the parent kills it at a random moment, opens the store again and looks each of them up. */
#include "store/clerk.h"
#include "store/store.h"

#include "harness/check.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOPS     30
#define IN_FLIGHT 64    /* commits that wait at once: several end in one transaction */
#define KILL_AT   4000  /* the child dies somewhere before so many acknowledgements */
#define IN_PIPE   16384 /* acknowledgements that a pipe of 64 KiB holds */
#define KNOWN_MAX (2 * LOOPS * (KILL_AT + IN_PIPE))

static char folder[256], path[300];
static const struct uuid shop = {.byte = {1}};
static uint32_t known[KNOWN_MAX];
static size_t known_count;
static int64_t slowest_open_ms; /* told, not judged: a test does not measure time */

struct slot {
    struct store_commit commit;
    struct write write;
    struct row row;
    struct arena arena;
    char reference[32], name[48];
    uint32_t number;
};

static struct mailbox answered;
static sem_t bell;

static void take_answer(void *to, struct mail *mail)
{
    (void)to;
    if (mailbox_post(&answered, mail)) (void)sem_post(&bell);
}

static void write_slot(struct store *store, struct slot *slot, uint32_t number)
{
    slot->number = number;
    (void)snprintf(slot->reference, sizeof slot->reference, "user-%u@example.com", number);
    (void)snprintf(slot->name, sizeof slot->name, "/private/%s", slot->reference);
    slot->write = (struct write){
        .kind = WRITE_USER,
        .user.user = {.project = shop,
                      .kind = USER_SUBSCRIBER,
                      .reference = bytes_of_text(slot->reference),
                      .address = {.name = bytes_of_text(slot->name), .type = ADDRESS_SUBSCRIBER}}};
    memcpy(slot->write.user.user.id.byte, &number, sizeof number);
    slot->write.user.user.id.byte[15] = 1; /* never zero */
    arena_reset(&slot->arena);
    slot->commit = (struct store_commit){.post = take_answer,
                                         .writes = &slot->write,
                                         .write_count = 1,
                                         .rows = &slot->row,
                                         .arena = &slot->arena};
    store->ops->commit(store, &slot->commit);
}

static struct slot *slot_of(struct mail *mail)
{
    return (struct slot *)(void *)((char *)mail - offsetof(struct slot, commit));
}

/* Never returns: it is killed. */
static void child_run(int pipe_end, uint32_t number)
{
    static struct slot slots[IN_FLIGHT];
    struct store *store;
    const char *why;
    if (store_sqlite_open(&store, path, &why) != ERR_OK) _exit(1);
    (void)sem_init(&bell, 0, 0);
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        arena_init(&slots[i].arena, 4096);
        write_slot(store, &slots[i], number++);
    }
    for (;;) {
        bell_wait(&bell);
        for (struct mail *mail = mailbox_take(&answered), *next; mail != NULL; mail = next) {
            struct slot *slot = slot_of(mail);
            next = mail->next;
            if (slot->commit.error != ERR_OK || slot->row.state != ROW_WRITTEN) _exit(2);
            if (write(pipe_end, &slot->number, sizeof slot->number) != sizeof slot->number) _exit(3);
            write_slot(store, slot, number++);
        }
    }
}

/* Reads acknowledgements until there were `until`, kills, and reads what the pipe still holds.
 * Returns the greatest. */
static uint32_t watch_and_kill(int pipe_end, pid_t child, size_t until)
{
    uint32_t number, greatest = 0;
    int status;
    for (size_t seen = 0; read(pipe_end, &number, sizeof number) == sizeof number; seen++) {
        if (CHECK(known_count < KNOWN_MAX)) known[known_count++] = number;
        if (number > greatest) greatest = number;
        if (seen == until) (void)kill(child, SIGKILL);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return greatest;
}

static uint32_t one_life(uint32_t number, size_t until)
{
    int ends[2];
    if (!CHECK(pipe(ends) == 0)) return number;
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        child_run(ends[1], number);
    }
    (void)close(ends[1]);
    uint32_t greatest = watch_and_kill(ends[0], child, until);
    (void)close(ends[0]);
    return greatest + 2 * IN_FLIGHT; /* beyond what was under way, acknowledged or not */
}

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct store *open_store(void)
{
    struct store *store;
    const char *why;
    int64_t start = now_ms(), took;
    enum err e = store_sqlite_open(&store, path, &why);
    took = now_ms() - start;
    if (took > slowest_open_ms) slowest_open_ms = took;
    if (CHECK(e == ERR_OK)) return store;
    fprintf(stderr, "%s\n", why);
    exit(EXIT_FAILURE);
}

static void ring_bell(void *to, struct mail *mail)
{
    (void)mail;
    (void)sem_post(to);
}

static void find_known(struct store *store, size_t from)
{
    struct arena arena;
    char reference[32];
    size_t lost = 0;
    arena_init(&arena, 4096);
    (void)sem_init(&bell, 0, 0);
    for (size_t i = from; i < known_count; i++) {
        (void)snprintf(reference, sizeof reference, "user-%u@example.com", known[i]);
        struct store_read read = {.post = ring_bell,
                                  .to = &bell,
                                  .kind = READ_USER_BY_REFERENCE,
                                  .project = shop,
                                  .text = bytes_of_text(reference),
                                  .arena = &arena};
        arena_reset(&arena);
        store->ops->read(store, &read);
        bell_wait(&bell);
        if (read.error != ERR_OK || !read.found || memcmp(read.user.id.byte, &known[i], sizeof known[i]) != 0)
            lost++;
    }
    CHECK_INT(lost, 0);
    (void)sem_destroy(&bell);
    arena_release(&arena);
}

static void found_store(void)
{
    struct arena arena;
    struct row row;
    struct write project = {.kind = WRITE_PROJECT, .project = {.id = shop}};
    struct store *store = open_store();
    settings_standard(project.project.setting);
    arena_init(&arena, 4096);
    CHECK_INT(store_commit_wait(store, &project, 1, &row, &arena), ERR_OK);
    store->ops->close(store);
    arena_release(&arena);
}

static void keeps_what_it_acknowledged(void)
{
    struct dice_seeded seeded;
    struct dice dice = dice_from_seed(&seeded, 20250101);
    uint32_t number = 1;
    found_store();
    for (int loop = 0; loop < LOOPS; loop++) {
        size_t before = known_count;
        CHECK_NOTE("loop %d", loop);
        /* Sometimes two lives follow each other: then the second begins on what the first left behind. */
        for (uint64_t lives = 1 + dice_below(&dice, 2); lives > 0; lives--)
            number = one_life(number, dice_below(&dice, KILL_AT));
        struct store *store = open_store();
        find_known(store, before);
        if (loop == LOOPS - 1) find_known(store, 0);
        store->ops->close(store);
    }
    printf("%zu acknowledged, slowest start %lld ms\n", known_count, (long long)slowest_open_ms);
}

static void forget_files(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char name[320];
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
    (void)rmdir(folder);
}

int main(void)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/store-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL) return EXIT_FAILURE;
    (void)snprintf(path, sizeof path, "%s/coatcheck.db", folder);
    CHECK_RUN(keeps_what_it_acknowledged);
    forget_files();
    return CHECK_END();
}
