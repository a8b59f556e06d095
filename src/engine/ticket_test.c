#include "engine/ticket.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define NOW_S       1767225600
#define NOW_MS      ((int64_t)NOW_S * 1000 + 321)

static const struct fact_project project = {
    .id = {{1}},
    .is_test = true,
    .age_ms = 5000,
    .setting = {[SETTING_LAUNCH_LIFE] = 300, [SETTING_BOOTSTRAP_LIFE] = 120}};
static const struct fact_key key = {
    .kind = KEY_CLIENT, .project = {{1}}, .public_id = {(const uint8_t *)"cli_0", 5}};
static uint8_t wide[PAYLOAD_MAX + 1];

static struct ticket_facts facts_with(const struct user *user)
{
    return (struct ticket_facts){.project = &project, .key = &key, .user = user, .cutoff_ms = INT64_MIN};
}

static struct plan launch_with(const struct ticket_facts *facts, const struct ask_launch *ask)
{
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 1);
    struct plan plan;

    memset(&plan, 0xa5, sizeof plan); /* whatever was in it before */
    ticket_plan_launch(&plan, facts, ask, NOW_MS, &dice);
    CHECK_INT(plan.write_count, 0); /* minting a ticket writes nothing, ever */
    return plan;
}

static struct plan bootstrap_with(const struct ticket_facts *facts, const struct ask_bootstrap *ask)
{
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 1);
    struct plan plan;

    memset(&plan, 0xa5, sizeof plan);
    ticket_plan_bootstrap(&plan, facts, ask, NOW_MS, &dice);
    CHECK_INT(plan.write_count, 0);
    return plan;
}

static void refuses_labels(void)
{
    static const struct {
        struct bytes id;
        enum refusal launch, bootstrap;
    } rows[] = {
        {{wide, 256}, REFUSAL_PARAMETER_INVALID, REFUSAL_PARAMETER_INVALID},
        {{(const uint8_t *)"a\0b", 3}, REFUSAL_PARAMETER_INVALID, REFUSAL_PARAMETER_INVALID},
        {{(const uint8_t *)"a\n", 2}, REFUSAL_PARAMETER_INVALID, REFUSAL_PARAMETER_INVALID},
        {{(const uint8_t *)"\x7f", 1}, REFUSAL_PARAMETER_INVALID, REFUSAL_PARAMETER_INVALID},
        {{(const uint8_t *)"", 0}, REFUSAL_NONE, REFUSAL_PARAMETER_INVALID},
        {{NULL, 0}, REFUSAL_NONE, REFUSAL_NONE},
        {{wide, 255}, REFUSAL_NONE, REFUSAL_NONE},
        {{(const uint8_t *)"\xc3\xa4 b", 4}, REFUSAL_NONE, REFUSAL_NONE},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct ask_launch launch = {.external_id = rows[i].id};
        struct ask_bootstrap bootstrap = {.external_id = rows[i].id};
        struct ticket_facts facts = facts_with(NULL);
        struct plan plan;
        CHECK_NOTE("label row %zu", i);
        CHECK_INT(ticket_check_launch(&launch).refusal, rows[i].launch);
        CHECK_INT(ticket_check_bootstrap(&bootstrap).refusal, rows[i].bootstrap);
        plan = launch_with(&facts, &launch);
        CHECK_INT(plan.refused.refusal, rows[i].launch);
        CHECK_INT(uuid_is_zero(&plan.ticket.id), rows[i].launch != REFUSAL_NONE);
        plan = bootstrap_with(&facts, &bootstrap);
        CHECK_INT(plan.refused.refusal, rows[i].bootstrap);
        CHECK_INT(plan.refused.field, rows[i].bootstrap ? FIELD_EXTERNAL_ID : FIELD_NONE);
        CHECK_INT(uuid_is_zero(&plan.ticket.id), rows[i].bootstrap != REFUSAL_NONE);
    }
}

static void refuses_payloads_that_do_not_fit(void)
{
    static const struct {
        size_t sent, merged;
        enum refusal wanted;
    } rows[] = {
        {PAYLOAD_MAX + 1, PAYLOAD_MAX + 1, REFUSAL_PARAMETER_INVALID},
        {PAYLOAD_MAX + 1, 2, REFUSAL_PARAMETER_INVALID},
        {10, PAYLOAD_MAX + 1, REFUSAL_PARAMETER_INVALID},
        {10, SIZE_MAX, REFUSAL_PARAMETER_INVALID},
        {PAYLOAD_MAX, PAYLOAD_MAX, REFUSAL_NONE},
        {2, 2, REFUSAL_NONE},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct ask_launch ask = {.payload = {wide, rows[i].sent}};
        struct ticket_facts facts = facts_with(NULL);
        struct plan plan;
        facts.payload_bytes = rows[i].merged;
        plan = launch_with(&facts, &ask);
        CHECK_NOTE("payload row %zu", i);
        CHECK_INT(plan.refused.refusal, rows[i].wanted);
        CHECK_INT(plan.refused.field, rows[i].wanted ? FIELD_PAYLOAD : FIELD_NONE);
        CHECK_INT(uuid_is_zero(&plan.ticket.id), rows[i].wanted != REFUSAL_NONE);
    }
}

