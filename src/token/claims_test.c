#include "token/claims.h"

#include "harness/check.h"
#include "harness/vector_json.h"
#include "token/jwk.h"
#include "token/jws.h"

#define NOW 1767225600
#define P   "6b7ad3c1-8a0e-4a1b-9c6d-0f1e2d3c4b5a"

static enum err read_text(struct claims *out, struct arena *arena, const char *text)
{
    return claims_read(out, arena, bytes_of_text(text), BYTES("ws"));
}

static const char *const bad_texts[] = {
    "",
    "[]",
    "1",
    "null",
    "\"iss\"",
    "{}{}",
    "{} x",
    "{\"exp\":NaN}",
    "{\"exp\":1 /* a */}",
    "{\"iss\":1}",
    "{\"iss\":[\"a\"]}",
    "{\"iss\":\"\"}",
    "{\"iss\":null}",
    "{\"iss\":\"a\\u0000b\"}",
    "{\"sub\":7}",
    "{\"sub\":\"a\\u0000\"}",
    "{\"sub\":\"\\ud800\"}",
    "{\"sub\":\"a\",\"sub\":\"b\"}",
    "{\"sub\":\"a\",\"s\\u0075b\":\"b\"}",
    "{\"jti\":{}}",
    "{\"jti\":\"\\u0000\"}",
    "{\"aud\":1}",
    "{\"aud\":null}",
    "{\"aud\":{\"ws\":1}}",
    "{\"aud\":\"ws\\u0000x\"}",
    "{\"aud\":[\"ws\",1]}",
    "{\"aud\":[\"ws\",\"a\\u0000\"]}",
    "{\"exp\":\"1767225600\"}",
    "{\"exp\":true}",
    "{\"exp\":null}",
    "{\"exp\":[1]}",
    "{\"exp\":-1}",
    "{\"exp\":1e400}",
    "{\"exp\":1.767226e9}",
    "{\"exp\":1767225600.5}",
    "{\"exp\":1767225600.0}",
    "{\"exp\":01767225600}",
    "{\"exp\":9223372036854775808}",
    "{\"exp\":18446744073709551617}",
    "{\"exp\":-9223372036854775809}",
    "{\"iat\":\"1\"}",
    "{\"iat\":-1}",
    "{\"nbf\":1.5}",
    "{\"nbf\":false}",
    "{\"gt\":\"1\"}",
    "{\"gt\":-1}",
    "{\"age\":1.0}",
    "{\"prj\":1}",
    "{\"prj\":\"\"}",
    "{\"prj\":\"6b7ad3c18a0e4a1b9c6d0f1e2d3c4b5a\"}",
    /* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): P is a part of this text */
    "{\"prj\":\"" P " \"}",
    "{\"prj\":\"00000000-0000-0000-0000-000000000000\"}",
    "{\"fam\":[]}",
    "{\"app\":\"x\"}",
    "{\"res\":\"x\"}",
    "{\"kind\":\"\"}",
    "{\"kind\":\"Guest\"}",
    "{\"kind\":\"admin\"}",
    "{\"kind\":1}",
    "{\"kind\":\"guest\\u0000\"}",
    "{\"scope\":[\"a\"]}",
    "{\"par\":1}",
    "{\"adr\":\"" P "\"}",
    "{\"adr\":[1]}",
    "{\"adr\":[\"x\"]}",
    "{\"adr\":[\"" P "\",\"00000000-0000-0000-0000-000000000000\"]}",
    "{\"adr\":[\"" P "\",\"" P "\",\"" P "\",\"" P "\",\"" P "\",\"" P "\",\"" P "\",\"" P "\",\"" P "\",\"" P
    "\",\"" P "\"]}",
    "{\"cnf\":1}",
    "{\"cnf\":{}}",
    "{\"cnf\":null}",
    "{\"cnf\":{\"jwk\":{}}}",
    "{\"cnf\":{\"jkt\":\"short\"}}",
    "{\"cnf\":{\"jkt\":\"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xt\"}}",
};

static void refuses_types(void)
{
    for (size_t i = 0; i < sizeof bad_texts / sizeof *bad_texts; i++) {
        struct claims claims, zero;
        struct arena arena;
        memset(&zero, 0, sizeof zero);
        arena_init(&arena, 4096);
        CHECK_NOTE("%.200s", bad_texts[i]);
        CHECK_INT(read_text(&claims, &arena, bad_texts[i]), ERR_MALFORMED);
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): both were filled with zeros, gaps and all */
        CHECK(memcmp(&claims, &zero, sizeof zero) == 0);
        arena_release(&arena);
    }
}

