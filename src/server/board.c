#include "server/board.h"

#include <string.h>

#define TRIES 16

bool board_write(_Atomic uint64_t *mark, _Atomic uint64_t *words, const void *bytes, size_t len)
{
    uint64_t before = atomic_load_explicit(mark, memory_order_relaxed), word;
    size_t at;

    if (before & 1 || !atomic_compare_exchange_strong_explicit(mark, &before, before + 1,
                                                               memory_order_acq_rel, memory_order_relaxed))
        return false;
    for (at = 0; at < len; at += sizeof word) {
        size_t part = len - at < sizeof word ? len - at : sizeof word;
        word = 0;
        memcpy(&word, (const uint8_t *)bytes + at, part);
        atomic_store_explicit(&words[at / sizeof word], word, memory_order_release);
    }
    atomic_store_explicit(mark, before + 2, memory_order_release);
    return true;
}

static void copy(uint8_t *out, size_t len, const _Atomic uint64_t *words)
{
    size_t at;

    for (at = 0; at < len; at += sizeof(uint64_t)) {
        uint64_t word = atomic_load_explicit(&words[at / sizeof word], memory_order_acquire);
        memcpy(out + at, &word, len - at < sizeof word ? len - at : sizeof word);
    }
}

bool board_read(void *out, size_t len, const _Atomic uint64_t *mark, const _Atomic uint64_t *words)
{
    int tries;

    for (tries = 0; tries < TRIES; tries++) {
        uint64_t before = atomic_load_explicit(mark, memory_order_acquire);
        if (!before) return false;
        if (before & 1) continue;
        copy(out, len, words);
        if (atomic_load_explicit(mark, memory_order_relaxed) == before) return true;
    }
    return false;
}
