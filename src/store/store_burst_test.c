/* Many commits at once, and commits in trouble: each is answered, each by itself. */
#include "harness/check.h"
#include "harness/store_round.h"

#include <signal.h>
#include <sys/resource.h>

#define THREADS          4
#define COMMITS          1500 /* of each thread: in flight all together */
#define REFERENCE_LENGTH 9

struct burst {
    pthread_t thread;
    uint32_t number;
    sem_t bell;
    struct arena arenas[COMMITS];
    struct store_commit commits[COMMITS];
    struct write writes[COMMITS];
    struct row rows[COMMITS];
    char references[COMMITS][REFERENCE_LENGTH + 1], names[COMMITS][32], others[COMMITS][32];
};

/* All threads write the same references, with address names that collide between neighbours. */
static void *burst_run(void *state)
{
    struct burst *burst = state;
    for (uint32_t i = 0; i < COMMITS; i++) {
        uint32_t number = burst->number * COMMITS + i;
        (void)snprintf(burst->references[i], sizeof burst->references[i], "user-%04u", i);
        (void)snprintf(burst->names[i], sizeof burst->names[i], "/private/%u", i / 2);
        (void)snprintf(burst->others[i], sizeof burst->others[i], "/private/%u-%u", i, number);
        arena_init(&burst->arenas[i], 4096);
        burst->writes[i] =
            user_write(&shop, number, bytes_of_text(burst->references[i]), bytes_of_text(burst->names[i]));
        burst->writes[i].user.address_name_alt = bytes_of_text(burst->others[i]);
        burst->commits[i] = (struct store_commit){.post = ring_bell,
                                                  .to = &burst->bell,
                                                  .writes = &burst->writes[i],
                                                  .write_count = 1,
                                                  .rows = &burst->rows[i],
                                                  .arena = &burst->arenas[i]};
        store->ops->commit(store, &burst->commits[i]);
    }
    for (uint32_t i = 0; i < COMMITS; i++)
        bell_wait(&burst->bell);
    return NULL;
}

static void check_burst(struct burst *bursts, uint32_t i)
{
    int written = 0;
    for (size_t t = 0; t < THREADS; t++) {
        CHECK_INT(bursts[t].commits[i].error, ERR_OK);
        CHECK(uuid_equal(&bursts[t].rows[i].user.id, &bursts[0].rows[i].user.id)); /* all meet the same one */
        if (bursts[t].rows[i].state == ROW_WRITTEN) written++;
        arena_release(&bursts[t].arenas[i]);
    }
    CHECK_INT(written, 1);
}

static void writes_each_reference_once_whoever_asks(void)
{
    struct burst *bursts = calloc(THREADS, sizeof *bursts);
    if (!CHECK(bursts != NULL)) return;
    begin();
    for (uint32_t t = 0; t < THREADS; t++) {
        bursts[t].number = t;
        (void)sem_init(&bursts[t].bell, 0, 0);
        CHECK_INT(pthread_create(&bursts[t].thread, NULL, burst_run, &bursts[t]), 0);
    }
    for (uint32_t t = 0; t < THREADS; t++)
        (void)pthread_join(bursts[t].thread, NULL);
    for (uint32_t i = 0; i < COMMITS; i++) {
        CHECK_NOTE("reference %u", (unsigned)i);
        check_burst(bursts, i);
    }
    for (uint32_t t = 0; t < THREADS; t++)
        (void)sem_destroy(&bursts[t].bell);
    free(bursts);
    end();
}

