#include "service/service.h"

#include "harness/service_world.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static void check_refused(const struct asked *asked, enum refusal refusal)
{
    CHECK_INT(asked->run.outcome.kind, OUTCOME_REFUSED);
    CHECK_INT(asked->run.outcome.refused.refusal, refusal);
    CHECK_INT(asked->run.finding.refusal, refusal);
    CHECK(asked->run.finding.check && asked->run.finding.expected[0] && asked->run.finding.seen[0]);
    CHECK(uuid_is_zero(&asked->run.outcome.holder.user));
}

/* --- who asks: keys --- */

static struct credential credential_row(size_t i, char text[2 * KEY_TEXT_MAX])
{
    struct credential good = basic(&world.test, TEST_TOKEN);

    memcpy(text, good.password.ptr, good.password.len);
    switch (i) {
    case 0: /* of another project */
        return basic(&world.live, TEST_TOKEN);
    case 1: /* the last digit */
        text[good.password.len - 1] ^= 1;
        break;
    case 2: /* a digit of the public part: an unknown key */
        text[5] ^= 1;
        break;
    case 3:
        good.password.len--;
        break;
    case 4:
        return basic(&world.test, RETIRED_TOKEN);
    case 5: /* a secret of another kind */
        return basic(&world.test, SECRET_KEY);
    case 6: /* an unknown project */
        good.user = BYTES("00000000-0000-4000-8000-000000000000");
        break;
    case 7:
        good.user = BYTES("not-a-uuid");
        break;
    case 8:
        good.password = BYTES("");
        break;
    case 9:
        return (struct credential){.kind = CREDENTIAL_NONE};
    case 10:
        return (struct credential){.kind = CREDENTIAL_BAD};
    case 11:
        return (struct credential){.kind = CREDENTIAL_BEARER, .token = good.password};
    case 12: /* the public part and the hash's bytes are no secret */
        good.password = bytes_of(world.stored[TEST_TOKEN].hash, KEY_HASH_LEN);
        return good;
    default: /* the text of a wrong secret that is long */
        memset(text, 'a', 2 * KEY_TEXT_MAX);
        good.password.len = 2 * KEY_TEXT_MAX;
        break;
    }
    if (i != 8) good.password.ptr = (const uint8_t *)text;
    return good;
}

static void refuses_wrong_credentials_all_alike(void)
{
    static const enum refusal wanted[] = {
        REFUSAL_KEY_UNKNOWN,        REFUSAL_KEY_SECRET_WRONG,     REFUSAL_KEY_UNKNOWN,
        REFUSAL_KEY_UNKNOWN,        REFUSAL_KEY_RETIRED,          REFUSAL_KEY_UNKNOWN,
        REFUSAL_KEY_UNKNOWN,        REFUSAL_CREDENTIAL_MALFORMED, REFUSAL_CREDENTIAL_MALFORMED,
        REFUSAL_CREDENTIAL_MISSING, REFUSAL_CREDENTIAL_MALFORMED, REFUSAL_CREDENTIAL_MALFORMED,
        REFUSAL_KEY_UNKNOWN,        REFUSAL_KEY_UNKNOWN,
    };
    size_t i;

    for (i = 0; i < COUNT(wanted); i++) {
        char text[2 * KEY_TEXT_MAX];
        struct asked asked;
        ask_mint_init(&asked, "ada");
        asked.run.ask.credential = credential_row(i, text);
        CHECK_NOTE("credential row %zu", i);
        ask_run(&asked);
        check_refused(&asked, wanted[i]);
        CHECK_INT(refusal_http_status(asked.run.outcome.refused.refusal), 401);
        CHECK(strcmp(refusal_slug(asked.run.outcome.refused.refusal), "unauthorized") == 0);
        CHECK(asked.run.outcome.refused.because == NULL); /* nothing that tells one from another */
        ask_release(&asked);
    }
    CHECK_INT(world.spy.reads + world.spy.commits, 0);
}

