#include "token/client_jwt.h"

#include "base/base64url.h"
#include "harness/check.h"

static struct crypto *crypto;
static struct arena arena;

struct pair {
    struct crypto_sign *sign;
    struct jwk jwk;
};

static void pair_make(struct pair *out, enum alg alg)
{
    struct secret secret;

    memset(out, 0, sizeof *out);
    CHECK_INT(crypto_key_generate(crypto, alg, &secret), ERR_OK);
    CHECK_INT(crypto_sign_new(&out->sign, crypto, alg, &secret), ERR_OK);
    out->jwk.alg = alg;
    CHECK_INT(crypto_public_of(out->sign, out->jwk.x, out->jwk.y), ERR_OK);
    secret_release(&secret);
}

static struct bytes sign(struct buf *out, const struct pair *pair, const char *header, const char *payload)
{
    struct buf header_b64;

    buf_init(&header_b64, 4096);
    base64url_append(&header_b64, bytes_of_text(header));
    buf_reset(out);
    CHECK_INT(jws_sign(out, pair->sign, buf_bytes(&header_b64), bytes_of_text(payload)), ERR_OK);
    buf_release(&header_b64);
    return buf_bytes(out);
}

static enum err read_jwt(struct client_jwt *out, struct bytes text)
{
    arena_reset(&arena);
    return client_jwt_read(out, &arena, text);
}

#define PAYLOAD "{\"iss\":\"a\",\"sub\":\"b\",\"aud\":\"c\",\"jti\":\"d\",\"exp\":3,\"iat\":1,\"nbf\":2}"

static void refuses_forms(void)
{
    static const char *const payloads[] = {
        "",
        "[]",
        "{\"iss\":1}",
        "{\"iss\":\"\"}",
        "{\"iss\":\"a\\u0000\"}",
        "{\"iss\":null}",
        "{\"sub\":[\"a\"]}",
        "{\"jti\":\"\"}",
        "{\"jti\":7}",
        "{\"aud\":7}",
        "{\"aud\":[7]}",
        "{\"aud\":[\"\"]}",
        "{\"aud\":{\"a\":1}}",
        "{\"exp\":\"3\"}",
        "{\"exp\":3.5}",
        "{\"exp\":-1}",
        "{\"exp\":null}",
        "{\"iat\":true}",
        "{\"nbf\":1e3}",
        "{\"exp\":1,\"exp\":2}",
    };
    static const char *const headers[] = {"{}",
                                          "{\"alg\":1}",
                                          "{\"alg\":\"ES256\",\"crit\":[]}",
                                          "{\"alg\":\"ES256\",\"typ\":7}",
                                          "[]",
                                          "{\"alg\":\"ES256\",\"alg\":\"none\"}"};
    struct client_jwt jwt;
    struct pair pair;
    struct buf text;
    size_t i;

    buf_init(&text, 16384);
    pair_make(&pair, ALG_ES256);
    for (i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        CHECK_NOTE("%s", payloads[i]);
        CHECK_INT(read_jwt(&jwt, sign(&text, &pair, "{\"alg\":\"ES256\"}", payloads[i])), ERR_MALFORMED);
        CHECK(bytes_is_absent(jwt.iss));
    }
    for (i = 0; i < sizeof headers / sizeof *headers; i++) {
        CHECK_NOTE("%s", headers[i]);
        CHECK_INT(read_jwt(&jwt, sign(&text, &pair, headers[i], PAYLOAD)), ERR_MALFORMED);
    }
    CHECK_INT(read_jwt(&jwt, BYTES("a.b")), ERR_MALFORMED);
    CHECK_INT(read_jwt(&jwt, BYTES_NONE), ERR_MALFORMED);
    crypto_sign_free(pair.sign);
    buf_release(&text);
}

static void refuses_what_is_long(void)
{
    static char payload[8192];
    struct client_jwt jwt;
    struct pair pair;
    struct buf text;

    buf_init(&text, 32768);
    pair_make(&pair, ALG_ES256);
    (void)snprintf(payload, sizeof payload, "{\"jti\":\"%0256d\"}", 1);
    CHECK_INT(read_jwt(&jwt, sign(&text, &pair, "{\"alg\":\"ES256\"}", payload)), ERR_OK);
    (void)snprintf(payload, sizeof payload, "{\"jti\":\"%0257d\"}", 1);
    CHECK_INT(read_jwt(&jwt, sign(&text, &pair, "{\"alg\":\"ES256\"}", payload)), ERR_MALFORMED);
    (void)snprintf(payload, sizeof payload, "{\"more\":\"%04000d\"}", 1);
    CHECK_INT(read_jwt(&jwt, sign(&text, &pair, "{\"alg\":\"ES256\"}", payload)), ERR_MALFORMED);
    crypto_sign_free(pair.sign);
    buf_release(&text);
}

