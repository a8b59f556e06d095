#include "token/jws.h"

#include "base/base64url.h"
#include "harness/check.h"
#include "harness/vector_json.h"
#include "token/dpop.h"

static struct crypto *crypto;

/* header.payload.signature, with the first two as plain text */
static struct bytes compact(struct buf *out, const char *header, const char *payload, const char *signature)
{
    buf_reset(out);
    base64url_append(out, bytes_of_text(header));
    buf_append_byte(out, '.');
    base64url_append(out, bytes_of_text(payload));
    buf_append_byte(out, '.');
    buf_append_text(out, signature);
    return buf_bytes(out);
}

static enum err split(struct bytes token)
{
    struct arena arena;
    struct jws jws;
    enum err e;

    arena_init(&arena, 64 * 1024);
    e = jws_split(&jws, &arena, token);
    CHECK(e == ERR_OK || bytes_is_absent(jws.signing_input));
    jws_release(&jws);
    arena_release(&arena);
    return e;
}

static void refuses_headers(void)
{
    static const char *const headers[] = {
        "",
        "{}",
        "[]",
        "\"ES256\"",
        "null",
        "{\"alg\":null}",
        "{\"alg\":256}",
        "{\"alg\":[\"ES256\"]}",
        "{\"alg\":{}}",
        "{\"alg\":\"ES256\\u0000\"}",
        "{\"alg\":\"ES256\",\"alg\":\"none\"}",
        "{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"}",
        "{\"alg\":\"ES256\",\"typ\":1}",
        "{\"alg\":\"ES256\",\"typ\":null}",
        "{\"alg\":\"ES256\",\"typ\":\"a\\u0000\"}",
        "{\"alg\":\"ES256\",\"kid\":1}",
        "{\"alg\":\"ES256\",\"kid\":null}",
        "{\"alg\":\"ES256\",\"kid\":[\"a\"]}",
        "{\"alg\":\"ES256\",\"kid\":\"a\\u0000b\"}",
        "{\"alg\":\"ES256\",\"crit\":[]}",
        "{\"alg\":\"ES256\",\"crit\":\"exp\"}",
        "{\"alg\":\"ES256\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"ES256\",\"crit\":null}",
        "{\"alg\":\"ES256\",\"b64\":true}",
        "{\"alg\":\"ES256\",\"b64\":false}",
        "{\"alg\":\"ES256\",\"zip\":\"DEF\"}",
        "{\"alg\":\"ES256\"}x",
        "{\"alg\":\"ES256\"}{}",
        "\xef\xbb\xbf{\"alg\":\"ES256\"}",
        "{\"alg\":\"ES256\",\"x\":\"\xc0\xaf\"}",
        "{\"alg\":\"ES256\",\"x\":\"\\ud800\"}",
    };
    struct buf token;

    buf_init(&token, 4096);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        CHECK_NOTE("%s", headers[i]);
        CHECK_INT(split(compact(&token, headers[i], "{}", "AAAA")), ERR_MALFORMED);
    }
    CHECK_INT(split(compact(&token, "{\"\\u0061lg\":\"ES256\"}", "{}", "AAAA")), ERR_OK); /* the same name */
    buf_release(&token);
}

static void refuses_forms(void)
{
    static const char *const tokens[] = {
        "",
        ".",
        "..",
        "...",
        "a",
        "eyJhbGciOiJFUzI1NiJ9",
        "eyJhbGciOiJFUzI1NiJ9.e30",
        "eyJhbGciOiJFUzI1NiJ9.e30.",
        ".e30.AAAA",
        ".eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
        "eyJhbGciOiJFUzI1NiJ9.e30.AAAA.",
        "eyJhbGciOiJFUzI1NiJ9.e30.AAAA.AAAA",
        "eyJhbGciOiJFUzI1NiJ9.e30.AAAA.AAAA.AAAA",
        "eyJhbGciOiJFUzI1NiJ9.e30.AAAA\n",
        " eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
        "eyJhbGciOiJFUzI1NiJ9.e30.AA==",
        "eyJhbGciOiJFUzI1NiJ9.e30=.AAAA",
        "eyJhbGciOiJFUzI1NiJ9.e31.AAAA", /* unused bits */
        "eyJhbGciOiJFUzI1NiJ9.e30.AAB",
        "eyJhbGciOiJFUzI1NiJ9.e30.AAAAA",
        "eyJhbGciOiJFUzI1NiJ9.e30.AA+A",
        "eyJhbGciOiJFUzI1NiJ9.e30.AA/A",
        "{\"payload\":\"e30\",\"signatures\":[]}",
    };
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        CHECK_NOTE("%s", tokens[i]);
        CHECK_INT(split(bytes_of_text(tokens[i])), ERR_MALFORMED);
    }
    CHECK_INT(split(BYTES("eyJhbGciOiJFUzI1NiJ9.e30.AAA\0")), ERR_MALFORMED);
    CHECK_INT(split(BYTES_NONE), ERR_MALFORMED);
    CHECK_INT(split(BYTES("eyJhbGciOiJFUzI1NiJ9.e30.AAAA")), ERR_OK);
}

