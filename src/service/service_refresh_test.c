/* What a refresh answers, over the memory store: the table itself is engine/rotate_test.c's. */
#include "harness/service_world.h"

#include "service/cutoffs.h"
#include "service/service_run.h"

#define TEXT_MAX 4096

static struct key_text second_key; /* of the test project, beside TEST_TOKEN */

struct pair {
    char token[TEXT_MAX], refresh[TEXT_MAX];
    struct bytes token_text, refresh_text;
    struct uuid user;
};

static void keep(struct pair *out, const struct outcome *outcome)
{
    struct bytes token = outcome->minted.token, refresh = outcome->minted.refresh_token;

    CHECK_INT(outcome->kind, OUTCOME_MINTED);
    if (outcome->kind != OUTCOME_MINTED) return;
    memcpy(out->token, token.ptr, token.len);
    memcpy(out->refresh, refresh.ptr, refresh.len);
    out->token_text = bytes_of(out->token, token.len);
    out->refresh_text = bytes_of(out->refresh, refresh.len);
    out->user = outcome->minted.user;
}

static void mint_of(struct pair *out, const struct uuid *project, enum world_key key, const char *reference)
{
    struct asked asked;

    memset(out, 0, sizeof *out);
    ask_mint_init(&asked, reference);
    asked.run.ask.credential = basic(project, key);
    keep(out, ask_run(&asked));
    ask_release(&asked);
}

static void mint(struct pair *out)
{
    static unsigned number;
    char reference[32];

    (void)snprintf(reference, sizeof reference, "refreshed-%u", number++);
    mint_of(out, &world.test, TEST_TOKEN, reference);
}

static void ask_refresh_init(struct asked *asked, struct bytes refresh_token)
{
    ask_init(asked, ASK_REFRESH);
    asked->run.ask.credential = basic(&world.test, TEST_TOKEN);
    asked->run.ask.refresh.refresh_token = refresh_token;
}

static void refresh_at(struct pair *out, struct bytes refresh_token, int64_t now_ms)
{
    struct asked asked;

    memset(out, 0, sizeof *out);
    ask_refresh_init(&asked, refresh_token);
    asked.run.now_ms = now_ms;
    keep(out, ask_run(&asked));
    ask_release(&asked);
}

static void check_refusal(const struct asked *asked, enum refusal refusal, const char *check)
{
    CHECK_INT(asked->run.outcome.kind, OUTCOME_REFUSED);
    CHECK_INT(asked->run.outcome.refused.refusal, refusal);
    CHECK_INT(asked->run.finding.refusal, refusal);
    if (CHECK(asked->run.finding.check != NULL)) CHECK(strcmp(asked->run.finding.check, check) == 0);
    CHECK(asked->run.finding.expected[0] && asked->run.finding.seen[0]);
}

static void refused_at(struct bytes refresh_token, int64_t now_ms, enum refusal refusal, const char *check)
{
    struct asked asked;

    ask_refresh_init(&asked, refresh_token);
    asked.run.now_ms = now_ms;
    ask_run(&asked);
    check_refusal(&asked, refusal, check);
    if (refusal >= REFUSAL_REFRESH_MALFORMED && refusal <= REFUSAL_REFRESH_ROLLED_BACK)
        CHECK_INT(asked.run.outcome.refused.field, FIELD_REFRESH_TOKEN);
    ask_release(&asked);
}

static void refused(struct bytes refresh_token, enum refusal refusal, const char *check)
{
    refused_at(refresh_token, NOW_MS, refusal, check);
}

/* What an access token is good for: REFUSAL_NONE, or why not. */
static enum refusal refusal_of(struct bytes token)
{
    struct asked asked;
    const struct outcome *outcome;
    enum refusal refusal;

    ask_bearer_init(&asked, ASK_WHO_AM_I, token);
    outcome = ask_run(&asked);
    refusal = outcome->kind == OUTCOME_REFUSED ? outcome->refused.refusal : REFUSAL_NONE;
    ask_release(&asked);
    return refusal;
}

/* ---- refusals ---- */

