#include "engine/bind.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define NOW_S       1767225600
#define NOW_MS      ((int64_t)NOW_S * 1000 + 321)
#define KEY         BYTES("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
#define OTHER       BYTES("AzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")

static struct fact_project project;
static struct holder holder;
static struct plan plan;

static void begin(bool is_bound)
{
    project = (struct fact_project){.id = {{1}},
                                    .setting = {[SETTING_BOUND_LIFE] = 900,
                                                [SETTING_FAMILY_MAX_AGE] = 30 * 86400,
                                                [SETTING_FAMILY_MAX_AGE_BOUND] = 86400}};
    holder = (struct holder){.kind = TOKEN_SUBSCRIBER,
                             .user_kind = USER_SUBSCRIBER,
                             .project = {{1}},
                             .user = {{7}},
                             .family = {{5}},
                             .application = {{6}},
                             .jti = BYTES("6f5902ac-237c-4cf5-a2b1-6a4d5c8f2f0d"),
                             .may_self_refresh = true,
                             .parent_key = BYTES("PT00"),
                             .exp_s = NOW_S + 60,
                             .gt_ms = NOW_MS - 1000,
                             .jkt = is_bound ? KEY : BYTES_NONE};
}

static const struct grant *plan_with(struct ask_bind ask, struct bytes jkt)
{
    struct bind_facts facts = {.project = &project, .holder = &holder, .jkt = jkt};
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 1);

    memset(&plan, 0, sizeof plan);
    plan.writes[0].kind = plan.writes[1].kind = WRITE_ONCE;
    plan.write_count = 2;
    bind_plan(&plan, &facts, &ask, NOW_MS, &dice);
    return &plan.grant;
}

static void check_refused(struct ask_bind ask, struct bytes jkt, enum refusal refusal)
{
    struct decision decision;

    plan_with(ask, jkt);
    CHECK_INT(plan.refused.refusal, refusal);
    CHECK(plan.refused.because != NULL);
    CHECK_INT(plan.write_count, 0); /* neither proof nor binding is put down */
    bind_settle(&decision, &plan, NULL);
    CHECK_INT(decision.refused.refusal, refusal);
    CHECK(uuid_is_zero(&decision.grant.jti));
}

static void refuses_tokens_that_may_not_be_bound(void)
{
    static const struct ask_bind asks[] = {{.renews = false}, {.renews = true}};
    enum token_kind kind;
    size_t i;

    for (i = 0; i < COUNT(asks); i++) {
        begin(true);
        for (kind = TOKEN_NONE; kind < TOKEN_KINDS; kind++) {
            holder.kind = kind;
            if (kind != TOKEN_SUBSCRIBER) check_refused(asks[i], KEY, REFUSAL_TOKEN_KIND);
        }
        begin(true);
        holder.may_self_refresh = false;
        check_refused(asks[i], KEY, REFUSAL_TOKEN_SCOPE);
    }
    begin(false);
    check_refused(asks[1], KEY, REFUSAL_TOKEN_UNBOUND);
}

static void refuses_another_key_than_the_bound_one(void)
{
    static const struct ask_bind asks[] = {{.renews = false}, {.renews = true}};
    size_t i;

    for (i = 0; i < COUNT(asks); i++) {
        begin(true);
        check_refused(asks[i], OTHER, REFUSAL_PROOF_INVALID);
        check_refused(asks[i], BYTES_NONE, REFUSAL_PROOF_INVALID);
        begin(false);
        check_refused((struct ask_bind){0}, BYTES_NONE, REFUSAL_PROOF_INVALID);
    }
}

static void refuses_when_the_family_has_ended(void)
{
    begin(true);
    holder.absolute_end_s = NOW_S;
    check_refused((struct ask_bind){.renews = true}, KEY, REFUSAL_TOKEN_EXPIRED);
    begin(true);
    holder.gt_ms = NOW_MS - INT64_C(86400000);
    check_refused((struct ask_bind){.renews = true}, KEY, REFUSAL_TOKEN_EXPIRED);
}

static void clamps_the_life(void)
{
    static const struct {
        bool has_life;
        int64_t asked, given;
    } rows[] = {{false, 0, 900},         {true, 900, 900},     {true, 60, 60},     {true, 59, 60},
                {true, 0, 60},           {true, -1, 60},       {true, 3600, 3600}, {true, 3601, 3600},
                {true, INT64_MAX, 3600}, {true, INT64_MIN, 60}};
    size_t i, k;

    for (i = 0; i < COUNT(rows); i++)
        for (k = 0; k < 2; k++) {
            struct ask_bind ask = {.has_life = rows[i].has_life, .life_s = rows[i].asked, .renews = k != 0};
            begin(true);
            CHECK_NOTE("%lld", (long long)rows[i].asked);
            CHECK_INT(plan_with(ask, KEY)->exp_s, NOW_S + rows[i].given);
        }
}

static void passes_no_end(void)
{
    begin(true);
    holder.gt_ms = NOW_MS - INT64_C(86300000);
    CHECK_INT(plan_with((struct ask_bind){.renews = true}, KEY)->exp_s, holder.gt_ms / 1000 + 86400);
    begin(true);
    holder.absolute_end_s = NOW_S + 10;
    CHECK_INT(plan_with((struct ask_bind){.renews = true}, KEY)->exp_s, NOW_S + 10);
    CHECK_INT(plan.grant.absolute_end_s, NOW_S + 10);
}

