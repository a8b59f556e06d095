#include "token/seal.h"

#include "base/base64url.h"
#include "token/sealed_form.h"

#include <stdlib.h>
#include <string.h>

#define SEAL_VERSION   1
#define SEAL_AD_LEN    (1 + SEAL_KEY_ID_LEN + 1 + 8)       /* version, key id, kind, epoch */
#define SEAL_BYTES_MAX (SEAL_LAUNCH_MAX / 4 * 3)           /* decoded, of the longest kind */
#define SEAL_MIN       (BASE64URL_LEN(CRYPTO_SIV_TAG + 1)) /* characters of the shortest thing ever sealed */

struct seal_row {
    const char *name; /* goes into the key's derivation: never change it */
    struct bytes prefix;
    size_t text_max;
};

static const struct seal_row rows[SEAL_KIND_COUNT] = {
    [SEAL_REFRESH] = {"refresh", {(const uint8_t *)"rt_", 3}, SEAL_REFRESH_MAX},
    [SEAL_BOOTSTRAP] = {"bootstrap", {(const uint8_t *)"bt_", 3}, SEAL_BOOTSTRAP_MAX},
    [SEAL_LAUNCH] = {"launch", {(const uint8_t *)"lt_", 3}, SEAL_LAUNCH_MAX},
    [SEAL_RESUME] = {"resume", {(const uint8_t *)"rs_", 3}, SEAL_RESUME_MAX},
};

struct seal_key {
    uint8_t id[SEAL_KEY_ID_LEN];
    struct crypto_siv *siv[SEAL_KIND_COUNT];
    uint8_t ad[SEAL_KIND_COUNT][SEAL_AD_LEN];
};

static bool is_key_id(struct bytes id)
{
    if (id.len != SEAL_KEY_ID_LEN) return false;
    for (size_t i = 0; i < id.len; i++)
        if (!((id.ptr[i] >= '0' && id.ptr[i] <= '9') || (id.ptr[i] >= 'a' && id.ptr[i] <= 'f'))) return false;
    return true;
}

/* One string of fixed layout instead of four: each costs a whole CMAC (RFC 5297 §2.4). */
static void write_ad(uint8_t out[SEAL_AD_LEN], const uint8_t id[SEAL_KEY_ID_LEN], enum seal_kind kind,
                     uint64_t epoch)
{
    *out++ = SEAL_VERSION;
    memcpy(out, id, SEAL_KEY_ID_LEN);
    out += SEAL_KEY_ID_LEN;
    *out++ = (uint8_t)kind;
    for (int shift = 56; shift >= 0; shift -= 8)
        *out++ = (uint8_t)(epoch >> shift);
}

static enum err derive_kind(struct crypto_siv **out, struct crypto *crypto, const struct secret *root,
                            enum seal_kind kind)
{
    struct secret subkey = {.len = 0};
    struct buf info;
    enum err e;

    *out = NULL;
    buf_init(&info, 64);
    buf_append_text(&info, "coatcheck seal v1 ");
    buf_append_text(&info, rows[kind].name);
    TRY(e = buf_error(&info), done);
    TRY(e = crypto_derive(crypto, &subkey, 64, root, buf_bytes(&info)), done);
    e = crypto_siv_new(out, crypto, &subkey);
done:
    secret_release(&subkey);
    buf_release(&info);
    return e;
}

enum err seal_key_new(struct seal_key **out, struct crypto *crypto, const struct secret *root,
                      struct bytes key_id, uint64_t epoch)
{
    struct seal_key *key;
    enum err e = ERR_OK;

    *out = NULL;
    if (!is_key_id(key_id) || root->len == 0) return ERR_MALFORMED;
    if (!(key = calloc(1, sizeof *key))) return ERR_NO_MEMORY;
    memcpy(key->id, key_id.ptr, SEAL_KEY_ID_LEN);
    for (enum seal_kind kind = 0; kind < SEAL_KIND_COUNT; kind++) {
        write_ad(key->ad[kind], key->id, kind, epoch);
        TRY(e = derive_kind(&key->siv[kind], crypto, root, kind), done);
    }
    *out = key;
    key = NULL;
done:
    seal_key_free(key);
    return e;
}

void seal_key_free(struct seal_key *key)
{
    if (!key) return;
    for (size_t i = 0; i < SEAL_KIND_COUNT; i++)
        crypto_siv_free(key->siv[i]);
    free(key);
}

struct bytes seal_key_id(const struct seal_key *key)
{
    return bytes_of(key->id, SEAL_KEY_ID_LEN);
}

static void fail(struct buf *out, enum err e)
{
    if (out->error == ERR_OK) out->error = e;
}

void seal_write(struct buf *out, struct seal_key *key, enum seal_kind kind, const struct sealed *sealed)
{
    struct bytes ad = bytes_of(key->ad[kind], SEAL_AD_LEN);
    size_t start = out->len;
    struct buf form, bytes;
    enum err e;

    buf_init(&form, SEAL_BYTES_MAX - CRYPTO_SIV_TAG);
    buf_init(&bytes, SEAL_BYTES_MAX);
    sealed_form_write(&form, sealed);
    TRY(e = buf_error(&form), done);
    TRY(e = crypto_siv_seal(key->siv[kind], &bytes, buf_bytes(&form), &ad, 1), done);
    buf_append(out, rows[kind].prefix);
    buf_append(out, seal_key_id(key));
    buf_append_byte(out, '.');
    base64url_append(out, buf_bytes(&bytes));
    if (buf_error(out) == ERR_OK && out->len - start > rows[kind].text_max) e = ERR_TOO_LARGE;
done:
    if (e != ERR_OK) fail(out, e);
    buf_wipe(&form);
    buf_release(&bytes);
}

struct bytes seal_named_key(enum seal_kind kind, struct bytes text)
{
    struct bytes id, rest;

    if (text.len > rows[kind].text_max || !bytes_start_with(text, rows[kind].prefix)) return BYTES_NONE;
    if (!bytes_split(&id, &rest, bytes_from(text, rows[kind].prefix.len), '.')) return BYTES_NONE;
    if (!is_key_id(id) || rest.len < SEAL_MIN || bytes_have(rest, '.')) return BYTES_NONE;
    return id;
}

enum err seal_read(struct sealed *out, struct arena *arena, struct seal_key *key, enum seal_kind kind,
                   struct bytes text)
{
    struct bytes ad = bytes_of(key->ad[kind], SEAL_AD_LEN), id = seal_named_key(kind, text), body;
    uint8_t sealed[SEAL_BYTES_MAX], form[SEAL_BYTES_MAX];
    size_t len;
    enum err e;

    memset(out, 0, sizeof *out);
    if (bytes_is_absent(id) || !bytes_equal(id, seal_key_id(key))) return ERR_MALFORMED;
    body = bytes_from(text, rows[kind].prefix.len + SEAL_KEY_ID_LEN + 1);
    if (base64url_read(sealed, sizeof sealed, &len, body) != ERR_OK) return ERR_MALFORMED;
    if (!crypto_siv_open(key->siv[kind], form, bytes_of(sealed, len), &ad, 1)) return ERR_MALFORMED;
    e = sealed_form_read(out, arena, bytes_of(form, len - CRYPTO_SIV_TAG));
    secret_wipe(form, len - CRYPTO_SIV_TAG);
    return e;
}
