#include "service/keys.h"

#include <jansson.h>

#include "harness/check.h"
#include "service/ring_wrap.h"
#include "token/jws.h"

#define NOW_MS 1767225600000

static struct dice_seeded storage;
static struct dice dice;
static struct store *store;

static struct secret master_of(uint8_t first)
{
    struct secret master = {.len = 32};
    uint8_t i;

    for (i = 0; i < 32; i++)
        master.data[i] = (uint8_t)(first + i);
    return master;
}

static enum err open_ring(struct keyring **out, uint8_t master_first)
{
    struct secret master = master_of(master_first);
    const char *why;
    enum err e = keyring_open(out, store, &master, &dice, NOW_MS, &why);

    CHECK(why != NULL && (e != ERR_CORRUPT || strstr(why, "master key") != NULL));
    return e;
}

static size_t stored_count(void)
{
    struct store_ring *ring;
    size_t count;

    if (store->ops->ring(store, &ring) != ERR_OK) return 0;
    count = ring->count;
    store_ring_free(ring);
    return count;
}

static void makes_a_ring_once(void)
{
    struct keyring *first, *second;

    CHECK_INT(stored_count(), 0);
    CHECK_INT(open_ring(&first, 1), ERR_OK);
    CHECK_INT(stored_count(), 3);
    CHECK_INT(open_ring(&second, 1), ERR_OK);
    CHECK_INT(stored_count(), 3);
    CHECK_BYTES(keyring_jwks(second), keyring_jwks(first));
    keyring_free(second);
    keyring_free(first);
    keyring_free(NULL);
}

static void refuses_another_master(void)
{
    struct keyring *ring;

    CHECK_INT(open_ring(&ring, 2), ERR_CORRUPT);
    CHECK(ring == NULL);
    CHECK_INT(stored_count(), 3); /* and makes no new keys in place of those it cannot open */
}

/* A stored key may not be passed off as another: its id and its use are sealed with it. */
static void refuses_keys_that_changed_places(void)
{
    struct store *other = NULL, *kept = store;
    struct store_ring *ring;
    struct write writes[3];
    struct row rows[3];
    struct arena arena;
    struct keyring *opened;
    size_t i;
    int change;

    CHECK_INT(store->ops->ring(store, &ring), ERR_OK);
    for (change = 0; change < 3 && ring->count == 3; change++) {
        CHECK_NOTE("change %d", change);
        CHECK_INT(store_memory_open(&other), ERR_OK);
        memset(writes, 0, sizeof writes);
        for (i = 0; i < 3; i++) {
            writes[i].kind = WRITE_RING_KEY;
            writes[i].ring_key = ring->keys[i];
            if (change == 0) writes[i].ring_key.wrapped = ring->keys[(i + 1) % 3].wrapped;
            if (change == 1 && writes[i].ring_key.use == RING_SEAL) writes[i].ring_key.use = RING_HASH;
            if (change == 2) writes[i].ring_key.wrapped.len--;
        }
        arena_init(&arena, 65536);
        CHECK_INT(store_commit_wait(other, writes, 3, rows, &arena), ERR_OK);
        arena_release(&arena);
        store = other;
        CHECK_INT(open_ring(&opened, 1), ERR_CORRUPT);
        CHECK(opened == NULL);
        store = kept;
        other->ops->close(other);
    }
    store_ring_free(ring);
}

static void publishes_only_what_is_public(void)
{
    static const char *const members[] = {"kty", "crv", "x", "y", "kid", "alg", "use"};
    struct keyring *ring;
    json_t *set, *jwk, *value;
    const char *name;
    size_t i, j;

    CHECK_INT(open_ring(&ring, 1), ERR_OK);
    set = json_loadb((const char *)keyring_jwks(ring).ptr, keyring_jwks(ring).len, JSON_REJECT_DUPLICATES,
                     NULL);
    CHECK_INT(json_object_size(set), 1);
    CHECK_INT(json_array_size(json_object_get(set, "keys")), 1);
    json_array_foreach(json_object_get(set, "keys"), i, jwk)
    {
        json_object_foreach(jwk, name, value)
        {
            for (j = 0; j < sizeof members / sizeof members[0]; j++)
                if (strcmp(name, members[j]) == 0) break;
            CHECK_NOTE("member %s", name);
            CHECK(j < sizeof members / sizeof members[0]);
            CHECK(json_is_string(value));
        }
        CHECK(strcmp(json_string_value(json_object_get(jwk, "kty")), "EC") == 0);
        CHECK(strcmp(json_string_value(json_object_get(jwk, "alg")), "ES256") == 0);
        CHECK(strcmp(json_string_value(json_object_get(jwk, "use")), "sig") == 0);
        CHECK_INT(json_string_length(json_object_get(jwk, "kid")), SEAL_KEY_ID_LEN);
    }
    json_decref(set);
    keyring_free(ring);
}

