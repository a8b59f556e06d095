#include "service/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "token/jwk.h"

struct opened_key {
    struct bytes id;
    enum ring_use use;
    enum ring_state state;
    enum alg alg;
    struct secret *secret;
};

struct keyring {
    struct store_ring *stored; /* owns the ids */
    struct opened_key keys[3 * KEYRING_MAX];
    size_t count;
    struct buf jwks;
};

/* A wrapped key is bound to its id and use, so that no stored key can be passed off as another. */
static void wrap_data(struct bytes ad[3], const struct ring_key *key, const uint8_t *use)
{
    ad[0] = BYTES("coatcheck ring v1");
    ad[1] = key->id;
    ad[2] = bytes_of(use, 1);
}

static enum err wrap(struct buf *out, struct crypto_siv *siv, const struct ring_key *key,
                     const struct secret *secret)
{
    uint8_t use = (uint8_t)key->use;
    struct bytes ad[3];

    wrap_data(ad, key, &use);
    return crypto_siv_seal(siv, out, bytes_of(secret->data, secret->len), ad, 3);
}

static enum err unwrap(struct secret *out, struct crypto_siv *siv, const struct ring_key *key)
{
    uint8_t use = (uint8_t)key->use, plain[SECRET_MAX];
    struct bytes ad[3];
    enum err e;

    memset(out, 0, sizeof *out);
    if (key->wrapped.len <= CRYPTO_SIV_TAG || key->wrapped.len - CRYPTO_SIV_TAG > sizeof plain)
        return ERR_CORRUPT;
    wrap_data(ad, key, &use);
    if (!crypto_siv_open(siv, plain, key->wrapped, ad, 3)) return ERR_CORRUPT;
    e = secret_set(out, bytes_of(plain, key->wrapped.len - CRYPTO_SIV_TAG));
    secret_wipe(plain, sizeof plain);
    return e;
}

static enum err open_wrapping(struct crypto_siv **out, struct crypto *crypto, const struct secret *master)
{
    struct secret key;
    enum err e;

    *out = NULL;
    TRY(e = crypto_derive(crypto, &key, 64, master, BYTES("coatcheck wrap v1")), done);
    e = crypto_siv_new(out, crypto, &key);
done:
    secret_release(&key);
    return e;
}

static enum err draw_secret(struct secret *out, struct crypto *crypto, enum ring_use use,
                            const struct dice *dice)
{
    uint8_t random[32];
    enum err e;

    if (use == RING_SIGN) return crypto_key_generate(crypto, ALG_ES256, out);
    dice_fill(dice, random, sizeof random);
    e = secret_set(out, bytes_of(random, sizeof random));
    secret_wipe(random, sizeof random);
    return e;
}

static enum err make_key(struct store *store, struct crypto *crypto, struct crypto_siv *siv,
                         enum ring_use use, const struct dice *dice, int64_t now_ms)
{
    struct write write = {.kind = WRITE_RING_KEY};
    struct secret secret = {.len = 0};
    struct row row;
    struct arena arena;
    struct buf wrapped;
    uint8_t id[SEAL_KEY_ID_LEN / 2];
    char id_text[SEAL_KEY_ID_LEN];
    enum err e;

    arena_init(&arena, 4096);
    buf_init(&wrapped, 256);
    dice_fill(dice, id, sizeof id);
    hex_write(id_text, bytes_of(id, sizeof id));
    write.ring_key.id = bytes_of(id_text, sizeof id_text);
    write.ring_key.use = use;
    write.ring_key.state = RING_SIGNING;
    write.ring_key.created_ms = now_ms;
    if (use == RING_SIGN) write.ring_key.algorithm = bytes_of_text(alg_jose(ALG_ES256));
    TRY(e = draw_secret(&secret, crypto, use, dice), done);
    TRY(e = wrap(&wrapped, siv, &write.ring_key, &secret), done);
    write.ring_key.wrapped = buf_bytes(&wrapped);
    e = store_commit_wait(store, &write, 1, &row, &arena);
done:
    secret_release(&secret);
    buf_release(&wrapped);
    arena_release(&arena);
    return e;
}

static enum err load_or_make(struct store_ring **out, struct store *store, struct crypto *crypto,
                             struct crypto_siv *siv, const struct dice *dice, int64_t now_ms)
{
    static const enum ring_use uses[] = {RING_SIGN, RING_SEAL, RING_HASH};
    size_t i;
    enum err e = store->ops->ring(store, out);

    if (e || (*out)->count) return e;
    store_ring_free(*out);
    *out = NULL;
    for (i = 0; i < sizeof uses / sizeof uses[0]; i++)
        if ((e = make_key(store, crypto, siv, uses[i], dice, now_ms))) return e;
    return store->ops->ring(store, out);
}

static enum err open_keys(struct keyring *ring, struct crypto_siv *siv)
{
    size_t i;

