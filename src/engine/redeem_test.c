#include "engine/redeem.h"

#include "engine/ticket.h"
#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define NOW_S       1767225600
#define NOW_MS      ((int64_t)NOW_S * 1000 + 321)

static const struct fact_project project = {
    .id = {{1}},
    .age_ms = 5000,
    .setting = {[SETTING_EMBEDDED_LIFE] = 3600, [SETTING_PARTICIPANT_LIFE] = 900}};
static const struct fact_key ours = {.kind = KEY_PUBLISHABLE, .project = {{1}}};
static const struct ask_redeem ask = {
    .kind = TICKET_LAUNCH, .needs_publishable_key = true, .publishable_key = {(const uint8_t *)"pk", 2}};
static const struct user user = {
    .id = {{5}}, .project = {{1}}, .kind = USER_EMBEDDED, .updated_ms = NOW_MS - 9};

static struct redeem_facts good_facts(void)
{
    return (struct redeem_facts){.project = &project,
                                 .publishable = &ours,
                                 .cutoff_ms = INT64_MIN,
                                 .pruned_through_s = 0,
                                 .user = &user};
}

static struct ticket good_ticket(enum ticket_kind kind, bool is_new_user)
{
    return (struct ticket){.kind = kind,
                           .id = {{3}},
                           .project = {{1}},
                           .user = {{5}},
                           .parent_key = BYTES("cli_0"),
                           .gt_ms = NOW_MS - 1000,
                           .iat_s = NOW_S - 1,
                           .exp_s = NOW_S + 299,
                           .age_ms = 5000,
                           .is_new_user = is_new_user,
                           .external_id = BYTES("crm-1"),
                           .payload = BYTES("{\"a\":1}")};
}

static struct plan plan_with(const struct redeem_facts *facts, const struct ask_redeem *asked,
                             const struct ticket *ticket, int64_t now_ms)
{
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 1);
    struct plan plan;

    memset(&plan, 0xa5, sizeof plan);
    redeem_plan(&plan, facts, asked, ticket, now_ms, &dice);
    return plan;
}

/* Refused by the check and by the plan, with nothing to write: a wrong try burns no ticket. */
static void check_burns_nothing(const struct redeem_facts *facts, const struct ask_redeem *asked,
                                const struct ticket *ticket, int64_t now_ms, enum refusal wanted)
{
    struct plan plan = plan_with(facts, asked, ticket, now_ms);
    struct decision decision;

    CHECK_INT(redeem_check(facts, asked, ticket, now_ms), wanted);
    CHECK_INT(plan.refused.refusal, wanted);
    CHECK_INT(plan.write_count, wanted ? 0 : 2);
    if (!wanted) return;
    redeem_settle(&decision, &plan, NULL);
    CHECK_INT(decision.refused.refusal, wanted);
    CHECK(uuid_is_zero(&decision.grant.user) && uuid_is_zero(&plan.grant.jti));
}

static void refuses_wrong_keys_and_tenants(void)
{
    static const struct fact_key foreign = {.kind = KEY_PUBLISHABLE, .project = {{2}}},
                                 retired = {.kind = KEY_PUBLISHABLE, .project = {{1}}, .is_retired = true},
                                 secret = {.kind = KEY_SECRET, .project = {{1}}};
    static const struct {
        const struct fact_key *key;
        bool needs, names;
        enum refusal wanted;
    } rows[] = {
        {NULL, true, true, REFUSAL_PUBLISHABLE_KEY},
        {NULL, true, false, REFUSAL_PUBLISHABLE_KEY},
        {NULL, false, true, REFUSAL_PUBLISHABLE_KEY},
        {&foreign, true, true, REFUSAL_PUBLISHABLE_KEY},
        {&foreign, false, true, REFUSAL_PUBLISHABLE_KEY},
        {&retired, true, true, REFUSAL_PUBLISHABLE_KEY},
        {&secret, true, true, REFUSAL_PUBLISHABLE_KEY},
        {NULL, false, false, REFUSAL_NONE},
        {&ours, true, true, REFUSAL_NONE},
    };
    struct ticket ticket = good_ticket(TICKET_LAUNCH, true);
    struct redeem_facts facts = good_facts();
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct ask_redeem asked = {.kind = TICKET_LAUNCH, .needs_publishable_key = rows[i].needs};
        if (rows[i].names) asked.publishable_key = BYTES("pk");
        facts.publishable = rows[i].key;
        CHECK_NOTE("key row %zu", i);
        check_burns_nothing(&facts, &asked, &ticket, NOW_MS, rows[i].wanted);
    }
    facts = good_facts();
    facts.project = NULL;
    check_burns_nothing(&facts, &ask, &ticket, NOW_MS, REFUSAL_TICKET_INVALID);
    facts = good_facts();
    ticket.kind = TICKET_BOOTSTRAP; /* which the seal tells already; and here again */
    check_burns_nothing(&facts, &ask, &ticket, NOW_MS, REFUSAL_TICKET_INVALID);
}