/* Each lane has a bench of its own: what one signs, seals and hashes, all the others know. */
static void gives_every_lane_the_same_keys(void)
{
    struct keyring *ring;
    struct key_bench one, two;
    uint8_t first[KEY_HASH_LEN], second[KEY_HASH_LEN], signature[64];

    CHECK_INT(open_ring(&ring, 1), ERR_OK);
    CHECK_INT(key_bench_open(&one, ring, 1), ERR_OK);
    CHECK_INT(key_bench_open(&two, ring, 1), ERR_OK);
    CHECK_INT(keyring_hash(first, &one, BYTES("secret")), ERR_OK);
    CHECK_INT(keyring_hash(second, &two, BYTES("secret")), ERR_OK);
    CHECK(memcmp(first, second, sizeof first) == 0);
    CHECK_INT(keyring_hash(second, &two, BYTES("Secret")), ERR_OK);
    CHECK(memcmp(first, second, sizeof first) != 0);
    CHECK_INT(one.check_count, 1);
    CHECK_INT(one.seal_count, 1);
    CHECK_BYTES(one.sign_kid, two.checks[0].kid);
    CHECK_INT(crypto_sign(one.sign, signature, BYTES("text")), ERR_OK);
    CHECK(crypto_check(two.checks[0].check, BYTES("text"), bytes_of(signature, 64)));
    CHECK(!crypto_check(two.checks[0].check, BYTES("Text"), bytes_of(signature, 64)));
    key_bench_release(&two);
    key_bench_release(&one);
    key_bench_release(&one); /* harmless */
    keyring_free(ring);
}

/* What a step writes into the store, by another hand than the one that holds the ring. */
static void take_step(struct keyring *ring, enum ring_act act, enum ring_use use, enum alg alg,
                      struct bytes id, uint8_t master_first)
{
    const struct secret master = master_of(master_first);
    const struct ring_step step = {act, use, id};
    struct ring_key made = {.id = BYTES_NONE};
    struct write writes[RING_WRITES_MAX];
    struct row rows[RING_WRITES_MAX];
    struct ring_wrap wrap;
    struct arena arena;
    size_t count;

    arena_init(&arena, 65536);
    CHECK_INT(ring_wrap_open(&wrap, &master), ERR_OK);
    if (act == RING_PUBLISH)
        CHECK_INT(ring_key_make(&made, &wrap, keyring_view(ring), use, alg, &dice, &arena), ERR_OK);
    ring_writes(writes, &count, keyring_view(ring), &step, &made, NOW_MS + 1);
    CHECK(count > 0);
    CHECK_INT(store_commit_wait(store, writes, count, rows, &arena), ERR_OK);
    ring_wrap_release(&wrap);
    arena_release(&arena);
}

static void refresh(struct keyring **ring, uint8_t master_first)
{
    const struct secret master = master_of(master_first);
    struct keyring *fresh;

    CHECK_INT(keyring_refresh(&fresh, *ring, store, &master), ERR_OK);
    keyring_free(*ring);
    *ring = fresh;
}

static size_t published_count(const struct keyring *ring)
{
    json_t *set = json_loadb((const char *)keyring_jwks(ring).ptr, keyring_jwks(ring).len, 0, NULL);
    size_t count = json_array_size(json_object_get(set, "keys"));

    json_decref(set);
    return count;
}

static void refuses_a_new_key_under_another_master(void)
{
    const struct secret other = master_of(9);
    struct keyring *ring, *fresh;

    CHECK_INT(open_ring(&ring, 1), ERR_OK);
    take_step(ring, RING_PUBLISH, RING_SEAL, ALG_NONE, BYTES_NONE, 1);
    CHECK_INT(keyring_refresh(&fresh, ring, store, &other), ERR_CORRUPT);
    CHECK(fresh == NULL);
    refresh(&ring, 1);
    CHECK_INT(keyring_view(ring).count, 4);
    keyring_free(ring);
}

static void keeps_the_ring_it_has_when_nothing_changed(void)
{
    const struct secret other = master_of(9);
    struct keyring *ring, *fresh;

    CHECK_INT(open_ring(&ring, 1), ERR_OK);
    CHECK_INT(keyring_refresh(&fresh, ring, store, &other), ERR_OK); /* nothing is to be unwrapped */
    CHECK(fresh == ring);
    keyring_free(fresh);
    CHECK_INT(published_count(ring), 1); /* the other hold is still there */
    keyring_free(ring);
}

