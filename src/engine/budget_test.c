#include "engine/budget.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define NOW_S       1767229200 /* an hour's first second, one of its day's middle */
#define DAY_S       (NOW_S - NOW_S % 86400)
#define NOW_MS      ((int64_t)NOW_S * 1000 + 321)
#define MONTH_S     (30 * 86400)
#define JTI         "0d5d0a0e-5c47-4f4e-9b3a-1f2e3d4c5b6a"

static struct fact_project project;
static struct resource button;
static struct plan plan;
static struct row rows[PLAN_WRITES_MAX];

static struct holder holder_of(enum token_kind kind)
{
    return (struct holder){.kind = kind,
                           .project = {{1}},
                           .family = {{5}},
                           .jti = BYTES(JTI),
                           .gt_ms = NOW_MS - 1800000,
                           .exp_s = NOW_S + 1800};
}

static void begin(void)
{
    project = (struct fact_project){.id = {{1}}};
    settings_standard(project.setting);
    button = (struct resource){.id = {{3}}, .project = {{1}}};
    plan = (struct plan){.write_count = 0};
    memset(rows, 0, sizeof rows); /* all written */
}

static void bound_all(void)
{
    static const enum setting settings[] = {
        SETTING_GUEST_USES,       SETTING_GUEST_USES_HOUR, SETTING_GUEST_SESSIONS,  SETTING_INVITE_USES,
        SETTING_INVITE_USES_HOUR, SETTING_INVITE_SESSIONS, SETTING_EMBED_USES,      SETTING_EMBED_USES_HOUR,
        SETTING_EMBED_SESSIONS,   SETTING_CLICK_USES,      SETTING_CLICK_USES_HOUR, SETTING_CLICK_USES_DAY,
        SETTING_CLICK_SESSIONS,
    };
    size_t i;

    for (i = 0; i < COUNT(settings); i++)
        project.setting[settings[i]] = 10 + (int64_t)i;
}

static bool has_bound(const struct budget *budget)
{
    size_t i;

    for (i = 0; i < BUDGET_PARTS; i++)
        if (budget->most[i]) return true;
    return false;
}

static void refuses_what_is_used_up(void)
{
    static const struct {
        enum budget_part part;
        enum refusal refusal;
        int64_t until_s;
    } cases[] = {{BUDGET_USES, REFUSAL_BUDGET_SPENT, 0},
                 {BUDGET_HOUR, REFUSAL_BUDGET_WAITS, NOW_S + 3600},
                 {BUDGET_DAY, REFUSAL_BUDGET_WAITS, DAY_S + 86400}};
    struct budget_spent spent;
    struct budget budget;
    size_t i, k;

    for (i = 0; i < COUNT(cases); i++) {
        begin();
        bound_all();
        budget_of_click(&budget, &button, &project);
        CHECK(budget_plan(&plan, &budget, NOW_MS));
        CHECK_INT(plan.write_count, 3);
        for (k = 0; k < 3; k++)
            rows[k].state = k == i ? ROW_EXISTS : ROW_SKIPPED;
        budget_settle(&spent, &plan, rows, NOW_MS);
        CHECK_INT(spent.refusal, cases[i].refusal);
        CHECK_INT(spent.part, cases[i].part);
        CHECK_INT(spent.wait_ms, cases[i].until_s ? cases[i].until_s * 1000 - NOW_MS : 0);
        if (!cases[i].until_s) continue;
        budget_settle(&spent, &plan, rows, cases[i].until_s * 1000 + 5); /* the store was slow */
        CHECK_INT(spent.wait_ms, 1000);
    }
    rows[2].state = ROW_ABSENT; /* its project is gone: no use is granted that was not counted */
    budget_settle(&spent, &plan, rows, NOW_MS);
    CHECK_INT(spent.refusal, REFUSAL_BUDGET_WAITS);
}