static void refuses_secrets_from_browsers(void)
{
    static const struct {
        const char *origin;
        bool live;
        enum refusal wanted;
    } rows[] = {
        {"https://evil.test", false, REFUSAL_SECRET_FROM_BROWSER},
        {"https://evil.test", true, REFUSAL_SECRET_FROM_BROWSER},
        {"https://shop.test", true, REFUSAL_SECRET_FROM_BROWSER}, /* listed, but live */
        {"null", false, REFUSAL_SECRET_FROM_BROWSER},
        {"", false, REFUSAL_SECRET_FROM_BROWSER},
        {"https://shop.test", false, REFUSAL_NONE},
        {NULL, false, REFUSAL_NONE},
        {NULL, true, REFUSAL_NONE},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct asked asked;
        ask_mint_init(&asked, "origin");
        if (rows[i].live) asked.run.ask.credential = basic(&world.live, LIVE_TOKEN);
        asked.run.ask.origin = bytes_of_text(rows[i].origin);
        CHECK_NOTE("origin row %zu", i);
        ask_run(&asked);
        if (rows[i].wanted)
            check_refused(&asked, rows[i].wanted);
        else
            CHECK_INT(asked.run.outcome.kind, OUTCOME_MINTED);
        ask_release(&asked);
    }
}

/* Order: who you are, what you may, what your body says, what the values mean. */
static void says_what_is_wrong_only_to_those_who_may_ask(void)
{
    static const struct {
        const char *name;
        enum world_key key;
        bool wrong_secret, unreadable, refused_by_dialect, blank;
        enum outcome_kind kind;
        enum refusal wanted;
    } rows[] = {
        {"wrong secret, unreadable", TEST_TOKEN, true, true, false, false, OUTCOME_REFUSED,
         REFUSAL_KEY_SECRET_WRONG},
        {"wrong secret, bad member", TEST_TOKEN, true, false, true, false, OUTCOME_REFUSED,
         REFUSAL_KEY_SECRET_WRONG},
        {"wrong secret, blank", TEST_TOKEN, true, false, false, true, OUTCOME_REFUSED,
         REFUSAL_KEY_SECRET_WRONG},
        {"no permission, bad member", POWERLESS_TOKEN, false, false, true, true, OUTCOME_REFUSED,
         REFUSAL_KEY_PERMISSION},
        {"unreadable", TEST_TOKEN, false, true, true, true, OUTCOME_FAILED, REFUSAL_NONE},
        {"bad member", TEST_TOKEN, false, false, true, true, OUTCOME_REFUSED, REFUSAL_PARAMETER_INVALID},
        {"blank", TEST_TOKEN, false, false, false, true, OUTCOME_REFUSED, REFUSAL_PARAMETER_MISSING},
    };
    size_t i;

    world.spy.reads = world.spy.commits = 0;
    for (i = 0; i < COUNT(rows); i++) {
        char text[2 * KEY_TEXT_MAX];
        struct asked asked;
        ask_mint_init(&asked, rows[i].blank ? " " : "ada");
        asked.run.ask.credential =
            rows[i].wrong_secret ? credential_row(1, text) : basic(&world.test, rows[i].key);
        asked.run.ask.mint.password = BYTES("never hashed");
        asked.run.unreadable = rows[i].unreadable ? ERR_MALFORMED : ERR_OK;
        if (rows[i].refused_by_dialect)
            asked.run.refused = (struct refused){REFUSAL_PARAMETER_INVALID, FIELD_SCOPE, "said the dialect"};
        CHECK_NOTE("%s", rows[i].name);
        ask_run(&asked);
        CHECK_INT(asked.run.outcome.kind, rows[i].kind);
        CHECK_INT(asked.run.outcome.refused.refusal, rows[i].wanted);
        if (rows[i].kind == OUTCOME_FAILED) CHECK_INT(asked.run.outcome.error, ERR_MALFORMED);
        ask_release(&asked);
    }
    CHECK_INT(world.spy.reads + world.spy.commits + world.errands, 0);
}

/* --- minting --- */