/* What a test project has aged is gone from what is left, renewal after renewal. */
static void keeps_the_end_while_time_is_moved(void)
{
    begin(true);
    holder.absolute_end_s = NOW_S + 2000;
    project.age_ms = 1500000;
    CHECK_INT(plan_with((struct ask_bind){.renews = true}, KEY)->exp_s, NOW_S + 500);
    CHECK_INT(plan.grant.age_ms, 1500000);
    holder.absolute_end_s = plan.grant.absolute_end_s;
    holder.age_ms = plan.grant.age_ms;
    project.age_ms = 1900000;
    CHECK_INT(plan_with((struct ask_bind){.renews = true}, KEY)->exp_s, NOW_S + 100);
}

static void keeps_everything_but_the_time(void)
{
    const struct grant *grant;

    begin(true);
    grant = plan_with((struct ask_bind){.renews = true}, KEY);
    CHECK_INT(plan.refused.refusal, REFUSAL_NONE);
    CHECK_INT(plan.write_count, 2); /* the binding stands in the token */
    CHECK_INT(grant->kind, TOKEN_SUBSCRIBER);
    CHECK(uuid_equal(&grant->user, &holder.user) && uuid_equal(&grant->family, &holder.family));
    CHECK(uuid_equal(&grant->application, &holder.application));
    CHECK(bytes_equal(grant->jkt, KEY) && bytes_equal(grant->parent_key, holder.parent_key));
    CHECK(grant->may_self_refresh && !grant->has_refresh);
    CHECK_INT(grant->gt_ms, holder.gt_ms);
    CHECK(!uuid_is_zero(&grant->jti));
}

static void settle_with(struct row binding, enum refusal refusal)
{
    struct row rows[3] = {{.state = ROW_WRITTEN}, {.state = ROW_WRITTEN}, binding};
    struct decision decision;

    bind_settle(&decision, &plan, rows);
    CHECK_INT(decision.refused.refusal, refusal);
    CHECK(uuid_is_zero(&decision.grant.jti) == (refusal != REFUSAL_NONE));
    rows[0].state = ROW_EXISTS; /* the same proof again: whatever else stands there */
    bind_settle(&decision, &plan, rows);
    CHECK_INT(decision.refused.refusal, REFUSAL_PROOF_REPLAYED);
}

static void binds_to_the_first_key_for_good(void)
{
    begin(false);
    plan_with((struct ask_bind){0}, KEY);
    CHECK_INT(plan.write_count, 3);
    CHECK_INT(plan.writes[2].kind, WRITE_BOUND);
    CHECK(bytes_equal(plan.writes[2].bound.jkt, KEY) && !uuid_is_zero(&plan.writes[2].bound.id));
    CHECK(plan.writes[2].bound.bucket_s > holder.exp_s);
    settle_with((struct row){.state = ROW_WRITTEN, .jkt = KEY}, REFUSAL_NONE);
    settle_with((struct row){.state = ROW_EXISTS, .jkt = KEY}, REFUSAL_NONE);
    settle_with((struct row){.state = ROW_EXISTS, .jkt = OTHER}, REFUSAL_BOUND_ELSEWHERE);
    settle_with((struct row){.state = ROW_EXISTS}, REFUSAL_TOKEN_EXPIRED); /* its bucket was forgotten */
}

static void cuts_the_family_and_nothing_else(void)
{
    struct bind_facts facts = {.project = &project, .holder = &holder, .jkt = OTHER};
    const struct write *write = &plan.writes[0];

    begin(false);
    plan_with((struct ask_bind){0}, OTHER);
    bind_cut(&plan, &facts, NOW_MS);
    CHECK_INT(plan.write_count, 1);
    CHECK_INT(write->kind, WRITE_CUTOFF);
    CHECK_INT(write->cutoff.cutoff.of, CUTOFF_FAMILY);
    CHECK(bytes_equal(write->cutoff.cutoff.id, uuid_bytes(&holder.family)));
    CHECK(uuid_equal(&write->cutoff.cutoff.project, &project.id));
    CHECK_INT(write->cutoff.now_ms, NOW_MS);
    CHECK_INT(write->cutoff.keep_s, 30 * 86400);
    holder.absolute_end_s = NOW_S + 500;
    bind_cut(&plan, &facts, NOW_MS);
    CHECK_INT(write->cutoff.keep_s, 500);
}

int main(void)
{
    CHECK_RUN(refuses_tokens_that_may_not_be_bound);
    CHECK_RUN(refuses_another_key_than_the_bound_one);
    CHECK_RUN(refuses_when_the_family_has_ended);
    CHECK_RUN(clamps_the_life);
    CHECK_RUN(passes_no_end);
    CHECK_RUN(keeps_the_end_while_time_is_moved);
    CHECK_RUN(keeps_everything_but_the_time);
    CHECK_RUN(binds_to_the_first_key_for_good);
    CHECK_RUN(cuts_the_family_and_nothing_else);
    return CHECK_END();
}
