/* Tickets through the whole service: asked for, redeemed once, refused in every other case without
 * being used up. */
#include "service/cutoffs.h"
#include "service/service_run.h"

#include "harness/ticket_world.h"

#define PARALLEL 24

/* What the store has of a user: the payload as text, into out; false if there is none. */
static bool stored_payload(char out[TICKET_MAX], const struct uuid *user)
{
    struct store_read read = {.post = lane_post, .to = &world, .kind = READ_USER_BY_ID};
    struct arena arena;

    arena_init(&arena, 65536);
    read.project = world.test;
    read.id = *user;
    read.arena = &arena;
    read.mail.open = NULL;
    world.spy.real->ops->read(world.spy.real, &read);
    while (!mailbox_take(&world.box)) {
    }
    CHECK_INT(read.error, ERR_OK);
    out[0] = 0;
    if (read.found && !bytes_is_absent(read.user.payload)) {
        memcpy(out, read.user.payload.ptr, read.user.payload.len);
        out[read.user.payload.len] = 0;
    }
    arena_release(&arena);
    return read.found;
}

/* --- what is refused --- */

static void refuses_other_keys(void)
{
    struct asked asked;

    launch_init(&asked);
    asked.run.ask.credential = basic(&world.test, TEST_TOKEN);
    ask_run(&asked);
    check_refused(&asked, REFUSAL_CREDENTIAL_MALFORMED);
    ask_release(&asked);
    bootstrap_init(&asked, BYTES_NONE);
    asked.run.ask.credential.token = public_id(PUBLISHABLE);
    ask_run(&asked);
    check_refused(&asked, REFUSAL_KEY_UNKNOWN);
    ask_release(&asked);
}

/* Each byte of a ticket changed, each length, and the other kind's: nothing is read, nothing written. */
static void refuses_what_is_no_ticket_of_this_kind(void)
{
    struct ticket_text good, bad;
    unsigned asks;
    size_t i;

    bootstrap(&good, BYTES("u-1"));
    asks = world.spy.reads + world.spy.commits;
    for (i = 0; i < good.len; i++) {
        bad = good;
        bad.text[i] = bad.text[i] == 'A' ? 'B' : 'A';
        CHECK_NOTE("byte %zu", i);
        redeem_refused(TICKET_BOOTSTRAP, &bad, REFUSAL_TICKET_INVALID);
        bad = good;
        bad.len = i ? i : 1;
        redeem_refused(TICKET_BOOTSTRAP, &bad, REFUSAL_TICKET_INVALID);
    }
    redeem_refused(TICKET_LAUNCH, &good, REFUSAL_TICKET_INVALID);
    CHECK_INT(world.spy.reads + world.spy.commits, asks);
    redeem(NULL, NULL, TICKET_BOOTSTRAP, &good);
}

/* Wrong in every way but one: and still good afterwards. */
static void a_wrong_try_burns_nothing(void)
{
    static const struct {
        const char *name;
        int key; /* -1: none, -2: a text that is none */
        const char *origin;
        int64_t later_ms;
        enum refusal wanted;
    } rows[] = {
        {"no key", -1, NULL, 0, REFUSAL_PUBLISHABLE_KEY},
        {"no key's form", -2, NULL, 0, REFUSAL_PUBLISHABLE_KEY},
        {"another tenant's key", LIVE_PUBLISHABLE, NULL, 0, REFUSAL_PUBLISHABLE_KEY},
        {"a retired key", RETIRED_PUBLISHABLE, NULL, 0, REFUSAL_PUBLISHABLE_KEY},
        {"a client id", CLIENT, NULL, 0, REFUSAL_PUBLISHABLE_KEY},
        {"a foreign page", PUBLISHABLE, "https://evil.test", 0, REFUSAL_ORIGIN_NOT_LISTED},
        {"a sandboxed page", PUBLISHABLE, "null", 0, REFUSAL_ORIGIN_NOT_LISTED},
        {"too late", PUBLISHABLE, ORIGIN, 300000, REFUSAL_TICKET_EXPIRED},
    };
    struct ticket_text ticket;
    size_t i;

    launch(&ticket, NULL, BYTES_NONE);
    for (i = 0; i < COUNT(rows); i++) {
        struct asked asked;
        unsigned commits = world.spy.commits;
        redeem_init(&asked, TICKET_LAUNCH, &ticket);
        asked.run.ask.redeem.publishable_key = rows[i].key == -1   ? BYTES_NONE
                                               : rows[i].key == -2 ? BYTES("pk")
                                                                   : public_id((enum more_key)rows[i].key);
        asked.run.ask.origin = bytes_of_text(rows[i].origin);
        asked.run.now_ms += rows[i].later_ms;
        CHECK_NOTE("%s", rows[i].name);
        ask_run(&asked);
        check_refused(&asked, rows[i].wanted);
        CHECK_INT(world.spy.commits, commits);
        ask_release(&asked);
    }
    redeem(NULL, NULL, TICKET_LAUNCH, &ticket);
    redeem_refused(TICKET_LAUNCH, &ticket, REFUSAL_TICKET_USED);
}