static struct uuid mint(struct asked *asked, unsigned reads, unsigned commits, unsigned changed)
{
    unsigned reads_before = world.spy.reads, commits_before = world.spy.commits,
             changed_before = world.changed;
    const struct outcome *outcome = ask_run(asked);

    CHECK_INT(outcome->kind, OUTCOME_MINTED);
    CHECK_INT(world.spy.reads - reads_before, reads);
    CHECK_INT(world.spy.commits - commits_before, commits);
    CHECK_INT(world.changed - changed_before, changed);
    CHECK(outcome->minted.token.len > 100 && outcome->minted.refresh_token.len > 100);
    CHECK(outcome->minted.refresh_token.len <= SEAL_REFRESH_MAX);
    return outcome->minted.user;
}

static void mints_for_unknown_and_known_users(void)
{
    struct asked asked;
    struct uuid first, again;

    ask_mint_init(&asked, "grace");
    first = mint(&asked, 1, 1, 1); /* looked for, then made */
    CHECK_INT(asked.run.outcome.minted.exp_s, NOW_S + 7200);
    ask_release(&asked);
    ask_mint_init(&asked, "grace");
    again = mint(&asked, 0, 0, 0); /* remembered: nothing is read or written */
    CHECK(uuid_equal(&first, &again));
    ask_release(&asked);
    service_forget_user(world.service, &world.test, &first);
    ask_mint_init(&asked, "grace");
    again = mint(&asked, 1, 0, 0);
    CHECK(uuid_equal(&first, &again));
    ask_release(&asked);
    ask_mint_init(&asked, "Grace"); /* references are compared byte by byte */
    again = mint(&asked, 1, 1, 1);
    CHECK(!uuid_equal(&first, &again));
    ask_release(&asked);
    ask_mint_init(&asked, "grace"); /* and are a project's own */
    asked.run.ask.credential = basic(&world.live, LIVE_TOKEN);
    again = mint(&asked, 1, 1, 1);
    CHECK(!uuid_equal(&first, &again));
    ask_release(&asked);
}

static void stores_a_changed_profile_once(void)
{
    struct asked asked;

    ask_mint_init(&asked, "profile");
    asked.run.ask.mint.profile.value[PROFILE_FIRST_NAME] = BYTES("Ada");
    (void)mint(&asked, 1, 1, 1);
    ask_release(&asked);
    ask_mint_init(&asked, "profile");
    asked.run.ask.mint.profile.value[PROFILE_FIRST_NAME] = BYTES("Ada");
    (void)mint(&asked, 0, 0, 0);
    ask_release(&asked);
    ask_mint_init(&asked, "profile");
    asked.run.ask.mint.profile.value[PROFILE_FIRST_NAME] = BYTES("Grace");
    (void)mint(&asked, 0, 1, 1);
    ask_release(&asked);
    ask_mint_init(&asked, "profile"); /* this lane knows the new one */
    asked.run.ask.mint.profile.value[PROFILE_FIRST_NAME] = BYTES("Grace");
    (void)mint(&asked, 0, 0, 0);
    ask_release(&asked);
}

/* Another lane changes the user after our read has seen the row and before its answer is opened: the answer
 * may serve this ask, but the next one must not be decided on it. */
static void keeps_no_read_that_a_change_has_overtaken(void)
{
    struct write write = {.kind = WRITE_PROFILE};
    struct asked asked;
    struct uuid user;

    ask_mint_init(&asked, "overtaken");
    asked.run.ask.mint.profile.value[PROFILE_FIRST_NAME] = BYTES("Ada");
    user = mint(&asked, 1, 1, 1);
    ask_release(&asked);
    service_forget_user(world.service, &world.test, &user);
    ask_mint_init(&asked, "overtaken");
    ask_start(&asked);
    write.profile.project = world.test;
    write.profile.user = user;
    write.profile.profile.value[PROFILE_FIRST_NAME] = BYTES("Grace");
    write.profile.now_ms = NOW_MS;
    world_write(&write);
    service_forget_user(world.service, &world.test, &user);
    drain();
    CHECK_INT(asked.answers, 1);
    ask_release(&asked);
    ask_mint_init(&asked, "overtaken"); /* Ada is a change again */
    asked.run.ask.mint.profile.value[PROFILE_FIRST_NAME] = BYTES("Ada");
    (void)mint(&asked, 1, 1, 1);
    ask_release(&asked);
}

