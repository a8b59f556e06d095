#include "engine/rotate.h"

#include "engine/limits.h"
#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define NOW_S       1767225600
#define NOW_MS      ((int64_t)NOW_S * 1000 + 321)
#define BORN_S      (NOW_S - 1000)
#define END_S       (BORN_S + 30 * 86400)
#define GRACE_MS    10000
#define LIFE_S      7200
#define JKT         BYTES("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
#define OTHER_JKT   BYTES("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")

static const struct fact_project project = {
    .id = {{1}},
    .is_test = true,
    .setting = {[SETTING_SAT_LIFE] = LIFE_S, [SETTING_REFRESH_GRACE] = GRACE_MS / 1000}};
static const struct fact_key key = {.kind = KEY_API_TOKEN,
                                    .project = {{1}},
                                    .public_id = {(const uint8_t *)"PT00", 4},
                                    .permissions = PERMISSION_VIDEO};
static const struct fact_key other_key = {.kind = KEY_API_TOKEN,
                                          .project = {{1}},
                                          .public_id = {(const uint8_t *)"PT01", 4},
                                          .permissions = PERMISSION_VIDEO};

static struct rotate_facts facts_of(uint32_t generation)
{
    return (struct rotate_facts){.presented = {.kind = TOKEN_SUBSCRIBER,
                                               .project = {{1}},
                                               .user = {{2}},
                                               .family = {{3}},
                                               .application = {{4}},
                                               .generation = generation,
                                               .user_kind = USER_SUBSCRIBER,
                                               .parent_key = BYTES("PT09"),
                                               .iat_s = BORN_S,
                                               .gt_ms = BORN_S * (int64_t)1000,
                                               .refresh_exp_s = NOW_S + 500,
                                               .absolute_end_s = END_S,
                                               .seal_key = BYTES("aaaaaaaa")},
                                 .project = &project,
                                 .key = &key,
                                 .seal_key = BYTES("bbbbbbbb"),
                                 .jti = {{9}},
                                 .cutoff_ms = INT64_MIN,
                                 .pruned_through_s = INT64_MIN,
                                 .has_user = true};
}

static struct family live_row(uint32_t generation)
{
    return (struct family){.id = {{3}},
                           .project = {{1}},
                           .user = {{2}},
                           .state = FAMILY_LIVE,
                           .generation = generation,
                           .rotated_ms = NOW_MS - 1000,
                           .succ_exp_s = NOW_S - 1 + LIFE_S,
                           .bucket_s = END_S + 3600,
                           .holder = key.public_id,
                           .seal_key = BYTES("aaaaaaaa")};
}

/* ---- before any row ---- */

static void check_refused_at(const struct rotate_facts *facts, int64_t now_ms, enum refusal refusal)
{
    struct plan plan;
    struct decision decision;

    rotate_plan(&plan, facts, now_ms);
    CHECK_INT(plan.refused.refusal, refusal);
    CHECK_INT(plan.write_count, refusal ? 0 : 1);
    if (!refusal) return;
    CHECK(plan.refused.because != NULL);
    rotate_settle(&decision, &plan, facts, NULL, now_ms);
    CHECK_INT(decision.refused.refusal, refusal);
    CHECK(!decision.has_further && !decision.has_cutoff && !decision.grant.exp_s);
}

static void check_refused(const struct rotate_facts *facts, enum refusal refusal)
{
    check_refused_at(facts, NOW_MS, refusal);
}

static void refuses_keys_that_may_not_mint(void)
{
    uint32_t bit;

    for (bit = 1; bit < PERMISSION_ALL; bit <<= 1)
        CHECK_INT(rotate_check_key(&(struct fact_key){.permissions = bit}).refusal,
                  bit & PERMISSIONS_TO_MINT ? REFUSAL_NONE : REFUSAL_KEY_PERMISSION);
}

static void refuses_kinds_that_have_none(void)
{
    int kind;

    for (kind = TOKEN_NONE; kind < TOKEN_KINDS; kind++) {
        struct rotate_facts facts = facts_of(0);
        facts.presented.kind = (enum token_kind)kind;
        CHECK_NOTE("kind %d", kind);
        check_refused(&facts,
                      kind == TOKEN_SUBSCRIBER || kind == TOKEN_GUEST ? REFUSAL_NONE : REFUSAL_REFRESH_KIND);
    }
}

