/* What every store does with the key ring: keeps it in the order it grew, and forgets what is gone. */
#include "harness/check.h"
#include "harness/store_round.h"

static void keeps_the_ring_in_order(void)
{
    struct write keys[] = {
        {.kind = WRITE_RING_KEY,
         .ring_key = {.id = TEXT("0000000b"),
                      .use = RING_SIGN,
                      .state = RING_PUBLISHED,
                      .algorithm = TEXT("ES256"),
                      .wrapped = TEXT("w\0rapped"),
                      .created_ms = 20}},
        {.kind = WRITE_RING_KEY,
         .ring_key = {.id = TEXT("0000000a"),
                      .use = RING_SEAL,
                      .state = RING_SIGNING,
                      .wrapped = TEXT("x"),
                      .created_ms = 10}},
    };
    struct store_ring *ring;
    begin();
    CHECK_INT(store->ops->ring(store, &ring), ERR_OK);
    CHECK_INT(ring->count, 0);
    store_ring_free(ring);
    for (size_t i = 0; i < COUNT(keys); i++)
        CHECK_INT(put_fact(&keys[i]), ROW_WRITTEN);
    keys[0].ring_key.state = RING_SIGNING;
    keys[0].ring_key.wrapped = TEXT("rewrapped");
    keys[0].ring_key.since_ms = 21;
    CHECK_INT(put_fact(&keys[0]), ROW_WRITTEN);
    keys[0].ring_key.use = RING_HASH;
    CHECK_INT(put_fact(&keys[0]), ROW_EXISTS);
    reopen_store();
    CHECK_INT(store->ops->ring(store, &ring), ERR_OK);
    CHECK_INT(ring->count, 2);
    CHECK_BYTES(ring->keys[0].id, TEXT("0000000a"));
    CHECK(bytes_is_absent(ring->keys[0].algorithm) && ring->keys[0].use == RING_SEAL);
    CHECK_BYTES(ring->keys[1].id, TEXT("0000000b"));
    CHECK_BYTES(ring->keys[1].algorithm, TEXT("ES256"));
    CHECK_BYTES(ring->keys[1].wrapped, TEXT("rewrapped"));
    CHECK(ring->keys[1].use == RING_SIGN && ring->keys[1].state == RING_SIGNING);
    CHECK_INT(ring->keys[1].created_ms, 20);
    CHECK_INT(ring->keys[1].since_ms, 21);
    store_ring_free(ring);
    end();
}

static void forgets_a_key_of_the_ring(void)
{
    struct write key = {
        .kind = WRITE_RING_KEY,
        .ring_key = {.id = TEXT("0000000b"), .use = RING_SEAL, .state = RING_GONE, .wrapped = TEXT("x")}};
    struct store_ring *ring;
    uint64_t before, after;
    begin();
    CHECK_INT(put_fact(&key), ROW_ABSENT);
    key.ring_key.state = RING_RETIRED;
    CHECK_INT(put_fact(&key), ROW_WRITTEN);
    CHECK_INT(store->ops->facts_version(store, &before), ERR_OK);
    key.ring_key.state = RING_GONE;
    CHECK_INT(put_fact(&key), ROW_WRITTEN);
    CHECK_INT(store->ops->facts_version(store, &after), ERR_OK);
    CHECK(after > before); /* so that every process learns of it */
    CHECK_INT(put_fact(&key), ROW_ABSENT);
    reopen_store();
    CHECK_INT(store->ops->ring(store, &ring), ERR_OK);
    CHECK_INT(ring->count, 0);
    store_ring_free(ring);
    end();
}

static void a_step_leaves_the_wrapping_alone(void)
{
    struct write write = {.kind = WRITE_RING_KEY};
    struct store_ring *ring;
    struct row row;

    begin();
    write.ring_key = (struct ring_key){.id = BYTES("0badf00d"),
                                       .use = RING_SIGN,
                                       .state = RING_SIGNING,
                                       .algorithm = BYTES("ES256"),
                                       .created_ms = 5};
    CHECK_INT(store_commit_wait(store, &write, 1, &row, &arena), ERR_OK);
    CHECK_INT(row.state, ROW_ABSENT); /* nothing to step from */
    write.ring_key.wrapped = BYTES("under the new master key");
    write.ring_key.state = RING_PUBLISHED;
    CHECK_INT(store_commit_wait(store, &write, 1, &row, &arena), ERR_OK);
    write.ring_key.wrapped = BYTES_NONE;
    write.ring_key.state = RING_SIGNING;
    write.ring_key.since_ms = 9;
    CHECK_INT(store_commit_wait(store, &write, 1, &row, &arena), ERR_OK);
    CHECK_INT(row.state, ROW_WRITTEN);
    CHECK_INT(store->ops->ring(store, &ring), ERR_OK);
    for (size_t i = 0; ring && i < ring->count; i++) {
        if (!bytes_equal(ring->keys[i].id, BYTES("0badf00d"))) continue;
        CHECK_BYTES(ring->keys[i].wrapped, BYTES("under the new master key"));
        CHECK(ring->keys[i].state == RING_SIGNING && ring->keys[i].since_ms == 9 &&
              ring->keys[i].created_ms == 5);
    }
    store_ring_free(ring);
    end();
}

static void suite(void)
{
    CHECK_RUN(keeps_the_ring_in_order);
    CHECK_RUN(forgets_a_key_of_the_ring);
    CHECK_RUN(a_step_leaves_the_wrapping_alone);
}

int main(void)
{
    return run_rounds(suite);
}