static void refuses_size_before_work(void)
{
    static uint8_t token[JWS_MAX + 1];

    memset(token, 'A', sizeof token);
    CHECK_INT(split(bytes_of(token, sizeof token)), ERR_TOO_LARGE);
    CHECK_INT(split(bytes_of(token, JWS_MAX)), ERR_MALFORMED);
}

static void says_when_memory_is_out(void)
{
    for (size_t max = 0; max < 24; max += 8) {
        struct arena arena;
        struct jws jws;
        arena_init(&arena, max);
        CHECK_INT(jws_split(&jws, &arena, BYTES("eyJhbGciOiJFUzI1NiJ9.e30.AAAA")), ERR_NO_MEMORY);
        CHECK(!jws.header.node);
        arena_release(&arena);
    }
}

static void splits_what_it_signs(enum alg alg)
{
    struct secret private_key;
    struct crypto_sign *sign;
    struct crypto_check *check;
    uint8_t x[32] = {0}, y[32] = {0};
    struct crypto_public public = {.alg = alg, .x = bytes_of(x, 32), .y = bytes_of(y, 32)};
    struct buf header, token;
    struct arena arena;
    struct jws jws;

    buf_init(&header, 1024), buf_init(&token, JWS_MAX), arena_init(&arena, JWS_MAX * 2);
    CHECK_INT(crypto_key_generate(crypto, alg, &private_key), ERR_OK);
    CHECK_INT(crypto_sign_new(&sign, crypto, alg, &private_key), ERR_OK);
    CHECK_INT(crypto_public_of(sign, x, y), ERR_OK);
    CHECK_INT(crypto_check_new(&check, crypto, &public), ERR_OK);
    jws_header(&header, alg, BYTES("SAT"), BYTES("k1"), BYTES("puc.example"));
    buf_append_text(&token, "before ");
    CHECK_INT(jws_sign(&token, sign, buf_bytes(&header), BYTES("{\"a\":1}")), ERR_OK);
    CHECK_INT(jws_split(&jws, &arena, bytes_from(buf_bytes(&token), 7)), ERR_OK);
    CHECK_BYTES(jws.alg, bytes_of_text(alg_jose(alg)));
    CHECK_BYTES(jws.typ, BYTES("SAT"));
    CHECK_BYTES(jws.kid, BYTES("k1"));
    CHECK_BYTES(json_text(json_member(jws.header, "ch")), BYTES("puc.example"));
    CHECK_BYTES(jws.payload, BYTES("{\"a\":1}"));
    CHECK(crypto_check(check, jws.signing_input, jws.signature));
    jws_release(&jws);
    crypto_check_free(check), crypto_sign_free(sign), secret_release(&private_key);
    buf_release(&header), buf_release(&token), arena_release(&arena);
}

static void splits_what_es256_signs(void)
{
    splits_what_it_signs(ALG_ES256);
}
static void splits_what_eddsa_signs(void)
{
    splits_what_it_signs(ALG_EDDSA);
}

static void leaves_nothing_unsigned(void)
{
    struct secret private_key;
    struct crypto_sign *sign;

    CHECK_INT(crypto_key_generate(crypto, ALG_EDDSA, &private_key), ERR_OK);
    CHECK_INT(crypto_sign_new(&sign, crypto, ALG_EDDSA, &private_key), ERR_OK);
    for (size_t max = 0; max < 96; max++) {
        struct buf out;
        buf_init(&out, max);
        CHECK_INT(jws_sign(&out, sign, BYTES("aGVhZGVy"), BYTES("{}")), ERR_TOO_LARGE);
        CHECK_INT(buf_bytes(&out).len, 0);
        buf_release(&out);
    }
    crypto_sign_free(sign), secret_release(&private_key);
}