static void refuses_long_texts(void)
{
    char text[400] = "{\"sub\":\"";
    struct claims claims;
    struct arena arena;
    size_t start = strlen(text);

    arena_init(&arena, 4096);
    memset(text + start, 'a', CLAIMS_TEXT_MAX);
    memcpy(text + start + CLAIMS_TEXT_MAX, "\"}", 3);
    CHECK_INT(read_text(&claims, &arena, text), ERR_OK);
    CHECK_INT(claims.sub.len, CLAIMS_TEXT_MAX);
    memcpy(text + start + CLAIMS_TEXT_MAX, "a\"}", 4);
    CHECK_INT(read_text(&claims, &arena, text), ERR_MALFORMED);
    arena_release(&arena);
}

static void picks_our_audience(void)
{
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"{\"aud\":\"ws\"}", "ws"},          {"{\"aud\":[\"other\",\"ws\"]}", "ws"},
        {"{\"aud\":[\"other\"]}", NULL},     {"{\"aud\":[]}", NULL},
        {"{\"aud\":\"other\"}", "other"},    {"{\"aud\":[\"ws \",\"WS\"]}", NULL},
        {"{\"aud\":[\"w\",\"wss\"]}", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct claims claims;
        struct arena arena;
        arena_init(&arena, 4096);
        CHECK_NOTE("%s", rows[i].text);
        CHECK_INT(read_text(&claims, &arena, rows[i].text), ERR_OK);
        CHECK_BYTES(claims.aud, bytes_of_text(rows[i].wanted));
        arena_release(&arena);
    }
}

static struct claims good_claims(void)
{
    struct claims claims = {
        .iss = BYTES("https://a.test"),
        .aud = BYTES("ws"),
        .sub = BYTES(P),
        .jti = BYTES("j1"),
        .iat_s = NOW,
        .exp_s = NOW + 7200,
        .kind = KIND_SUBSCRIBER,
        .gt_ms = NOW * INT64_C(1000),
    };
    CHECK_INT(uuid_read(&claims.project, BYTES(P)), ERR_OK);
    return claims;
}

static const struct claims_policy policy = {
    .iss = {(const uint8_t *)"https://a.test", 14},
    .aud = {(const uint8_t *)"ws", 2},
    .now_s = NOW,
    .life_max_s = 86400,
    .requires_ours = true,
};

