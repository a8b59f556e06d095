/* failing_memory.h — for test programs linked with --wrap for malloc, calloc and realloc: the n-th
 * allocation from now fails, and as many more as wanted. Counts on the threads that do not opt out, so that
 * a test's own side of a connection goes on. With crypto_memory_guard the crypto library asks here too.
 * Include it once. */
#ifndef COATCHECK_TESTS_FAILING_MEMORY_H
#define COATCHECK_TESTS_FAILING_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

static _Atomic long memory_left = -1; /* allocations until one fails; below zero: none does */
static _Atomic unsigned memory_count, memory_failed;
static _Thread_local bool memory_is_spared;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool memory_fails_now(void)
{
    long left = memory_left;

    if (memory_is_spared) return false;
    do { /* a thread that is told to relent meanwhile does */
        if (left < 0) return false;
    } while (!atomic_compare_exchange_weak(&memory_left, &left, left - 1));
    if (left > 0) return false;
    memory_failed++;
    if (memory_count-- > 1) memory_left = 0;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return memory_fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return memory_fails_now() ? NULL : __real_realloc(old, size);
}

static inline void memory_fail(long after, unsigned count)
{
    memory_failed = 0;
    memory_count = count;
    memory_left = after;
}

/* Whether any failed since memory_fail. */
static inline bool memory_relent(void)
{
    memory_left = -1;
    return memory_failed > 0;
}

#endif
