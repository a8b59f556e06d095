#include "base/vault.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"

/* Sizes handed out: 64, 128 … 1024 in steps, then powers of two. Their waste is paid in locked pages. */
#define STEP  64
#define STEPS 16
#define RANKS (STEPS + 6) /* 2048, 4096 … 65536 */
#define CHUNK 65536       /* locked at once: a system call for many blocks */

struct block {
    uint32_t rank, mark;
    struct block *next; /* while it is a spare one; NULL while it is handed out */
    alignas(max_align_t) unsigned char data[];
};
#define MARK 0x7661756cu /* a pointer that never came from vault_take stops the process here */

static struct {
    unsigned char *start; /* NULL: there is no memory for a vault */
    _Atomic size_t used;  /* from the start on; only grows */
    atomic_bool is_swappable;
} vault;
static pthread_once_t opened = PTHREAD_ONCE_INIT;

/* A thread that ends leaves its spare blocks, wiped, to nobody: ours live as long as the server. */
static _Thread_local struct block *spares[RANKS];

static void open_once(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *mapped =
        mmap(NULL, VAULT_BYTES + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (mapped == MAP_FAILED) return;
    if (mprotect(mapped + page, VAULT_BYTES, PROT_READ | PROT_WRITE) < 0 ||
        madvise(mapped + page, VAULT_BYTES, MADV_DONTDUMP) < 0) {
        (void)munmap(mapped, VAULT_BYTES + 2 * page); /* if this fails, addresses are lost and nothing else */
        return;
    }
    /* These two are extras: nothing of ours forks, and huge pages would lock more than was asked for. */
    (void)madvise(mapped + page, VAULT_BYTES, MADV_WIPEONFORK);
    (void)madvise(mapped + page, VAULT_BYTES, MADV_NOHUGEPAGE);
    vault.start = mapped + page;
}

/* ONFAULT: a page counts as ours when it is first touched, not when it is locked. */
static void lock_chunk(size_t at)
{
    if (mlock2(vault.start + at, CHUNK, MLOCK_ONFAULT) == 0) return;
    if (!atomic_exchange(&vault.is_swappable, true))
        log_warn("keys_may_be_swapped", log_text("because", "the limit of locked memory is too small"),
                 log_text("fix", "raise it (ulimit -l, or LimitMEMLOCK= of the service)"),
                 log_number("errno", errno));
}

static size_t size_of_rank(unsigned rank)
{
    return rank < STEPS ? (size_t)STEP * (rank + 1) : (size_t)1024 << (rank - STEPS + 1);
}

static unsigned rank_for(size_t len)
{
    unsigned rank = STEPS;

    if (len <= STEP * STEPS) return (unsigned)((len - 1) / STEP);
    while (size_of_rank(rank) < len)
        rank++;
    return rank;
}

/* Whoever takes the first byte of a chunk locks it; another thread may write to it an instant earlier. */
static struct block *take_new(unsigned rank)
{
    size_t len = sizeof(struct block) + size_of_rank(rank), at, chunk;
    struct block *block;

    at = atomic_load(&vault.used);
    do {
        if (len > VAULT_BYTES - at) return NULL;
    } while (!atomic_compare_exchange_weak(&vault.used, &at, at + len));
    for (chunk = (at + CHUNK - 1) / CHUNK * CHUNK; chunk < at + len; chunk += CHUNK)
        lock_chunk(chunk);
    block = (struct block *)(void *)(vault.start + at);
    block->rank = rank;
    block->mark = MARK;
    return block;
}

static struct block *block_of(const void *data)
{
    struct block *block = (struct block *)(void *)((unsigned char *)(uintptr_t)data - sizeof(struct block));

    assert(vault_holds(data) && block->mark == MARK && block->rank < RANKS && !block->next);
    return block;
}

void *vault_take(size_t len)
{
    struct block *block;
    unsigned rank;

    (void)pthread_once(&opened, open_once); /* cannot fail */
    if (!vault.start || len == 0 || len > VAULT_BLOCK_MAX) return NULL;
    rank = rank_for(len);
    block = spares[rank];
    if (block) {
        spares[rank] = block->next;
        block->next = NULL;
        return block->data;
    }
    block = take_new(rank);
    return block ? block->data : NULL;
}

void vault_release(void *data)
{
    struct block *block;

    if (!data) return;
    block = block_of(data);
    secret_wipe(data, size_of_rank(block->rank));
    block->next = spares[block->rank];
    spares[block->rank] = block;
}

bool vault_holds(const void *data)
{
    uintptr_t at = (uintptr_t)data, start = (uintptr_t)vault.start;

    return start && at > start && at < start + VAULT_BYTES;
}

size_t vault_room(const void *data)
{
    return size_of_rank(block_of(data)->rank);
}

bool vault_is_locked(void)
{
    return vault.start && !atomic_load(&vault.is_swappable);
}