static void ends_with_its_last_millisecond(void)
{
    static const struct {
        int64_t later_ms;
        enum outcome_kind kind;
    } rows[] = {{300000, OUTCOME_REFUSED}, {299999, OUTCOME_MINTED}};
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct ticket_text ticket;
        struct asked asked;
        launch(&ticket, NULL, BYTES_NONE);
        redeem_init(&asked, TICKET_LAUNCH, &ticket);
        asked.run.now_ms += rows[i].later_ms;
        CHECK_INT(ask_run(&asked)->kind, rows[i].kind);
        ask_release(&asked);
    }
}

static void obeys_cutoffs(void)
{
    struct ticket_text before, after;
    struct cutoff cutoff = {
        .of = CUTOFF_KEY, .project = world.test, .id = public_id(CLIENT), .t_ms = NOW_MS + 3000};

    launch(&before, NULL, BYTES_NONE);
    CHECK_INT(cutoffs_put(world.service->cutoffs, &cutoff), ERR_OK);
    redeem_refused(TICKET_LAUNCH, &before, REFUSAL_TOKEN_CUT_OFF);
    launch(&after, NULL, BYTES_NONE); /* the key may go on: what it mints now lies after the cutoff */
    redeem(NULL, NULL, TICKET_LAUNCH, &after);
}

/* A cutoff that comes while the store is asked: nothing is signed any more. */
static void a_cutoff_on_the_way_counts(void)
{
    struct cutoff cutoff = {.of = CUTOFF_PROJECT, .project = world.test, .t_ms = NOW_MS + 60000};
    struct ticket_text ticket;
    struct asked asked;

    launch(&ticket, NULL, BYTES_NONE);
    cutoff.id = uuid_bytes(&world.test);
    redeem_init(&asked, TICKET_LAUNCH, &ticket);
    ask_start(&asked);
    CHECK_INT(asked.answers, 0);
    CHECK_INT(cutoffs_put(world.service->cutoffs, &cutoff), ERR_OK);
    drain();
    CHECK_INT(asked.answers, 1);
    check_refused(&asked, REFUSAL_TOKEN_CUT_OFF);
    ask_release(&asked);
}

/* A cutoff that the store has and this lane has not heard of: nobody is made, and nothing is used up. */
static void a_cutoff_that_the_store_has_counts(void)
{
    struct write cutoff = {.kind = WRITE_CUTOFF,
                           .cutoff = {.cutoff = {.of = CUTOFF_PROJECT, .project = world.test},
                                      .now_ms = NOW_MS + 120000,
                                      .keep_s = 3600}};
    struct ticket_text ticket;

    launch(&ticket, NULL, BYTES_NONE);
    cutoff.cutoff.cutoff.id = uuid_bytes(&world.test);
    world_write(&cutoff);
    redeem_refused(TICKET_LAUNCH, &ticket, REFUSAL_TOKEN_CUT_OFF);
    redeem_refused(TICKET_LAUNCH, &ticket, REFUSAL_TOKEN_CUT_OFF); /* and not as one that was used */
}

/* The store cannot say: no session, and the ticket is as good as before. */
static void a_failing_store_burns_nothing(void)
{
    struct ticket_text ticket;
    struct asked asked;

    launch(&ticket, NULL, BYTES_NONE);
    world.spy.commit_error = ERR_STORE_FAILED;
    redeem_init(&asked, TICKET_LAUNCH, &ticket);
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_FAILED);
    CHECK_INT(asked.run.outcome.error, ERR_STORE_FAILED);
    ask_release(&asked);
    world.spy.commit_error = ERR_OK;
    redeem(NULL, NULL, TICKET_LAUNCH, &ticket);
}

/* --- once --- */

