#include "service/ring_wrap.h"

#include <string.h>

#include "base/hex.h"
#include "token/alg.h"
#include "token/seal.h"

enum err ring_wrap_open(struct ring_wrap *out, const struct secret *master)
{
    struct secret key = {.len = 0};
    enum err e;

    memset(out, 0, sizeof *out);
    TRY(e = crypto_new(&out->crypto), done);
    TRY(e = crypto_derive(out->crypto, &key, 64, master, BYTES("coatcheck wrap v1")), done);
    e = crypto_siv_new(&out->siv, out->crypto, &key);
done:
    secret_release(&key);
    if (e) ring_wrap_release(out);
    return e;
}

void ring_wrap_release(struct ring_wrap *wrap)
{
    crypto_siv_free(wrap->siv);
    crypto_free(wrap->crypto);
    memset(wrap, 0, sizeof *wrap);
}

static void wrap_data(struct bytes ad[3], const struct ring_key *key, const uint8_t *use)
{
    ad[0] = BYTES("coatcheck ring v1");
    ad[1] = key->id;
    ad[2] = bytes_of(use, 1);
}

enum err ring_wrap_secret(struct bytes *wrapped, struct ring_wrap *wrap, const struct ring_key *key,
                          const struct secret *secret, struct arena *arena)
{
    uint8_t use = (uint8_t)key->use;
    struct bytes ad[3];
    struct buf sealed;
    enum err e;

    *wrapped = BYTES_NONE;
    buf_init(&sealed, 256);
    wrap_data(ad, key, &use);
    TRY(e = crypto_siv_seal(wrap->siv, &sealed, bytes_of(secret->data, secret->len), ad, 3), done);
    *wrapped = arena_copy(arena, buf_bytes(&sealed));
    if (bytes_is_absent(*wrapped)) e = ERR_NO_MEMORY;
done:
    buf_release(&sealed);
    return e;
}

enum err ring_unwrap_secret(struct secret *out, struct ring_wrap *wrap, const struct ring_key *key)
{
    uint8_t use = (uint8_t)key->use, plain[SECRET_MAX];
    struct bytes ad[3];
    enum err e;

    memset(out, 0, sizeof *out);
    if (key->wrapped.len <= CRYPTO_SIV_TAG || key->wrapped.len - CRYPTO_SIV_TAG > sizeof plain)
        return ERR_CORRUPT;
    wrap_data(ad, key, &use);
    if (!crypto_siv_open(wrap->siv, plain, key->wrapped, ad, 3)) return ERR_CORRUPT;
    e = secret_set(out, bytes_of(plain, key->wrapped.len - CRYPTO_SIV_TAG));
    secret_wipe(plain, sizeof plain);
    return e;
}

static enum err draw_secret(struct secret *out, struct crypto *crypto, enum ring_use use, enum alg alg,
                            const struct dice *dice)
{
    uint8_t random[32];
    enum err e;

    if (use == RING_SIGN) return crypto_key_generate(crypto, alg, out);
    dice_fill(dice, random, sizeof random);
    e = secret_set(out, bytes_of(random, sizeof random));
    secret_wipe(random, sizeof random);
    return e;
}

static struct bytes draw_id(struct ring_view ring, const struct dice *dice, struct arena *arena)
{
    uint8_t id[SEAL_KEY_ID_LEN / 2];
    char text[SEAL_KEY_ID_LEN];

    do {
        dice_fill(dice, id, sizeof id);
        hex_write(text, bytes_of(id, sizeof id));
    } while (ring_find(ring, bytes_of(text, sizeof text)));
    return arena_copy(arena, bytes_of(text, sizeof text));
}

enum err ring_key_make(struct ring_key *out, struct ring_wrap *wrap, struct ring_view ring, enum ring_use use,
                       enum alg alg, const struct dice *dice, struct arena *arena)
{
    struct secret secret = {.len = 0};
    enum err e = ERR_NO_MEMORY;

    *out = (struct ring_key){.use = use, .id = draw_id(ring, dice, arena)};
    if (use == RING_SIGN) out->algorithm = bytes_of_text(alg_jose(alg));
    if (bytes_is_absent(out->id)) goto done;
    TRY(e = draw_secret(&secret, wrap->crypto, use, alg, dice), done);
    e = ring_wrap_secret(&out->wrapped, wrap, out, &secret, arena);
done:
    secret_release(&secret);
    if (e) memset(out, 0, sizeof *out);
    return e;
}