static void refuses_who_may_not_ask(void)
{
    static const struct {
        enum world_key key;
        enum refusal refusal;
        const char *check;
    } rows[] = {
        {RETIRED_TOKEN, REFUSAL_KEY_RETIRED, "key.live"},
        {LIVE_TOKEN, REFUSAL_KEY_UNKNOWN, "key.known"}, /* another project's */
        {POWERLESS_TOKEN, REFUSAL_KEY_PERMISSION, "key.permission"},
    };
    unsigned commits;
    struct pair pair, next;
    size_t i;

    mint(&pair);
    commits = world.spy.commits;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct asked asked;
        CHECK_NOTE("row %zu", i);
        ask_refresh_init(&asked, pair.refresh_text);
        asked.run.ask.credential = basic(&world.test, rows[i].key);
        ask_run(&asked);
        check_refusal(&asked, rows[i].refusal, rows[i].check);
        ask_release(&asked);
    }
    CHECK_INT(world.spy.commits, commits);
    refresh_at(&next, pair.refresh_text, NOW_MS);
}

static void refuses_what_is_no_refresh_token(void)
{
    static const struct {
        struct bytes text;
        enum refusal refusal;
    } rows[] = {
        {{(const uint8_t *)"x", 1}, REFUSAL_REFRESH_MALFORMED},
        {{(const uint8_t *)"rt_00000000.AAAA", 16}, REFUSAL_REFRESH_MALFORMED},
        {{(const uint8_t *)"lt_00000000.AAAA", 16}, REFUSAL_REFRESH_KIND},
        {{(const uint8_t *)"bt_00000000.AAAA", 16}, REFUSAL_REFRESH_KIND},
        {{(const uint8_t *)"e30.e30.AAAA", 12}, REFUSAL_REFRESH_KIND},
    };
    struct pair pair;
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_NOTE("row %zu", i);
        refused(rows[i].text, rows[i].refusal, "sealed.form");
    }
    mint(&pair);
    refused(pair.token_text, REFUSAL_REFRESH_KIND, "sealed.form");
    pair.refresh[pair.refresh_text.len - 3] ^= 1;
    refused(pair.refresh_text, REFUSAL_REFRESH_MALFORMED, "sealed.opens");
}

static void tells_what_the_dialect_could_not_read(void)
{
    struct asked asked;

    ask_refresh_init(&asked, BYTES_NONE);
    asked.run.refused = (struct refused){REFUSAL_PARAMETER_MISSING, FIELD_REFRESH_TOKEN, "can't be blank"};
    ask_run(&asked);
    check_refusal(&asked, REFUSAL_PARAMETER_MISSING, "parameter.present");
    ask_release(&asked);
    ask_refresh_init(&asked, BYTES_NONE);
    asked.run.unreadable = ERR_MALFORMED;
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_FAILED);
    CHECK_INT(asked.run.outcome.error, ERR_MALFORMED);
    ask_release(&asked);
}

/* Another project's, right in itself: as unknown as any, and nothing changes for its owner. */
static void refuses_another_projects_token(void)
{
    struct pair theirs, next;
    struct asked asked;
    unsigned commits;

    mint_of(&theirs, &world.live, LIVE_TOKEN, "theirs");
    commits = world.spy.commits;
    refused(theirs.refresh_text, REFUSAL_REFRESH_FOREIGN, "refresh.project");
    CHECK_INT(world.spy.commits, commits);
    ask_refresh_init(&asked, theirs.refresh_text);
    asked.run.ask.credential = basic(&world.live, LIVE_TOKEN);
    keep(&next, ask_run(&asked));
    CHECK(uuid_equal(&next.user, &theirs.user));
    ask_release(&asked);
    ask_refresh_init(&asked, theirs.refresh_text); /* old by now, which is no business of ours either */
    ask_run(&asked);
    check_refusal(&asked, REFUSAL_REFRESH_FOREIGN, "refresh.project");
    CHECK(uuid_is_zero(&asked.run.finding.family) && uuid_is_zero(&asked.run.finding.user));
    CHECK(uuid_equal(&asked.run.finding.project, &world.test));
    ask_release(&asked);
}