/* A header that does not fit fails the buffer that it was meant for, and adds nothing to it. */
static void fails_whole_headers(void)
{
    static char kid[JWS_MAX];
    struct buf out;

    memset(kid, 'k', sizeof kid);
    buf_init(&out, 4 * JWS_MAX);
    buf_append_text(&out, "before");
    jws_header(&out, ALG_ES256, BYTES("at+jwt"), bytes_of(kid, sizeof kid), BYTES_NONE);
    CHECK_INT(buf_error(&out), ERR_TOO_LARGE);
    CHECK_INT(out.len, 6);
    buf_reset(&out);
    jws_header(&out, ALG_ES256, BYTES("at+jwt"), bytes_of(kid, 8), BYTES("c"));
    CHECK_INT(buf_error(&out), ERR_OK);
    buf_release(&out);
}

/* The way of a caller: the key by kid, the algorithm from the key, the header only has to agree. */
static bool verifies(struct bytes token, struct json keys)
{
    struct arena arena;
    struct jws jws;
    struct jwk jwk;
    bool is_good = false;

    arena_init(&arena, 4 * JWS_MAX);
    if (jws_split(&jws, &arena, token) == ERR_OK) {
        for (size_t i = 0; i < json_count(keys); i++) {
            struct json key = json_item(keys, i);
            struct crypto_check *check = NULL;
            struct crypto_public public;
            struct bytes kid = json_text(json_member(key, "kid"));
            if (!bytes_is_absent(kid) && (bytes_is_absent(jws.kid) || !bytes_equal(kid, jws.kid))) continue;
            if (jwk_read(&jwk, key) != ERR_OK || alg_of_jose(jws.alg) != jwk.alg) continue;
            public = jwk_public(&jwk);
            if (crypto_check_new(&check, crypto, &public) == ERR_OK)
                is_good = is_good || crypto_check(check, jws.signing_input, jws.signature);
            crypto_check_free(check);
        }
    }
    jws_release(&jws);
    arena_release(&arena);
    return is_good;
}

static bool alg_is_ours(const json_t *key)
{
    return alg_of_jose(vector_text(key, "alg")) != ALG_NONE || !json_object_get(key, "alg");
}

/* JWE is another format, with five parts: nobody here may take it for a signed one. */
static void refuses_as_jwe(const json_t *test)
{
    const json_t *member = json_object_get(test, "jwe");
    char *text = json_is_string(member) ? NULL : json_dumps(member, JSON_COMPACT);
    struct bytes token = text ? bytes_of_text(text) : vector_text(test, "jwe");
    struct arena arena;
    struct dpop proof;
    struct jws jws;

    CHECK_NOTE("tcId %d", (int)json_integer_value(json_object_get(test, "tcId")));
    arena_init(&arena, 8 * JWS_MAX);
    CHECK(jws_split(&jws, &arena, token) != ERR_OK);
    CHECK(!jws.header.node && bytes_is_absent(jws.signing_input));
    CHECK_INT(dpop_read(&proof, &arena, crypto, token), ERR_MALFORMED);
    CHECK(bytes_is_absent(proof.jti));
    arena_release(&arena);
    free(text);
}

static size_t run_group(const json_t *group)
{
    const json_t *given = json_object_get(group, "public"), *first;
    json_t *test, *list;
    struct json keys;
    char *text;
    size_t t;

    if (!given) given = json_object_get(group, "private");
    list = json_object_get(given, "keys") ? json_incref(json_object_get(given, "keys"))
                                          : json_pack("[O]", (json_t *)(uintptr_t)given);
    first = json_array_get(list, 0);
    text = json_dumps(list, JSON_COMPACT);
    CHECK_INT(json_read(&keys, bytes_of_text(text)), ERR_OK);
    json_array_foreach(json_object_get(group, "tests"), t, test)
    {
        if (json_object_get(test, "jwe")) {
            refuses_as_jwe(test);
            continue;
        }
        bool is_valid = !strcmp(json_string_value(json_object_get(test, "result")), "valid");
        char *whole = json_is_string(json_object_get(test, "jws"))
                          ? NULL
                          : json_dumps(json_object_get(test, "jws"), JSON_COMPACT);
        struct bytes token = whole ? bytes_of_text(whole) : vector_text(test, "jws");
        CHECK_NOTE("%s tcId %d %s", json_string_value(json_object_get(group, "comment")),
                   (int)json_integer_value(json_object_get(test, "tcId")),
                   json_string_value(json_object_get(test, "comment")));
        if (!is_valid)
            CHECK(!verifies(token, keys));
        else if (alg_is_ours(first))
            CHECK(verifies(token, keys));
        free(whole);
    }
    json_free(keys);
    free(text);
    json_decref(list);
    return t;
}

