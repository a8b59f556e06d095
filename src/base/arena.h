/* arena.h — memory for one request: allocate freely, free all of it at once.
 *
 * Everything handed out stays valid until arena_reset or arena_release. There is a limit on the total, so a
 * request can never take more than its row allows. NULL means the limit or the machine is out of memory: the
 * caller turns that into ERR_NO_MEMORY. Not shared between threads; it may be handed from one to another. */
#ifndef COATCHECK_BASE_ARENA_H
#define COATCHECK_BASE_ARENA_H

#include "base/bytes.h"

struct arena_block;
struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used, max;           /* bytes handed out in all; limit */
};

void arena_init(struct arena *arena, size_t max); /* allocates nothing yet */
void arena_reset(struct arena *arena);            /* keeps one block for the next request */
void arena_release(struct arena *arena);

void *arena_alloc(struct arena *arena, size_t size);          /* zeroed, aligned for any type */
struct bytes arena_copy(struct arena *arena, struct bytes b); /* absent stays absent; ptr NULL on failure */
bool arena_copy_failed(struct bytes original, struct bytes copy); /* tells failure from an absent original */

#endif