static void hashes_a_password_off_the_lane(void)
{
    struct asked asked;
    unsigned before = world.errands;

    ask_mint_init(&asked, "password");
    asked.run.ask.mint.password = BYTES("correct horse");
    (void)mint(&asked, 1, 1, 1);
    CHECK_INT(world.errands, before + 1);
    ask_release(&asked);
    ask_mint_init(&asked, "password"); /* given again it is set again: nobody knows whether it is the same */
    asked.run.ask.mint.password = BYTES("correct horse");
    (void)mint(&asked, 0, 1, 1);
    ask_release(&asked);
    ask_mint_init(&asked, "password");
    asked.run.ask.mint.password = BYTES("");
    (void)mint(&asked, 0, 0, 0);
    CHECK_INT(world.errands, before + 2);
    ask_release(&asked);
}

/* Ten asks for one new reference, all before any answer of the store: one user, ten grants. */
static void makes_one_user_of_many_asks(void)
{
    struct asked asks[10];
    size_t i;

    for (i = 0; i < COUNT(asks); i++) {
        ask_mint_init(&asks[i], "crowd");
        ask_start(&asks[i]);
    }
    drain();
    for (i = 0; i < COUNT(asks); i++) {
        CHECK_NOTE("ask %zu", i);
        CHECK_INT(asks[i].answers, 1);
        CHECK_INT(asks[i].run.outcome.kind, OUTCOME_MINTED);
        CHECK(uuid_equal(&asks[i].run.outcome.minted.user, &asks[0].run.outcome.minted.user));
        CHECK(i == 0 || !bytes_equal(asks[i].run.outcome.minted.token, asks[0].run.outcome.minted.token));
    }
    for (i = 0; i < COUNT(asks); i++)
        ask_release(&asks[i]);
}

/* The loser's profile is not lost with the race. */
static void stores_the_losers_profile_too(void)
{
    struct asked asks[2], who;
    size_t i;

    for (i = 0; i < 2; i++) {
        ask_mint_init(&asks[i], "race");
        asks[i].run.ask.mint.profile.value[i ? PROFILE_LAST_NAME : PROFILE_FIRST_NAME] =
            i ? BYTES("L") : BYTES("F");
        ask_start(&asks[i]);
    }
    drain();
    CHECK_INT(asks[1].run.outcome.kind, OUTCOME_MINTED);
    ask_bearer_init(&who, ASK_WHO_AM_I, asks[0].run.outcome.minted.token);
    ask_run(&who);
    CHECK_INT(who.run.outcome.kind, OUTCOME_WHO);
    CHECK_BYTES(who.run.outcome.who.profile.value[PROFILE_FIRST_NAME], BYTES("F"));
    CHECK_BYTES(who.run.outcome.who.profile.value[PROFILE_LAST_NAME], BYTES("L"));
    ask_release(&who);
    ask_release(&asks[0]);
    ask_release(&asks[1]);
}

/* What was not stored was not issued. */
static void issues_nothing_when_the_store_fails(void)
{
    static const enum err errors[] = {ERR_STORE_FAILED, ERR_STORE_BUSY, ERR_NO_MEMORY, ERR_STOPPING};
    struct asked asked;
    size_t i;

    for (i = 0; i < 2 * COUNT(errors); i++) {
        enum err error = errors[i / 2];
        CHECK_NOTE("%s, %s", err_name(error), i % 2 ? "commit" : "read");
        world.spy.commit_error = i % 2 ? error : ERR_OK;
        world.spy.read_error = i % 2 ? ERR_OK : error;
        ask_mint_init(&asked, "unlucky");
        ask_run(&asked);
        CHECK_INT(asked.run.outcome.kind, OUTCOME_FAILED);
        CHECK_INT(asked.run.outcome.error, error);
        CHECK(bytes_is_absent(asked.run.outcome.minted.token));
        ask_release(&asked);
    }
    world.spy.commit_error = world.spy.read_error = ERR_OK;
}