static void run_published(const char *name)
{
    json_t *file = vector_foreign(name), *group;
    size_t g, ran = 0;

    json_array_foreach(json_object_get(file, "testGroups"), g, group) ran += run_group(group);
    if (file) printf("     %zu cases\n", ran);
    json_decref(file);
}

static void the_published_signature_cases(void)
{
    run_published("wycheproof/json_web_signature_test.json");
}
static void the_published_key_cases(void)
{
    run_published("wycheproof/json_web_key_test.json");
}

static void the_published_encryption_cases(void)
{
    run_published("wycheproof/json_web_encryption_test.json");
}
static void the_published_mixed_cases(void)
{
    run_published("wycheproof/json_web_crypto_test.json");
}

static void rfc_case(const json_t *vectors, const char *name, bool is_good)
{
    const json_t *entry = json_object_get(vectors, name);
    json_t *key = json_deep_copy(json_object_get(entry, "jwk"));
    char *text;
    struct json document;

    CHECK_NOTE("%s", name);
    (void)json_object_del(key, "d");
    text = key ? json_dumps(key, JSON_COMPACT) : NULL;
    {
        struct buf list;
        buf_init(&list, 8192);
        buf_append_text(&list, "[");
        buf_append_text(&list, text ? text : "");
        buf_append_text(&list, "]");
        CHECK_INT(json_read(&document, buf_bytes(&list)), ERR_OK);
        buf_release(&list);
    }
    CHECK(verifies(vector_text(entry, "jws"), document) == is_good);
    json_free(document);
    free(text);
    json_decref(key);
}

static void the_rfcs_examples(void)
{
    json_t *file = vector_own("rfc/rfc_facts.json"), *vectors = json_object_get(file, "vectors");

    rfc_case(vectors, "rfc7515_A1_hs256", false);
    rfc_case(vectors, "rfc7515_A2_rs256", true);
    rfc_case(vectors, "rfc7515_A3_es256", true);
    rfc_case(vectors, "rfc7515_A5_none", false);
    rfc_case(vectors, "rfc7515_E_crit", false);
    rfc_case(vectors, "rfc8037_A", true);
    json_decref(file);
}

/* RFC 8037 A.4: Ed25519 is deterministic, so our signature is the RFC's. */
static void signs_as_rfc_8037(void)
{
    json_t *file = vector_own("rfc/rfc_facts.json"),
           *entry = json_object_get(json_object_get(file, "vectors"), "rfc8037_A");
    struct secret key = {.len = 32};
    struct crypto_sign *sign;
    struct buf out;
    size_t len;

    buf_init(&out, 1024);
    CHECK_INT(base64url_read(key.data, 32, &len, vector_text(json_object_get(entry, "jwk"), "d")), ERR_OK);
    CHECK_INT(crypto_sign_new(&sign, crypto, ALG_EDDSA, &key), ERR_OK);
    CHECK_INT(jws_sign(&out, sign, BYTES("eyJhbGciOiJFZERTQSJ9"), vector_text(entry, "payload")), ERR_OK);
    CHECK_BYTES(buf_bytes(&out), vector_text(entry, "jws"));
    crypto_sign_free(sign);
    buf_release(&out);
    json_decref(file);
}

int main(void)
{
    if (crypto_new(&crypto) != ERR_OK) return EXIT_FAILURE;
    CHECK_RUN(refuses_headers);
    CHECK_RUN(refuses_forms);
    CHECK_RUN(refuses_size_before_work);
    CHECK_RUN(says_when_memory_is_out);
    CHECK_RUN(splits_what_es256_signs);
    CHECK_RUN(splits_what_eddsa_signs);
    CHECK_RUN(leaves_nothing_unsigned);
    CHECK_RUN(fails_whole_headers);
    CHECK_RUN(the_published_signature_cases);
    CHECK_RUN(the_published_key_cases);
    CHECK_RUN(the_published_encryption_cases);
    CHECK_RUN(the_published_mixed_cases);
    CHECK_RUN(the_rfcs_examples);
    CHECK_RUN(signs_as_rfc_8037);
    crypto_free(crypto);
    return CHECK_END();
}
