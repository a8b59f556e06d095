#include "sim/memory.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world.h"
#include "token/crypto.h"

#define MAGIC 0x5eedb10cu

struct block { /* in front of what is handed out; keeps its alignment */
    struct block *next, *prev;
    size_t size;
    uint32_t owner, magic;
};

static struct block node_blocks = {&node_blocks, &node_blocks, 0, MEMORY_SIM, MAGIC};
static enum memory_owner owner_now;
static unsigned fail_after, fail_count, failures;
static size_t fail_least; /* bytes: smaller ones are had */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);
enum err __wrap_crypto_scrypt(uint8_t out[32], struct bytes password, struct bytes salt);

static bool must_fail(size_t size)
{
    if (!fail_count || size < fail_least) return false;
    if (fail_after) {
        fail_after--;
        return false;
    }
    fail_count--;
    failures++;
    world.trouble++;
    return true;
}

static void *block_new(size_t size, enum memory_owner owner)
{
    struct block *block;

    if (owner == MEMORY_NODE && must_fail(size)) {
        trace("no memory", "%zu bytes", size);
        return NULL;
    }
    block = __real_calloc(1, sizeof *block + size);
    if (!block) abort();
    *block = (struct block){NULL, NULL, size, owner, MAGIC};
    if (owner == MEMORY_NODE) {
        block->next = node_blocks.next;
        block->prev = &node_blocks;
        block->next->prev = block;
        node_blocks.next = block;
    }
    return block + 1;
}

static void block_free(struct block *block)
{
    if (block->magic != MAGIC) abort(); /* freed twice, or never ours */
    block->magic = 0;
    if (block->owner == MEMORY_NODE) {
        block->next->prev = block->prev;
        block->prev->next = block->next;
    }
    __real_free(block);
}

void *__wrap_malloc(size_t size)
{
    void *memory = block_new(size, owner_now);

    if (memory) memset(memory, 0xa5, size); /* nobody may count on zeroes */
    return memory;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return block_new(count * size, owner_now);
}

void __wrap_free(void *memory)
{
    if (memory) block_free((struct block *)memory - 1);
}

void *__wrap_realloc(void *old, size_t size)
{
    void *memory = __wrap_malloc(size);

    if (!memory || !old) return memory;
    memcpy(memory, old, ((struct block *)old - 1)->size < size ? ((struct block *)old - 1)->size : size);
    __wrap_free(old);
    return memory;
}

void memory_begin(void)
{
    json_object_seed(1); /* else it asks the kernel, and no two runs are alike */
}

enum memory_owner memory_enter(enum memory_owner owner)
{
    enum memory_owner before = owner_now;

    owner_now = owner;
    return before;
}

void memory_leave(enum memory_owner before)
{
    owner_now = before;
}

void *memory_new(size_t size)
{
    return block_new(size, MEMORY_SIM);
}

void memory_free(void *block)
{
    __wrap_free(block);
}

void memory_fail(unsigned after, unsigned count)
{
    fail_after = after;
    fail_count = count;
    fail_least = 0;
}

void memory_fail_large(size_t least, unsigned after, unsigned count)
{
    memory_fail(after, count);
    fail_least = least;
}

unsigned memory_failures(void)
{
    return failures;
}

bool memory_refuses(void)
{
    return must_fail(0);
}

size_t memory_node_blocks(void)
{
    const struct block *block;
    size_t count = 0;

    for (block = node_blocks.next; block != &node_blocks; block = block->next)
        count++;
    return count;
}

void memory_tell_blocks(void)
{
    const struct block *block;

    for (block = node_blocks.next; block != &node_blocks; block = block->next)
        trace("left", "%zu bytes", block->size);
}

void memory_sweep(void)
{
    while (node_blocks.next != &node_blocks)
        block_free(node_blocks.next);
    fail_count = fail_after = 0;
}

/* A stand-in for 32 MiB of work; nothing verifies these. */
enum err __wrap_crypto_scrypt(uint8_t out[32], struct bytes password, struct bytes salt)
{
    uint64_t hash = bytes_hash(password, bytes_hash(salt, 1));

    memset(out, 0, 32);
    memcpy(out, &hash, sizeof hash);
    return ERR_OK;
}