static void of_many_at_once_one_is_served(void)
{
    static struct asked asked[PARALLEL];
    struct ticket_text ticket;
    unsigned served = 0, used = 0;
    size_t i;

    launch(&ticket, NULL, BYTES("{\"a\":1}"));
    for (i = 0; i < PARALLEL; i++) {
        redeem_init(&asked[i], TICKET_LAUNCH, &ticket);
        ask_start(&asked[i]);
    }
    drain();
    for (i = 0; i < PARALLEL; i++) {
        const struct outcome *outcome = &asked[i].run.outcome;
        CHECK_INT(asked[i].answers, 1);
        served += outcome->kind == OUTCOME_MINTED;
        used += outcome->kind == OUTCOME_REFUSED && outcome->refused.refusal == REFUSAL_TICKET_USED;
        ask_release(&asked[i]);
    }
    CHECK_INT(served, 1);
    CHECK_INT(used, PARALLEL - 1);
}

/* --- users --- */

static void a_user_is_pending_until_redeemed(void)
{
    struct ticket_text first, second, third;
    char payload[TICKET_MAX];
    struct uuid user;

    launch(&first, NULL, BYTES("{\"a\":1}"));
    CHECK(!stored_payload(payload, &first.user));
    launch(&second, &first.user, BYTES_NONE); /* pending: cannot be resumed, and its id is not adopted */
    CHECK(!uuid_equal(&second.user, &first.user));
    user = redeem(NULL, NULL, TICKET_LAUNCH, &first);
    CHECK(stored_payload(payload, &user) && strcmp(payload, "{\"a\":1}") == 0);
    launch(&third, &user, BYTES_NONE);
    CHECK(uuid_equal(&third.user, &user));
    redeem(NULL, NULL, TICKET_LAUNCH, &third);
    CHECK(stored_payload(payload, &user) && strcmp(payload, "{\"a\":1}") == 0);
}

static void payloads_are_merged(void)
{
    struct ticket_text ticket;
    char payload[TICKET_MAX];
    static uint8_t wide[PAYLOAD_MAX - 4];
    struct asked asked;
    struct uuid user;

    launch(&ticket, NULL, BYTES("{\"a\":1,\"b\":{\"x\":1}}"));
    user = redeem(NULL, NULL, TICKET_LAUNCH, &ticket);
    launch(&ticket, &user, BYTES("{\"b\":2,\"c\":3}"));
    redeem(NULL, NULL, TICKET_LAUNCH, &ticket);
    CHECK(stored_payload(payload, &user));
    CHECK(strcmp(payload, "{\"b\":2,\"c\":3,\"a\":1}") == 0);
    memset(wide, 'x', sizeof wide);
    memcpy(wide, "{\"wide\":\"", 9);
    memcpy(wide + sizeof wide - 2, "\"}", 2);
    launch_init(&asked); /* fits alone, but not beside what the user has */
    asked.run.ask.launch =
        (struct ask_launch){.has_user = true, .user = user, .payload = bytes_of(wide, sizeof wide)};
    ask_run(&asked);
    check_refused(&asked, REFUSAL_PARAMETER_INVALID);
    CHECK_INT(asked.run.outcome.refused.field, FIELD_PAYLOAD);
    ask_release(&asked);
}

/* Tickets of one user redeemed together: each is served, and each payload arrives. */
static void parallel_payloads_are_all_kept(void)
{
    static struct asked asked[3];
    static struct ticket_text tickets[3];
    static const char *const payloads[3] = {"{\"a\":1}", "{\"b\":1}", "{\"c\":1}"};
    struct ticket_text first;
    char payload[TICKET_MAX];
    struct uuid user;
    size_t i;

    launch(&first, NULL, BYTES_NONE);
    user = redeem(NULL, NULL, TICKET_LAUNCH, &first);
    for (i = 0; i < 3; i++) {
        launch(&tickets[i], &user, bytes_of_text(payloads[i]));
        redeem_init(&asked[i], TICKET_LAUNCH, &tickets[i]);
    }
    for (i = 0; i < 3; i++)
        ask_start(&asked[i]);
    drain();
    for (i = 0; i < 3; i++) {
        CHECK_INT(asked[i].run.outcome.kind, OUTCOME_MINTED);
        ask_release(&asked[i]);
    }
    CHECK(stored_payload(payload, &user));
    CHECK(strstr(payload, "\"a\":1") && strstr(payload, "\"b\":1") && strstr(payload, "\"c\":1"));
}

static void nobody_resumes_who_is_gone(void)
{
    struct ticket_text ticket, resumed;
    struct write gone = {.kind = WRITE_USER_GONE};
    struct uuid user;

    launch(&ticket, NULL, BYTES_NONE);
    user = redeem(NULL, NULL, TICKET_LAUNCH, &ticket);
    launch(&resumed, &user, BYTES_NONE);
    gone.user_gone.project = world.test;
    gone.user_gone.user = user;
    world_write(&gone);
    redeem_refused(TICKET_LAUNCH, &resumed, REFUSAL_USER_GONE);
}