static void ends_to_the_millisecond(void)
{
    static const struct {
        int64_t age_ms;   /* of the project, at the redeem */
        int64_t after_ms; /* of the mint */
        enum refusal wanted;
    } rows[] = {
        {5000, 0, REFUSAL_NONE},
        {5000, 299000, REFUSAL_NONE},
        {5000, 299999, REFUSAL_NONE},
        {5000, 300000, REFUSAL_TICKET_EXPIRED},
        {5000, INT64_C(300000000), REFUSAL_TICKET_EXPIRED},
        {5000 + 299000, 0, REFUSAL_NONE},
        {5000 + 299000, 999, REFUSAL_NONE},
        {5000 + 299000, 1000, REFUSAL_TICKET_EXPIRED},
        {5000 + 300000, 0, REFUSAL_TICKET_EXPIRED},
        {0, 0, REFUSAL_NONE}, /* a ticket older than its project gains nothing */
        {0, 300000, REFUSAL_TICKET_EXPIRED},
    };
    struct ticket ticket = good_ticket(TICKET_LAUNCH, true);
    struct fact_project aged = project;
    struct redeem_facts facts = good_facts();
    size_t i;

    ticket.gt_ms = NOW_MS;
    ticket.iat_s = NOW_S;
    ticket.exp_s = NOW_S + 300;
    facts.project = &aged;
    for (i = 0; i < COUNT(rows); i++) {
        aged.age_ms = rows[i].age_ms;
        CHECK_NOTE("time row %zu", i);
        check_burns_nothing(&facts, &ask, &ticket, NOW_MS + rows[i].after_ms, rows[i].wanted);
    }
}

static void stays_expired_when_the_clock_goes_back(void)
{
    struct ticket ticket = good_ticket(TICKET_LAUNCH, true);
    struct redeem_facts facts = good_facts();

    facts.pruned_through_s = ticket.exp_s;
    check_burns_nothing(&facts, &ask, &ticket, NOW_MS, REFUSAL_TICKET_EXPIRED);
    facts.pruned_through_s = ticket.exp_s - 1;
    check_burns_nothing(&facts, &ask, &ticket, NOW_MS, REFUSAL_NONE);
}

static void obeys_cutoffs(void)
{
    struct ticket ticket = good_ticket(TICKET_LAUNCH, true);
    struct redeem_facts facts = good_facts();

    facts.cutoff_ms = ticket.gt_ms;
    check_burns_nothing(&facts, &ask, &ticket, NOW_MS, REFUSAL_TOKEN_CUT_OFF);
    facts.cutoff_ms = ticket.gt_ms - 1;
    check_burns_nothing(&facts, &ask, &ticket, NOW_MS, REFUSAL_NONE);
}

static void resumes_nobody_who_is_gone(void)
{
    struct ticket ticket = good_ticket(TICKET_LAUNCH, false);
    struct redeem_facts facts = good_facts();
    struct user other = user;
    struct plan plan;

    facts.user = NULL;
    plan = plan_with(&facts, &ask, &ticket, NOW_MS);
    CHECK_INT(plan.refused.refusal, REFUSAL_USER_GONE);
    CHECK_INT(plan.write_count, 0);
    other.kind = USER_SUBSCRIBER;
    facts.user = &other;
    plan = plan_with(&facts, &ask, &ticket, NOW_MS);
    CHECK_INT(plan.refused.refusal, REFUSAL_USER_GONE);
    facts.user = &user;
    facts.payload = (struct bytes){(const uint8_t *)"", SIZE_MAX};
    plan = plan_with(&facts, &ask, &ticket, NOW_MS);
    CHECK_INT(plan.refused.refusal, REFUSAL_PARAMETER_INVALID);
    CHECK_INT(plan.refused.field, FIELD_PAYLOAD);
    CHECK_INT(plan.write_count, 0);
}