static void refuses_other_projects(void)
{
    struct rotate_facts facts = facts_of(0);

    facts.presented.project.byte[15] = 1;
    facts.presented.refresh_exp_s = 1; /* whatever else is wrong with it is not ours to tell */
    check_refused(&facts, REFUSAL_REFRESH_FOREIGN);
}

static void refuses_at_the_second_of_expiry(void)
{
    static const struct {
        int64_t exp_s, end_s, pruned_s, now_ms;
        enum refusal refusal;
    } rows[] = {
        {NOW_S, END_S, INT64_MIN, NOW_S * (int64_t)1000, REFUSAL_REFRESH_EXPIRED},
        {NOW_S, END_S, INT64_MIN, NOW_S * (int64_t)1000 - 1, REFUSAL_NONE},
        {NOW_S - 1, END_S, INT64_MIN, NOW_MS, REFUSAL_REFRESH_EXPIRED},
        {END_S, NOW_S, INT64_MIN, NOW_S * (int64_t)1000, REFUSAL_REFRESH_EXPIRED},
        {END_S, NOW_S, INT64_MIN, NOW_S * (int64_t)1000 - 1, REFUSAL_NONE},
        {NOW_S, END_S, NOW_S, NOW_MS - 3600000, REFUSAL_REFRESH_EXPIRED}, /* the clock went back */
        {NOW_S, END_S, NOW_S - 1, NOW_MS - 3600000, REFUSAL_NONE},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct rotate_facts facts = facts_of(0);
        CHECK_NOTE("expiry row %zu", i);
        facts.presented.refresh_exp_s = rows[i].exp_s;
        facts.presented.absolute_end_s = rows[i].end_s;
        facts.pruned_through_s = rows[i].pruned_s;
        check_refused_at(&facts, rows[i].now_ms, rows[i].refusal);
    }
}

static void refuses_the_last_generation(void)
{
    struct rotate_facts facts = facts_of(FAMILY_ANY_GENERATION - 1);

    check_refused(&facts, REFUSAL_REFRESH_EXPIRED);
    facts.presented.generation--;
    check_refused(&facts, REFUSAL_NONE);
}

static void refuses_what_has_aged(void)
{
    struct fact_project aged = project;
    struct rotate_facts facts = facts_of(0);

    facts.project = &aged;
    aged.age_ms = 499000;
    check_refused(&facts, REFUSAL_NONE);
    aged.age_ms = 500000;
    check_refused(&facts, REFUSAL_REFRESH_EXPIRED);
    facts.presented.age_ms = 1000; /* minted a second after the advance began */
    check_refused(&facts, REFUSAL_NONE);
    facts.presented.refresh_exp_s = END_S;
    aged.age_ms = (END_S - (int64_t)NOW_S) * 1000 + 1000;
    check_refused(&facts, REFUSAL_REFRESH_EXPIRED);
}

static void refuses_what_was_cut_off(void)
{
    struct rotate_facts facts = facts_of(3);

    facts.cutoff_ms = facts.presented.gt_ms;
    check_refused(&facts, REFUSAL_TOKEN_CUT_OFF);
    facts.cutoff_ms--;
    check_refused(&facts, REFUSAL_NONE);
    facts.has_user = false;
    check_refused(&facts, REFUSAL_USER_GONE);
    facts.cutoff_ms++; /* in the order of the design */
    check_refused(&facts, REFUSAL_TOKEN_CUT_OFF);
}

static void refuses_whoever_is_not_proved(void)
{
    struct rotate_facts facts = facts_of(0);

    facts.key = NULL;
    check_refused(&facts, REFUSAL_PROOF_MISSING);
    facts.proof_jkt = JKT; /* of a token that is bound to nothing it says nothing */
    check_refused(&facts, REFUSAL_PROOF_MISSING);
    facts.presented.jkt = JKT;
    check_refused(&facts, REFUSAL_NONE);
    facts.proof_jkt = OTHER_JKT;
    check_refused(&facts, REFUSAL_PROOF_INVALID);
    facts.key = &key;
    check_refused(&facts, REFUSAL_PROOF_INVALID);
    facts.proof_jkt = BYTES_NONE;
    check_refused(&facts, REFUSAL_NONE);
}