/* A new key verifies before it signs, an old one after: each bench knows what the other signs. */
static void lets_both_keys_verify_while_they_overlap(void)
{
    uint8_t before[64], after[64];
    struct key_bench old, fresh;
    struct keyring *ring;
    struct bytes old_kid;
    size_t i, known = 0;

    CHECK_INT(open_ring(&ring, 1), ERR_OK);
    take_step(ring, RING_PUBLISH, RING_SIGN, ALG_EDDSA, BYTES_NONE, 1);
    refresh(&ring, 1);
    CHECK_INT(published_count(ring), 2);
    CHECK_INT(key_bench_open(&old, ring, 1), ERR_OK);
    CHECK_INT(old.check_count, 2);
    CHECK_INT(old.sign_alg, ALG_ES256);
    CHECK_INT(crypto_sign(old.sign, before, BYTES("text")), ERR_OK);
    keyring_hold(ring); /* the old bench's */
    take_step(ring, RING_TURN, RING_SIGN, ALG_NONE, BYTES_NONE, 1);
    old_kid = old.sign_kid;
    {
        struct keyring *held = ring;
        refresh(&ring, 1);
        CHECK_INT(key_bench_open(&fresh, ring, 1), ERR_OK);
        CHECK_INT(fresh.sign_alg, ALG_EDDSA);
        CHECK(!bytes_equal(fresh.sign_kid, old_kid));
        CHECK_INT(crypto_sign(fresh.sign, after, BYTES("text")), ERR_OK);
        for (i = 0; i < fresh.check_count; i++)
            if (bytes_equal(fresh.checks[i].kid, old_kid))
                known += crypto_check(fresh.checks[i].check, BYTES("text"), bytes_of(before, 64));
        for (i = 0; i < old.check_count; i++)
            if (bytes_equal(old.checks[i].kid, fresh.sign_kid))
                known += crypto_check(old.checks[i].check, BYTES("text"), bytes_of(after, 64));
        CHECK_INT(known, 2);
        take_step(ring, RING_DROP, RING_SIGN, ALG_NONE, old_kid, 1);
        key_bench_release(&old);
        keyring_free(held);
    }
    refresh(&ring, 1);
    CHECK_INT(published_count(ring), 1);
    key_bench_release(&fresh);
    keyring_free(ring);
}

static void seals_with_the_newest_and_opens_with_all(void)
{
    struct key_bench bench;
    struct keyring *ring;
    struct bytes next = BYTES_NONE;
    size_t i;

    CHECK_INT(open_ring(&ring, 1), ERR_OK);
    take_step(ring, RING_TURN, RING_SEAL, ALG_NONE, BYTES_NONE, 1); /* one was published above */
    refresh(&ring, 1);
    for (i = 0; i < keyring_view(ring).count; i++)
        if (keyring_view(ring).keys[i].use == RING_SEAL && keyring_view(ring).keys[i].state == RING_SIGNING)
            next = keyring_view(ring).keys[i].id;
    CHECK_INT(key_bench_open(&bench, ring, 1), ERR_OK);
    CHECK_INT(bench.seal_count, 2);
    CHECK_BYTES(seal_key_id(bench.seals[0]), next);
    key_bench_release(&bench);
    keyring_free(ring);
}

static void rewraps_everything(void)
{
    const struct secret next = master_of(100);
    struct write writes[KEYRING_KEYS_MAX];
    struct row rows[KEYRING_KEYS_MAX];
    struct keyring *ring, *opened;
    struct arena arena;
    size_t count;

    arena_init(&arena, 65536);
    CHECK_INT(open_ring(&ring, 1), ERR_OK);
    CHECK_INT(keyring_rewrap(writes, &count, ring, &next, &arena), ERR_OK);
    CHECK_INT(count, keyring_view(ring).count);
    CHECK_INT(store_commit_wait(store, writes, count, rows, &arena), ERR_OK);
    CHECK_INT(open_ring(&opened, 1), ERR_CORRUPT);
    CHECK_INT(open_ring(&opened, 100), ERR_OK);
    CHECK_BYTES(keyring_jwks(opened), keyring_jwks(ring));
    keyring_free(opened);
    refresh(&ring, 100); /* who has them open goes on */
    keyring_free(ring);
    arena_release(&arena);
}

int main(void)
{
    dice = dice_from_seed(&storage, 11);
    if (store_memory_open(&store) != ERR_OK) return EXIT_FAILURE;
    CHECK_RUN(makes_a_ring_once);
    CHECK_RUN(refuses_another_master);
    CHECK_RUN(refuses_keys_that_changed_places);
    CHECK_RUN(publishes_only_what_is_public);
    CHECK_RUN(gives_every_lane_the_same_keys);
    CHECK_RUN(refuses_a_new_key_under_another_master);
    CHECK_RUN(keeps_the_ring_it_has_when_nothing_changed);
    CHECK_RUN(lets_both_keys_verify_while_they_overlap);
    CHECK_RUN(seals_with_the_newest_and_opens_with_all);
    CHECK_RUN(rewraps_everything);
    store->ops->close(store);
    return CHECK_END();
}