/* Two changes within one millisecond are told from each other, and so are two with the clock behind. */
static void every_change_moves_the_stamp(void)
{
    static const int64_t updated_ms[] = {NOW_MS - 1, NOW_MS, NOW_MS + 60000};
    static const int64_t wanted_ms[] = {NOW_MS, NOW_MS + 1, NOW_MS + 60001};
    struct ticket ticket = good_ticket(TICKET_LAUNCH, false);
    struct redeem_facts facts = good_facts();
    struct user changed = user;
    size_t i;

    facts.user = &changed;
    for (i = 0; i < COUNT(updated_ms); i++) {
        struct plan plan;
        changed.updated_ms = updated_ms[i];
        plan = plan_with(&facts, &ask, &ticket, NOW_MS);
        CHECK_NOTE("stamp row %zu", i);
        CHECK_INT(plan.writes[1].payload.now_ms, wanted_ms[i]);
        CHECK_INT(plan.writes[1].payload.if_updated_ms, updated_ms[i]);
    }
}

/* What is written, by kind of ticket; every gate in its place, the ticket's own first. */
static void plans_one_commit(void)
{
    static const struct {
        enum ticket_kind kind;
        bool is_new_user;
        enum write_kind second;
        bool second_is_gate;
        enum user_kind user_kind;
        enum token_kind token;
        int64_t life_s;
    } rows[] = {
        {TICKET_LAUNCH, true, WRITE_USER, true, USER_EMBEDDED, TOKEN_EMBEDDED, 3600},
        {TICKET_LAUNCH, false, WRITE_PAYLOAD, true, USER_EMBEDDED, TOKEN_EMBEDDED, 3600},
        {TICKET_BOOTSTRAP, true, WRITE_USER, true, USER_PARTICIPANT, TOKEN_PARTICIPANT, 900},
        {TICKET_BOOTSTRAP, false, WRITE_USER, false, USER_PARTICIPANT, TOKEN_PARTICIPANT, 900},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct ticket ticket = good_ticket(rows[i].kind, rows[i].is_new_user);
        struct ask_redeem asked = {.kind = rows[i].kind};
        struct redeem_facts facts = good_facts();
        struct plan plan;
        const struct write *once = &plan.writes[0], *second = &plan.writes[1];
        facts.payload = BYTES("{\"merged\":1}");
        plan = plan_with(&facts, &asked, &ticket, NOW_MS);
        CHECK_NOTE("plan row %zu", i);
        CHECK_INT(plan.refused.refusal, REFUSAL_NONE);
        CHECK_INT(plan.write_count, 2);
        CHECK(once->kind == WRITE_ONCE && once->is_gate && uuid_equal(&once->once.id, &ticket.id));
        CHECK(once->once.bucket_s > ticket.exp_s && once->once.bucket_s <= ticket.exp_s + REDEEM_BUCKET_S);
        CHECK_INT(once->once.bucket_s % REDEEM_BUCKET_S, 0);
        CHECK_INT(second->kind, rows[i].second);
        CHECK_INT(second->is_gate, rows[i].second_is_gate);
        if (second->kind == WRITE_PAYLOAD) {
            CHECK(uuid_equal(&second->payload.user, &user.id));
            CHECK_INT(second->payload.if_updated_ms, user.updated_ms);
            CHECK_INT(second->payload.now_ms, NOW_MS);
            CHECK_BYTES(second->payload.payload, facts.payload);
            CHECK_BYTES(second->payload.external_id, ticket.external_id);
        } else {
            CHECK_INT(second->user.user.kind, rows[i].user_kind);
            CHECK(uuid_equal(&second->user.user.id, &ticket.user));
            CHECK(bytes_is_absent(second->user.user.reference));
            CHECK_BYTES(second->user.user.payload, ticket.payload);
            CHECK_BYTES(second->user.user.external_id, ticket.external_id);
        }
        CHECK_INT(plan.grant.kind, rows[i].token);
        CHECK_INT(plan.grant.exp_s, NOW_S + rows[i].life_s);
        CHECK_INT(plan.grant.absolute_end_s, plan.grant.exp_s);
        CHECK_INT(plan.grant.gt_ms, ticket.gt_ms);
        CHECK_INT(plan.grant.age_ms, 5000);
        CHECK(!plan.grant.has_refresh && uuid_equal(&plan.grant.family, &ticket.id));
        CHECK_BYTES(plan.grant.parent_key, ticket.parent_key);
        CHECK(uuid_equal(&plan.grant.user, &ticket.user) && !uuid_is_zero(&plan.grant.jti));
    }
}

