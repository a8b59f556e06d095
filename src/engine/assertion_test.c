#include "engine/assertion.h"
#include "harness/check.h"

#define NOW    1767225600
#define CLIENT "cli_0123456789abcdef01234567"
#define TEXT(text)                                                                                           \
    {                                                                                                        \
        (const uint8_t *)(text), sizeof(text) - 1                                                            \
    }

static const struct assertion_facts good = {.typ = {NULL, 0},
                                            .iss = TEXT(CLIENT),
                                            .sub = TEXT(CLIENT),
                                            .aud = TEXT("https://a.test"),
                                            .jti = TEXT("j1"),
                                            .exp_s = NOW + 60,
                                            .iat_s = -1,
                                            .nbf_s = -1};
static const struct assertion_policy here = {
    .client = TEXT(CLIENT), .client_id = {NULL, 0}, .issuer = TEXT("https://a.test"), .now_s = NOW};

static void check(struct assertion_facts facts, enum assertion_check expected)
{
    CHECK_INT(assertion_check(&facts, &here), expected);
}

static void refuses_what_a_restore_may_have_forgotten(void)
{
    static const struct {
        int64_t restored_s, exp_s, iat_s;
        enum assertion_check check;
    } rows[] = {
        {NOW, NOW + 60, -1, ASSERTION_FORGOTTEN},
        {NOW, NOW + 300, -1, ASSERTION_FORGOTTEN},
        {NOW, NOW + 60, NOW, ASSERTION_FORGOTTEN},
        {NOW, NOW + 60, NOW + 5, ASSERTION_FORGOTTEN}, /* by a clock ahead, just before it */
        {NOW - 1, NOW + 60, NOW + 5, ASSERTION_GOOD},
        {NOW - 1, NOW + 300, -1, ASSERTION_GOOD},
        {NOW - 6, NOW + 60, NOW, ASSERTION_GOOD},
        {NOW - 239, NOW + 60, -1, ASSERTION_FORGOTTEN},
        {NOW - 241, NOW + 60, -1, ASSERTION_GOOD},
        {NOW - 300, NOW + 1, -1, ASSERTION_GOOD},
        {NOW + 5, NOW + 60, NOW, ASSERTION_FORGOTTEN}, /* two restores within one second */
        {NOW + 6, NOW + 60, NOW, ASSERTION_GOOD},      /* one by a clock that was wrong */
        {1, NOW + 1, -1, ASSERTION_GOOD},              /* none */
    };
    struct assertion_policy policy = here;
    struct assertion_facts facts = good;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_NOTE("row %zu", i);
        policy.restored_s = rows[i].restored_s;
        facts.exp_s = rows[i].exp_s;
        facts.iat_s = rows[i].iat_s;
        CHECK_INT(assertion_check(&facts, &policy), rows[i].check);
    }
}

static void refuses_other_types(void)
{
    static const char *const types[] = {"dpop+jwt", "at+jwt", "SAT", "", "JWTx", "text/jwt"};
    struct assertion_facts facts = good;

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        CHECK_NOTE("typ %s", types[i]);
        facts.typ = bytes_of_text(types[i]);
        check(facts, ASSERTION_TYP);
    }
}

static void refuses_other_names(void)
{
    static const char *const others[] = {"", "cli_0123456789abcdef01234568", "cli_0123456789abcdef0123456",
                                         "cli_0123456789abcdef012345670", "CLI_0123456789abcdef01234567"};
    struct assertion_policy policy = here;

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct assertion_facts by_other = good, of_other = good;
        CHECK_NOTE("name %s", others[i]);
        by_other.iss = of_other.sub = policy.client_id = bytes_of_text(others[i]);
        check(by_other, ASSERTION_ISS);
        check(of_other, ASSERTION_SUB);
        CHECK_INT(assertion_check(&good, &policy), ASSERTION_CLIENT_ID);
    }
    check((struct assertion_facts){.sub = good.sub, .aud = good.aud, .jti = good.jti, .exp_s = NOW + 60},
          ASSERTION_ISS);
}

static void refuses_other_servers(void)
{
    static const char *const others[] = {
        "https://b.test",          "https://a.test/", "https://a.test/oauth/token",
        "https://a.test:443",      "http://a.test",   "HTTPS://a.test",
        "https://a.test.evil.com", "a.test",          ""};
    struct assertion_facts facts = good;

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CHECK_NOTE("aud %s", others[i]);
        facts.aud = bytes_of_text(others[i]);
        check(facts, ASSERTION_AUD);
    }
    facts.aud = BYTES_NONE;
    check(facts, ASSERTION_AUD);
}

static void refuses_other_times(void)
{
    static const struct {
        int64_t exp_s, iat_s, nbf_s;
        enum assertion_check expected;
    } rows[] = {
        {-1, -1, -1, ASSERTION_EXP},
        {0, -1, -1, ASSERTION_EXP},
        {NOW - 1, -1, -1, ASSERTION_EXP},
        {NOW, -1, -1, ASSERTION_EXP},
        {NOW + 301, -1, -1, ASSERTION_EXP_FAR},
        {INT64_MAX, -1, -1, ASSERTION_EXP_FAR},
        {NOW + 60, NOW + 6, -1, ASSERTION_IAT},
        {NOW + 60, INT64_MAX, -1, ASSERTION_IAT},
        {NOW + 60, NOW, NOW + 6, ASSERTION_NBF},
        {NOW + 60, -1, INT64_MAX, ASSERTION_NBF},
        {NOW + 1, -1, -1, ASSERTION_GOOD},
        {NOW + 300, NOW + 5, NOW + 5, ASSERTION_GOOD},
        {NOW + 300, 0, 0, ASSERTION_GOOD},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct assertion_facts facts = good;
        CHECK_NOTE("row %zu", i);
        facts.exp_s = rows[i].exp_s;
        facts.iat_s = rows[i].iat_s;
        facts.nbf_s = rows[i].nbf_s;
        check(facts, rows[i].expected);
    }
}

static void refuses_what_cannot_be_told_apart(void)
{
    struct assertion_facts facts = good;

    facts.jti = BYTES_NONE;
    check(facts, ASSERTION_JTI);
    facts.jti = BYTES("");
    check(facts, ASSERTION_JTI);
}

static void takes_the_good(void)
{
    static const char *const types[] = {"JWT", "jwt", "client-authentication+jwt",
                                        "application/client-authentication+jwt"};
    struct assertion_policy policy = here;
    struct assertion_facts facts = good;

    check(good, ASSERTION_GOOD);
    policy.client_id = BYTES(CLIENT);
    CHECK_INT(assertion_check(&good, &policy), ASSERTION_GOOD);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        facts.typ = bytes_of_text(types[i]);
        check(facts, ASSERTION_GOOD);
    }
    CHECK(strcmp(assertion_check_name(ASSERTION_EXP_FAR), "assertion.exp") == 0);
}

int main(void)
{
    CHECK_RUN(refuses_other_types);
    CHECK_RUN(refuses_what_a_restore_may_have_forgotten);
    CHECK_RUN(refuses_other_names);
    CHECK_RUN(refuses_other_servers);
    CHECK_RUN(refuses_other_times);
    CHECK_RUN(refuses_what_cannot_be_told_apart);
    CHECK_RUN(takes_the_good);
    return CHECK_END();
}