static void reads_claims(void)
{
    struct client_jwt jwt;
    struct pair pair;
    struct buf text;

    buf_init(&text, 4096);
    pair_make(&pair, ALG_EDDSA);
    CHECK_INT(read_jwt(&jwt, sign(&text, &pair, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", PAYLOAD)), ERR_OK);
    CHECK_BYTES(jwt.typ, BYTES("JWT"));
    CHECK_BYTES(jwt.alg, BYTES("EdDSA"));
    CHECK_BYTES(jwt.iss, BYTES("a"));
    CHECK_BYTES(jwt.sub, BYTES("b"));
    CHECK_BYTES(jwt.aud, BYTES("c"));
    CHECK_BYTES(jwt.jti, BYTES("d"));
    CHECK(jwt.exp_s == 3 && jwt.iat_s == 1 && jwt.nbf_s == 2);
    CHECK_INT(read_jwt(&jwt, sign(&text, &pair, "{\"alg\":\"EdDSA\"}", "{\"aud\":[\"c\"]}")), ERR_OK);
    CHECK_BYTES(jwt.aud, BYTES("c"));
    CHECK(bytes_is_absent(jwt.typ) && bytes_is_absent(jwt.iss) && bytes_is_absent(jwt.jti));
    CHECK(jwt.exp_s == -1 && jwt.iat_s == -1 && jwt.nbf_s == -1);
    CHECK_INT(read_jwt(&jwt, sign(&text, &pair, "{\"alg\":\"EdDSA\"}", "{\"aud\":[\"c\",\"d\"]}")), ERR_OK);
    CHECK(bytes_is_absent(jwt.aud));
    CHECK_INT(read_jwt(&jwt, sign(&text, &pair, "{\"alg\":\"EdDSA\"}", "{\"aud\":[]}")), ERR_OK);
    CHECK(bytes_is_absent(jwt.aud));
    crypto_sign_free(pair.sign);
    buf_release(&text);
}

static bool verifies(struct bytes text, const struct jwk *key)
{
    struct client_jwt jwt;
    bool is_good = true;

    CHECK_INT(read_jwt(&jwt, text), ERR_OK);
    CHECK_INT(client_jwt_verify(&is_good, &jwt, crypto, key), ERR_OK);
    return is_good;
}

/* The key's record decides (RFC 8725 §3.1): no name in a header makes it another algorithm's. */
static void verifies_by_the_keys_algorithm(void)
{
    static const char *const others[] = {"none", "HS256", "RS256", "ES384", "es256", "EdDSA", "", "ES256 "};
    struct pair pair, other, eddsa;
    char header[64];
    struct buf text;

    buf_init(&text, 4096);
    pair_make(&pair, ALG_ES256), pair_make(&other, ALG_ES256), pair_make(&eddsa, ALG_EDDSA);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CHECK_NOTE("alg %s", others[i]);
        (void)snprintf(header, sizeof header, "{\"alg\":\"%s\"}", others[i]);
        CHECK(!verifies(sign(&text, &pair, header, PAYLOAD), &pair.jwk));
    }
    CHECK(!verifies(sign(&text, &other, "{\"alg\":\"ES256\"}", PAYLOAD), &pair.jwk));
    CHECK(!verifies(sign(&text, &eddsa, "{\"alg\":\"EdDSA\"}", PAYLOAD), &pair.jwk));
    CHECK(!verifies(sign(&text, &eddsa, "{\"alg\":\"ES256\"}", PAYLOAD), &pair.jwk));
    CHECK(!verifies(sign(&text, &pair, "{\"alg\":\"none\"}", PAYLOAD), &(struct jwk){.alg = ALG_NONE}));
    CHECK(verifies(sign(&text, &pair, "{\"alg\":\"ES256\"}", PAYLOAD), &pair.jwk));
    CHECK(verifies(sign(&text, &eddsa, "{\"alg\":\"EdDSA\",\"kid\":\"x\"}", PAYLOAD), &eddsa.jwk));
    CHECK(verifies(sign(&text, &eddsa, "{\"alg\":\"Ed25519\"}", PAYLOAD), &eddsa.jwk));
    CHECK(!verifies(sign(&text, &eddsa, "{\"alg\":\"Ed448\"}", PAYLOAD), &eddsa.jwk));
    CHECK(!verifies(sign(&text, &pair, "{\"alg\":\"Ed25519\"}", PAYLOAD), &pair.jwk));
    crypto_sign_free(pair.sign), crypto_sign_free(other.sign), crypto_sign_free(eddsa.sign);
    buf_release(&text);
}

int main(void)
{
    CHECK_INT(crypto_new(&crypto), ERR_OK);
    arena_init(&arena, 64 * 1024);
    CHECK_RUN(refuses_forms);
    CHECK_RUN(refuses_what_is_long);
    CHECK_RUN(reads_claims);
    CHECK_RUN(verifies_by_the_keys_algorithm);
    arena_release(&arena);
    crypto_free(crypto);
    return CHECK_END();
}