static void refuses_names_of_no_part(void)
{
    enum budget_part part, found;

    CHECK(!budget_part_of(&found, BYTES("click_use")) && !budget_part_of(&found, BYTES("guest_uses")));
    CHECK(!budget_part_of(&found, BYTES_NONE));
    for (part = BUDGET_USES; part < BUDGET_PARTS; part++)
        CHECK(budget_part_of(&found, bytes_of_text(setting_text(budget_setting(part)))) && found == part);
}

static void refuses_a_plan_without_room(void)
{
    struct budget budget;

    begin();
    bound_all();
    budget_of_click(&budget, &button, &project);
    plan.write_count = PLAN_WRITES_MAX - 2;
    CHECK(!budget_plan(&plan, &budget, NOW_MS));
    plan.write_count = PLAN_WRITES_MAX - 3;
    CHECK(budget_plan(&plan, &budget, NOW_MS));
    CHECK_INT(plan.write_count, PLAN_WRITES_MAX);
}

static void refuses_an_invite_without_an_id_of_ours(void)
{
    struct holder holder = holder_of(TOKEN_INVITE);
    struct budget budget;

    begin();
    holder.jti = BYTES("not-a-uuid");
    CHECK_INT(budget_of_token(&budget, &holder, &project), ERR_MALFORMED);
}

static void counts_nothing_without_a_bound(void)
{
    struct budget budget;
    struct budget_spent spent;
    struct holder holder;
    enum token_kind kind;

    begin();
    for (kind = TOKEN_NONE; kind < TOKEN_KINDS; kind++) {
        holder = holder_of(kind);
        CHECK_INT(budget_of_token(&budget, &holder, &project), ERR_OK);
        CHECK(!has_bound(&budget));
        CHECK(budget_plan(&plan, &budget, NOW_MS));
    }
    budget_of_click(&budget, &button, &project);
    CHECK(!has_bound(&budget) && budget_plan(&plan, &budget, NOW_MS));
    CHECK_INT(plan.write_count, 0);
    budget_settle(&spent, &plan, rows, NOW_MS);
    CHECK_INT(spent.refusal, REFUSAL_NONE);
}

/* Those that a backend or a page hands on; whoever is known by name is bounded by their own life. */
static void bounds_three_kinds_of_token(void)
{
    struct holder holder;
    struct budget budget;
    enum token_kind kind;

    begin();
    bound_all();
    for (kind = TOKEN_NONE; kind < TOKEN_KINDS; kind++) {
        bool is_bounded = kind == TOKEN_GUEST || kind == TOKEN_INVITE || kind == TOKEN_EMBED;
        holder = holder_of(kind);
        CHECK_INT(budget_of_token(&budget, &holder, &project), ERR_OK);
        CHECK_NOTE("kind %d", kind);
        CHECK(has_bound(&budget) == is_bounded);
        CHECK_INT(budget.most[BUDGET_DAY], 0);
    }
    holder = holder_of(TOKEN_GUEST);
    CHECK_INT(budget_of_token(&budget, &holder, &project), ERR_OK);
    CHECK_INT(budget.most[BUDGET_USES], 10);
    CHECK_INT(budget.most[BUDGET_HOUR], 11);
    CHECK_INT(budget.most[BUDGET_SESSIONS], 12);
    CHECK_BYTES(bytes_of_text(budget.setting[BUDGET_HOUR]), BYTES("guest_uses_hour"));
}

static void counts_a_family_as_one_and_an_invite_by_itself(void)
{
    struct holder holder = holder_of(TOKEN_GUEST);
    struct budget budget;
    struct uuid jti;

    begin();
    CHECK_INT(uuid_read(&jti, BYTES(JTI)), ERR_OK);
    CHECK_INT(budget_of_token(&budget, &holder, &project), ERR_OK);
    CHECK(uuid_equal(&budget.of, &holder.family));
    CHECK_INT(budget.until_s, (NOW_MS - 1800000) / 1000 + MONTH_S);
    holder.kind = TOKEN_EMBED;
    holder.absolute_end_s = NOW_S + 2000; /* it says itself when its family ends */
    CHECK_INT(budget_of_token(&budget, &holder, &project), ERR_OK);
    CHECK(uuid_equal(&budget.of, &holder.family));
    CHECK_INT(budget.until_s, NOW_S + 2000);
    holder.exp_s = NOW_S + 3000; /* the count outlives the token in any case */
    CHECK_INT(budget_of_token(&budget, &holder, &project), ERR_OK);
    CHECK_INT(budget.until_s, NOW_S + 3000);
    holder.kind = TOKEN_INVITE;
    CHECK_INT(budget_of_token(&budget, &holder, &project), ERR_OK);
    CHECK(uuid_equal(&budget.of, &jti));
    CHECK_INT(budget.until_s, holder.exp_s);
}

