/* The asks that begin with an access token, through a whole service: who am I, whom can I reach,
 * open a session. */
#include "harness/service_world.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static char plain_room[JWS_MAX], bound_room[JWS_MAX], live_room[JWS_MAX];
static struct bytes plain, bound,
    live; /* access tokens: of ada, of ada bound to the browser, of the live project */
static struct uuid ada;
static struct buf proof;

static struct bytes mint_into(char *room, const char *reference, bool is_bound, bool is_live)
{
    struct asked asked;
    struct bytes token;

    ask_mint_init(&asked, reference);
    if (is_live) asked.run.ask.credential = basic(&world.live, LIVE_TOKEN);
    if (is_bound) asked.run.ask.mint.fingerprint = bytes_of(world.browser.jkt, JWK_THUMBPRINT_LEN);
    if (is_bound) asked.run.ask.mint.may_self_refresh = true;
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.kind, OUTCOME_MINTED);
    token = asked.run.outcome.minted.token;
    if (!is_live) ada = asked.run.outcome.minted.user;
    memcpy(room, token.ptr, token.len);
    token.ptr = (const uint8_t *)room;
    ask_release(&asked);
    return token;
}

static void check_answer(struct asked *asked, enum refusal wanted, enum outcome_kind granted)
{
    const struct outcome *outcome = ask_run(asked);

    CHECK_INT(outcome->kind, wanted ? OUTCOME_REFUSED : granted);
    CHECK_INT(outcome->refused.refusal, wanted);
    if (wanted) CHECK(uuid_is_zero(&outcome->holder.user) && uuid_is_zero(&outcome->holder.project));
    if (!wanted) return;
    CHECK_INT(asked->run.finding.refusal, wanted);
    CHECK(asked->run.finding.check && asked->run.finding.expected[0] && asked->run.finding.seen[0]);
}

/* --- tokens --- */

static void refuses_tokens(void)
{
    static const enum ask_kind kinds[] = {ASK_WHO_AM_I, ASK_ADDRESSES, ASK_CONNECT};
    static const struct {
        const char *name;
        int64_t later_s;
        size_t flip_from_end; /* which character to change; 0: none */
        enum refusal wanted;
    } rows[] = {
        {"expired this second", 7200, 0, REFUSAL_TOKEN_EXPIRED},
        {"long expired", 90000, 0, REFUSAL_TOKEN_EXPIRED},
        {"another signature", 0, 40, REFUSAL_TOKEN_SIGNATURE},
        {"from the future", -3600, 0, REFUSAL_TOKEN_MALFORMED},
        {"its last second", 7199, 0, REFUSAL_NONE},
    };
    static const enum outcome_kind granted[] = {OUTCOME_WHO, OUTCOME_ADDRESSES, OUTCOME_CONNECTED};
    size_t i, k;

    for (i = 0; i < COUNT(rows); i++)
        for (k = 0; k < COUNT(kinds); k++) {
            char text[JWS_MAX];
            struct bytes token = bytes_of(text, plain.len);
            struct asked asked;

            memcpy(text, plain.ptr, plain.len);
            if (rows[i].flip_from_end) {
                char *at = &text[plain.len - rows[i].flip_from_end];
                *at = *at == 'A' ? 'B' : 'A';
            }
            if (kinds[k] == ASK_CONNECT)
                ask_connect_init(&asked, token, BYTES_NONE);
            else
                ask_bearer_init(&asked, kinds[k], token);
            asked.run.now_ms += rows[i].later_s * 1000;
            CHECK_NOTE("%s, ask %d", rows[i].name, kinds[k]);
            ask_run(&asked);
            /* a token from the future is refused; by which name is the claims' matter */
            if (rows[i].later_s < 0)
                CHECK_INT(asked.run.outcome.kind, OUTCOME_REFUSED);
            else {
                CHECK_INT(asked.run.outcome.kind, rows[i].wanted ? OUTCOME_REFUSED : granted[k]);
                CHECK_INT(asked.run.outcome.refused.refusal, rows[i].wanted);
            }
            ask_release(&asked);
        }
}

static void age_project(const struct uuid *project, int64_t by_ms)
{
    struct write write = {.kind = WRITE_AGE, .age = {.project = *project, .by_ms = by_ms}};

    world_write(&write);
    CHECK_INT(service_take_facts(world.service, world_publish()), ERR_OK);
}

