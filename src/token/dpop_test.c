#include "token/dpop.h"

#include "base/base64url.h"
#include "harness/check.h"
#include "harness/vector_json.h"

static struct crypto *crypto;
static struct crypto_sign *sign;
static uint8_t x[32], y[32];

/* Signs payload under a header that carries our key; {JWK} in header stands for its members. */
static struct bytes proof_of(struct buf *out, const char *header, const char *payload)
{
    const char *mark = strstr(header, "{JWK}");
    struct buf text, header_b64;
    struct json_writer w = json_writer_on(&text);

    buf_reset(out), buf_init(&text, 4096), buf_init(&header_b64, 4096);
    buf_append(&text, bytes_of(header, mark ? (size_t)(mark - header) : strlen(header)));
    if (mark) jwk_write_public(&w, ALG_ES256, x, y, BYTES("k"));
    if (mark) buf_append_text(&text, mark + 5);
    base64url_append(&header_b64, buf_bytes(&text));
    CHECK_INT(jws_sign(out, sign, buf_bytes(&header_b64), bytes_of_text(payload)), ERR_OK);
    buf_release(&text), buf_release(&header_b64);
    return buf_bytes(out);
}

static enum err read_proof(struct dpop *out, struct bytes proof)
{
    static struct arena arena;
    static bool is_ready;

    if (!is_ready) arena_init(&arena, 64 * 1024);
    is_ready = true;
    arena_reset(&arena);
    return dpop_read(out, &arena, crypto, proof);
}

#define HEADER  "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":{JWK}}"
#define PAYLOAD "{\"jti\":\"j\",\"htm\":\"POST\",\"htu\":\"https://a.test/t\",\"iat\":1767225600}"

static void refuses_headers(void)
{
    static const char *const headers[] = {
        "{}",
        "{\"alg\":\"ES256\",\"jwk\":{JWK}}",
        "{\"typ\":\"dpop\",\"alg\":\"ES256\",\"jwk\":{JWK}}",
        "{\"typ\":\"JWT\",\"alg\":\"ES256\",\"jwk\":{JWK}}",
        "{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"jwk\":{JWK}}",
        "{\"typ\":\"dpop+jwt\\u0000\",\"alg\":\"ES256\",\"jwk\":{JWK}}",
        "{\"typ\":\"dpop+jwt\",\"jwk\":{JWK}}",
        "{\"typ\":\"dpop+jwt\",\"alg\":\"none\",\"jwk\":{JWK}}",
        "{\"typ\":\"dpop+jwt\",\"alg\":\"HS256\",\"jwk\":{JWK}}",
        "{\"typ\":\"dpop+jwt\",\"alg\":\"EdDSA\",\"jwk\":{JWK}}",
        "{\"typ\":\"dpop+jwt\",\"alg\":\"RS256\",\"jwk\":{JWK}}",
        "{\"typ\":\"dpop+jwt\",\"alg\":\"es256\",\"jwk\":{JWK}}",
        "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\"}",
        "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":null}",
        "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":[{JWK}]}",
        "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"kid\":\"k\"}",
        "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"crit\":[\"jwk\"],\"jwk\":{JWK}}",
        "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":{JWK},\"jwk\":{JWK}}",
    };
    struct buf proof;

    buf_init(&proof, 8192);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct dpop out;
        CHECK_NOTE("%s", headers[i]);
        CHECK_INT(read_proof(&out, proof_of(&proof, headers[i], PAYLOAD)), ERR_MALFORMED);
        CHECK(out.jkt[0] == 0 && bytes_is_absent(out.jti));
    }
    buf_release(&proof);
}

