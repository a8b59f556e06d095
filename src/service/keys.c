#include "service/keys_inside.h"

#include <stdlib.h>
#include <string.h>

#include "service/ring_wrap.h"
#include "token/jwk.h"

static enum err make_key(struct store *store, struct ring_wrap *wrap, enum ring_use use,
                         const struct dice *dice, int64_t now_ms)
{
    struct write write = {.kind = WRITE_RING_KEY};
    const struct ring_view none = {NULL, 0};
    struct row row;
    struct arena arena;
    enum err e;

    arena_init(&arena, 4096);
    TRY(e = ring_key_make(&write.ring_key, wrap, none, use, ALG_ES256, dice, &arena), done);
    write.ring_key.state = RING_SIGNING;
    write.ring_key.created_ms = write.ring_key.since_ms = now_ms;
    e = store_commit_wait(store, &write, 1, &row, &arena);
done:
    arena_release(&arena);
    return e;
}

static enum err load_or_make(struct store_ring **out, struct store *store, struct ring_wrap *wrap,
                             const struct dice *dice, int64_t now_ms)
{
    static const enum ring_use uses[] = {RING_SIGN, RING_SEAL, RING_HASH};
    size_t i;
    enum err e = store->ops->ring(store, out);

    if (e || (*out)->count) return e;
    store_ring_free(*out);
    *out = NULL;
    for (i = 0; i < sizeof uses / sizeof uses[0]; i++)
        if ((e = make_key(store, wrap, uses[i], dice, now_ms))) return e;
    return store->ops->ring(store, out);
}

/* A key that is open already is not unwrapped again: its wrapping may be of a newer master key. */
static enum err open_secret(struct secret *out, struct ring_wrap *wrap, const struct ring_key *stored,
                            const struct keyring *present)
{
    size_t i;

    for (i = 0; present && i < present->count; i++) {
        const struct opened_key *key = &present->keys[i];
        if (key->use != stored->use || !bytes_equal(key->id, stored->id)) continue;
        secret_copy(out, key->secret);
        return ERR_OK;
    }
    return ring_unwrap_secret(out, wrap, stored);
}

static enum err open_keys(struct keyring *ring, struct ring_wrap *wrap, const struct keyring *present)
{
    size_t i;

    if (ring->stored->count > sizeof ring->keys / sizeof ring->keys[0]) return ERR_LIMIT;
    for (i = 0; i < ring->stored->count; i++) {
        const struct ring_key *stored = &ring->stored->keys[i];
        struct opened_key *key = &ring->keys[ring->count++];
        enum err e;
        if (!(key->secret = secret_new())) return ERR_NO_MEMORY;
        if ((e = open_secret(key->secret, wrap, stored, present))) return e;
        key->id = stored->id;
        key->use = stored->use;
        key->state = stored->state;
        key->alg = stored->use == RING_SIGN ? alg_of_jose(stored->algorithm) : ALG_NONE;
        if (stored->use == RING_SIGN && !alg_may_sign(key->alg)) return ERR_CORRUPT;
    }
    return ERR_OK;
}

static enum err render_jwks(struct keyring *ring, struct crypto *crypto)
{
    struct json_writer w = json_writer_on(&ring->jwks);
    size_t i;

    json_object_begin(&w);
    json_key(&w, "keys");
    json_array_begin(&w);
    for (i = 0; i < ring->count; i++) {
        struct crypto_sign *key;
        uint8_t x[32], y[32];
        enum err e;
        if (ring->keys[i].use != RING_SIGN) continue;
        if ((e = crypto_sign_new(&key, crypto, ring->keys[i].alg, ring->keys[i].secret))) return e;
        e = crypto_public_of(key, x, y);
        crypto_sign_free(key);
        if (e) return e;
        jwk_write_public(&w, ring->keys[i].alg, x, y, ring->keys[i].id);
    }
    json_array_end(&w);
    json_object_end(&w);
    return buf_error(&ring->jwks);
}

/* Opens what is stored: ring->stored is set. */
static enum err fill(struct keyring *ring, struct ring_wrap *wrap, const struct keyring *present)
{
    enum err e = open_keys(ring, wrap, present);

    return e ? e : render_jwks(ring, wrap->crypto);
}

static struct keyring *keyring_new(void)
{
    struct keyring *ring = calloc(1, sizeof *ring);

    if (!ring) return NULL;
    atomic_init(&ring->holders, 1);
    buf_init(&ring->jwks, 32768);
    return ring;
}