/* The user vanishes between plan and commit: decided again on what is there now, but not for ever. */
/* The store answers what waits when it is closed; what follows from such an answer finds no store. */
static void fails_what_would_ask_a_store_that_is_gone(void)
{
    unsigned commits = world.spy.commits, reads = world.spy.reads;
    struct asked begun, late;

    ask_mint_init(&begun, "too late");
    ask_start(&begun); /* its read is answered, and would lead to a commit */
    service_close_store(world.service);
    ask_mint_init(&late, "much too late");
    ask_start(&late);
    drain();
    CHECK_INT(begun.answers, 1);
    CHECK_INT(begun.run.outcome.kind, OUTCOME_FAILED);
    CHECK_INT(begun.run.outcome.error, ERR_STOPPING);
    CHECK_INT(late.run.outcome.error, ERR_STOPPING);
    CHECK_INT(world.spy.reads, reads + 1);
    CHECK_INT(world.spy.commits, commits);
    ask_release(&begun);
    ask_release(&late);
}

static void gives_up_on_a_user_who_keeps_vanishing(void)
{
    struct asked asked;

    ask_mint_init(&asked, "ghost");
    world.spy.absent = 2;
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.kind, OUTCOME_MINTED);
    ask_release(&asked);
    ask_mint_init(&asked, "ghost");
    asked.run.ask.mint.profile.value[PROFILE_FIRST_NAME] = BYTES("G");
    world.spy.absent = 1000;
    ask_run(&asked);
    check_refused(&asked, REFUSAL_USER_GONE);
    CHECK(world.spy.absent >= 996);
    world.spy.absent = 0;
    ask_release(&asked);
}

/* --- newer facts while an ask waits --- */

static void finishes_under_the_facts_it_began_with(void)
{
    struct asked asked, next;
    struct write write = {.kind = WRITE_KEY, .key = world.stored[TEST_TOKEN]};

    ask_mint_init(&asked, "slow");
    ask_start(&asked);
    write.key.is_retired = true;
    world_write(&write);
    CHECK_INT(service_take_facts(world.service, world_publish()), ERR_OK);
    drain();
    CHECK_INT(asked.run.outcome.kind, OUTCOME_MINTED);
    ask_release(&asked);
    ask_mint_init(&next, "slow");
    ask_run(&next);
    check_refused(&next, REFUSAL_KEY_RETIRED);
    ask_release(&next);
    write.key.is_retired = false;
    world_write(&write);
    CHECK_INT(service_take_facts(world.service, world_publish()), ERR_OK);
}

static void says_that_an_ask_without_kind_is_no_ask(void)
{
    struct asked asked;

    ask_init(&asked, ASK_NONE);
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.kind, OUTCOME_FAILED);
    CHECK_INT(asked.run.outcome.error, ERR_MALFORMED);
    ask_release(&asked);
}

int main(void)
{
    world_open(64);
    CHECK_RUN(refuses_wrong_credentials_all_alike);
    CHECK_RUN(refuses_secrets_from_browsers);
    CHECK_RUN(says_what_is_wrong_only_to_those_who_may_ask);
    CHECK_RUN(mints_for_unknown_and_known_users);
    CHECK_RUN(stores_a_changed_profile_once);
    CHECK_RUN(keeps_no_read_that_a_change_has_overtaken);
    CHECK_RUN(hashes_a_password_off_the_lane);
    CHECK_RUN(makes_one_user_of_many_asks);
    CHECK_RUN(stores_the_losers_profile_too);
    CHECK_RUN(issues_nothing_when_the_store_fails);
    CHECK_RUN(gives_up_on_a_user_who_keeps_vanishing);
    CHECK_RUN(finishes_under_the_facts_it_began_with);
    CHECK_RUN(says_that_an_ask_without_kind_is_no_ask);
    CHECK_RUN(fails_what_would_ask_a_store_that_is_gone); /* last: it does not come back */
    world_close();
    return CHECK_END();
}