static enum refusal refusal_of(enum ask_kind kind, struct bytes token, int64_t later_ms)
{
    struct asked asked;
    enum refusal refusal;

    if (kind == ASK_CONNECT)
        ask_connect_init(&asked, token, BYTES_NONE);
    else
        ask_bearer_init(&asked, kind, token);
    asked.run.now_ms += later_ms;
    asked.run.takes_bound_as_bearer = true;
    refusal = ask_run(&asked)->refused.refusal;
    ask_release(&asked);
    return refusal;
}

/* Last of all, as time does not come back: what was minted before an advance has lived that much longer. */
static void ages_tokens_with_their_project(void)
{
    static char fresh_room[JWS_MAX];
    static const enum ask_kind kinds[] = {ASK_WHO_AM_I, ASK_ADDRESSES, ASK_CONNECT};
    struct bytes fresh;
    size_t k;

    age_project(&world.live, 7200000); /* does nothing */
    age_project(&world.test, 7199999);
    CHECK_INT(refusal_of(ASK_WHO_AM_I, plain, 0), REFUSAL_NONE);
    CHECK_INT(refusal_of(ASK_WHO_AM_I, plain, 1), REFUSAL_TOKEN_EXPIRED);
    age_project(&world.test, 1);
    fresh = mint_into(fresh_room, "ada", false, false);
    for (k = 0; k < COUNT(kinds); k++) {
        CHECK_NOTE("ask %d", kinds[k]);
        CHECK_INT(refusal_of(kinds[k], plain, 0), REFUSAL_TOKEN_EXPIRED);
        CHECK_INT(refusal_of(kinds[k], bound, 0), REFUSAL_TOKEN_EXPIRED);
        CHECK_INT(refusal_of(kinds[k], fresh, 7199999), REFUSAL_NONE);
        CHECK_INT(refusal_of(kinds[k], fresh, 7200000), REFUSAL_TOKEN_EXPIRED);
        CHECK_INT(refusal_of(kinds[k], live, 7199999), REFUSAL_NONE);
        CHECK_INT(refusal_of(kinds[k], live, 7200000), REFUSAL_TOKEN_EXPIRED);
    }
}

static void refuses_what_is_no_bearer(void)
{
    static const struct {
        struct credential credential;
        enum refusal wanted;
    } rows[] = {
        {{.kind = CREDENTIAL_NONE}, REFUSAL_CREDENTIAL_MISSING},
        {{.kind = CREDENTIAL_BAD}, REFUSAL_CREDENTIAL_MALFORMED},
        {{.kind = CREDENTIAL_BASIC}, REFUSAL_CREDENTIAL_MALFORMED},
        {{.kind = CREDENTIAL_BEARER}, REFUSAL_TOKEN_MALFORMED},
        {{.kind = CREDENTIAL_BEARER, .token = {(const uint8_t *)"..", 2}}, REFUSAL_TOKEN_MALFORMED},
        {{.kind = CREDENTIAL_BEARER, .token = {(const uint8_t *)"PT0123", 6}}, REFUSAL_TOKEN_MALFORMED},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct asked asked;
        CHECK_NOTE("bearer row %zu", i);
        ask_init(&asked, ASK_WHO_AM_I);
        asked.run.ask.credential = rows[i].credential;
        check_answer(&asked, rows[i].wanted, OUTCOME_WHO);
        ask_release(&asked);
    }
}

/* A refresh credential is no access token, whatever it may renew. */
static void refuses_a_refresh_token_as_bearer(void)
{
    struct asked mint, asked;

    ask_mint_init(&mint, "ada");
    ask_run(&mint);
    ask_bearer_init(&asked, ASK_WHO_AM_I, mint.run.outcome.minted.refresh_token);
    check_answer(&asked, REFUSAL_TOKEN_MALFORMED, OUTCOME_WHO);
    ask_release(&asked);
    ask_release(&mint);
}

static void takes_bound_tokens_as_bearer_only_where_the_route_says_so(void)
{
    static const enum ask_kind kinds[] = {ASK_WHO_AM_I, ASK_ADDRESSES};
    static const enum outcome_kind granted[] = {OUTCOME_WHO, OUTCOME_ADDRESSES};
    size_t k;

    for (k = 0; k < COUNT(kinds); k++) {
        struct asked asked;
        CHECK_NOTE("ask %d", kinds[k]);
        ask_bearer_init(&asked, kinds[k], bound);
        check_answer(&asked, REFUSAL_PROOF_MISSING, granted[k]);
        ask_release(&asked);
        ask_bearer_init(&asked, kinds[k], bound);
        asked.run.takes_bound_as_bearer = true;
        check_answer(&asked, REFUSAL_NONE, granted[k]);
        ask_release(&asked);
    }
}