static void refuses_the_expired(void)
{
    struct pair pair, next;

    mint(&pair);
    refused_at(pair.refresh_text, NOW_MS + 7500000, REFUSAL_REFRESH_EXPIRED, "refresh.exp");
    refresh_at(&next, pair.refresh_text, NOW_MS + 7499999);
}

static void refuses_users_who_are_gone(void)
{
    struct write write = {.kind = WRITE_USER_GONE};
    struct pair pair;

    mint(&pair);
    write.user_gone.project = world.test;
    write.user_gone.user = pair.user;
    world_write(&write);
    service_forget_user(world.service, &world.test, &pair.user);
    refused(pair.refresh_text, REFUSAL_USER_GONE, "user.exists");
}

static void refuses_what_was_cut_off(void)
{
    struct pair pair;
    struct cutoff cutoff = {.of = CUTOFF_USER, .project = world.test, .t_ms = NOW_MS + 3000};

    mint(&pair);
    cutoff.id = uuid_bytes(&pair.user);
    CHECK_INT(cutoffs_put(world.service->cutoffs, &cutoff), ERR_OK);
    refused(pair.refresh_text, REFUSAL_TOKEN_CUT_OFF, "refresh.gt");
}

/* A revocation that comes while the row is being written: nothing is signed any more. */
static void signs_nothing_after_a_cutoff(void)
{
    struct pair pair;
    struct cutoff cutoff = {.of = CUTOFF_USER, .project = world.test, .t_ms = NOW_MS + 3000};
    struct asked asked;

    mint(&pair);
    cutoff.id = uuid_bytes(&pair.user);
    ask_refresh_init(&asked, pair.refresh_text);
    ask_start(&asked);
    CHECK_INT(asked.answers, 0);
    CHECK_INT(cutoffs_put(world.service->cutoffs, &cutoff), ERR_OK);
    drain();
    check_refusal(&asked, REFUSAL_TOKEN_CUT_OFF, "refresh.gt");
    ask_release(&asked);
}

/* ---- rotation ---- */

static void check_holder(const struct pair *pair, struct holder *out)
{
    struct asked asked;

    ask_bearer_init(&asked, ASK_WHO_AM_I, pair->token_text);
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_WHO);
    *out = asked.run.outcome.holder;
    out->jti = out->jkt = out->parent_key = BYTES_NONE; /* they lie in the arena */
    ask_release(&asked);
}

static void gives_a_new_pair(void)
{
    struct pair first, second, third;
    struct holder before, after;
    unsigned commits;

    mint(&first);
    commits = world.spy.commits;
    refresh_at(&second, first.refresh_text, NOW_MS + 5000);
    CHECK_INT(world.spy.commits, commits + 1); /* one round trip */
    refresh_at(&third, second.refresh_text, NOW_MS + 5000);
    CHECK(!bytes_equal(first.refresh_text, second.refresh_text));
    CHECK(!bytes_equal(second.refresh_text, third.refresh_text));
    CHECK(!bytes_equal(second.token_text, third.token_text));
    check_holder(&first, &before);
    check_holder(&second, &after);
    CHECK(uuid_equal(&before.user, &after.user) && uuid_equal(&before.family, &after.family));
    CHECK_INT(after.kind, before.kind);
    CHECK_INT(after.gt_ms, before.gt_ms);
    CHECK_INT(after.exp_s, NOW_S + 5 + 7200);
}

static void gives_the_same_again_to_who_asks_again(void)
{
    struct pair first, second, again;

    mint(&first);
    refresh_at(&second, first.refresh_text, NOW_MS);
    refresh_at(&again, first.refresh_text, NOW_MS + 9999);
    CHECK_BYTES(again.refresh_text, second.refresh_text);
    refresh_at(&again, second.refresh_text, NOW_MS + 9999);
    CHECK(!bytes_equal(again.refresh_text, second.refresh_text));
}

