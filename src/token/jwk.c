#include "token/jwk.h"

#include "base/base64url.h"

#include <string.h>

/* RFC 7518 §6: what only a private (or symmetric) key has. RFC 9449 §4.3 (7): a proof must not hold one. */
static bool has_private_member(struct json object)
{
    static const char *const names[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_type_of(json_member(object, names[i])) != JSON_IS_ABSENT) return true;
    return false;
}

static bool member_is(struct json object, const char *name, const char *text)
{
    return bytes_equal(json_text(json_member(object, name)), bytes_of_text(text));
}

/* A key made for something else is not ours to use: use, key_ops (RFC 7517 §4.2-3) and alg, each
 * only if present. key_ops may also say sign: some clients derive the public JWK from the private
 * one and leave it in. */
static bool is_meant_for_signatures(struct json object, enum alg alg)
{
    struct json ops = json_member(object, "key_ops");
    bool has_op = json_type_of(ops) == JSON_IS_ABSENT;

    if (json_type_of(json_member(object, "use")) != JSON_IS_ABSENT && !member_is(object, "use", "sig"))
        return false;
    if (json_type_of(json_member(object, "alg")) != JSON_IS_ABSENT &&
        !member_is(object, "alg", alg_jose(alg)) &&
        !(alg == ALG_EDDSA && member_is(object, "alg", "Ed25519"))) /* RFC 9864 §2.2 */
        return false;
    for (size_t i = 0; i < json_count(ops) && json_type_of(ops) == JSON_IS_ARRAY; i++) {
        struct bytes op = json_text(json_item(ops, i));
        has_op = has_op || bytes_equal(op, BYTES("verify")) || bytes_equal(op, BYTES("sign"));
    }
    return has_op;
}

static bool coordinate_read(uint8_t out[32], struct json object, const char *name)
{
    size_t len;

    return base64url_read(out, 32, &len, json_text(json_member(object, name))) == ERR_OK && len == 32;
}

/* n of 2048 to 4096 bits, odd; e is 65537, as all clients have it: a small e invites forgeries by
 * padding, a large one costs us time. No leading zero byte (RFC 7518 §6.3.1.1), or one key would have
 * many thumbprints. */
static bool rsa_read(struct jwk *out, struct json object)
{
    static const uint8_t f4[] = {0x01, 0x00, 0x01};

    if (base64url_read(out->n, sizeof out->n, &out->n_len, json_text(json_member(object, "n"))) != ERR_OK ||
        base64url_read(out->e, sizeof out->e, &out->e_len, json_text(json_member(object, "e"))) != ERR_OK)
        return false;
    if (out->n_len < 256 || out->n[0] == 0 || (out->n_len == 256 && out->n[0] < 0x80)) return false;
    if (!(out->n[out->n_len - 1] & 1)) return false;
    return bytes_equal(bytes_of(out->e, out->e_len), bytes_of(f4, sizeof f4));
}

static bool read_key(struct jwk *out, struct json object)
{
    if (json_type_of(object) != JSON_IS_OBJECT || has_private_member(object)) return false;
    if (member_is(object, "kty", "EC") && member_is(object, "crv", "P-256")) {
        out->alg = ALG_ES256;
        return is_meant_for_signatures(object, out->alg) && coordinate_read(out->x, object, "x") &&
               coordinate_read(out->y, object, "y");
    }
    if (member_is(object, "kty", "OKP") && member_is(object, "crv", "Ed25519")) {
        out->alg = ALG_EDDSA;
        return is_meant_for_signatures(object, out->alg) && coordinate_read(out->x, object, "x");
    }
    if (!member_is(object, "kty", "RSA")) return false;
    out->alg = ALG_RS256;
    return is_meant_for_signatures(object, out->alg) && rsa_read(out, object);
}

enum err jwk_read(struct jwk *out, struct json object)
{
    memset(out, 0, sizeof *out);
    if (read_key(out, object)) return ERR_OK;
    memset(out, 0, sizeof *out);
    return ERR_MALFORMED;
}