/* ---- the plan ---- */

static void plans_one_conditional_write(void)
{
    struct rotate_facts facts = facts_of(7);
    struct plan plan = {.write_count = 0};
    const struct family *family = &plan.writes[0].family.family;

    rotate_plan(&plan, &facts, NOW_MS);
    CHECK_INT(plan.write_count, 1);
    CHECK_INT(plan.writes[0].kind, WRITE_FAMILY);
    CHECK_INT(plan.writes[0].family.from_generation, 7);
    CHECK(uuid_equal(&family->id, &facts.presented.family) && uuid_equal(&family->project, &project.id) &&
          uuid_equal(&family->user, &facts.presented.user));
    CHECK_INT(family->state, FAMILY_LIVE);
    CHECK_INT(family->generation, 8);
    CHECK_INT(family->rotated_ms, NOW_MS);
    CHECK_INT(family->succ_exp_s, NOW_S + LIFE_S);
    CHECK(family->bucket_s > END_S && family->bucket_s <= END_S + 3600 && family->bucket_s % 3600 == 0);
    CHECK(!family->holder_is_bound);
    CHECK_BYTES(family->holder, key.public_id);
    CHECK_BYTES(family->seal_key, BYTES("bbbbbbbb"));
    facts.presented.jkt = JKT; /* bound, but nobody proves it: the key's */
    rotate_plan(&plan, &facts, NOW_MS);
    CHECK(!family->holder_is_bound);
    facts.proof_jkt = JKT;
    rotate_plan(&plan, &facts, NOW_MS);
    CHECK(family->holder_is_bound);
    CHECK_BYTES(family->holder, JKT);
}

static void gives_lives_that_end_in_time(void)
{
    static const struct {
        bool self_refresh, is_bound;
        int64_t end_s, exp_s, refresh_exp_s;
    } rows[] = {
        {false, false, END_S, NOW_S + LIFE_S, NOW_S + LIFE_S + REFRESH_OUTLIVES_S},
        {false, true, END_S, NOW_S + LIFE_S, NOW_S + LIFE_S + REFRESH_OUTLIVES_S},
        {true, true, END_S, NOW_S + LIFE_S, NOW_S + LIFE_S + REFRESH_OUTLIVES_S},
        {true, false, END_S, NOW_S + SAT_LIFE_LOOSE_S, NOW_S + SAT_LIFE_LOOSE_S + REFRESH_OUTLIVES_S},
        {false, false, NOW_S + LIFE_S + 299, NOW_S + LIFE_S, NOW_S + LIFE_S + 299},
        {false, false, NOW_S + 100, NOW_S + 100, NOW_S + 100},
        {true, false, NOW_S + 1, NOW_S + 1, NOW_S + 1},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct rotate_facts facts = facts_of(0);
        struct row row = {.state = ROW_WRITTEN};
        struct decision decision;
        struct plan plan;
        CHECK_NOTE("life row %zu", i);
        facts.presented.may_self_refresh = rows[i].self_refresh;
        if (rows[i].is_bound) facts.presented.jkt = JKT;
        facts.presented.absolute_end_s = rows[i].end_s;
        rotate_plan(&plan, &facts, NOW_MS);
        rotate_settle(&decision, &plan, &facts, &row, NOW_MS);
        CHECK_INT(decision.grant.iat_s, NOW_S);
        CHECK_INT(decision.grant.exp_s, rows[i].exp_s);
        CHECK_INT(decision.grant.refresh_exp_s, rows[i].refresh_exp_s);
        CHECK_INT(decision.grant.absolute_end_s, rows[i].end_s);
    }
}

/* ---- the table ---- */

