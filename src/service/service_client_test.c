/* Clients that sign assertions, and what is shown once, over the memory store. How the claims are
 * judged is engine/assertion_test.c's; here it is what becomes of the judgement, and of the jti when
 * the store fails. */
#include "harness/service_world.h"

#include "service/service_run.h"

static struct buf text;
static unsigned number;

static void introspect_init(struct asked *asked)
{
    ask_init(asked, ASK_INTROSPECT);
    asked->run.takes_keys = KEY_BIT(KEY_API_TOKEN) | KEY_BIT(KEY_CLIENT);
    asked->run.ask.credential = asserted(&text);
    asked->run.ask.introspect.token = BYTES("x");
}

static void sign(int64_t exp_s)
{
    char jti[32];

    (void)snprintf(jti, sizeof jti, "client-%u", number++);
    assert_client(&text, jti, exp_s);
}

static void check_refused(struct asked *asked, enum refusal refusal, const char *check)
{
    ask_run(asked);
    CHECK_INT(asked->run.outcome.kind, OUTCOME_REFUSED);
    CHECK_INT(asked->run.outcome.refused.refusal, refusal);
    CHECK(asked->run.outcome.refused.because == NULL);
    if (CHECK(asked->run.finding.check != NULL)) CHECK(strcmp(asked->run.finding.check, check) == 0);
    CHECK(asked->run.finding.expected[0] && asked->run.finding.seen[0]);
    ask_release(asked);
}

static void check_taken(void)
{
    struct asked asked;

    introspect_init(&asked);
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_INTROSPECTED);
    CHECK(asked.run.key && asked.run.key->kind == KEY_CLIENT);
    ask_release(&asked);
}

static void refuses_what_is_no_assertion(void)
{
    struct asked asked;

    sign(NOW_S + 60);
    introspect_init(&asked);
    asked.run.ask.credential.assertion_type = BYTES("jwt-bearer");
    check_refused(&asked, REFUSAL_ASSERTION_INVALID, "assertion.type");
    introspect_init(&asked);
    asked.run.ask.credential.token = BYTES("x");
    check_refused(&asked, REFUSAL_ASSERTION_INVALID, "assertion.form");
    introspect_init(&asked);
    asked.run.takes_keys = KEY_BIT(KEY_API_TOKEN); /* a call that clients cannot ask */
    check_refused(&asked, REFUSAL_ASSERTION_INVALID, "key.public_key");
    introspect_init(&asked);
    asked.run.ask.credential.user = BYTES("cli_0");
    check_refused(&asked, REFUSAL_ASSERTION_INVALID, "assertion.client_id");
    assert_with(&text, "{\"alg\":\"HS256\"}", "{\"iss\":\"x\"}");
    introspect_init(&asked);
    check_refused(&asked, REFUSAL_ASSERTION_INVALID, "key.known");
    sign(NOW_S);
    introspect_init(&asked);
    check_refused(&asked, REFUSAL_ASSERTION_INVALID, "assertion.exp");
    sign(NOW_S + 301);
    introspect_init(&asked);
    check_refused(&asked, REFUSAL_ASSERTION_INVALID, "assertion.exp");
}

static void refuses_two_ways_at_once(void)
{
    struct asked asked;

    sign(NOW_S + 60);
    introspect_init(&asked);
    asked.run.ask.credential.kind = CREDENTIAL_TWO;
    CHECK_INT(ask_run(&asked)->refused.refusal, REFUSAL_PARAMETER_INVALID);
    CHECK_INT(asked.run.outcome.refused.field, FIELD_ASSERTION);
    ask_release(&asked);
    check_taken();
}

static void refuses_a_secret_of_a_key_that_has_none(void)
{
    struct asked asked;
    const struct key_text *key = &world.keys[CLIENT_KEY];

    introspect_init(&asked);
    asked.run.ask.credential = (struct credential){.kind = CREDENTIAL_BASIC,
                                                   .user = bytes_of(key->id, key->id_len),
                                                   .password = bytes_of(key->secret, key->secret_len)};
    check_refused(&asked, REFUSAL_KEY_SECRET_WRONG, "key.secret");
}

static void refuses_a_page_that_signs(void)
{
    struct asked asked;

    sign(NOW_S + 60);
    introspect_init(&asked);
    asked.run.ask.origin = BYTES("https://evil.test");
    check_refused(&asked, REFUSAL_SECRET_FROM_BROWSER, "key.no_origin");
    check_taken();
}