static void equal_ids_are_one_participant(void)
{
    struct ticket_text a, again, other, nobody, nobody_else;

    bootstrap(&a, BYTES("u-7"));
    bootstrap(&again, BYTES("u-7"));
    bootstrap(&other, BYTES("u-8"));
    bootstrap(&nobody, BYTES_NONE);
    bootstrap(&nobody_else, BYTES_NONE);
    CHECK(uuid_equal(&a.user, &again.user) && !uuid_equal(&a.user, &other.user));
    CHECK(!uuid_equal(&nobody.user, &nobody_else.user) && !uuid_equal(&nobody.user, &a.user));
    CHECK_INT(a.user.byte[6] >> 4, 8); /* RFC 9562 §5.8 */
    redeem(NULL, NULL, TICKET_BOOTSTRAP, &a);
    redeem(NULL, NULL, TICKET_BOOTSTRAP, &again);
    redeem(NULL, NULL, TICKET_BOOTSTRAP, &nobody);
    redeem_refused(TICKET_BOOTSTRAP, &a, REFUSAL_TICKET_USED);
}

/* --- sessions --- */

static void visits_name_a_project(void)
{
    static const struct {
        int study; /* 0: none, 1: ours, 2: the other project's, 3: nobody's */
        int key;   /* -1: none */
        const char *origin;
        enum refusal wanted;
    } rows[] = {
        {0, -1, NULL, REFUSAL_PARAMETER_MISSING},
        {3, -1, NULL, REFUSAL_NOT_FOUND},
        {0, RETIRED_PUBLISHABLE, NULL, REFUSAL_PUBLISHABLE_KEY},
        {0, CLIENT, NULL, REFUSAL_PUBLISHABLE_KEY},
        {2, PUBLISHABLE, NULL, REFUSAL_NOT_FOUND},
        {1, -1, "https://evil.test", REFUSAL_ORIGIN_NOT_LISTED},
        {1, -1, ORIGIN, REFUSAL_NONE},
        {0, PUBLISHABLE, NULL, REFUSAL_NONE},
        {2, LIVE_PUBLISHABLE, ORIGIN, REFUSAL_NONE},
    };
    unsigned asks = world.spy.reads + world.spy.commits;
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct asked asked;
        ask_init(&asked, ASK_VISIT);
        asked.run.ask.visit.has_study = rows[i].study != 0;
        asked.run.ask.visit.study = rows[i].study == 1   ? study
                                    : rows[i].study == 2 ? live_study
                                                         : (struct uuid){{1}};
        if (rows[i].key >= 0) asked.run.ask.visit.publishable_key = public_id((enum more_key)rows[i].key);
        asked.run.ask.origin = bytes_of_text(rows[i].origin);
        CHECK_NOTE("visit row %zu", i);
        ask_run(&asked);
        if (rows[i].wanted)
            check_refused(&asked, rows[i].wanted);
        else {
            CHECK_INT(asked.run.outcome.kind, OUTCOME_MINTED);
            CHECK_INT(asked.run.outcome.minted.exp_s - asked.run.outcome.minted.iat_s, 14400);
        }
        ask_release(&asked);
    }
    CHECK_INT(world.spy.reads + world.spy.commits, asks);
}

int main(void)
{
    open_all();
    CHECK_RUN(refuses_other_keys);
    CHECK_RUN(refuses_what_is_no_ticket_of_this_kind);
    CHECK_RUN(a_wrong_try_burns_nothing);
    CHECK_RUN(ends_with_its_last_millisecond);
    CHECK_RUN(a_failing_store_burns_nothing);
    CHECK_RUN(of_many_at_once_one_is_served);
    CHECK_RUN(a_user_is_pending_until_redeemed);
    CHECK_RUN(payloads_are_merged);
    CHECK_RUN(parallel_payloads_are_all_kept);
    CHECK_RUN(nobody_resumes_who_is_gone);
    CHECK_RUN(equal_ids_are_one_participant);
    CHECK_RUN(visits_name_a_project);
    CHECK_RUN(obeys_cutoffs);
    CHECK_RUN(a_cutoff_on_the_way_counts); /* last, as the next: they void all there is */
    CHECK_RUN(a_cutoff_that_the_store_has_counts);
    world_close();
    return CHECK_END();
}
