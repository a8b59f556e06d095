#include "engine/proof.h"
#include "harness/check.h"

#define NOW 1767225600

static const struct proof_facts http_facts = {
    .jkt = {(const uint8_t *)"thumb", 5},
    .jti = {(const uint8_t *)"j1", 2},
    .iat_s = NOW,
    .htm = {(const uint8_t *)"POST", 4},
    .htu = {(const uint8_t *)"https://a.test/x/token", 22},
};
static const struct proof_policy http_policy = {
    .profile = PROOF_STRICT,
    .now_s = NOW,
    .htm = {(const uint8_t *)"POST", 4},
    .htu = {(const uint8_t *)"https://a.test/x/token", 22},
};
static const struct proof_facts socket_facts = {
    .jkt = {(const uint8_t *)"thumb", 5},
    .jti = {(const uint8_t *)"j1", 2},
    .iat_s = NOW,
    .rpc = {(const uint8_t *)"request", 7},
    .mth = {(const uint8_t *)"open", 4},
};
static const struct proof_policy socket_policy = {
    .profile = PROOF_VENDOR,
    .now_s = NOW,
    .rpc = {(const uint8_t *)"request", 7},
    .mth = {(const uint8_t *)"open", 4},
};

static void refuses_another_target(void)
{
    static const char *const targets[] = {
        "",
        "https://b.test/x/token",
        "https://a.test@b.test/x/token",
        "https://u@a.test/x/token",
        "https://a.test:8443/x/token",
        "https://a.test:80/x/token",
        "http://a.test/x/token",
        "https://a.test/X/token",
        "https://a.test/x/./token",
        "https://a.test/x/y/../token",
        "https://a.test/x/token/",
        "https://a.test/x/%74oken",
        "https://a.test/x%2ftoken",
        "https://a.test\\x\\token",
        "https://a.test/x/toke",
        "https://a.test/x/tokens",
        " https://a.test/x/token",
        "https:/a.test/x/token",
        "https:a.test/x/token",
        "//a.test/x/token",
        "/x/token",
        "https://a.test",
        "https://a.test:443:443/x/token",
        "https://a.test?/x/token",
        ":",
        "https://",
    };
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct proof_facts facts = http_facts;
        CHECK_NOTE("%s", targets[i]);
        facts.htu = bytes_of_text(targets[i]);
        CHECK_INT(proof_check(&facts, &http_policy), REFUSAL_PROOF_INVALID);
    }
}

static void takes_equal_spellings_of_the_target(void)
{
    static const char *const targets[] = {
        "https://a.test/x/token",   "https://a.test:443/x/token", "HTTPS://A.TEST/x/token",
        "https://a.test/x/token?q", "https://a.test/x/token#f",   "https://a.test/x/token?q#f?g",
    };
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct proof_facts facts = http_facts;
        CHECK_NOTE("%s", targets[i]);
        facts.htu = bytes_of_text(targets[i]);
        CHECK_INT(proof_check(&facts, &http_policy), REFUSAL_NONE);
    }
    CHECK(proof_same_target(BYTES("http://a:80"), BYTES("http://a/")));
    CHECK(!proof_same_target(BYTES("http://a:443/"), BYTES("http://a/")));
    CHECK(!proof_same_target(BYTES("x"), BYTES("/x")));
}

static void profiles_never_mix(void)
{
    struct proof_facts facts = http_facts;
    struct proof_policy policy = http_policy;

    policy.profile = PROOF_VENDOR;
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_PROOF_INVALID); /* an absolute htu where a path is due */
    facts.htu = policy.htu = BYTES("/x/token");
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_NONE);
    policy.profile = PROOF_STRICT;
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_PROOF_INVALID); /* a path where a URL is due */
    policy = socket_policy;
    policy.profile = PROOF_STRICT;
    CHECK_INT(proof_check(&socket_facts, &policy), REFUSAL_PROOF_INVALID);
    policy.profile = PROOF_PROFILE_COUNT;
    CHECK_INT(proof_check(&socket_facts, &policy), REFUSAL_PROOF_INVALID);
}

static void forms_never_mix(void)
{
    struct proof_facts facts = socket_facts;
    struct proof_policy policy = socket_policy;

    CHECK_INT(proof_check(&facts, &policy), REFUSAL_NONE);
    facts.mth = BYTES("close");
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_PROOF_INVALID);
    facts.mth = BYTES("Open");
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_PROOF_INVALID);
    facts = socket_facts;
    facts.rpc = BYTES("response");
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_PROOF_INVALID);
    facts = socket_facts;
    facts.htm = BYTES("POST"), facts.htu = BYTES("/");
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_PROOF_INVALID);
    facts = http_facts;
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_PROOF_INVALID);
    CHECK_INT(proof_check(&socket_facts, &http_policy), REFUSAL_PROOF_INVALID);
    facts.rpc = BYTES("request"), facts.mth = BYTES("open");
    CHECK_INT(proof_check(&facts, &http_policy), REFUSAL_PROOF_INVALID);
    CHECK_INT(proof_check(&http_facts, &(struct proof_policy){.now_s = NOW}), REFUSAL_PROOF_INVALID);
}

