/* Laws: the same text gives the same claims twice; what is read has times that are none or not negative, and
 * texts without NUL; no key verifies it, not even one of the algorithm it names, unless that key signed it
 * (the seed `good` is signed by the first key below), and that with any bit of it changed no more. */
#include "token/client_jwt.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool law)
{
    if (!law) abort();
}

static void require_clean(struct bytes text)
{
    require(bytes_is_absent(text) || (text.len > 0 && !bytes_have(text, 0)));
}

static void require_claims(const struct client_jwt *jwt)
{
    require_clean(jwt->iss);
    require_clean(jwt->sub);
    require_clean(jwt->aud);
    require_clean(jwt->jti);
    require(jwt->jti.len <= CLIENT_JWT_JTI_MAX);
    require(jwt->exp_s >= -1 && jwt->iat_s >= -1 && jwt->nbf_s >= -1);
    require(jwt->signed_text.len + jwt->signature.len <= CLIENT_JWT_MAX);
}

static struct jwk key_of(const char *text)
{
    struct json object;
    struct jwk jwk = {.alg = ALG_NONE};

    require(json_read(&object, bytes_of_text(text)) == ERR_OK && jwk_read(&jwk, object) == ERR_OK);
    json_free(object);
    return jwk;
}

static bool verifies(const struct client_jwt *jwt, struct crypto *crypto, const struct jwk *key)
{
    bool is_good = true;

    require(client_jwt_verify(&is_good, jwt, crypto, key) == ERR_OK);
    return is_good;
}

static void check_keys(const struct client_jwt *jwt, struct arena *arena, struct crypto *crypto,
                       struct bytes text)
{
    struct jwk signer =
        key_of("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"FAs1N8He3guTjVwLy74t8P_qG8hudg56lqEG1e-dNOY\"}");
    struct jwk other =
        key_of("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"Ns6TeBvYbVUm0B-12y4NlElDbKPrs7G3R7AjYvI9ANM\"}");
    uint8_t copy[CLIENT_JWT_MAX];
    struct client_jwt changed;

    require(!verifies(jwt, crypto, &other));
    if (!verifies(jwt, crypto, &signer)) return;
    require(client_jwt_names_alg(jwt, ALG_EDDSA));
    memcpy(copy, text.ptr, text.len);
    copy[text.len / 2] ^= 1;
    if (client_jwt_read(&changed, arena, bytes_of(copy, text.len)) == ERR_OK)
        require(!verifies(&changed, crypto, &signer));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct crypto *crypto;
    struct client_jwt jwt, again;
    struct bytes text = bytes_of(data, size);
    struct arena arena;
    enum err e;

    if (!crypto && crypto_new(&crypto) != ERR_OK) abort();
    arena_init(&arena, 64 * 1024);
    e = client_jwt_read(&jwt, &arena, text);
    require(client_jwt_read(&again, &arena, text) == e);
    if (e == ERR_OK) {
        require(bytes_equal(jwt.iss, again.iss) && bytes_equal(jwt.jti, again.jti) &&
                jwt.exp_s == again.exp_s);
        require_claims(&jwt);
        check_keys(&jwt, &arena, crypto, text);
    } else
        require(bytes_is_absent(jwt.signed_text));
    arena_release(&arena);
    return 0;
}