/* The first part of the two tokens is signed anew; what they say is the same. */
static void signs_the_same_claims_again(void)
{
    struct pair first, second, again;
    struct bytes head, left = BYTES_NONE, right = BYTES_NONE, rest;

    mint(&first);
    refresh_at(&second, first.refresh_text, NOW_MS);
    refresh_at(&again, first.refresh_text, NOW_MS + 5000);
    CHECK(bytes_split(&head, &rest, second.token_text, '.') && bytes_split(&left, &rest, rest, '.'));
    CHECK(bytes_split(&head, &rest, again.token_text, '.') && bytes_split(&right, &rest, rest, '.'));
    CHECK_BYTES(left, right);
}

static void kills_the_family_of_a_reused_token(void)
{
    struct pair first, second, third;

    mint(&first);
    refresh_at(&second, first.refresh_text, NOW_MS);
    refresh_at(&third, second.refresh_text, NOW_MS);
    refused(first.refresh_text, REFUSAL_REFRESH_REUSED, "refresh.generation");
    refused(third.refresh_text, REFUSAL_TOKEN_CUT_OFF, "refresh.gt");
    CHECK_INT(refusal_of(third.token_text), REFUSAL_TOKEN_CUT_OFF);
    CHECK_INT(refusal_of(first.token_text), REFUSAL_TOKEN_CUT_OFF);
}

/* Without the cutoff, as a lane that has not heard of it yet: the row alone refuses. */
static void refuses_dead_families(void)
{
    struct pair first, second, third;
    struct service *service;

    mint(&first);
    refresh_at(&second, first.refresh_text, NOW_MS);
    refresh_at(&third, second.refresh_text, NOW_MS);
    refused(first.refresh_text, REFUSAL_REFRESH_REUSED, "refresh.generation");
    service = world.service;
    cutoffs_free(service->cutoffs);
    world_check(cutoffs_new(&service->cutoffs, 1));
    refused(third.refresh_text, REFUSAL_REFRESH_DEAD, "refresh.generation");
    refused(first.refresh_text, REFUSAL_REFRESH_DEAD, "refresh.generation");
}

static void takes_a_late_retry_for_theft(void)
{
    struct pair first, second;

    mint(&first);
    refresh_at(&second, first.refresh_text, NOW_MS);
    refused_at(first.refresh_text, NOW_MS + 10001, REFUSAL_REFRESH_REUSED, "refresh.generation");
    refused(second.refresh_text, REFUSAL_TOKEN_CUT_OFF, "refresh.gt");
}

static void takes_another_keys_retry_for_theft(void)
{
    struct pair first, second, third;
    struct asked asked;

    mint(&first);
    refresh_at(&second, first.refresh_text, NOW_MS);
    ask_refresh_init(&asked, second.refresh_text); /* any live key of the project may go on ... */
    asked.run.ask.credential.password = bytes_of(second_key.secret, second_key.secret_len);
    keep(&third, ask_run(&asked));
    ask_release(&asked);
    refused(second.refresh_text, REFUSAL_REFRESH_REUSED, "refresh.generation"); /* ... not go back */
    refused(third.refresh_text, REFUSAL_TOKEN_CUT_OFF, "refresh.gt");
}

static void makes_one_successor_for_many_at_once(void)
{
    struct asked asked[50];
    struct pair first;
    size_t i;

    mint(&first);
    for (i = 0; i < 50; i++) {
        ask_refresh_init(&asked[i], first.refresh_text);
        ask_start(&asked[i]);
    }
    drain();
    for (i = 0; i < 50; i++) {
        CHECK_INT(asked[i].answers, 1);
        CHECK_INT(asked[i].run.outcome.kind, OUTCOME_MINTED);
        CHECK_BYTES(asked[i].run.outcome.minted.refresh_token, asked[0].run.outcome.minted.refresh_token);
    }
    for (i = 0; i < 50; i++)
        ask_release(&asked[i]);
}

/* ---- a store in trouble ---- */