    if (ring->stored->count > sizeof ring->keys / sizeof ring->keys[0]) return ERR_LIMIT;
    for (i = 0; i < ring->stored->count; i++) {
        const struct ring_key *stored = &ring->stored->keys[i];
        struct opened_key *key = &ring->keys[ring->count++];
        enum err e;
        if (!(key->secret = secret_new())) return ERR_NO_MEMORY;
        if ((e = unwrap(key->secret, siv, stored))) return e;
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

enum err keyring_open(struct keyring **out, struct store *store, const struct secret *master,
                      const struct dice *dice, int64_t now_ms, const char **why)
{
    struct keyring *ring = calloc(1, sizeof *ring);
    struct crypto *crypto = NULL;
    struct crypto_siv *siv = NULL;
    enum err e = ERR_NO_MEMORY;

    *out = NULL;
    *why = "the key ring cannot be opened";
    if (!ring) goto done;
    buf_init(&ring->jwks, 32768);
    TRY(e = crypto_new(&crypto), done);
    TRY(e = open_wrapping(&siv, crypto, master), done);
    TRY(e = load_or_make(&ring->stored, store, crypto, siv, dice, now_ms), done);
    e = open_keys(ring, siv);
    if (e == ERR_CORRUPT)
        *why =
            "the master key does not open the stored keys: restore the master key that belongs to this data";
    TRY(e, done);
    TRY(e = render_jwks(ring, crypto), done);
    *out = ring;
    ring = NULL;
done:
    crypto_siv_free(siv);
    crypto_free(crypto);
    keyring_free(ring);
    return e;
}

void keyring_free(struct keyring *ring)
{
    size_t i;

    if (!ring) return;
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

void keyring_list(struct json_writer *w, const struct keyring *ring)
{
    static const char *const uses[] = {[RING_SIGN] = "sign", [RING_SEAL] = "seal", [RING_HASH] = "hash"};
    static const char *const states[] = {
        [RING_PUBLISHED] = "published", [RING_SIGNING] = "signing", [RING_RETIRED] = "retired"};
    size_t i;

    json_array_begin(w);
    for (i = 0; i < ring->count; i++) {
        const struct opened_key *key = &ring->keys[i];
        json_object_begin(w);
        json_key(w, "id");
        json_put_string(w, key->id);
        json_key(w, "use");
        json_put_literal(w, uses[key->use]);
        json_key(w, "state");
        json_put_literal(w, states[key->state]);
        json_key(w, "alg");
        json_put_string_or_null(w, key->use == RING_SIGN ? bytes_of_text(alg_jose(key->alg)) : BYTES_NONE);
        json_object_end(w);
    }
    json_array_end(w);
}

static enum err open_sign(struct key_bench *bench, const struct opened_key *key)
{
    struct crypto_sign *sign = NULL;
    struct crypto_public public = {.alg = key->alg};
    uint8_t x[32], y[32];
    enum err e;

    if (bench->check_count == KEYRING_MAX) return ERR_LIMIT;
    TRY(e = crypto_sign_new(&sign, bench->crypto, key->alg, key->secret), done);
    TRY(e = crypto_public_of(sign, x, y), done);
    public.x = bytes_of(x, sizeof x);
    public.y = bytes_of(y, sizeof y);
    TRY(e = crypto_check_new(&bench->checks[bench->check_count].check, bench->crypto, &public), done);
    bench->checks[bench->check_count].kid = key->id;
    bench->checks[bench->check_count++].alg = key->alg;
    if (key->state != RING_SIGNING || bench->sign) goto done;
    bench->sign = sign;
    bench->sign_kid = key->id;
    bench->sign_alg = key->alg;
    sign = NULL;
done:
    crypto_sign_free(sign);
    return e;
}

/* The sealing key comes first, so that seals[0] is the one to seal with. */
static enum err open_seal(struct key_bench *bench, const struct opened_key *key, uint64_t epoch)
{
    struct seal_key *seal;
    enum err e;

    if (bench->seal_count == KEYRING_MAX) return ERR_LIMIT;
    if ((e = seal_key_new(&seal, bench->crypto, key->secret, key->id, epoch))) return e;
    bench->seals[bench->seal_count++] = seal;
    if (key->state == RING_SIGNING) {
        bench->seals[bench->seal_count - 1] = bench->seals[0];
        bench->seals[0] = seal;
    }
    return ERR_OK;
}

enum err key_bench_open(struct key_bench *out, const struct keyring *ring, uint64_t epoch)
{
    size_t i;
    enum err e;

    memset(out, 0, sizeof *out);
    TRY(e = crypto_new(&out->crypto), done);
    for (i = 0; i < ring->count; i++) {
        const struct opened_key *key = &ring->keys[i];
        if (key->use == RING_SIGN) TRY(e = open_sign(out, key), done);
        if (key->use == RING_SEAL) TRY(e = open_seal(out, key, epoch), done);
        if (key->use == RING_HASH && !out->mac)
            TRY(e = crypto_mac_new(&out->mac, out->crypto, key->secret), done);
    }
    if (!out->mac || !out->sign || !out->seal_count) e = ERR_CORRUPT;
done:
    if (e) key_bench_release(out);
    return e;
}

void key_bench_release(struct key_bench *bench)
{
    size_t i;

    for (i = 0; i < bench->seal_count; i++)
        seal_key_free(bench->seals[i]);
    for (i = 0; i < bench->check_count; i++)
        crypto_check_free(bench->checks[i].check);
    crypto_sign_free(bench->sign);
    crypto_mac_free(bench->mac);
    crypto_free(bench->crypto);
    memset(bench, 0, sizeof *bench);
}

enum err keyring_hash(uint8_t out[KEY_HASH_LEN], struct key_bench *bench, struct bytes secret)
{
    return crypto_mac(bench->mac, out, secret);
}