enum wanted { SUCCESSOR, SAME, EXPIRES, REUSE, LOST, ROLLED, IS_DEAD };
enum row_kind { NO_ROW, ROW_LIVE, ROW_DEAD };
enum who { BOUND, BY_KEY, BY_OTHER_KEY };
enum when { WITHIN_GRACE, AFTER_GRACE, AFTER_SUCCESSOR };

/* As the design says it, in its order. rotated_by: who rotated last. */
static enum wanted wanted_of(enum row_kind kind, uint32_t presented, uint32_t at, enum who rotated_by,
                             enum who asks, enum when when)
{
    bool is_same = rotated_by == asks && when == WITHIN_GRACE;

    if (kind == NO_ROW) return presented == 0 ? SUCCESSOR : LOST;
    if (kind == ROW_DEAD) return IS_DEAD;
    if (presented == at) return SUCCESSOR;
    if (presented > at) return ROLLED;
    if (presented + 1 != at) return REUSE;
    if (is_same) return SAME;
    if (asks != BOUND) return REUSE;
    return when == AFTER_SUCCESSOR ? EXPIRES : SAME;
}

static void check_dead(const struct write *write, uint32_t from_generation)
{
    CHECK_INT(write->kind, WRITE_FAMILY);
    CHECK_INT(write->family.family.state, FAMILY_DEAD);
    CHECK_INT(write->family.from_generation, from_generation);
    CHECK(!write->is_gate);
}

static void check_same(const struct decision *decision, const struct family *row)
{
    const struct grant *grant = &decision->grant;

    CHECK_INT(decision->refused.refusal, REFUSAL_NONE);
    CHECK(!decision->has_further);
    CHECK_INT(grant->generation, row->generation);
    CHECK_INT(grant->iat_s, row->rotated_ms / 1000);
    CHECK_INT(grant->exp_s, row->succ_exp_s);
    CHECK_INT(grant->refresh_exp_s, row->succ_exp_s + REFRESH_OUTLIVES_S);
    CHECK_BYTES(grant->seal_key, row->seal_key);
}

static void check_further(enum wanted wanted, const struct plan *plan, const struct rotate_facts *facts,
                          const struct family *row)
{
    switch (wanted) {
    case LOST:
        CHECK_INT(plan->write_count, 1);
        check_dead(&plan->writes[0], 0);
        return;
    case ROLLED:
        CHECK_INT(plan->write_count, 1);
        check_dead(&plan->writes[0], row->generation);
        return;
    case REUSE:
        CHECK_INT(plan->write_count, 2);
        check_dead(&plan->writes[0], FAMILY_ANY_GENERATION); /* the thief may go on meanwhile */
        CHECK_INT(plan->writes[1].kind, WRITE_CUTOFF);
        CHECK_INT(plan->writes[1].cutoff.cutoff.of, CUTOFF_FAMILY);
        CHECK_BYTES(plan->writes[1].cutoff.cutoff.id, uuid_bytes(&facts->presented.family));
        CHECK(NOW_S + plan->writes[1].cutoff.keep_s >= END_S);
        return;
    case SUCCESSOR:
        CHECK_INT(plan->write_count, 1);
        CHECK_INT(plan->writes[0].family.family.generation, facts->presented.generation + 1);
        return;
    case SAME:
    case EXPIRES:
    case IS_DEAD:
        return;
    }
}

static enum refusal refusal_of(enum wanted wanted)
{
    static const enum refusal refusals[] = {
        [EXPIRES] = REFUSAL_REFRESH_EXPIRED, [REUSE] = REFUSAL_REFRESH_REUSED,
        [LOST] = REFUSAL_REFRESH_STATE_LOST, [ROLLED] = REFUSAL_REFRESH_ROLLED_BACK,
        [IS_DEAD] = REFUSAL_REFRESH_DEAD,
    };

    return refusals[wanted];
}

static struct rotate_facts asker(enum who asks, uint32_t presented)
{
    struct rotate_facts facts = facts_of(presented);

    facts.presented.jkt = JKT; /* sealed in all of them: only a proof makes an ask a bound one */
    if (asks == BOUND) facts.proof_jkt = JKT;
    if (asks == BY_OTHER_KEY) facts.key = &other_key;
    return facts;
}