static void refuses_payloads(void)
{
#define T "\"htm\":\"POST\",\"htu\":\"https://a.test/t\""
    static const char *const payloads[] = {
        "{}",
        "[]",
        "\"\"",
        "{\"jti\":\"j\"," T "}",
        "{\"iat\":1," T "}",
        "{\"jti\":\"\",\"iat\":1," T "}",
        "{\"jti\":7,\"iat\":1," T "}",
        "{\"jti\":null,\"iat\":1," T "}",
        "{\"jti\":\"a\\u0000\",\"iat\":1," T "}",
        "{\"jti\":\"j\",\"iat\":\"1\"," T "}",
        "{\"jti\":\"j\",\"iat\":1.5," T "}",
        "{\"jti\":\"j\",\"iat\":1e3," T "}",
        "{\"jti\":\"j\",\"iat\":-1," T "}",
        "{\"jti\":\"j\",\"iat\":18446744073709552000," T "}",
        "{\"jti\":\"j\",\"iat\":null,\"exp\":2," T "}",
        "{\"jti\":\"j\",\"iat\":1,\"iat\":1," T "}",
        "{\"jti\":\"j\",\"iat\":1}",
        "{\"jti\":\"j\",\"iat\":1,\"htm\":\"POST\"}",
        "{\"jti\":\"j\",\"iat\":1,\"htu\":\"https://a.test/t\"}",
        "{\"jti\":\"j\",\"iat\":1,\"htm\":null,\"htu\":\"https://a.test/t\"}",
        "{\"jti\":\"j\",\"iat\":1,\"htm\":[\"POST\"],\"htu\":\"https://a.test/t\"}",
        "{\"jti\":\"j\",\"iat\":1,\"htm\":\"POST\",\"htu\":\"\"}",
        "{\"jti\":\"j\",\"iat\":1,\"htm\":\"POST\",\"htu\":[\"https://a.test/t\"]}",
        "{\"jti\":\"j\",\"iat\":1,\"htm\":\"POST\",\"htu\":\"https://a.test/t\\u0000x\"}",
        "{\"jti\":\"j\",\"iat\":1,\"rpc\":\"request\"}",
        "{\"jti\":\"j\",\"iat\":1,\"mth\":\"open\"}",
        "{\"jti\":\"j\",\"iat\":1,\"rpc\":1,\"mth\":\"open\"}",
        "{\"jti\":\"j\",\"iat\":1,\"rpc\":\"request\",\"htm\":\"POST\"}",
        "{\"jti\":\"j\",\"iat\":1,\"rpc\":\"request\",\"mth\":\"open\",\"htm\":\"POST\"}",
        "{\"jti\":\"j\",\"iat\":1,\"rpc\":\"request\",\"mth\":\"open\"," T "}",
        "{\"jti\":\"j\",\"iat\":1,\"ath\":1," T "}",
        "{\"jti\":\"j\",\"iat\":1,\"nonce\":null," T "}",
    };
#undef T
    struct buf proof;

    buf_init(&proof, 8192);
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        struct dpop out;
        CHECK_NOTE("%s", payloads[i]);
        CHECK_INT(read_proof(&out, proof_of(&proof, HEADER, payloads[i])), ERR_MALFORMED);
        CHECK(out.iat_s == 0 && bytes_is_absent(out.htu));
    }
    buf_release(&proof);
}

static void refuses_size_and_every_changed_byte(void)
{
    static uint8_t big[DPOP_MAX + 1];
    struct buf proof;
    struct dpop out;

    memset(big, 'A', sizeof big);
    CHECK_INT(read_proof(&out, bytes_of(big, sizeof big)), ERR_MALFORMED);
    buf_init(&proof, 8192);
    (void)proof_of(&proof, HEADER, PAYLOAD);
    for (size_t i = 0; i < proof.len; i++) {
        proof.ptr[i] ^= 1;
        CHECK_INT(read_proof(&out, buf_bytes(&proof)), ERR_MALFORMED);
        proof.ptr[i] ^= 1;
        CHECK_INT(read_proof(&out, bytes_of(proof.ptr, i)), ERR_MALFORMED);
    }
    CHECK_INT(read_proof(&out, buf_bytes(&proof)), ERR_OK);
    buf_release(&proof);
}

static void limits_the_jti(void)
{
    char payload[600], jti[DPOP_JTI_MAX + 2];
    struct buf proof;
    struct dpop out;

    buf_init(&proof, 8192);
    for (size_t len = DPOP_JTI_MAX; len <= DPOP_JTI_MAX + 1; len++) {
        memset(jti, 'j', len);
        jti[len] = 0;
        (void)snprintf(payload, sizeof payload, "{\"jti\":\"%s\",\"htm\":\"GET\",\"htu\":\"/\",\"iat\":1}",
                       jti);
        CHECK_INT(read_proof(&out, proof_of(&proof, HEADER, payload)),
                  len <= DPOP_JTI_MAX ? ERR_OK : ERR_MALFORMED);
    }
    buf_release(&proof);
}