static void checks_the_origin_of_the_tokens_own_project(void)
{
    static const struct {
        const char *origin;
        enum refusal wanted;
    } rows[] = {
        {"https://evil.test", REFUSAL_ORIGIN_NOT_LISTED},
        {"https://shop.test.evil.test", REFUSAL_ORIGIN_NOT_LISTED},
        {"null", REFUSAL_ORIGIN_NOT_LISTED},
        {"https://shop.test", REFUSAL_NONE},
        {NULL, REFUSAL_NONE},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct asked asked;
        CHECK_NOTE("origin row %zu", i);
        ask_connect_init(&asked, live, BYTES_NONE);
        asked.run.ask.origin = bytes_of_text(rows[i].origin);
        check_answer(&asked, rows[i].wanted, OUTCOME_CONNECTED);
        ask_release(&asked);
    }
}

/* --- who, addresses --- */

static void tells_who_one_is(void)
{
    struct asked asked;
    unsigned reads = world.spy.reads;
    const struct holder *holder = &asked.run.outcome.holder;

    ask_bearer_init(&asked, ASK_WHO_AM_I, plain);
    check_answer(&asked, REFUSAL_NONE, OUTCOME_WHO);
    CHECK(uuid_equal(&asked.run.outcome.who.id, &ada));
    CHECK_BYTES(asked.run.outcome.who.reference, BYTES("ada"));
    CHECK_BYTES(asked.run.outcome.who.address.name, BYTES("/private/ada"));
    CHECK(uuid_equal(&holder->user, &ada) && uuid_equal(&holder->project, &world.test));
    CHECK(holder->is_full_subscriber && !holder->may_self_refresh && bytes_is_absent(holder->jkt));
    CHECK_INT(holder->exp_s, NOW_S + 7200);
    CHECK_INT(world.spy.reads, reads); /* remembered from the mint */
    ask_release(&asked);
    service_forget_user(world.service, &world.test, &ada);
    ask_bearer_init(&asked, ASK_WHO_AM_I, plain);
    check_answer(&asked, REFUSAL_NONE, OUTCOME_WHO);
    CHECK_INT(world.spy.reads, reads + 1);
    ask_release(&asked);
}

static void refuses_a_user_who_is_gone(void)
{
    struct store *real = world.spy.real, *empty;
    struct asked asked;

    CHECK_INT(store_memory_open(&empty), ERR_OK);
    service_forget_user(world.service, &world.test, &ada);
    world.spy.real = empty;
    ask_bearer_init(&asked, ASK_WHO_AM_I, plain);
    check_answer(&asked, REFUSAL_USER_GONE, OUTCOME_WHO);
    ask_release(&asked);
    world.spy.real = real;
    empty->ops->close(empty);
}

static void finds_addresses(void)
{
    static const struct {
        const char *name;
        size_t count;
    } rows[] = {
        {"/public/live-desk", 0}, /* another project's */
        {"/public/nobody", 0},
        {"", 0},
        {"/private/nobody", 0},
        {"/private/lea", 0}, /* a user of the other project */
        {"/public/test-desk", 1},
        {"/private/ada", 1},
        {NULL, 1}, /* all: the resources of one's own project */
    };
    static char wide[ADDRESS_NAME_MAX + 2];
    struct asked asked;
    unsigned reads;
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        CHECK_NOTE("address %s", rows[i].name ? rows[i].name : "absent");
        ask_bearer_init(&asked, ASK_ADDRESSES, plain);
        asked.run.ask.addresses.name = bytes_of_text(rows[i].name);
        check_answer(&asked, REFUSAL_NONE, OUTCOME_ADDRESSES);
        CHECK_INT(asked.run.outcome.addresses.count, rows[i].count);
        if (asked.run.outcome.addresses.count && rows[i].name)
            CHECK_BYTES(asked.run.outcome.addresses.list[0].name, bytes_of_text(rows[i].name));
        ask_release(&asked);
    }
    memset(wide, 'a', sizeof wide - 1);
    reads = world.spy.reads;
    ask_bearer_init(&asked, ASK_ADDRESSES, plain);
    asked.run.ask.addresses.name = bytes_of_text(wide);
    check_answer(&asked, REFUSAL_NONE, OUTCOME_ADDRESSES);
    CHECK_INT(asked.run.outcome.addresses.count, 0);
    CHECK_INT(world.spy.reads, reads); /* longer than any address is: not looked for */
    ask_release(&asked);
}

