#include "base/vault.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "harness/check.h"

static void refuses_what_it_cannot_hold(void)
{
    CHECK(vault_take(0) == NULL);
    CHECK(vault_take(VAULT_BLOCK_MAX + 1) == NULL);
    CHECK(vault_take(SIZE_MAX) == NULL);
    CHECK(!vault_holds(NULL));
    CHECK(!vault_holds(&errno));
    vault_release(NULL);
}

static void gives_zeroed_room_of_every_size(void)
{
    static const size_t sizes[] = {1, 16, 63, 64, 65, 1023, 1024, 1025, 2048, 2049, 65535, VAULT_BLOCK_MAX};
    unsigned char *blocks[sizeof sizes / sizeof sizes[0]];

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            CHECK_NOTE("%zu bytes, round %d", sizes[i], round);
            blocks[i] = vault_take(sizes[i]);
            if (!CHECK(blocks[i] != NULL)) return;
            CHECK((uintptr_t)blocks[i] % _Alignof(max_align_t) == 0);
            CHECK(vault_holds(blocks[i]) && vault_holds(blocks[i] + sizes[i] - 1));
            CHECK(vault_room(blocks[i]) >= sizes[i]);
            size_t zeros = 0;
            while (zeros < vault_room(blocks[i]) && blocks[i][zeros] == 0)
                zeros++;
            CHECK_INT(zeros, vault_room(blocks[i]));
            memset(blocks[i], 0xA5, vault_room(blocks[i]));
        }
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            vault_release(blocks[i]);
    }
}

static void wipes_on_release(void)
{
    unsigned char *block = vault_take(100);
    size_t left = 0;

    if (!CHECK(block != NULL)) return;
    memset(block, 0x5A, 100);
    vault_release(block); /* the memory stays mapped, so that we may look */
    for (size_t i = 0; i < 100; i++)
        left += block[i] != 0;
    CHECK_INT(left, 0);
}

/* The line of /proc/self/smaps that says what the kernel was told about the page of this address. */
static bool flags_of(char *out, size_t size, const void *address)
{
    FILE *file = fopen("/proc/self/smaps", "re");
    char line[512];
    bool is_ours = false, is_found = false;

    while (file && !is_found && fgets(line, sizeof line, file)) {
        char *end;
        unsigned long long from = strtoull(line, &end, 16),
                           to = *end == '-' ? strtoull(end + 1, NULL, 16) : 0;
        if (*end == '-') is_ours = (uintptr_t)address >= from && (uintptr_t)address < to;
        is_found = is_ours && strncmp(line, "VmFlags:", 8) == 0;
        if (is_found) (void)snprintf(out, size, "%s", line);
    }
    if (file) (void)fclose(file);
    return is_found;
}

static void is_kept_from_core_files_forks_and_swap(void)
{
    char *block = vault_take(64), flags[512] = "";

    if (!CHECK(block != NULL && flags_of(flags, sizeof flags, block))) return;
    CHECK_NOTE("%.200s", flags);
    CHECK(strstr(flags, " dd") != NULL);                       /* do not dump */
    CHECK(strstr(flags, " wf") != NULL);                       /* wipe on fork */
    CHECK(!vault_is_locked() || strstr(flags, " lo") != NULL); /* locked */
    vault_release(block);
}

static void a_fork_finds_nothing(void)
{
    char *block = vault_take(64);
    int status = 0;
    pid_t child;

    if (!CHECK(block != NULL)) return;
    memset(block, 'k', 64);
    child = fork();
    if (child == 0) _exit(block[0] == 0 && block[63] == 0 ? 0 : 1);
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(block[0] == 'k');
    vault_release(block);
}

/* The kernel refuses to read a page that nobody may: no signal has to be caught. */
static bool may_be_read(const void *address)
{
    int pipe_ends[2];
    bool is_readable;

    if (pipe(pipe_ends) < 0) return true;
    is_readable = write(pipe_ends[1], address, 1) == 1;
    (void)close(pipe_ends[0]);
    (void)close(pipe_ends[1]);
    return is_readable;
}