static void gives_the_facts(void)
{
    struct buf proof;
    struct dpop out;
    struct arena none;

    buf_init(&proof, 8192);
    CHECK_INT(read_proof(&out, proof_of(&proof, HEADER,
                                        "{\"jti\":\"j\",\"iat\":5,\"rpc\":\"request\",\"mth\":\"open\","
                                        "\"ath\":\"A\",\"nonce\":\"N\",\"other\":[]}")),
              ERR_OK);
    CHECK_BYTES(out.rpc, BYTES("request"));
    CHECK_BYTES(out.mth, BYTES("open"));
    CHECK_BYTES(out.ath, BYTES("A"));
    CHECK_BYTES(out.nonce, BYTES("N"));
    CHECK_INT(out.iat_s, 5);
    CHECK(bytes_is_absent(out.htm) && bytes_is_absent(out.htu));
    CHECK(jwk_is_thumbprint(bytes_of(out.jkt, sizeof out.jkt)));
    arena_init(&none, 16);
    CHECK_INT(dpop_read(&out, &none, crypto, proof_of(&proof, HEADER, PAYLOAD)), ERR_NO_MEMORY);
    arena_release(&none);
    buf_release(&proof);
}

/* What the proof alone decides. Target, window, token and nonce are policy: the service tests run those. */
static bool is_policy(const char *group)
{
    static const char *const groups[] = {"htu", "htu-norm", "htm", "iat", "ath", "nonce", "rpc"};

    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (!strcmp(group, groups[i])) return true;
    return false;
}

static void run_proof_cases(json_t *file)
{
    json_t *row;
    size_t i;

    json_array_foreach(json_object_get(file, "cases"), i, row)
    {
        const char *expect = json_string_value(json_object_get(row, "expect"));
        const char *group = json_string_value(json_object_get(row, "group"));
        struct bytes wanted_jkt = vector_text(row, "jkt");
        bool binds = json_object_get(json_object_get(row, "request"), "expected_jkt") != NULL;
        struct dpop out;
        bool is_good = read_proof(&out, vector_text(row, "proof")) == ERR_OK;

        CHECK_NOTE("%s/%s: %s", group, json_string_value(json_object_get(row, "id")),
                   json_string_value(json_object_get(row, "why")));
        if (!strcmp(expect, "accept")) CHECK(is_good);
        if (!strcmp(expect, "reject") && !is_policy(group) && !binds) CHECK(!is_good);
        if (is_good && !bytes_is_absent(wanted_jkt))
            CHECK_BYTES(bytes_of(out.jkt, sizeof out.jkt), wanted_jkt);
    }
    json_decref(file);
}

static void our_proof_cases(void)
{
    vector_each("own/dpop_cases.json", run_proof_cases);
}

static void the_rfcs_proofs(void)
{
    static const char *const names[] = {"rfc9449_token_request", "rfc9449_resource_request"};
    json_t *file = vector_own("rfc/rfc_facts.json"), *vectors = json_object_get(file, "vectors");

    for (size_t i = 0; i < 2; i++) {
        const json_t *entry = json_object_get(vectors, names[i]);
        struct dpop out;
        CHECK_NOTE("%s", names[i]);
        CHECK_INT(read_proof(&out, vector_text(entry, "proof")), ERR_OK);
        CHECK_BYTES(bytes_of(out.jkt, sizeof out.jkt), vector_text(entry, "jkt"));
        CHECK_BYTES(out.htm, vector_text(entry, "htm"));
        CHECK_BYTES(out.htu, vector_text(entry, "htu"));
        CHECK_BYTES(out.ath, vector_text(entry, "ath"));
        CHECK_INT(out.iat_s, json_integer_value(json_object_get(entry, "iat")));
    }
    json_decref(file);
}

int main(void)
{
    struct secret key;

    if (crypto_new(&crypto) != ERR_OK || crypto_key_generate(crypto, ALG_ES256, &key) != ERR_OK ||
        crypto_sign_new(&sign, crypto, ALG_ES256, &key) != ERR_OK || crypto_public_of(sign, x, y) != ERR_OK)
        return EXIT_FAILURE;
    CHECK_RUN(refuses_headers);
    CHECK_RUN(refuses_payloads);
    CHECK_RUN(refuses_size_and_every_changed_byte);
    CHECK_RUN(limits_the_jti);
    CHECK_RUN(gives_the_facts);
    CHECK_RUN(our_proof_cases);
    CHECK_RUN(the_rfcs_proofs);
    crypto_sign_free(sign);
    secret_release(&key);
    crypto_free(crypto);
    return CHECK_END();
}