static void refuses_another_method(void)
{
    static const char *const methods[] = {"", "post", "GET", "POST ", "HEAD"};

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        struct proof_facts facts = http_facts;
        facts.htm = bytes_of_text(methods[i]);
        CHECK_INT(proof_check(&facts, &http_policy), REFUSAL_PROOF_INVALID);
    }
}

static void keeps_the_window(void)
{
    static const struct {
        enum proof_profile profile;
        int64_t iat_s;
        enum refusal wanted;
    } rows[] = {
        {PROOF_STRICT, NOW - 60, REFUSAL_NONE},
        {PROOF_STRICT, NOW - 61, REFUSAL_PROOF_INVALID},
        {PROOF_STRICT, NOW + 5, REFUSAL_NONE},
        {PROOF_STRICT, NOW + 6, REFUSAL_PROOF_INVALID},
        {PROOF_STRICT, NOW * INT64_C(1000), REFUSAL_PROOF_INVALID},
        {PROOF_STRICT, -1, REFUSAL_PROOF_INVALID},
        {PROOF_STRICT, INT64_MIN, REFUSAL_PROOF_INVALID},
        {PROOF_STRICT, INT64_MAX, REFUSAL_PROOF_INVALID},
        {PROOF_STRICT, 0, REFUSAL_PROOF_INVALID},
        {PROOF_VENDOR, NOW - 300, REFUSAL_NONE},
        {PROOF_VENDOR, NOW - 301, REFUSAL_PROOF_INVALID},
        {PROOF_VENDOR, NOW + 300, REFUSAL_NONE},
        {PROOF_VENDOR, NOW + 301, REFUSAL_PROOF_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct proof_facts facts = rows[i].profile == PROOF_STRICT ? http_facts : socket_facts;
        facts.iat_s = rows[i].iat_s;
        CHECK_NOTE("row %zu", i);
        CHECK_INT(proof_check(&facts, rows[i].profile == PROOF_STRICT ? &http_policy : &socket_policy),
                  rows[i].wanted);
    }
    CHECK_INT(proof_keep_s(PROOF_VENDOR), 600);
    CHECK(proof_keep_s(PROOF_STRICT) >= 65);
}

static void binds_to_token_and_key(void)
{
    struct proof_facts facts = http_facts;
    struct proof_policy policy = http_policy;

    policy.ath = BYTES("hash");
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_PROOF_INVALID);
    facts.ath = BYTES("has");
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_PROOF_INVALID);
    facts.ath = BYTES("hash");
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_NONE);
    policy.jkt = BYTES("other");
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_PROOF_INVALID);
    policy.jkt = BYTES("thumb");
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_NONE);
    facts.jti = BYTES("");
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_PROOF_INVALID);
    facts = http_facts;
    facts.jkt = BYTES_NONE;
    CHECK_INT(proof_check(&facts, &http_policy), REFUSAL_PROOF_INVALID);
}

static void asks_for_a_nonce_last(void)
{
    struct proof_facts facts = http_facts;
    struct proof_policy policy = http_policy;

    policy.needs_nonce = true;
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_PROOF_NONCE);
    facts.nonce = BYTES("");
    CHECK_INT(proof_check(&facts, &policy),
              REFUSAL_PROOF_NONCE); /* no nonce given out yet is not the empty one */
    policy.nonces[0] = BYTES("n2"), policy.nonces[1] = BYTES("n1");
    facts.nonce = BYTES("n3");
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_PROOF_NONCE);
    facts.nonce = BYTES("n1");
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_NONE);
    facts.nonce = BYTES("n2");
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_NONE);
    facts.nonce = BYTES("n3"), facts.iat_s -= 61;
    CHECK_INT(proof_check(&facts, &policy), REFUSAL_PROOF_INVALID);
}

int main(void)
{
    CHECK_RUN(refuses_another_target);
    CHECK_RUN(takes_equal_spellings_of_the_target);
    CHECK_RUN(profiles_never_mix);
    CHECK_RUN(forms_never_mix);
    CHECK_RUN(refuses_another_method);
    CHECK_RUN(keeps_the_window);
    CHECK_RUN(binds_to_token_and_key);
    CHECK_RUN(asks_for_a_nonce_last);
    return CHECK_END();
}
