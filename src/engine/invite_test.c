#include "engine/invite.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define NOW_S       1767225600
#define NOW_MS      ((int64_t)NOW_S * 1000 + 321)

static const struct fact_project project = {.id = {{1}},
                                            .setting = {[SETTING_INVITE_LIFE] = 7200,
                                                        [SETTING_INVITE_LIFE_MAX] = 604800,
                                                        [SETTING_FAMILY_MAX_AGE] = 30 * 86400,
                                                        [SETTING_FAMILY_MAX_AGE_BOUND] = 86400}};
static const struct user ada = {.id = {{7}}, .project = {{1}}, .address = {.id = {{8}}, .project = {{1}}}};
static struct holder holder;
static struct plan plan;

static struct ask_invite ask_own(void)
{
    return (struct ask_invite){.address = ada.address.id};
}

static void plan_with(const struct ask_invite *ask, const struct user *user, size_t proof_writes)
{
    struct invite_facts facts = {.project = &project, .inviter = &holder, .user = user};
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 1);
    size_t i;

    memset(&plan, 0, sizeof plan);
    for (i = 0; i < proof_writes; i++)
        plan.writes[plan.write_count++].kind = WRITE_ONCE;
    invite_plan(&plan, &facts, ask, NOW_MS, &dice);
}

static void check_refused(const struct ask_invite *ask, const struct user *user, enum refusal refusal,
                          enum ask_field field)
{
    struct decision decision;

    plan_with(ask, user, 2);
    CHECK_INT(plan.refused.refusal, refusal);
    CHECK_INT(plan.refused.field, field);
    CHECK_INT(plan.write_count, 0); /* the proof is not used up */
    invite_settle(&decision, &plan, NULL);
    CHECK_INT(decision.refused.refusal, refusal);
    CHECK(uuid_is_zero(&decision.grant.jti));
}

static void refuses_whoever_is_no_subscriber(void)
{
    struct ask_invite ask = ask_own();
    enum token_kind kind;

    for (kind = TOKEN_NONE; kind < TOKEN_KINDS; kind++) {
        if (kind == TOKEN_SUBSCRIBER) continue;
        holder.kind = kind;
        CHECK_NOTE("kind %d", kind);
        check_refused(&ask, &ada, REFUSAL_TOKEN_KIND, FIELD_NONE);
    }
    holder.kind = TOKEN_SUBSCRIBER;
}

static void refuses_addresses_that_are_not_the_inviters(void)
{
    static const struct uuid wrong[] = {{{7}}, {{9}}};
    struct ask_invite ask = {.has_expiry = false};
    size_t i;

    check_refused(&ask, &ada, REFUSAL_PARAMETER_MISSING, FIELD_ADDRESS);
    for (i = 0; i < COUNT(wrong); i++) {
        ask.address = wrong[i];
        check_refused(&ask, &ada, REFUSAL_PARAMETER_INVALID, FIELD_ADDRESS);
    }
    ask = ask_own();
    check_refused(&ask, NULL, REFUSAL_USER_GONE, FIELD_NONE);
}

static void refuses_impossible_lives(void)
{
    static const int64_t wrong[] = {NOW_S, 0, -1, NOW_S + 604801, INT64_MAX, INT64_MIN};
    struct ask_invite ask = ask_own();
    size_t i;

    ask.has_expiry = true;
    for (i = 0; i < COUNT(wrong); i++) {
        ask.expire_at_s = wrong[i];
        check_refused(&ask, &ada, REFUSAL_PARAMETER_INVALID, FIELD_EXPIRE_AT);
    }
}

static void refuses_when_the_family_has_ended(void)
{
    struct ask_invite ask = ask_own();

    holder.absolute_end_s = NOW_S;
    check_refused(&ask, &ada, REFUSAL_TOKEN_EXPIRED, FIELD_NONE);
    holder.absolute_end_s = 0;
}

static void refuses_a_used_proof(void)
{
    static const struct row used[][2] = {
        {{.state = ROW_EXISTS}, {.state = ROW_SKIPPED}},
        {{.state = ROW_SKIPPED}, {.state = ROW_EXISTS}},
        {{.state = ROW_WRITTEN}, {.state = ROW_EXISTS}},
    };
    static const struct row fresh[2] = {{.state = ROW_WRITTEN}, {.state = ROW_WRITTEN}};
    struct ask_invite ask = ask_own();
    struct decision decision;
    size_t i;

    plan_with(&ask, &ada, 2);
    for (i = 0; i < COUNT(used); i++) {
        invite_settle(&decision, &plan, used[i]);
        CHECK_INT(decision.refused.refusal, REFUSAL_PROOF_REPLAYED);
        CHECK(uuid_is_zero(&decision.grant.jti));
    }
    invite_settle(&decision, &plan, fresh);
    CHECK_INT(decision.refused.refusal, REFUSAL_NONE);
    CHECK_INT(decision.grant.kind, TOKEN_INVITE);
}

static void descends_from_the_inviter(void)
{
    struct ask_invite ask = ask_own();
    const struct grant *grant = &plan.grant;

    plan_with(&ask, &ada, 0);
    CHECK_INT(plan.refused.refusal, REFUSAL_NONE);
    CHECK_INT(grant->kind, TOKEN_INVITE);
    CHECK_INT(grant->user_kind, USER_GUEST);
    CHECK(!uuid_is_zero(&grant->user) && !uuid_equal(&grant->user, &ada.id));
    CHECK(uuid_equal(&grant->inviter, &ada.id) && uuid_equal(&grant->family, &holder.family));
    CHECK(bytes_equal(grant->parent_key, holder.parent_key));
    CHECK_INT(grant->gt_ms, holder.gt_ms);
    CHECK_INT(grant->address_count, 1);
    CHECK(uuid_equal(&grant->addresses[0], &ada.address.id));
    CHECK(!grant->has_refresh && !grant->may_self_refresh && bytes_is_absent(grant->jkt));
    CHECK_INT(grant->exp_s, NOW_S + 7200);
}

static void passes_no_end(void)
{
    struct ask_invite ask = ask_own();

    ask.has_expiry = true;
    ask.expire_at_s = NOW_S + 604800;
    plan_with(&ask, &ada, 0);
    CHECK_INT(plan.grant.exp_s, NOW_S + 604800);
    holder.jkt = BYTES("a key"); /* a bound inviter's family ends sooner */
    plan_with(&ask, &ada, 0);
    CHECK_INT(plan.grant.exp_s, holder.gt_ms / 1000 + 86400);
    holder.jkt = BYTES_NONE;
    holder.absolute_end_s = NOW_S + 100;
    plan_with(&ask, &ada, 0);
    CHECK_INT(plan.grant.exp_s, NOW_S + 100);
    holder.absolute_end_s = 0;
}

int main(void)
{
    holder = (struct holder){.kind = TOKEN_SUBSCRIBER,
                             .project = {{1}},
                             .user = {{7}},
                             .family = {{5}},
                             .parent_key = BYTES("PT00"),
                             .gt_ms = NOW_MS - 3600000};
    CHECK_RUN(refuses_whoever_is_no_subscriber);
    CHECK_RUN(refuses_addresses_that_are_not_the_inviters);
    CHECK_RUN(refuses_impossible_lives);
    CHECK_RUN(refuses_when_the_family_has_ended);
    CHECK_RUN(refuses_a_used_proof);
    CHECK_RUN(descends_from_the_inviter);
    CHECK_RUN(passes_no_end);
    return CHECK_END();
}
