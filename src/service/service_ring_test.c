/* Newer keys while asks are under way, over the memory store. */
#include "service/service.h"

#include "harness/service_world.h"
#include "service/ring_wrap.h"

static struct secret master;

/* The world's own master key is drawn from its first 32 random bytes. */
static void open_world(void)
{
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 2);

    world_open(16);
    master.len = 32;
    dice_fill(&dice, master.data, master.len);
}

static void take_step(enum ring_act act, enum ring_use use, struct bytes id)
{
    const struct ring_step step = {act, use, id};
    struct ring_key made = {.id = BYTES_NONE};
    struct write writes[RING_WRITES_MAX];
    struct keyring *fresh;
    struct ring_wrap wrap;
    struct arena arena;
    size_t i, count;

    arena_init(&arena, 65536);
    world_check(ring_wrap_open(&wrap, &master));
    if (act == RING_PUBLISH)
        world_check(
            ring_key_make(&made, &wrap, keyring_view(world.ring), use, ALG_EDDSA, &world.dice, &arena));
    ring_writes(writes, &count, keyring_view(world.ring), &step, &made, NOW_MS);
    for (i = 0; i < count; i++)
        world_write(&writes[i]);
    world_check(keyring_refresh(&fresh, world.ring, world.spy.real, &master));
    keyring_free(world.ring);
    world.ring = fresh;
    ring_wrap_release(&wrap);
    arena_release(&arena);
}

static struct bytes id_of(enum ring_use use, enum ring_state state)
{
    const struct ring_view ring = keyring_view(world.ring);
    size_t i;

    for (i = 0; i < ring.count; i++)
        if (ring.keys[i].use == use && ring.keys[i].state == state) return ring.keys[i].id;
    return BYTES_NONE;
}

static enum refusal refusal_of(struct bytes token)
{
    struct asked asked;
    enum refusal refusal;

    ask_bearer_init(&asked, ASK_WHO_AM_I, token);
    refusal = ask_run(&asked)->kind == OUTCOME_WHO ? REFUSAL_NONE : asked.run.outcome.refused.refusal;
    ask_release(&asked);
    return refusal;
}

static void refuses_the_tokens_of_a_key_that_is_gone(void)
{
    struct asked asked;
    struct bytes old;
    char kept[8];

    open_world();
    ask_mint_init(&asked, "ada");
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_MINTED);
    old = id_of(RING_SIGN, RING_SIGNING);
    if (!CHECK(old.len == sizeof kept)) return;
    memcpy(kept, old.ptr, sizeof kept);
    take_step(RING_PUBLISH, RING_SIGN, BYTES_NONE);
    take_step(RING_TURN, RING_SIGN, BYTES_NONE);
    CHECK_INT(service_take_ring(world.service, world.ring, 1), ERR_OK);
    CHECK_INT(refusal_of(asked.run.outcome.minted.token), REFUSAL_NONE);
    take_step(RING_DROP, RING_SIGN, bytes_of(kept, sizeof kept));
    CHECK_INT(refusal_of(asked.run.outcome.minted.token), REFUSAL_NONE); /* not told yet */
    CHECK_INT(service_take_ring(world.service, world.ring, 1), ERR_OK);
    CHECK_INT(refusal_of(asked.run.outcome.minted.token), REFUSAL_TOKEN_KEY_UNKNOWN);
    ask_release(&asked);
    world_close();
}

/* Two rings come while a mint waits for the store: nothing it holds goes away, and what it gives is signed by
 * the key that signs by then. */
static void finishes_what_is_under_way_with_keys_that_are_still_there(void)
{
    struct asked asked;

    open_world();
    ask_mint_init(&asked, "ada");
    ask_start(&asked);
    CHECK_INT(asked.answers, 0);
    take_step(RING_PUBLISH, RING_SIGN, BYTES_NONE);
    CHECK_INT(service_take_ring(world.service, world.ring, 1), ERR_OK);
    take_step(RING_TURN, RING_SIGN, BYTES_NONE);
    take_step(RING_PUBLISH, RING_SEAL, BYTES_NONE);
    CHECK_INT(service_take_ring(world.service, world.ring, 1), ERR_OK);
    CHECK(service_ring(world.service) == world.ring);
    drain();
    CHECK_INT(asked.answers, 1);
    CHECK_INT(asked.run.outcome.kind, OUTCOME_MINTED);
    CHECK_INT(refusal_of(asked.run.outcome.minted.token), REFUSAL_NONE);
    ask_release(&asked);
    world_close();
}

/* A test's server may stop with asks under way: they are never answered, and their keys are wiped. */
static void frees_the_keys_of_asks_that_never_end(void)
{
    struct asked asked;

    open_world();
    ask_mint_init(&asked, "ada");
    ask_start(&asked);
    take_step(RING_PUBLISH, RING_SIGN, BYTES_NONE);
    CHECK_INT(service_take_ring(world.service, world.ring, 1), ERR_OK);
    drain();
    world_close();
    ask_release(&asked);
}

static void makes_its_keys_anew_for_another_epoch_only(void)
{
    struct asked asked;

    open_world();
    CHECK_INT(service_take_ring(world.service, world.ring, 1), ERR_OK);
    CHECK_INT(service_take_ring(world.service, world.ring, 2), ERR_OK);
    ask_mint_init(&asked, "ada");
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_MINTED);
    CHECK_INT(refusal_of(asked.run.outcome.minted.token), REFUSAL_NONE);
    ask_release(&asked);
    world_close();
}

int main(void)
{
    CHECK_RUN(refuses_the_tokens_of_a_key_that_is_gone);
    CHECK_RUN(finishes_what_is_under_way_with_keys_that_are_still_there);
    CHECK_RUN(frees_the_keys_of_asks_that_never_end);
    CHECK_RUN(makes_its_keys_anew_for_another_epoch_only);
    return CHECK_END();
}
