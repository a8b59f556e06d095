#include "service/keys.h"

#include <jansson.h>

#include "harness/check.h"
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

int main(void)
{
    dice = dice_from_seed(&storage, 11);
    if (store_memory_open(&store) != ERR_OK) return EXIT_FAILURE;
    CHECK_RUN(makes_a_ring_once);
    CHECK_RUN(refuses_another_master);
    CHECK_RUN(refuses_keys_that_changed_places);
    CHECK_RUN(publishes_only_what_is_public);
    CHECK_RUN(gives_every_lane_the_same_keys);
    store->ops->close(store);
    return CHECK_END();
}