struct crypto_public jwk_public(const struct jwk *jwk)
{
    struct crypto_public public = {.alg = jwk->alg};

    if (jwk->alg == ALG_RS256) {
        public.n = bytes_of(jwk->n, jwk->n_len);
        public.e = bytes_of(jwk->e, jwk->e_len);
    } else {
        public.x = bytes_of(jwk->x, sizeof jwk->x);
        if (jwk->alg == ALG_ES256) public.y = bytes_of(jwk->y, sizeof jwk->y);
    }
    return public;
}

struct text {
    char *chars;
    size_t len;
};

static void add(struct text *text, struct bytes b)
{
    memcpy(text->chars + text->len, b.ptr, b.len);
    text->len += b.len;
}

static void add_base64url(struct text *text, const uint8_t *ptr, size_t len)
{
    text->len += base64url_write(text->chars + text->len, bytes_of(ptr, len));
}

/* RFC 7638 §3.2, RFC 8037 §2: exactly these members, in this order, without spaces. */
struct bytes jwk_text(char out[JWK_TEXT_MAX], const struct jwk *jwk)
{
    struct text text = {out, 0};

    if (jwk->alg == ALG_RS256) {
        add(&text, BYTES("{\"e\":\""));
        add_base64url(&text, jwk->e, jwk->e_len);
        add(&text, BYTES("\",\"kty\":\"RSA\",\"n\":\""));
        add_base64url(&text, jwk->n, jwk->n_len);
    } else if (jwk->alg == ALG_ES256) {
        add(&text, BYTES("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\""));
        add_base64url(&text, jwk->x, sizeof jwk->x);
        add(&text, BYTES("\",\"y\":\""));
        add_base64url(&text, jwk->y, sizeof jwk->y);
    } else {
        add(&text, BYTES("{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\""));
        add_base64url(&text, jwk->x, sizeof jwk->x);
    }
    add(&text, BYTES("\"}"));
    return bytes_of(out, text.len);
}

enum err jwk_thumbprint(char out[JWK_THUMBPRINT_LEN], struct crypto *crypto, const struct jwk *jwk)
{
    char text[JWK_TEXT_MAX];

    return jwk_thumbprint_of(out, crypto, jwk_text(text, jwk));
}

enum err jwk_thumbprint_of(char out[JWK_THUMBPRINT_LEN], struct crypto *crypto, struct bytes text)
{
    uint8_t hash[SHA256_LEN];
    enum err e;

    memset(out, 0, JWK_THUMBPRINT_LEN);
    TRY(e = crypto_sha256(crypto, hash, text), done);
    (void)base64url_write(out, bytes_of(hash, sizeof hash)); /* 32 bytes make 43 characters */
done:
    return e;
}

static void write_base64url(struct json_writer *w, const char *key, const uint8_t coordinate[32])
{
    char text[BASE64URL_LEN(32)];

    json_key(w, key);
    json_put_string(w, bytes_of(text, base64url_write(text, bytes_of(coordinate, 32))));
}

void jwk_write_public(struct json_writer *w, enum alg alg, const uint8_t x[32], const uint8_t y[32],
                      struct bytes kid)
{
    json_object_begin(w);
    json_key(w, "kty");
    json_put_literal(w, alg == ALG_ES256 ? "EC" : "OKP");
    json_key(w, "crv");
    json_put_literal(w, alg == ALG_ES256 ? "P-256" : "Ed25519");
    write_base64url(w, "x", x);
    if (alg == ALG_ES256) write_base64url(w, "y", y);
    json_key(w, "kid");
    json_put_string(w, kid);
    json_key(w, "alg");
    json_put_literal(w, alg_jose(alg));
    json_key(w, "use");
    json_put_literal(w, "sig");
    json_object_end(w);
}

bool jwk_is_thumbprint(struct bytes text)
{
    uint8_t hash[SHA256_LEN];
    size_t len;

    return base64url_read(hash, sizeof hash, &len, text) == ERR_OK && len == SHA256_LEN;
}