static struct row row_of(enum row_kind kind, uint32_t at, enum who rotated_by, enum when when)
{
    static const enum row_state states[] = {ROW_ABSENT, ROW_EXISTS, ROW_EXISTS};
    struct row row = {.state = states[kind], .family = live_row(at)};

    if (kind == NO_ROW) row.family = (struct family){0};
    if (kind == ROW_DEAD) row.family.state = FAMILY_DEAD;
    if (kind != ROW_LIVE) return row;
    row.family.holder_is_bound = rotated_by == BOUND;
    row.family.holder = rotated_by == BOUND    ? JKT
                        : rotated_by == BY_KEY ? key.public_id
                                               : other_key.public_id;
    row.family.rotated_ms = NOW_MS - (when == WITHIN_GRACE ? GRACE_MS : GRACE_MS + 1);
    if (when == AFTER_SUCCESSOR) row.family.succ_exp_s = NOW_S;
    return row;
}

static void check_one(enum row_kind kind, uint32_t presented, uint32_t at, enum who rotated_by, enum who asks,
                      enum when when)
{
    enum wanted wanted = wanted_of(kind, presented, at, rotated_by, asks, when);
    struct rotate_facts facts = asker(asks, presented);
    struct row row = row_of(kind, at, rotated_by, when);
    struct decision decision;
    struct plan plan;

    CHECK_NOTE("row %d at %u, presented %u, rotated by %d, asked by %d, when %d", kind, at, presented,
               rotated_by, asks, when);
    rotate_plan(&plan, &facts, NOW_MS);
    CHECK_INT(plan.refused.refusal, REFUSAL_NONE);
    rotate_settle(&decision, &plan, &facts, &row, NOW_MS);
    CHECK_INT(decision.has_further,
              wanted == SUCCESSOR || wanted == REUSE || wanted == LOST || wanted == ROLLED);
    CHECK_INT(decision.refused.refusal, refusal_of(wanted));
    CHECK_INT(rotate_recall(&decision, &facts, &row.family, NOW_MS), wanted == SAME && kind == ROW_LIVE);
    rotate_plan(&plan, &facts, NOW_MS);
    rotate_settle(&decision, &plan, &facts, &row, NOW_MS);
    if (wanted == SAME)
        check_same(&decision, &row.family);
    else
        CHECK_INT(decision.grant.exp_s, 0);
    check_further(wanted, &plan, &facts, &row.family);
}

static void decides_every_row(void)
{
    int kind, rotated_by, asks, when;
    uint32_t presented, at;

    for (kind = NO_ROW; kind <= ROW_DEAD; kind++)
        for (presented = 0; presented < 5; presented++)
            for (at = 1; at < 5; at++)
                for (rotated_by = BOUND; rotated_by <= BY_OTHER_KEY; rotated_by++)
                    for (asks = BOUND; asks <= BY_OTHER_KEY; asks++)
                        for (when = WITHIN_GRACE; when <= AFTER_SUCCESSOR; when++)
                            check_one((enum row_kind)kind, presented, at, (enum who)rotated_by,
                                      (enum who)asks, (enum when)when);
}

static void keeps_all_that_is_fixed(void)
{
    struct rotate_facts facts = facts_of(4);
    struct row row = {.state = ROW_WRITTEN};
    struct decision decision;
    struct plan plan;
    const struct grant *grant = &decision.grant, *presented = &facts.presented;

    facts.presented.kind = TOKEN_GUEST;
    facts.presented.user_kind = USER_GUEST;
    facts.presented.address_count = 2;
    facts.presented.addresses[1].byte[3] = 5;
    rotate_plan(&plan, &facts, NOW_MS);
    rotate_settle(&decision, &plan, &facts, &row, NOW_MS);
    CHECK_INT(decision.refused.refusal, REFUSAL_NONE);
    CHECK(!decision.has_further && !decision.has_cutoff && !decision.has_user);
    CHECK(grant->kind == TOKEN_GUEST && grant->user_kind == USER_GUEST);
    CHECK(uuid_equal(&grant->user, &presented->user) && uuid_equal(&grant->family, &presented->family) &&
          uuid_equal(&grant->application, &presented->application) && uuid_equal(&grant->jti, &facts.jti));
    CHECK(grant->address_count == 2 && uuid_equal(&grant->addresses[1], &presented->addresses[1]));
    CHECK_BYTES(grant->parent_key, presented->parent_key);
    CHECK_INT(grant->gt_ms, presented->gt_ms);
    CHECK_INT(grant->generation, 5);
    CHECK(grant->has_refresh);
    CHECK_BYTES(grant->seal_key, BYTES("bbbbbbbb"));
}