enum err keyring_open(struct keyring **out, struct store *store, const struct secret *master,
                      const struct dice *dice, int64_t now_ms, const char **why)
{
    struct keyring *ring = keyring_new();
    struct ring_wrap wrap = {NULL, NULL};
    enum err e = ERR_NO_MEMORY;

    *out = NULL;
    *why = "the key ring cannot be opened";
    if (!ring) goto done;
    TRY(e = ring_wrap_open(&wrap, master), done);
    TRY(e = load_or_make(&ring->stored, store, &wrap, dice, now_ms), done);
    e = fill(ring, &wrap, NULL);
    if (e == ERR_CORRUPT)
        *why =
            "the master key does not open the stored keys: restore the master key that belongs to this data";
    TRY(e, done);
    *out = ring;
    ring = NULL;
done:
    ring_wrap_release(&wrap);
    keyring_free(ring);
    return e;
}

static bool is_same(const struct store_ring *a, const struct store_ring *b)
{
    size_t i;

    if (a->count != b->count) return false;
    for (i = 0; i < a->count; i++)
        if (!bytes_equal(a->keys[i].id, b->keys[i].id) || a->keys[i].use != b->keys[i].use ||
            a->keys[i].state != b->keys[i].state || a->keys[i].since_ms != b->keys[i].since_ms)
            return false;
    return true;
}

enum err keyring_refresh(struct keyring **out, struct keyring *present, struct store *store,
                         const struct secret *master)
{
    struct keyring *ring = keyring_new();
    struct ring_wrap wrap = {NULL, NULL};
    enum err e = ERR_NO_MEMORY;

    *out = NULL;
    if (!ring) goto done;
    TRY(e = store->ops->ring(store, &ring->stored), done);
    if (is_same(ring->stored, present->stored)) {
        *out = keyring_hold(present);
        goto done;
    }
    TRY(e = ring_wrap_open(&wrap, master), done);
    TRY(e = fill(ring, &wrap, present), done);
    *out = ring;
    ring = NULL;
done:
    ring_wrap_release(&wrap);
    keyring_free(ring);
    return e;
}

enum err keyring_rewrap(struct write *writes, size_t *count, const struct keyring *ring,
                        const struct secret *master, struct arena *arena)
{
    struct ring_wrap wrap;
    size_t i;
    enum err e = ring_wrap_open(&wrap, master);

    *count = 0;
    for (i = 0; !e && i < ring->count; i++) {
        writes[i] = (struct write){.kind = WRITE_RING_KEY, .ring_key = ring->stored->keys[i]};
        e = ring_wrap_secret(&writes[i].ring_key.wrapped, &wrap, &writes[i].ring_key, ring->keys[i].secret,
                             arena);
    }
    if (!e) *count = ring->count;
    ring_wrap_release(&wrap);
    return e;
}

struct keyring *keyring_hold(struct keyring *ring)
{
    atomic_fetch_add_explicit(&ring->holders, 1, memory_order_relaxed);
    return ring;
}

void keyring_free(struct keyring *ring)
{
    size_t i;

    /* acquire-release: what other threads read of it happens before it is wiped here */
    if (!ring || atomic_fetch_sub_explicit(&ring->holders, 1, memory_order_acq_rel) != 1) return;
    for (i = 0; i < ring->count; i++)
        secret_free(ring->keys[i].secret);
    store_ring_free(ring->stored);
    buf_release(&ring->jwks);
    free(ring);
}

struct bytes keyring_jwks(const struct keyring *ring)
{
    return buf_bytes(&ring->jwks);
}

struct ring_view keyring_view(const struct keyring *ring)
{
    return (struct ring_view){ring->stored->keys, ring->stored->count};
}

static void list_key(struct json_writer *w, struct ring_view ring, const struct ring_key *key,
                     const struct ring_timetable *timetable)
{
    static const char *const nexts[] = {
        [RING_NEXT_SIGNS] = "signs", [RING_NEXT_RETIRED] = "retired", [RING_NEXT_GONE] = "gone"};
    int64_t at_ms;
    enum ring_next next = ring_next(&at_ms, ring, key, timetable);

    json_object_begin(w);
    json_key(w, "id");
    json_put_string(w, key->id);
    json_key(w, "use");
    json_put_literal(w, ring_use_text(key->use));
    json_key(w, "state");
    json_put_literal(w, ring_state_text(key->state));
    json_key(w, "alg");
    json_put_string_or_null(w, key->use == RING_SIGN ? key->algorithm : BYTES_NONE);
    json_key(w, "since_ms");
    json_put_number(w, key->since_ms);
    if (next) {
        json_key(w, "next");
        json_put_literal(w, nexts[next]);
        json_key(w, "next_ms");
        json_put_number(w, at_ms);
    }
    json_object_end(w);
}

void ring_list(struct json_writer *w, struct ring_view ring, const struct ring_timetable *timetable)
{
    size_t i;

    json_array_begin(w);
    for (i = 0; i < ring.count; i++)
        list_key(w, ring, &ring.keys[i], timetable);
    json_array_end(w);
}