/* Who is unknown, of another kind or not there gets a new user, and never under the id that was sent. */
static void resumes_only_embedded_users_who_are_there(void)
{
    static const enum user_kind others[] = {USER_SUBSCRIBER, USER_PARTICIPANT, USER_GUEST, USER_ANONYMOUS};
    const struct uuid sent = {{9, 9}};
    struct ask_launch ask = {.has_user = true, .user = sent};
    struct user user = {.id = sent, .project = {{1}}, .kind = USER_EMBEDDED};
    struct ticket_facts facts = facts_with(&user);
    struct plan plan = launch_with(&facts, &ask);
    size_t i;

    CHECK(!plan.ticket.is_new_user && uuid_equal(&plan.ticket.user, &sent));
    facts.user = NULL;
    plan = launch_with(&facts, &ask);
    CHECK(plan.ticket.is_new_user && !uuid_equal(&plan.ticket.user, &sent));
    facts.user = &user;
    for (i = 0; i < COUNT(others); i++) {
        user.kind = others[i];
        plan = launch_with(&facts, &ask);
        CHECK_NOTE("user kind %d", (int)others[i]);
        CHECK(plan.ticket.is_new_user && !uuid_equal(&plan.ticket.user, &sent));
    }
}

static void a_launch_seals_all_that_was_said(void)
{
    struct ask_launch ask = {.external_id = BYTES("crm-1"), .payload = BYTES("{\"a\":1}")};
    struct ticket_facts facts = facts_with(NULL);
    struct plan plan = launch_with(&facts, &ask);
    const struct ticket *ticket = &plan.ticket;

    CHECK_INT(ticket->kind, TICKET_LAUNCH);
    CHECK(!uuid_is_zero(&ticket->id) && !uuid_is_zero(&ticket->user) && ticket->is_new_user);
    CHECK(uuid_equal(&ticket->project, &project.id));
    CHECK_BYTES(ticket->parent_key, key.public_id);
    CHECK_BYTES(ticket->external_id, ask.external_id);
    CHECK_BYTES(ticket->payload, ask.payload);
    CHECK_INT(ticket->iat_s, NOW_S);
    CHECK_INT(ticket->exp_s, NOW_S + 300);
    CHECK_INT(ticket->gt_ms, NOW_MS);
    CHECK_INT(ticket->age_ms, 5000);
    CHECK_INT(ticket_end_ms(ticket), NOW_MS + 300000);
}

static void a_bootstrap_is_for_whom_it_names(void)
{
    const struct uuid known = {{7}};
    struct ask_bootstrap ask = {BYTES("u-1")}, nobody = {BYTES_NONE};
    struct ticket_facts facts = facts_with(NULL);
    struct plan plan;

    facts.known_as = &known;
    plan = bootstrap_with(&facts, &ask);
    CHECK_INT(plan.ticket.kind, TICKET_BOOTSTRAP);
    CHECK(uuid_equal(&plan.ticket.user, &known) && !plan.ticket.is_new_user);
    CHECK_BYTES(plan.ticket.external_id, ask.external_id);
    CHECK_INT(plan.ticket.exp_s, NOW_S + 120);
    facts.known_as = NULL;
    plan = bootstrap_with(&facts, &nobody);
    CHECK(plan.ticket.is_new_user && !uuid_is_zero(&plan.ticket.user));
    CHECK(bytes_is_absent(plan.ticket.external_id));
}

/* A mint after a cutoff lies after it, also while the cutoff's moment is still ahead. */
static void lies_after_every_cutoff(void)
{
    static const struct {
        int64_t cutoff_ms, gt_ms, end_ms;
    } rows[] = {
        {INT64_MIN, NOW_MS, NOW_MS + 300000},
        {NOW_MS - 1, NOW_MS, NOW_MS + 300000},
        {NOW_MS, NOW_MS + 1, NOW_MS + 300001},
        {NOW_MS + 3000, NOW_MS + 3001, (NOW_S + 300) * INT64_C(1000)},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct ask_launch ask = {.has_user = false};
        struct ticket_facts facts = facts_with(NULL);
        struct plan plan;
        facts.cutoff_ms = rows[i].cutoff_ms;
        plan = launch_with(&facts, &ask);
        CHECK_NOTE("cutoff row %zu", i);
        CHECK_INT(plan.ticket.gt_ms, rows[i].gt_ms);
        CHECK_INT(ticket_end_ms(&plan.ticket), rows[i].end_ms);
    }
}

int main(void)
{
    memset(wide, 'a', sizeof wide);
    CHECK_RUN(refuses_labels);
    CHECK_RUN(refuses_payloads_that_do_not_fit);
    CHECK_RUN(resumes_only_embedded_users_who_are_there);
    CHECK_RUN(a_launch_seals_all_that_was_said);
    CHECK_RUN(a_bootstrap_is_for_whom_it_names);
    CHECK_RUN(lies_after_every_cutoff);
    return CHECK_END();
}