/* One that fails stands among many that do not, all in the same transaction if the store has any. */
static void spoils_nobody_elses_commit(void)
{
    enum { COUNT_OF = 200, BAD = 77 };
    static struct burst burst;
    struct user found;
    begin();
    (void)sem_init(&burst.bell, 0, 0);
    for (uint32_t i = 0; i < COUNT_OF; i++) {
        (void)snprintf(burst.references[i], sizeof burst.references[i], "user-%04u", i);
        arena_init(&burst.arenas[i], 4096);
        burst.writes[i] = user_write(&shop, i, bytes_of_text(burst.references[i]), BYTES_NONE);
        if (i == BAD) burst.writes[i].user.user.id = id_of(1, BAD - 1); /* taken: the insert itself fails */
        burst.commits[i] = (struct store_commit){.post = ring_bell,
                                                 .to = &burst.bell,
                                                 .writes = &burst.writes[i],
                                                 .write_count = 1,
                                                 .rows = &burst.rows[i],
                                                 .arena = &burst.arenas[i]};
        store->ops->commit(store, &burst.commits[i]);
    }
    for (uint32_t i = 0; i < COUNT_OF; i++)
        bell_wait(&burst.bell);
    for (uint32_t i = 0; i < COUNT_OF; i++) {
        CHECK_NOTE("commit %u", (unsigned)i);
        CHECK_INT(burst.commits[i].error, i == BAD ? ERR_STORE_FAILED : ERR_OK);
        CHECK(look_up(&found, READ_USER_BY_REFERENCE, &shop, bytes_of_text(burst.references[i]), NULL) ==
              (i != BAD));
        arena_release(&burst.arenas[i]);
    }
    (void)sem_destroy(&burst.bell);
    end();
}

static void ring_nothing(void *counter, struct mail *mail)
{
    (void)mail;
    atomic_fetch_add((atomic_int *)counter, 1);
}

static void finishes_what_waits_before_it_closes(void)
{
    enum { COUNT_OF = 300 };
    static struct store_commit commits[COUNT_OF];
    static struct write writes[COUNT_OF];
    static struct row rows[COUNT_OF];
    atomic_int answered = 0;
    begin();
    for (uint32_t i = 0; i < COUNT_OF; i++) {
        writes[i] = (struct write){.kind = WRITE_ONCE, .once = {.id = id_of(6, i), .bucket_s = 60}};
        commits[i] = (struct store_commit){.post = ring_nothing,
                                           .to = &answered,
                                           .writes = &writes[i],
                                           .write_count = 1,
                                           .rows = &rows[i],
                                           .arena = &arena};
        store->ops->commit(store, &commits[i]);
    }
    store->ops->close(store);
    CHECK_INT(atomic_load(&answered), COUNT_OF);
    for (uint32_t i = 0; i < COUNT_OF; i++)
        CHECK(commits[i].error == ERR_OK && rows[i].state == ROW_WRITTEN);
    open_store();
    if (is_durable) CHECK_INT(put_fact(&writes[COUNT_OF - 1]), ROW_EXISTS);
    end();
}

/* A disk that is full in the middle of a batch: all of it fails, nothing of it is there, and once there is
 * room again the store goes on by itself. */
static void survives_a_full_disk(void)
{
    enum { COUNT_OF = 40 };
    struct rlimit before, full = {0};
    struct row row;
    struct user found;
    char reference[32];
    begin();
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0);
    full.rlim_max = before.rlim_max;
    full.rlim_cur = 64 * 1024; /* of each file: the log reaches it soon, while it still can be read */
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &full), 0);
    bool written[COUNT_OF];
    size_t failed = 0;
    for (uint32_t i = 0; i < COUNT_OF; i++) {
        (void)snprintf(reference, sizeof reference, "user-%u", (unsigned)i);
        struct write user = user_write(&shop, i, bytes_of_text(reference), BYTES_NONE);
        enum err e = store_commit_wait(store, &user, 1, &row, &arena);
        CHECK(e == ERR_OK || e == ERR_STORE_FAILED);
        written[i] = e == ERR_OK;
        if (e != ERR_OK) failed++;
    }
    CHECK(failed > 0 && failed < COUNT_OF);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0);
    for (uint32_t i = 0; i < COUNT_OF; i++) {
        CHECK_NOTE("user %u", (unsigned)i);
        (void)snprintf(reference, sizeof reference, "user-%u", (unsigned)i);
        CHECK(look_up(&found, READ_USER_BY_REFERENCE, &shop, bytes_of_text(reference), NULL) == written[i]);
        struct write user = user_write(&shop, i, bytes_of_text(reference), BYTES_NONE);
        CHECK_INT(write_one(&row, &user), written[i] ? ROW_EXISTS : ROW_WRITTEN);
    }
    end();
}

static void suite(void)
{
    CHECK_RUN(writes_each_reference_once_whoever_asks);
    CHECK_RUN(spoils_nobody_elses_commit);
    CHECK_RUN(finishes_what_waits_before_it_closes);
    if (is_durable) CHECK_RUN(survives_a_full_disk); /* only a disk can be full */
}

int main(void)
{
    return run_rounds(suite);
}
