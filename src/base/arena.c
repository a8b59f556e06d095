#include "base/arena.h"

#include "base/secret.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN  4032  /* with its head and malloc's own one page */
#define BLOCK_MAX  32704 /* blocks double up to here; only a single larger value gets a larger block */
#define BLOCK_KEPT 16384 /* the most that arena_reset holds for the next request */

/* Bytes past `used` are always zero: blocks come from calloc and are wiped when reset, so that nothing of one
 * request is ever visible to the next, and arena_alloc has nothing to clear. */
struct arena_block {
    struct arena_block *next;
    size_t cap, used;
    alignas(max_align_t) uint8_t data[];
};

void arena_init(struct arena *arena, size_t max)
{
    *arena = (struct arena){.max = max};
}

static void block_wipe(struct arena_block *block)
{
    secret_wipe(block->data, block->used);
    block->used = 0;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = NULL, *next;
    for (struct arena_block *block = arena->blocks; block != NULL; block = next) {
        next = block->next;
        block_wipe(block);
        if (kept == NULL && block->cap <= BLOCK_KEPT)
            kept = block;
        else
            free(block);
    }
    if (kept != NULL) kept->next = NULL;
    arena->blocks = kept;
    arena->used = 0;
}

void arena_release(struct arena *arena)
{
    arena_reset(arena);
    free(arena->blocks);
    arena->blocks = NULL;
}

static struct arena_block *add_block(struct arena *arena, size_t size)
{
    size_t cap = arena->blocks == NULL ? BLOCK_MIN : arena->blocks->cap * 2;
    if (cap > BLOCK_MAX) cap = BLOCK_MAX;
    if (cap < size) cap = size;
    if (cap > SIZE_MAX - sizeof(struct arena_block)) return NULL;
    struct arena_block *block = calloc(1, sizeof(struct arena_block) + cap);
    if (block == NULL) return NULL;
    block->cap = cap;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

/* What alignment skips counts as handed out too: otherwise many tiny values would take 16 times the limit. */
static void *take(struct arena *arena, size_t size, size_t alignment)
{
    struct arena_block *block = arena->blocks;
    size_t gap = block == NULL ? 0 : (0 - block->used) % alignment;
    if (gap > arena->max - arena->used || size > arena->max - arena->used - gap) return NULL;
    if (block == NULL || gap > block->cap - block->used || size > block->cap - block->used - gap) {
        block = add_block(arena, size);
        if (block == NULL) return NULL;
        gap = 0;
    }
    void *memory = block->data + block->used + gap;
    block->used += gap + size;
    arena->used += gap + size;
    return memory;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return take(arena, size, alignof(max_align_t));
}

struct bytes arena_copy(struct arena *arena, struct bytes b)
{
    if (bytes_is_absent(b)) return BYTES_NONE;
    uint8_t *copy = take(arena, b.len, 1);
    if (copy == NULL) return BYTES_NONE;
    if (b.len > 0) memcpy(copy, b.ptr, b.len);
    return bytes_of(copy, b.len);
}

bool arena_copy_failed(struct bytes original, struct bytes copy)
{
    return !bytes_is_absent(original) && bytes_is_absent(copy);
}
