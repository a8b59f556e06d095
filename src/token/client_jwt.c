#include "token/client_jwt.h"

#include <string.h>

static enum err copy(struct bytes *out, struct arena *arena, struct bytes text)
{
    *out = arena_copy(arena, text);
    return arena_copy_failed(text, *out) ? ERR_NO_MEMORY : ERR_OK;
}

static enum err copy_string(struct bytes *out, struct arena *arena, struct json value)
{
    if (json_type_of(value) == JSON_IS_ABSENT) return ERR_OK;
    if (!json_text_is_clean(value) || json_text(value).len == 0) return ERR_MALFORMED;
    return copy(out, arena, json_text(value));
}

/* RFC 7519 §4.1.3: a string, or a list. Of several it would have to be guessed who else takes the assertion
 * for theirs: then it names nobody. */
static enum err copy_audience(struct bytes *out, struct arena *arena, struct json value)
{
    if (json_type_of(value) != JSON_IS_ARRAY) return copy_string(out, arena, value);
    if (json_count(value) != 1) return ERR_OK;
    if (json_type_of(json_item(value, 0)) != JSON_IS_STRING) return ERR_MALFORMED;
    return copy_string(out, arena, json_item(value, 0));
}

/* RFC 7519 §2 NumericDate; whole seconds, as all clients write them. */
static bool read_time(int64_t *out, struct json claims, const char *name)
{
    struct json value = json_member(claims, name);

    *out = -1;
    if (json_type_of(value) == JSON_IS_ABSENT) return true;
    return json_int64(out, value) && *out >= 0;
}

static enum err read_claims(struct client_jwt *out, struct arena *arena, struct bytes payload)
{
    struct json claims = {NULL};
    enum err e;

    TRY(e = json_read(&claims, payload), done);
    e = ERR_MALFORMED;
    if (json_type_of(claims) != JSON_IS_OBJECT) goto done;
    if (!read_time(&out->exp_s, claims, "exp") || !read_time(&out->iat_s, claims, "iat") ||
        !read_time(&out->nbf_s, claims, "nbf"))
        goto done;
    TRY(e = copy_string(&out->iss, arena, json_member(claims, "iss")), done);
    TRY(e = copy_string(&out->sub, arena, json_member(claims, "sub")), done);
    TRY(e = copy_string(&out->jti, arena, json_member(claims, "jti")), done);
    TRY(e = copy_audience(&out->aud, arena, json_member(claims, "aud")), done);
    if (out->jti.len > CLIENT_JWT_JTI_MAX) e = ERR_MALFORMED;
done:
    json_free(claims);
    return e;
}

enum err client_jwt_read(struct client_jwt *out, struct arena *arena, struct bytes text)
{
    struct jws jws = {.header = {NULL}};
    enum err e;

    memset(out, 0, sizeof *out);
    if (text.len > CLIENT_JWT_MAX) return ERR_MALFORMED;
    TRY(e = jws_split(&jws, arena, text), done);
    TRY(e = copy(&out->alg, arena, jws.alg), done);
    TRY(e = copy(&out->typ, arena, jws.typ), done);
    TRY(e = read_claims(out, arena, jws.payload), done);
    out->signed_text = jws.signing_input;
    out->signature = jws.signature;
done:
    jws_release(&jws);
    if (e != ERR_OK) memset(out, 0, sizeof *out);
    return e;
}

/* RFC 9864 §2.2 has a name of its own for EdDSA with this curve, which is the only one that we take; clients
 * use both. "none" and HS256 have no row, so they are no key's. */
bool client_jwt_names_alg(const struct client_jwt *jwt, enum alg alg)
{
    if (alg == ALG_NONE) return false;
    return alg_of_jose(jwt->alg) == alg || (alg == ALG_EDDSA && bytes_equal(jwt->alg, BYTES("Ed25519")));
}

enum err client_jwt_verify(bool *is_good, const struct client_jwt *jwt, struct crypto *crypto,
                           const struct jwk *key)
{
    struct crypto_public public = jwk_public(key);
    struct crypto_check *check = NULL;
    enum err e;

    *is_good = false;
    if (!client_jwt_names_alg(jwt, key->alg)) return ERR_OK;
    e = crypto_check_new(&check, crypto, &public);
    if (e == ERR_OK) *is_good = crypto_check(check, jwt->signed_text, jwt->signature);
    crypto_check_free(check);
    return e;
}
