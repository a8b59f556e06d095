/* Each allocation of the store's threads fails in turn, the database library's own too: a commit is then
 * whole or not there, a read says that it failed, an opening gives a store or none; nothing that was
 * acknowledged is lost, and the next ask is answered as if nothing had been. */
#include <sqlite3.h>

#include "harness/failing_memory.h"
#include "harness/store_round.h"

#define EACH_MAX    3000  /* more than an ask needs */
#define OPENING_MAX 20000 /* and an opening */

/* ---- the database library asks here, too ---- */

static sqlite3_mem_methods real;

static void *wants(int size)
{
    return memory_fails_now() ? NULL : real.xMalloc(size);
}

static void *wants_more(void *old, int size)
{
    return memory_fails_now() ? NULL : real.xRealloc(old, size);
}

static bool stand_before_sqlite(void)
{
    sqlite3_mem_methods ours;
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) != SQLITE_OK) return false;
    ours = real;
    ours.xMalloc = wants;
    ours.xRealloc = wants_more;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) == SQLITE_OK;
}

/* ---- asking ---- */

struct two { /* users of one commit */
    char names[2][32];
    struct write writes[2];
};

static void two_of(struct two *two, unsigned number)
{
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(two->names[i], sizeof two->names[i], "/private/%c%u", 'a' + (int)i, number);
        two->writes[i] =
            user_write(&shop, 2 * number + i, bytes_of_text(two->names[i] + 9), bytes_of_text(two->names[i]));
    }
}

static unsigned how_many_are_there(const struct two *two)
{
    struct user found;
    unsigned count = 0;
    for (unsigned i = 0; i < 2; i++)
        count += look_up(&found, READ_USER_BY_REFERENCE, &shop, bytes_of_text(two->names[i] + 9), NULL);
    return count;
}

static enum err commit_two(const struct two *two)
{
    struct row rows[2];
    return store_commit_wait(store, two->writes, 2, rows, &arena);
}

/* True: none failed. */
static bool fail_a_commit(long n, unsigned number)
{
    struct two two;
    unsigned there;
    bool has_failed;
    enum err e;
    two_of(&two, number);
    memory_fail(n, 1);
    e = commit_two(&two);
    has_failed = memory_relent();
    CHECK(e == ERR_OK || e == ERR_NO_MEMORY || e == ERR_STORE_FAILED || e == ERR_STORE_BUSY);
    there = how_many_are_there(&two);
    CHECK(there == 0 || there == 2);
    if (e == ERR_OK) CHECK_INT(there, 2);
    if (e == ERR_STORE_FAILED || e == ERR_STORE_BUSY) CHECK_INT(there, 0);
    if (!has_failed) CHECK_INT(e, ERR_OK);
    CHECK_INT(commit_two(&two), ERR_OK);
    reopen_store();
    CHECK_INT(how_many_are_there(&two), 2);
    arena_reset(&arena);
    return !has_failed;
}

static void commits_are_whole_at_each_allocation(void)
{
    bool done = false;
    unsigned n = 0;
    begin();
    for (; !done && n < EACH_MAX; n++) {
        CHECK_NOTE("allocation %u", n);
        done = fail_a_commit(n, n);
    }
    CHECK(done);
    CHECK(n > 5);
    printf("%u allocations\n", n - 1);
    end();
}

static bool fail_a_read(long n)
{
    sem_t bell;
    struct store_read read = {.post = ring_bell,
                              .to = &bell,
                              .kind = READ_USER_BY_REFERENCE,
                              .project = shop,
                              .text = TEXT("a1"),
                              .arena = &arena};
    bool has_failed;
    (void)sem_init(&bell, 0, 0);
    memory_fail(n, 1);
    store->ops->read(store, &read);
    bell_wait(&bell);
    has_failed = memory_relent();
    (void)sem_destroy(&bell);
    CHECK(read.error == ERR_OK || read.error == ERR_NO_MEMORY || read.error == ERR_STORE_FAILED);
    CHECK_INT(read.found, read.error == ERR_OK);
    if (!has_failed) CHECK_INT(read.error, ERR_OK);
    arena_reset(&arena);
    return !has_failed;
}

static bool fail_facts(long n)
{
    struct facts *facts;
    bool has_failed;
    enum err e;
    memory_fail(n, 1);
    e = store->ops->facts(store, &facts);
    has_failed = memory_relent();
    CHECK((e == ERR_OK) == (facts != NULL));
    if (facts) CHECK_INT(facts->project_count, 2);
    if (!has_failed) CHECK_INT(e, ERR_OK);
    facts_free(facts);
    return !has_failed;
}

static void reads_fail_cleanly_at_each_allocation(void)
{
    static bool (*const asks[])(long n) = {fail_a_read, fail_facts};
    struct two two;
    begin();
    two_of(&two, 1);
    CHECK_INT(commit_two(&two), ERR_OK);
    for (size_t i = 0; i < COUNT(asks); i++) {
        bool done = false;
        long n = 0;
        for (; !done && n < EACH_MAX; n++) {
            CHECK_NOTE("ask %zu, allocation %ld", i, n);
            reopen_store(); /* what the library keeps is asked for anew */
            done = asks[i](n);
            CHECK_INT(how_many_are_there(&two), 2);
        }
        CHECK(done);
    }
    end();
}

static void opens_whole_or_not_at_all(void)
{
    struct two two;
    bool has_failed = true;
    long n = 0;
    begin();
    two_of(&two, 1);
    CHECK_INT(commit_two(&two), ERR_OK);
    /* thousands, most of them for the schema of one connection after the other: not each of them */
    for (; has_failed && n < OPENING_MAX; n += n < 200 ? 1 : 17) {
        const char *why = NULL;
        enum err e;
        CHECK_NOTE("allocation %ld", n);
        store->ops->close(store);
        memory_is_spared = false;
        memory_fail(n, 1);
        e = store_sqlite_open(&store, path, &why);
        has_failed = memory_relent();
        memory_is_spared = true;
        CHECK((e == ERR_OK) == (store != NULL));
        CHECK((e == ERR_OK) == (why == NULL));
        if (!has_failed) CHECK_INT(e, ERR_OK);
        if (!store) open_store();
        CHECK_INT(how_many_are_there(&two), 2);
    }
    CHECK(!has_failed);
    printf("%ld allocations\n", n);
    end();
}

int main(void)
{
    const char *base = getenv("TMPDIR");
    memory_is_spared = true; /* this thread asks; the store's threads want for memory */
    is_durable = true;
    (void)snprintf(folder, sizeof folder, "%s/store-XXXXXX", base ? base : "/tmp");
    if (!stand_before_sqlite() || !mkdtemp(folder)) return EXIT_FAILURE;
    (void)snprintf(path, sizeof path, "%s/coatcheck.db", folder);
    CHECK_RUN(commits_are_whole_at_each_allocation);
    CHECK_RUN(reads_fail_cleanly_at_each_allocation);
    CHECK_RUN(opens_whole_or_not_at_all);
    (void)rmdir(folder);
    return CHECK_END();
}