static void fails_whole(struct bytes refresh_token, enum err error)
{
    struct asked asked;

    ask_refresh_init(&asked, refresh_token);
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_FAILED);
    CHECK_INT(asked.run.outcome.error, error);
    ask_release(&asked);
}

static void fails_when_nothing_was_written(void)
{
    struct pair first, second;

    mint(&first);
    world.spy.commit_error = ERR_STORE_FAILED;
    fails_whole(first.refresh_text, ERR_STORE_FAILED);
    world.spy.commit_error = ERR_STORE_BUSY;
    fails_whole(first.refresh_text, ERR_STORE_BUSY);
    world.spy.commit_error = ERR_OK;
    refresh_at(&second, first.refresh_text, NOW_MS);
}

/* It happened, and the answer says it had failed: the row tells. */
static void finds_a_commit_whose_answer_was_lost(void)
{
    struct pair first, second, again;

    mint(&first);
    world.spy.commit_error = ERR_STORE_FAILED;
    world.spy.commits_anyway = true;
    refresh_at(&second, first.refresh_text, NOW_MS);
    world.spy.read_error = ERR_STORE_FAILED;
    fails_whole(second.refresh_text, ERR_STORE_FAILED); /* unreadable: not guessed */
    world.spy.commit_error = world.spy.read_error = ERR_OK;
    world.spy.commits_anyway = false;
    refresh_at(&again, second.refresh_text, NOW_MS);
    refresh_at(&second, again.refresh_text, NOW_MS);
}

/* The store was put back: what it knows is older than what it has given. */
static void refuses_what_the_store_has_forgotten(void)
{
    struct pair first, second, third;
    struct store *before = world.spy.real, *empty;

    mint(&first);
    refresh_at(&second, first.refresh_text, NOW_MS);
    world_check(store_memory_open(&empty));
    world.spy.real = empty;
    world_project(&world.test, true);
    refused(second.refresh_text, REFUSAL_REFRESH_STATE_LOST, "refresh.generation");
    refused(second.refresh_text, REFUSAL_REFRESH_DEAD, "refresh.generation");
    world.spy.real = before;
    refresh_at(&third, second.refresh_text, NOW_MS);
    empty->ops->close(empty);
}

static void add_second_key(void)
{
    struct write write = {.kind = WRITE_KEY};

    key_text_draw(&second_key, KEY_API_TOKEN, true, &world.dice);
    write.key.kind = KEY_API_TOKEN;
    write.key.project = world.test;
    write.key.public_id = bytes_of(second_key.id, second_key.id_len);
    write.key.permissions = PERMISSION_ALL;
    world_check(keyring_hash(write.key.hash, &world.service->bench,
                             bytes_of(second_key.secret, second_key.secret_len)));
    world_write(&write);
    world_check(service_take_facts(world.service, world_publish()));
}

int main(void)
{
    world_open(64);
    add_second_key();
    CHECK_RUN(refuses_who_may_not_ask);
    CHECK_RUN(refuses_what_is_no_refresh_token);
    CHECK_RUN(tells_what_the_dialect_could_not_read);
    CHECK_RUN(refuses_another_projects_token);
    CHECK_RUN(refuses_the_expired);
    CHECK_RUN(refuses_users_who_are_gone);
    CHECK_RUN(refuses_what_was_cut_off);
    CHECK_RUN(signs_nothing_after_a_cutoff);
    CHECK_RUN(gives_a_new_pair);
    CHECK_RUN(gives_the_same_again_to_who_asks_again);
    CHECK_RUN(signs_the_same_claims_again);
    CHECK_RUN(kills_the_family_of_a_reused_token);
    CHECK_RUN(refuses_dead_families);
    CHECK_RUN(takes_a_late_retry_for_theft);
    CHECK_RUN(takes_another_keys_retry_for_theft);
    CHECK_RUN(makes_one_successor_for_many_at_once);
    CHECK_RUN(fails_when_nothing_was_written);
    CHECK_RUN(finds_a_commit_whose_answer_was_lost);
    CHECK_RUN(refuses_what_the_store_has_forgotten);
    world_close();
    return CHECK_END();
}