static void takes_a_buttons_own_bound_before_its_projects(void)
{
    struct budget budget;

    begin();
    bound_all();
    button.budget[BUDGET_DAY] = 3;
    budget_of_click(&budget, &button, &project);
    CHECK_INT(budget.most[BUDGET_USES], 19);
    CHECK_INT(budget.most[BUDGET_HOUR], 20);
    CHECK_INT(budget.most[BUDGET_DAY], 3);
    CHECK_INT(budget.most[BUDGET_SESSIONS], 22);
    CHECK(uuid_equal(&budget.of, &button.id));
}

static void plans_a_gate_for_each_span(void)
{
    static const struct {
        int64_t span_s, from_s, until_s;
    } spans[] = {{0, 0, INT64_C(253402300800)}, {3600, NOW_S, NOW_S + 3600}, {86400, DAY_S, DAY_S + 86400}};
    struct budget budget;
    size_t i;

    begin();
    bound_all();
    budget_of_click(&budget, &button, &project);
    CHECK(budget_plan(&plan, &budget, NOW_MS));
    for (i = 0; i < COUNT(spans); i++) {
        const struct write *write = &plan.writes[i];
        CHECK_NOTE("span %zu", i);
        CHECK_INT(write->kind, WRITE_USE);
        CHECK(write->is_gate && uuid_equal(&write->use.of, &button.id));
        CHECK(uuid_equal(&write->use.project, &project.id));
        CHECK_INT(write->use.span_s, spans[i].span_s);
        CHECK_INT(write->use.from_s, spans[i].from_s);
        CHECK_INT(write->use.until_s, spans[i].until_s);
    }
    plan.write_count = 0;
    CHECK(budget_plan(&plan, &budget, NOW_MS + 3599678)); /* the hour's last millisecond, and the next */
    CHECK_INT(plan.writes[1].use.from_s, NOW_S);
    plan.write_count = 0;
    CHECK(budget_plan(&plan, &budget, NOW_MS + 3599679));
    CHECK_INT(plan.writes[1].use.from_s, NOW_S + 3600);
}

/* The rows of a proof beside it are none of a budget's. */
static void looks_at_its_own_rows_only(void)
{
    struct budget budget;
    struct budget_spent spent;

    begin();
    bound_all();
    plan.writes[0].kind = WRITE_ONCE;
    plan.write_count = 1;
    rows[0].state = ROW_EXISTS;
    budget_of_click(&budget, &button, &project);
    CHECK(budget_plan(&plan, &budget, NOW_MS));
    rows[1].state = rows[2].state = rows[3].state = ROW_SKIPPED;
    budget_settle(&spent, &plan, rows, NOW_MS);
    CHECK_INT(spent.refusal, REFUSAL_NONE);
}

int main(void)
{
    CHECK_RUN(refuses_what_is_used_up);
    CHECK_RUN(refuses_names_of_no_part);
    CHECK_RUN(refuses_a_plan_without_room);
    CHECK_RUN(refuses_an_invite_without_an_id_of_ours);
    CHECK_RUN(counts_nothing_without_a_bound);
    CHECK_RUN(bounds_three_kinds_of_token);
    CHECK_RUN(counts_a_family_as_one_and_an_invite_by_itself);
    CHECK_RUN(takes_a_buttons_own_bound_before_its_projects);
    CHECK_RUN(plans_a_gate_for_each_span);
    CHECK_RUN(looks_at_its_own_rows_only);
    return CHECK_END();
}