static void takes_each_once(void)
{
    struct asked asked;
    unsigned commits = world.spy.commits;

    sign(NOW_S + 60);
    check_taken();
    CHECK_INT(world.spy.commits, commits + 1); /* nothing else was to be written */
    introspect_init(&asked);
    check_refused(&asked, REFUSAL_ASSERTION_REPLAYED, "assertion.once");
    assert_client(&text, "same", NOW_S + 60);
    check_taken();
    assert_client(&text, "same", NOW_S + 299);
    introspect_init(&asked);
    check_refused(&asked, REFUSAL_ASSERTION_REPLAYED, "assertion.once");
}

static void a_refused_ask_uses_nothing_up(void)
{
    struct asked asked;

    sign(NOW_S + 60);
    introspect_init(&asked);
    asked.run.refused = (struct refused){REFUSAL_PARAMETER_MISSING, FIELD_TOKEN, "is missing"};
    CHECK_INT(ask_run(&asked)->refused.refusal, REFUSAL_PARAMETER_MISSING);
    ask_release(&asked);
    check_taken();
}

/* Nobody knows whether it was used up: whoever asks again is told so, and signs another. */
static void no_answer_without_a_commit(void)
{
    struct asked asked;

    sign(NOW_S + 60);
    world.spy.commit_error = ERR_STORE_FAILED;
    introspect_init(&asked);
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_FAILED);
    CHECK_INT(asked.run.outcome.error, ERR_STORE_FAILED);
    ask_release(&asked);
    world.spy.commits_anyway = true;
    introspect_init(&asked);
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_FAILED);
    ask_release(&asked);
    world.spy.commits_anyway = false;
    world.spy.commit_error = ERR_OK;
    introspect_init(&asked);
    check_refused(&asked, REFUSAL_ASSERTION_REPLAYED, "assertion.once");
}

/* The row tells that the refresh happened, and then the assertion seems to be used: by whom, nobody knows.
 * Its client did nothing wrong and is told to come back, not that it is none. */
static void a_lost_answer_is_no_replay(void)
{
    struct asked asked, minted;
    struct bytes token;

    ask_mint_init(&minted, "lost@example.com");
    token = ask_run(&minted)->minted.refresh_token;
    for (int i = 0; i < 2; i++) {
        sign(NOW_S + 60);
        ask_init(&asked, ASK_REFRESH);
        asked.run.takes_keys = KEY_BIT(KEY_CLIENT);
        asked.run.ask.credential = asserted(&text);
        asked.run.ask.refresh.refresh_token = token;
        world.spy.commit_error = i == 0 ? ERR_STORE_FAILED : ERR_OK;
        world.spy.commits_anyway = world.spy.fails_once = i == 0;
        CHECK_INT(ask_run(&asked)->kind, i == 0 ? OUTCOME_FAILED : OUTCOME_MINTED);
        if (i == 0) CHECK_INT(asked.run.outcome.error, ERR_STORE_FAILED);
        ask_release(&asked);
    }
    ask_release(&minted);
}

/* Both writes and the answer go together: a revocation whose assertion was used before cuts nothing. */
static void a_replay_writes_nothing_else(void)
{
    struct asked asked, minted;
    struct bytes token;
    bool is_active;

    ask_mint_init(&minted, "kept@example.com");
    token = ask_run(&minted)->minted.token;
    sign(NOW_S + 60);
    check_taken();
    ask_init(&asked, ASK_REVOKE);
    asked.run.takes_keys = KEY_BIT(KEY_CLIENT);
    asked.run.ask.credential = asserted(&text);
    asked.run.ask.revoke.token = token;
    check_refused(&asked, REFUSAL_ASSERTION_REPLAYED, "assertion.once");
    sign(NOW_S + 60);
    introspect_init(&asked);
    asked.run.ask.introspect.token = token;
    is_active = ask_run(&asked)->introspected.is_active;
    CHECK(is_active);
    ask_release(&asked);
    ask_release(&minted);
}

int main(void)
{
    world_open(16);
    buf_init(&text, 4096);
    CHECK_RUN(refuses_what_is_no_assertion);
    CHECK_RUN(refuses_two_ways_at_once);
    CHECK_RUN(refuses_a_secret_of_a_key_that_has_none);
    CHECK_RUN(refuses_a_page_that_signs);
    CHECK_RUN(takes_each_once);
    CHECK_RUN(a_refused_ask_uses_nothing_up);
    CHECK_RUN(no_answer_without_a_commit);
    CHECK_RUN(a_lost_answer_is_no_replay);
    CHECK_RUN(a_replay_writes_nothing_else);
    buf_release(&text);
    world_close();
    return CHECK_END();
}