/* The same row, asked hours apart and by other keys of the ring: the same grant. */
static void gives_the_same_successor_at_any_time(void)
{
    struct rotate_facts facts = asker(BOUND, 0), later = asker(BOUND, 0);
    struct row written = {.state = ROW_WRITTEN}, met = {.state = ROW_EXISTS};
    struct fact_project aged = project;
    struct decision first, again;
    struct plan plan;
    int64_t later_ms = NOW_MS + 400000;

    rotate_plan(&plan, &facts, NOW_MS);
    met.family = plan.writes[0].family.family;
    rotate_settle(&first, &plan, &facts, &written, NOW_MS);
    aged.setting[SETTING_SAT_LIFE] = 60;
    aged.age_ms = 7000;
    later.project = &aged;
    later.seal_key = BYTES("cccccccc");
    rotate_plan(&plan, &later, later_ms);
    rotate_settle(&again, &plan, &later, &met, later_ms);
    CHECK_INT(again.refused.refusal, REFUSAL_NONE);
    CHECK_INT(again.grant.iat_s, first.grant.iat_s);
    CHECK_INT(again.grant.exp_s, first.grant.exp_s);
    CHECK_INT(again.grant.refresh_exp_s, first.grant.refresh_exp_s);
    CHECK_INT(again.grant.absolute_end_s, first.grant.absolute_end_s);
    CHECK_INT(again.grant.age_ms, first.grant.age_ms);
    CHECK_INT(again.grant.aged_ms, first.grant.aged_ms);
    CHECK_INT(again.grant.generation, first.grant.generation);
    CHECK_BYTES(again.grant.seal_key, first.grant.seal_key);
}

/* In a project that has aged, a successor lives its whole time, and the family ends when it would have. */
static void ends_a_family_by_the_projects_time(void)
{
    struct fact_project aged = project;
    struct rotate_facts facts = facts_of(1);
    struct row row = {.state = ROW_WRITTEN};
    struct decision decision;
    struct plan plan;
    int64_t bucket_s;

    rotate_plan(&plan, &facts, NOW_MS);
    bucket_s = plan.writes[0].family.family.bucket_s;
    aged.age_ms = 300500;
    facts.project = &aged;
    facts.presented.age_ms = 100000;
    rotate_plan(&plan, &facts, NOW_MS);
    CHECK_INT(plan.writes[0].family.family.bucket_s, bucket_s);
    rotate_settle(&decision, &plan, &facts, &row, NOW_MS);
    CHECK_INT(decision.grant.age_ms, 300500);
    CHECK_INT(decision.grant.aged_ms, 200500);
    CHECK_INT(decision.grant.exp_s, NOW_S + LIFE_S);
    CHECK_INT(decision.grant.refresh_exp_s, NOW_S + LIFE_S + 300 + 201);
    CHECK_INT(decision.grant.absolute_end_s, END_S);
    aged.age_ms = (END_S - NOW_S - 100) * (int64_t)1000;
    facts.presented.age_ms = 0;
    facts.presented.refresh_exp_s = END_S;
    rotate_plan(&plan, &facts, NOW_MS);
    rotate_settle(&decision, &plan, &facts, &row, NOW_MS);
    CHECK_INT(decision.grant.exp_s, NOW_S + 100);
    CHECK_INT(decision.grant.refresh_exp_s, END_S);
    CHECK_INT(plan.writes[0].family.family.bucket_s, bucket_s);
}

/* ---- further plans ---- */