/* A query that could not be read must not look like one that asks for everything. */
static void tells_no_addresses_when_the_query_was_unreadable(void)
{
    struct asked asked;

    ask_bearer_init(&asked, ASK_ADDRESSES, plain);
    asked.run.unreadable = ERR_NO_MEMORY;
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.kind, OUTCOME_FAILED);
    CHECK_INT(asked.run.outcome.error, ERR_NO_MEMORY);
    ask_release(&asked);
    ask_bearer_init(&asked, ASK_ADDRESSES, BYTES("a.b.c"));
    asked.run.unreadable = ERR_NO_MEMORY;
    check_answer(&asked, REFUSAL_TOKEN_MALFORMED, OUTCOME_ADDRESSES);
    ask_release(&asked);
    ask_bearer_init(&asked, ASK_ADDRESSES, plain);
    asked.run.refused = (struct refused){REFUSAL_PARAMETER_INVALID, FIELD_ADDRESS_NAME, "said the dialect"};
    check_answer(&asked, REFUSAL_PARAMETER_INVALID, OUTCOME_ADDRESSES);
    ask_release(&asked);
}

/* --- connect --- */

static void connect_and_check(struct bytes token, struct bytes sent, enum refusal wanted)
{
    struct asked asked;

    ask_connect_init(&asked, token, sent);
    check_answer(&asked, wanted, OUTCOME_CONNECTED);
    if (!wanted) CHECK_INT(asked.run.outcome.connected.session.len, 32);
    ask_release(&asked);
}

static void refuses_a_bound_token_without_its_proof(void)
{
    static const struct {
        const char *name, *method;
        int64_t age_s;
        enum refusal wanted;
    } rows[] = {
        {"too old", "open", 301, REFUSAL_PROOF_INVALID},
        {"too new", "open", -301, REFUSAL_PROOF_INVALID},
        {"of another method", "close", 0, REFUSAL_PROOF_INVALID},
        {"old enough", "open", 300, REFUSAL_NONE},
        {"new enough", "open", -300, REFUSAL_NONE},
    };
    size_t i;

    connect_and_check(bound, BYTES_NONE, REFUSAL_PROOF_MISSING);
    connect_and_check(bound, BYTES("a.b.c"), REFUSAL_PROOF_INVALID);
    connect_and_check(bound, bound, REFUSAL_PROOF_INVALID); /* the token is no proof of itself */
    for (i = 0; i < COUNT(rows); i++) {
        CHECK_NOTE("proof %s", rows[i].name);
        prove(&proof, rows[i].name, rows[i].method, NOW_S - rows[i].age_s);
        connect_and_check(bound, buf_bytes(&proof), rows[i].wanted);
    }
}

static void refuses_a_proof_of_another_key(void)
{
    struct crypto_sign *mine = world.browser.sign;
    struct jwk jwk = world.browser.jwk;
    struct secret secret;

    world_check(crypto_key_generate(world.browser.crypto, ALG_ES256, &secret));
    world_check(crypto_sign_new(&world.browser.sign, world.browser.crypto, ALG_ES256, &secret));
    prove(&proof, "mixed", "open", NOW_S); /* my public key in the header, signed by the other one */
    connect_and_check(bound, buf_bytes(&proof), REFUSAL_PROOF_INVALID);
    world_check(crypto_public_of(world.browser.sign, world.browser.jwk.x, world.browser.jwk.y));
    prove(&proof, "others", "open", NOW_S);
    connect_and_check(bound, buf_bytes(&proof), REFUSAL_PROOF_INVALID);
    crypto_sign_free(world.browser.sign);
    world.browser.sign = mine;
    world.browser.jwk = jwk;
}