static void writes_what_it_reads(void)
{
    struct claims claims = good_claims(), again;
    struct claims_policy aged = policy;
    struct arena arena;
    struct buf text, second;

    buf_init(&text, 4096), buf_init(&second, 4096), arena_init(&arena, 4096);
    claims.scope = BYTES("sat:refresh \"x\""), claims.parent = BYTES("PTabc");
    claims.jkt = BYTES("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    claims.family = claims.application = claims.resource = claims.addresses[0] = claims.addresses[1] =
        claims.project;
    claims.address_count = 2, claims.age_ms = 5;
    claims_write(&text, &claims);
    CHECK_BYTES(buf_bytes(&text),
                BYTES("{\"iss\":\"https://a.test\",\"aud\":\"ws\",\"sub\":\"" P
                      "\",\"iat\":1767225600,\"exp\":1767232800,"
                      "\"jti\":\"j1\",\"prj\":\"" P
                      "\",\"kind\":\"subscriber\",\"scope\":\"sat:refresh \\\"x\\\"\","
                      "\"gt\":1767225600000,\"fam\":\"" P "\",\"par\":\"PTabc\",\"app\":\"" P
                      "\",\"adr\":[\"" P "\",\"" P "\"],\"res\":\"" P
                      "\",\"cnf\":{\"jkt\":\"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs\"},\"age\":5}"));
    CHECK_INT(claims_read(&again, &arena, buf_bytes(&text), BYTES("ws")), ERR_OK);
    claims_write(&second, &again);
    CHECK_BYTES(buf_bytes(&second), buf_bytes(&text));
    CHECK(again.address_count == 2 && uuid_equal(&again.addresses[1], &claims.project));
    CHECK_INT(claims_check(&again, &policy),
              REFUSAL_TOKEN_MALFORMED); /* older than any project of policy's */
    aged.age_max_ms = 5;
    CHECK_INT(claims_check(&again, &aged), REFUSAL_NONE);
    buf_release(&text), buf_release(&second), arena_release(&arena);
}

static void checks_each_rule(void)
{
    struct claims c;

#define CHECK_WITH(change, wanted)                                                                           \
    do {                                                                                                     \
        c = good_claims();                                                                                   \
        change;                                                                                              \
        CHECK_NOTE("%s", #change);                                                                           \
        CHECK_INT(claims_check(&c, &policy), REFUSAL_##wanted);                                              \
    } while (0)

    CHECK_WITH((void)0, NONE);
    CHECK_WITH(c.iss = BYTES_NONE, TOKEN_MALFORMED);
    CHECK_WITH(c.iss = BYTES("https://a.test/"), TOKEN_FOREIGN);
    CHECK_WITH(c.iss = BYTES("https://A.test"), TOKEN_FOREIGN);
    CHECK_WITH(c.aud = BYTES_NONE, TOKEN_FOREIGN);
    CHECK_WITH(c.aud = BYTES("w"), TOKEN_FOREIGN);
    CHECK_WITH(c.aud = BYTES("ws "), TOKEN_FOREIGN);
    CHECK_WITH(c.sub = BYTES_NONE, TOKEN_MALFORMED);
    CHECK_WITH(c.jti = BYTES_NONE, TOKEN_MALFORMED);
    CHECK_WITH(c.kind = KIND_NONE, TOKEN_MALFORMED);
    CHECK_WITH(c.gt_ms = 0, TOKEN_MALFORMED);
    CHECK_WITH(memset(&c.project, 0, sizeof c.project), TOKEN_MALFORMED);
    CHECK_WITH(c.exp_s = 0, TOKEN_MALFORMED);
    CHECK_WITH((c.iat_s = NOW - 10, c.exp_s = NOW), TOKEN_EXPIRED);
    CHECK_WITH((c.iat_s = NOW - 10, c.exp_s = NOW + 1), NONE);
    CHECK_WITH((c.iat_s = NOW - 10, c.exp_s = NOW - 1), TOKEN_EXPIRED);
    CHECK_WITH(c.exp_s = c.iat_s, TOKEN_MALFORMED);
    CHECK_WITH(c.exp_s = NOW + 86400, NONE);
    CHECK_WITH(c.exp_s = NOW + 86401, TOKEN_MALFORMED);
    CHECK_WITH(c.exp_s = INT64_MAX, TOKEN_MALFORMED);
    CHECK_WITH(c.exp_s = NOW * INT64_C(1000), TOKEN_MALFORMED);
    CHECK_WITH(c.iat_s = NOW + 5, NONE);
    CHECK_WITH(c.iat_s = NOW + 6, TOKEN_MALFORMED);
    CHECK_WITH(c.iat_s = INT64_MAX, TOKEN_MALFORMED);
    CHECK_WITH(c.iat_s = 0, TOKEN_MALFORMED);
    CHECK_WITH(c.age_ms = 1, TOKEN_MALFORMED); /* the policy's project has age 0 */
    CHECK_WITH(c.age_ms = INT64_MAX, TOKEN_MALFORMED);
    CHECK_WITH(c.nbf_s = NOW + 5, NONE);
    CHECK_WITH(c.nbf_s = NOW + 6, TOKEN_MALFORMED);
#undef CHECK_WITH
}

/* exp decides by whichever of the two times is ahead; iat and nbf by real time alone. */
static void a_moved_clock_counts_for_exp_alone(void)
{
    static const struct {
        int64_t moved_now_s, exp_s, iat_s;
        enum refusal wanted;
    } rows[] = {
        {NOW + 100, NOW + 100, NOW - 10, REFUSAL_TOKEN_EXPIRED},
        {NOW + 100, NOW + 101, NOW - 10, REFUSAL_NONE},
        {NOW + 99, NOW + 100, NOW - 10, REFUSAL_NONE},
        {NOW - 100, NOW, NOW - 200, REFUSAL_TOKEN_EXPIRED}, /* never behind real time */
        {0, NOW, NOW - 200, REFUSAL_TOKEN_EXPIRED},
        {INT64_MIN, NOW, NOW - 200, REFUSAL_TOKEN_EXPIRED},
        {INT64_MAX, NOW + 100, NOW - 10, REFUSAL_TOKEN_EXPIRED},
        {NOW + 50, NOW + 100, NOW + 6, REFUSAL_TOKEN_MALFORMED}, /* minted ahead of real time */
    };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct claims_policy moved = policy;
        struct claims c = good_claims();
        c.iat_s = rows[i].iat_s;
        c.exp_s = rows[i].exp_s;
        moved.moved_now_s = rows[i].moved_now_s;
        CHECK_NOTE("moved row %zu", i);
        CHECK_INT(claims_check(&c, &moved), rows[i].wanted);
    }
}

static void an_empty_policy_refuses(void)
{
    struct claims c = good_claims();
    struct claims_policy empty = {.now_s = NOW, .life_max_s = 86400};

    CHECK_INT(claims_check(&c, &empty), REFUSAL_TOKEN_FOREIGN);
    c.iss = c.aud = BYTES("");
    CHECK(claims_check(&c, &empty) != REFUSAL_NONE);
}

static void names_kinds(void)
{
    for (enum claims_kind kind = KIND_NONE + 1; kind < KIND_COUNT; kind++)
        CHECK_INT(claims_kind_of(bytes_of_text(claims_kind_text(kind))), kind);
    CHECK_INT(claims_kind_of(BYTES("")), KIND_NONE);
    CHECK_INT(claims_kind_of(BYTES("guest\0")), KIND_NONE);
    CHECK(claims_kind_text(KIND_COUNT)[0] == 0);
}

/* ---- our token cases: split, key by kid, algorithm from the key, signature, typ, claims, policy ---- */

static bool signature_is_good(struct crypto *crypto, const struct jws *jws, struct json keys)
{
    for (size_t i = 0; i < json_count(keys); i++) {
        struct json key = json_item(keys, i);
        struct crypto_check *check = NULL;
        struct crypto_public public;
        struct jwk jwk;
        bool is_good;
        if (bytes_is_absent(jws->kid) || !bytes_equal(json_text(json_member(key, "kid")), jws->kid)) continue;
        CHECK_INT(jwk_read(&jwk, key), ERR_OK);
        public = jwk_public(&jwk);
        if (!bytes_equal(jws->alg, bytes_of_text(alg_jose(jwk.alg)))) return false;
        CHECK_INT(crypto_check_new(&check, crypto, &public), ERR_OK);
        is_good = crypto_check(check, jws->signing_input, jws->signature);
        crypto_check_free(check);
        return is_good;
    }
    return false;
}

static bool token_is_good(struct crypto *crypto, struct bytes token, struct json keys, struct bytes typ,
                          const struct claims_policy *rules)
{
    struct arena arena;
    struct claims claims;
    struct jws jws;
    bool is_good;

    arena_init(&arena, 4 * JWS_MAX);
    is_good = jws_split(&jws, &arena, token) == ERR_OK && signature_is_good(crypto, &jws, keys) &&
              bytes_equal(jws.typ, typ) && claims_read(&claims, &arena, jws.payload, rules->aud) == ERR_OK &&
              claims_check(&claims, rules) == REFUSAL_NONE;
    jws_release(&jws);
    arena_release(&arena);
    return is_good;
}

static void run_token_cases(json_t *file)
{
    struct crypto *crypto;
    json_t *given = json_object_get(file, "policy"), *row;
    char *text = json_dumps(json_object_get(json_object_get(file, "jwks"), "keys"), JSON_COMPACT);
    struct claims_policy rules = {
        .iss = vector_text(given, "iss"),
        .aud = vector_text(given, "aud"),
        .now_s = json_integer_value(json_object_get(given, "now")),
        .life_max_s = json_integer_value(json_object_get(given, "max_lifetime_s")),
        .leeway_s = json_integer_value(json_object_get(given, "leeway_s")),
        .age_max_ms = INT64_MAX, /* the file knows no projects */
    };
    struct json keys;
    size_t i;

    CHECK_INT(crypto_new(&crypto), ERR_OK);
    CHECK_INT(json_read(&keys, bytes_of_text(text)), ERR_OK);
    json_array_foreach(json_object_get(file, "cases"), i, row)
    {
        const char *expect = json_string_value(json_object_get(row, "expect"));
        bool is_good =
            token_is_good(crypto, vector_text(row, "token"), keys, vector_text(given, "typ"), &rules);
        CHECK_NOTE("%s/%s: %s", json_string_value(json_object_get(row, "group")),
                   json_string_value(json_object_get(row, "id")),
                   json_string_value(json_object_get(row, "why")));
        if (!strcmp(expect, "accept")) CHECK(is_good);
        if (!strcmp(expect, "reject")) CHECK(!is_good);
    }
    json_free(keys);
    free(text);
    json_decref(file);
    crypto_free(crypto);
}

static void our_token_cases(void)
{
    vector_each("own/jwt_cases.json", run_token_cases);
}

int main(void)
{
    CHECK_RUN(refuses_types);
    CHECK_RUN(refuses_long_texts);
    CHECK_RUN(picks_our_audience);
    CHECK_RUN(checks_each_rule);
    CHECK_RUN(a_moved_clock_counts_for_exp_alone);
    CHECK_RUN(an_empty_policy_refuses);
    CHECK_RUN(writes_what_it_reads);
    CHECK_RUN(names_kinds);
    CHECK_RUN(our_token_cases);
    return CHECK_END();
}