static void a_guard_stands_on_both_sides(void)
{
    const unsigned char *block = vault_take(64), *first, *end;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (!CHECK(block != NULL)) return;
    for (first = block; vault_holds(first); first -= page) {
    } /* ends at or just before the first byte */
    first = (const unsigned char *)((uintptr_t)first / page * page);
    if (!may_be_read(first)) first += page; /* its page is the guard already */
    end = first + VAULT_BYTES;
    CHECK(may_be_read(first));
    CHECK(!may_be_read(first - 1));
    CHECK(may_be_read(end - 1));
    CHECK(!may_be_read(end));
    vault_release((void *)(uintptr_t)block);
}

static void *work_with_blocks(void *failures)
{
    for (unsigned round = 0; round < 200; round++) {
        unsigned char *blocks[32];
        for (size_t i = 0; i < 32; i++) {
            blocks[i] = vault_take(1 + (round * 37 + i * 101) % 3000);
            if (blocks[i]) memset(blocks[i], (int)(round + i), vault_room(blocks[i]));
        }
        for (size_t i = 0; i < 32; i++) {
            if (!blocks[i] || blocks[i][0] != (unsigned char)(round + i) ||
                blocks[i][vault_room(blocks[i]) - 1] != (unsigned char)(round + i))
                ++*(int *)failures;
            vault_release(blocks[i]);
        }
    }
    return NULL;
}

static void threads_do_not_meet(void)
{
    pthread_t threads[4];
    int failures[4] = {0};

    for (size_t i = 0; i < 4; i++)
        if (!CHECK(pthread_create(&threads[i], NULL, work_with_blocks, &failures[i]) == 0)) return;
    for (size_t i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
        CHECK_INT(failures[i], 0);
    }
}

static void secrets_live_in_it(void)
{
    struct secret *secret = secret_new();

    if (!CHECK(secret != NULL)) return;
    CHECK(vault_holds(secret) && vault_holds(secret->data + SECRET_MAX - 1));
    CHECK(secret->len == 0);
    CHECK(secret_set(secret, BYTES("kept")) == ERR_OK);
    secret_free(secret);
    CHECK(secret->data[0] == 0 && secret->len == 0);
    secret_free(NULL);
}

static int warnings;
static void count_line(void *state, enum log_level level, const char *line, size_t len)
{
    (void)state;
    (void)len;
    warnings += level == LOG_WARN && strstr(line, "keys_may_be_swapped") != NULL;
}

/* In a child, before our own vault is open: with CAP_IPC_LOCK no limit binds, so uid 65534
 * where we are root. */
static int without_locked_memory(void)
{
    const struct rlimit none = {0, 0};
    char *block;

    if (getuid() == 0 && setuid(65534) != 0) return 2;
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0) return 3;
    log_open(count_line, NULL, NULL, LOG_INFO);
    block = vault_take(64);
    if (!block || vault_is_locked() || warnings != 1) return 4;
    memset(block, 1, 64);
    for (int i = 0; i < 8; i++)
        if (!vault_take(VAULT_BLOCK_MAX)) return 5;
    return warnings == 1 ? 0 : 6;
}

static void works_unlocked_and_warns_once(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) _exit(without_locked_memory());
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

static void is_full_at_its_end(void)
{
    size_t taken = 0;

    while (vault_take(VAULT_BLOCK_MAX))
        taken++;
    CHECK(taken > 900 && taken < 1024);
    CHECK(vault_take(VAULT_BLOCK_MAX) == NULL);
}

int main(void)
{
    CHECK_RUN(works_unlocked_and_warns_once); /* first: its child must be the one to open the vault */
    CHECK_RUN(refuses_what_it_cannot_hold);
    CHECK_RUN(gives_zeroed_room_of_every_size);
    CHECK_RUN(wipes_on_release);
    CHECK_RUN(is_kept_from_core_files_forks_and_swap);
    CHECK_RUN(a_fork_finds_nothing);
    CHECK_RUN(a_guard_stands_on_both_sides);
    CHECK_RUN(threads_do_not_meet);
    CHECK_RUN(secrets_live_in_it);
    CHECK_RUN(is_full_at_its_end);
    return CHECK_END();
}
