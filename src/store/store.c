#include "store/store.h"

#include "store/clerk.h"
#include "store/snapshot.h"

#include <stdlib.h>

enum err facts_new(struct facts **out)
{
    *out = calloc(1, sizeof **out);
    if (*out == NULL) return ERR_NO_MEMORY;
    arena_init(&(*out)->arena, FACTS_BYTES_MAX);
    return ERR_OK;
}

void facts_free(struct facts *facts)
{
    if (facts == NULL) return;
    arena_release(&facts->arena);
    free(facts);
}

/* An array in an arena of its own, for what outlives its request. */
static void *list_new(struct arena *arena, size_t room, size_t size)
{
    arena_init(arena, FACTS_BYTES_MAX);
    return room > FACTS_BYTES_MAX / size ? NULL : arena_alloc(arena, room > 0 ? room * size : size);
}

enum err store_ring_new(struct store_ring **out, size_t room)
{
    struct store_ring *ring = calloc(1, sizeof *ring);
    *out = NULL;
    if (ring == NULL) return ERR_NO_MEMORY;
    ring->keys = list_new(&ring->arena, room, sizeof *ring->keys);
    if (ring->keys == NULL) {
        store_ring_free(ring);
        return ERR_NO_MEMORY;
    }
    *out = ring;
    return ERR_OK;
}

void store_ring_free(struct store_ring *ring)
{
    if (ring == NULL) return;
    arena_release(&ring->arena);
    free(ring);
}

enum err store_cutoffs_new(struct store_cutoffs **out, size_t room)
{
    struct store_cutoffs *cutoffs = calloc(1, sizeof *cutoffs);
    *out = NULL;
    if (cutoffs == NULL) return ERR_NO_MEMORY;
    cutoffs->list = list_new(&cutoffs->arena, room, sizeof *cutoffs->list);
    if (cutoffs->list == NULL) {
        store_cutoffs_free(cutoffs);
        return ERR_NO_MEMORY;
    }
    *out = cutoffs;
    return ERR_OK;
}

void store_cutoffs_free(struct store_cutoffs *cutoffs)
{
    if (cutoffs == NULL) return;
    arena_release(&cutoffs->arena);
    free(cutoffs);
}

enum err store_key_uses_new(struct store_key_uses **out, size_t room)
{
    struct store_key_uses *uses = calloc(1, sizeof *uses);
    *out = NULL;
    if (uses == NULL) return ERR_NO_MEMORY;
    uses->list = list_new(&uses->arena, room, sizeof *uses->list);
    if (uses->list == NULL) {
        store_key_uses_free(uses);
        return ERR_NO_MEMORY;
    }
    *out = uses;
    return ERR_OK;
}

void store_key_uses_free(struct store_key_uses *uses)
{
    if (uses == NULL) return;
    arena_release(&uses->arena);
    free(uses);
}

static void ring_bell(void *bell, struct mail *mail)
{
    (void)mail;           /* the waiting thread holds the commit itself */
    (void)sem_post(bell); /* cannot overflow: it is posted once */
}

enum err store_commit_wait(struct store *store, const struct write *writes, size_t count, struct row *rows,
                           struct arena *arena)
{
    sem_t bell;
    if (sem_init(&bell, 0, 0) != 0) return ERR_IO;
    struct store_commit commit = {
        .post = ring_bell, .to = &bell, .writes = writes, .write_count = count, .rows = rows, .arena = arena};
    store->ops->commit(store, &commit);
    bell_wait(&bell);
    sem_destroy(&bell);
    return commit.error;
}

enum err store_read_wait(struct store *store, struct store_read *read)
{
    struct store_read asked = *read;
    sem_t bell;
    if (sem_init(&bell, 0, 0) != 0) return ERR_IO;
    asked.post = ring_bell;
    asked.to = &bell;
    store->ops->read(store, &asked);
    bell_wait(&bell);
    sem_destroy(&bell);
    asked.to = NULL;
    *read = asked;
    return read->error;
}