static void takes_a_proof_once(void)
{
    struct asked asks[2];
    size_t i;

    prove(&proof, "once", "open", NOW_S);
    connect_and_check(bound, buf_bytes(&proof), REFUSAL_NONE);
    connect_and_check(bound, buf_bytes(&proof), REFUSAL_PROOF_REPLAYED);
    prove(&proof, "race", "open", NOW_S);
    for (i = 0; i < 2; i++) {
        ask_connect_init(&asks[i], bound, buf_bytes(&proof));
        ask_start(&asks[i]);
    }
    drain();
    CHECK_INT(asks[0].run.outcome.kind, OUTCOME_CONNECTED);
    CHECK_INT(asks[1].run.outcome.refused.refusal, REFUSAL_PROOF_REPLAYED);
    ask_release(&asks[0]);
    ask_release(&asks[1]);
}

/* Another body under the same jti: the times run over more than a bucket, so that some lie in neighbours. */
static void takes_a_jti_of_one_key_once(void)
{
    int64_t shift_s;

    prove(&proof, "again", "open", NOW_S - 300);
    connect_and_check(bound, buf_bytes(&proof), REFUSAL_NONE);
    for (shift_s = -299; shift_s <= 300; shift_s += 59) {
        prove(&proof, "again", "open", NOW_S + shift_s);
        connect_and_check(bound, buf_bytes(&proof), REFUSAL_PROOF_REPLAYED);
    }
    prove(&proof, "another", "open", NOW_S);
    connect_and_check(bound, buf_bytes(&proof), REFUSAL_NONE);
}

/* A browser's proof says what its own clock says, and so does the wall clock; engine time may
 * be ahead of it. */
static void judges_proofs_by_the_wall_clock(void)
{
    static const struct {
        const char *name;
        int64_t engine_s, wall_s; /* later than the proof */
        enum refusal wanted;
    } rows[] = {
        {"wall-late", 0, 301, REFUSAL_PROOF_INVALID},
        {"wall-early", 0, -301, REFUSAL_PROOF_INVALID},
        {"engine-late", 3600, 0, REFUSAL_NONE},
        {"both-in-time", 300, 300, REFUSAL_NONE},
    };
    struct asked asked;

    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_NOTE("%s", rows[i].name);
        prove(&proof, rows[i].name, "open", NOW_S);
        ask_connect_init(&asked, bound, buf_bytes(&proof));
        asked.run.now_ms += rows[i].engine_s * 1000;
        asked.run.wall_ms += rows[i].wall_s * 1000;
        check_answer(&asked, rows[i].wanted, OUTCOME_CONNECTED);
        ask_release(&asked);
    }
}

static void grants_nothing_between_two_clocks(void)
{
    static const enum ask_kind kinds[] = {ASK_WHO_AM_I, ASK_ADDRESSES, ASK_CONNECT, ASK_MINT_SUBSCRIBER};
    unsigned commits = world.spy.commits, reads = world.spy.reads;

    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct asked asked;
        CHECK_NOTE("ask %d", kinds[i]);
        if (kinds[i] == ASK_MINT_SUBSCRIBER)
            ask_mint_init(&asked, "ada");
        else if (kinds[i] == ASK_CONNECT)
            ask_connect_init(&asked, plain, BYTES_NONE);
        else
            ask_bearer_init(&asked, kinds[i], plain);
        asked.run.step_ms = 300001;
        ask_run(&asked);
        CHECK_INT(asked.run.outcome.kind, OUTCOME_FAILED);
        CHECK_INT(asked.run.outcome.error, ERR_CLOCK_STEPPED);
        CHECK(strcmp(asked.run.finding.check, "clock.confirmed") == 0);
        ask_release(&asked);
    }
    CHECK_INT(world.spy.commits, commits);
    CHECK_INT(world.spy.reads, reads);
}

static void connects_nobody_when_the_store_cannot_remember_the_proof(void)
{
    struct asked asked;

    prove(&proof, "unlucky", "open", NOW_S);
    world.spy.commit_error = ERR_STORE_FAILED;
    ask_connect_init(&asked, bound, buf_bytes(&proof));
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.kind, OUTCOME_FAILED);
    CHECK_INT(asked.run.outcome.error, ERR_STORE_FAILED);
    ask_release(&asked);
    world.spy.commit_error = ERR_OK;
    connect_and_check(bound, buf_bytes(&proof), REFUSAL_NONE); /* it was not burnt */
}

static void lets_unbound_tokens_send_what_they_like(void)
{
    unsigned commits = world.spy.commits;

    connect_and_check(plain, BYTES_NONE, REFUSAL_NONE);
    connect_and_check(plain, BYTES("garbage"), REFUSAL_NONE);
    prove(&proof, "once", "open", NOW_S); /* used above by the bound one; here nobody looks */
    connect_and_check(plain, buf_bytes(&proof), REFUSAL_NONE);
    CHECK_INT(world.spy.commits, commits);
}