/* Every pair of rows that a store could answer, by kind of the second write. */
static void only_what_was_written_is_granted(void)
{
    static const struct {
        bool is_launch, is_new_user;
        enum row_state once, second;
        bool met_change;
        enum refusal wanted;
    } rows[] = {
        {true, true, ROW_WRITTEN, ROW_WRITTEN, false, REFUSAL_NONE},
        {true, true, ROW_EXISTS, ROW_SKIPPED, false, REFUSAL_TICKET_USED},
        {true, true, ROW_EXISTS, ROW_EXISTS, false, REFUSAL_TICKET_USED},
        {true, true, ROW_SKIPPED, ROW_EXISTS, false, REFUSAL_TICKET_USED},
        {true, true, ROW_SKIPPED, ROW_SKIPPED, false, REFUSAL_TICKET_USED},
        {true, true, ROW_ABSENT, ROW_ABSENT, false, REFUSAL_TOKEN_CUT_OFF},
        {true, true, ROW_SKIPPED, ROW_ABSENT, false, REFUSAL_TOKEN_CUT_OFF},
        {false, false, ROW_SKIPPED, ROW_ABSENT, false, REFUSAL_TOKEN_CUT_OFF},
        {true, true, ROW_WRITTEN, ROW_EXISTS, false, REFUSAL_TICKET_USED},
        {true, false, ROW_WRITTEN, ROW_WRITTEN, false, REFUSAL_NONE},
        {true, false, ROW_EXISTS, ROW_SKIPPED, false, REFUSAL_TICKET_USED},
        {true, false, ROW_EXISTS, ROW_EXISTS, false, REFUSAL_TICKET_USED},
        {true, false, ROW_SKIPPED, ROW_ABSENT, false, REFUSAL_USER_GONE},
        {true, false, ROW_SKIPPED, ROW_EXISTS, true, REFUSAL_TICKET_USED},
        {true, false, ROW_WRITTEN, ROW_SKIPPED, false, REFUSAL_TICKET_USED},
        {false, false, ROW_WRITTEN, ROW_WRITTEN, false, REFUSAL_NONE},
        {false, false, ROW_WRITTEN, ROW_EXISTS, false, REFUSAL_NONE},
        {false, false, ROW_EXISTS, ROW_SKIPPED, false, REFUSAL_TICKET_USED},
        {false, false, ROW_EXISTS, ROW_EXISTS, false, REFUSAL_TICKET_USED},
        {false, false, ROW_SKIPPED, ROW_EXISTS, false, REFUSAL_TICKET_USED},
        {false, true, ROW_WRITTEN, ROW_WRITTEN, false, REFUSAL_NONE},
        {false, true, ROW_SKIPPED, ROW_EXISTS, false, REFUSAL_TICKET_USED},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        enum ticket_kind kind = rows[i].is_launch ? TICKET_LAUNCH : TICKET_BOOTSTRAP;
        struct ticket ticket = good_ticket(kind, rows[i].is_new_user);
        struct ask_redeem asked = {.kind = kind};
        struct redeem_facts facts = good_facts();
        struct plan plan = plan_with(&facts, &asked, &ticket, NOW_MS);
        struct row answered[2] = {{.state = rows[i].once}, {.state = rows[i].second}};
        struct decision decision;
        answered[1].user.kind = rows[i].is_launch ? USER_EMBEDDED : USER_PARTICIPANT;
        CHECK_NOTE("settle row %zu", i);
        CHECK_INT(redeem_met_change(&plan, answered), rows[i].met_change);
        redeem_settle(&decision, &plan, answered);
        CHECK_INT(decision.refused.refusal, rows[i].wanted);
        CHECK_INT(uuid_is_zero(&decision.grant.jti), rows[i].wanted != REFUSAL_NONE);
    }
}

/* A participant's id that is somebody else's row speaks for nobody. */
static void goes_on_only_as_a_participant(void)
{
    struct ticket ticket = good_ticket(TICKET_BOOTSTRAP, false);
    struct ask_redeem asked = {.kind = TICKET_BOOTSTRAP};
    struct redeem_facts facts = good_facts();
    struct plan plan = plan_with(&facts, &asked, &ticket, NOW_MS);
    struct row answered[2] = {{.state = ROW_WRITTEN}, {.state = ROW_EXISTS}};
    struct decision decision;

    answered[1].user.kind = USER_EMBEDDED;
    redeem_settle(&decision, &plan, answered);
    CHECK_INT(decision.refused.refusal, REFUSAL_USER_GONE);
    CHECK(uuid_is_zero(&decision.grant.jti));
}

int main(void)
{
    CHECK_RUN(refuses_wrong_keys_and_tenants);
    CHECK_RUN(ends_to_the_millisecond);
    CHECK_RUN(stays_expired_when_the_clock_goes_back);
    CHECK_RUN(obeys_cutoffs);
    CHECK_RUN(resumes_nobody_who_is_gone);
    CHECK_RUN(every_change_moves_the_stamp);
    CHECK_RUN(plans_one_commit);
    CHECK_RUN(only_what_was_written_is_granted);
    CHECK_RUN(goes_on_only_as_a_participant);
    return CHECK_END();
}