static void tells_of_the_cutoff(void)
{
    struct rotate_facts facts = facts_of(1);
    struct row rows[2] = {{.state = ROW_EXISTS, .family = live_row(4)}};
    struct decision decision;
    struct plan plan;
    int i;

    rotate_plan(&plan, &facts, NOW_MS);
    rotate_settle(&decision, &plan, &facts, rows, NOW_MS);
    CHECK(decision.has_further && !decision.has_cutoff);
    rows[1] = (struct row){.state = ROW_WRITTEN, .t_ms = NOW_MS + 3000};
    for (i = 0; i < 2; i++) { /* whoever wrote it dead */
        rows[0] = (struct row){.state = i ? ROW_EXISTS : ROW_WRITTEN, .family = live_row(4)};
        rows[0].family.state = FAMILY_DEAD;
        rotate_settle(&decision, &plan, &facts, rows, NOW_MS);
        CHECK(!decision.has_further && decision.has_cutoff);
        CHECK_INT(decision.refused.refusal, REFUSAL_REFRESH_REUSED);
        CHECK_INT(decision.cutoff.of, CUTOFF_FAMILY);
        CHECK_INT(decision.cutoff.t_ms, NOW_MS + 3000);
        CHECK_BYTES(decision.cutoff.id, uuid_bytes(&facts.presented.family));
        CHECK_INT(decision.grant.exp_s, 0);
    }
}

/* A loser decides once more on the row that was there. */
static void decides_again_on_the_row_it_met(void)
{
    struct rotate_facts facts = facts_of(5);
    struct row row = {.state = ROW_ABSENT};
    struct decision decision;
    struct plan plan;

    rotate_plan(&plan, &facts, NOW_MS);
    rotate_settle(&decision, &plan, &facts, &row, NOW_MS);
    CHECK(decision.has_further); /* state lost: a dead row is to be inserted */
    row = (struct row){.state = ROW_EXISTS, .family = live_row(5)};
    rotate_settle(&decision, &plan, &facts, &row, NOW_MS); /* but there is one, and it fits */
    CHECK(decision.has_further);
    CHECK_INT(decision.refused.refusal, REFUSAL_NONE);
    CHECK_INT(plan.writes[0].family.family.state, FAMILY_LIVE);
    CHECK_INT(plan.writes[0].family.from_generation, 5);
    row.family = live_row(6); /* and another was faster */
    rotate_settle(&decision, &plan, &facts, &row, NOW_MS);
    check_same(&decision, &row.family);
}

static void asks_for_more_twice_at_most(void)
{
    struct rotate_facts facts = facts_of(5);
    struct row row = {.state = ROW_EXISTS, .family = live_row(5)};
    struct decision decision;
    struct plan plan;
    int further = 0;

    rotate_plan(&plan, &facts, NOW_MS);
    do
        rotate_settle(&decision, &plan, &facts, &row, NOW_MS);
    while (decision.has_further && ++further < 10);
    CHECK_INT(further, PLAN_FURTHER_MAX);
    CHECK(decision.refused.refusal != REFUSAL_NONE);
    CHECK_INT(decision.grant.exp_s, 0);
}

int main(void)
{
    CHECK_RUN(refuses_keys_that_may_not_mint);
    CHECK_RUN(refuses_kinds_that_have_none);
    CHECK_RUN(refuses_other_projects);
    CHECK_RUN(refuses_at_the_second_of_expiry);
    CHECK_RUN(refuses_what_has_aged);
    CHECK_RUN(refuses_the_last_generation);
    CHECK_RUN(refuses_what_was_cut_off);
    CHECK_RUN(refuses_whoever_is_not_proved);
    CHECK_RUN(plans_one_conditional_write);
    CHECK_RUN(gives_lives_that_end_in_time);
    CHECK_RUN(decides_every_row);
    CHECK_RUN(keeps_all_that_is_fixed);
    CHECK_RUN(gives_the_same_successor_at_any_time);
    CHECK_RUN(ends_a_family_by_the_projects_time);
    CHECK_RUN(tells_of_the_cutoff);
    CHECK_RUN(decides_again_on_the_row_it_met);
    CHECK_RUN(asks_for_more_twice_at_most);
    return CHECK_END();
}