/* Token, proof, then what else was asked for: a stranger learns nothing about the rest of his request, and a
 * proof is not used up by one that is refused for its form. */
static void refuses_in_order(void)
{
    static const struct refused bad_member = {REFUSAL_PARAMETER_INVALID, FIELD_NONE, "said the dialect"};
    struct asked asked;

    ask_connect_init(&asked, BYTES("a.b.c"), BYTES_NONE);
    asked.run.refused = bad_member;
    check_answer(&asked, REFUSAL_TOKEN_MALFORMED, OUTCOME_CONNECTED);
    ask_release(&asked);
    ask_connect_init(&asked, BYTES_NONE, BYTES_NONE);
    asked.run.refused = (struct refused){REFUSAL_CREDENTIAL_MISSING, FIELD_NONE, "said the dialect"};
    check_answer(&asked, REFUSAL_CREDENTIAL_MISSING, OUTCOME_CONNECTED);
    ask_release(&asked);
    ask_connect_init(&asked, bound, BYTES_NONE);
    asked.run.refused = bad_member;
    check_answer(&asked, REFUSAL_PROOF_MISSING, OUTCOME_CONNECTED);
    ask_release(&asked);
    prove(&proof, "kept", "open", NOW_S);
    ask_connect_init(&asked, bound, buf_bytes(&proof));
    asked.run.refused = bad_member;
    check_answer(&asked, REFUSAL_PARAMETER_INVALID, OUTCOME_CONNECTED);
    ask_release(&asked);
    connect_and_check(bound, buf_bytes(&proof), REFUSAL_NONE);
    ask_connect_init(&asked, plain, BYTES_NONE);
    asked.run.ask.connect.wants_resume = true;
    check_answer(&asked, REFUSAL_RESUME_IMPOSSIBLE, OUTCOME_CONNECTED);
    ask_release(&asked);
}

static void names_each_session_anew(void)
{
    struct asked one, two;

    ask_connect_init(&one, plain, BYTES_NONE);
    ask_connect_init(&two, plain, BYTES_NONE);
    check_answer(&one, REFUSAL_NONE, OUTCOME_CONNECTED);
    check_answer(&two, REFUSAL_NONE, OUTCOME_CONNECTED);
    CHECK(!bytes_equal(one.run.outcome.connected.session, two.run.outcome.connected.session));
    ask_release(&one);
    ask_release(&two);
}

int main(void)
{
    struct bytes lea;
    char lea_room[JWS_MAX];

    world_open(64);
    buf_init(&proof, JWS_MAX);
    plain = mint_into(plain_room, "ada", false, false);
    bound = mint_into(bound_room, "ada", true, false);
    live = mint_into(live_room, "ada", false, true);
    lea = mint_into(lea_room, "lea", false, true);
    (void)lea;
    CHECK_RUN(refuses_tokens);
    CHECK_RUN(refuses_what_is_no_bearer);
    CHECK_RUN(refuses_a_refresh_token_as_bearer);
    CHECK_RUN(takes_bound_tokens_as_bearer_only_where_the_route_says_so);
    CHECK_RUN(checks_the_origin_of_the_tokens_own_project);
    CHECK_RUN(tells_who_one_is);
    CHECK_RUN(refuses_a_user_who_is_gone);
    CHECK_RUN(finds_addresses);
    CHECK_RUN(tells_no_addresses_when_the_query_was_unreadable);
    CHECK_RUN(refuses_a_bound_token_without_its_proof);
    CHECK_RUN(refuses_a_proof_of_another_key);
    CHECK_RUN(takes_a_proof_once);
    CHECK_RUN(takes_a_jti_of_one_key_once);
    CHECK_RUN(judges_proofs_by_the_wall_clock);
    CHECK_RUN(grants_nothing_between_two_clocks);
    CHECK_RUN(connects_nobody_when_the_store_cannot_remember_the_proof);
    CHECK_RUN(lets_unbound_tokens_send_what_they_like);
    CHECK_RUN(refuses_in_order);
    CHECK_RUN(names_each_session_anew);
    CHECK_RUN(ages_tokens_with_their_project);
    buf_release(&proof);
    world_close();
    return CHECK_END();
}
