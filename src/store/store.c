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

enum err store_ring_new(struct store_ring **out, size_t room)
{
    struct store_ring *ring = calloc(1, sizeof *ring);
    *out = NULL;
    if (ring == NULL) return ERR_NO_MEMORY;
    arena_init(&ring->arena, FACTS_BYTES_MAX);
    if (room > 0 && room <= FACTS_BYTES_MAX / sizeof *ring->keys)
        ring->keys = arena_alloc(&ring->arena, room * sizeof *ring->keys);
    if (room > 0 && ring->keys == NULL) {
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
