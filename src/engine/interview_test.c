#include "engine/interview.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define NOW_MS      INT64_C(1767225600321)

static const struct holder holder = {.project = {{1}}, .user = {{5}}};
static const struct study study = {.id = {{4}}, .project = {{1}}};
static uint8_t wide[ANSWER_MAX + 1];

static struct plan plan_with(const struct interview_facts *facts, const struct ask_interview *ask)
{
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 1);
    struct plan plan;

    memset(&plan, 0xa5, sizeof plan);
    interview_plan(&plan, facts, ask, NOW_MS, &dice);
    return plan;
}

static struct interview_facts facts_of(const struct interview *interview)
{
    return (struct interview_facts){
        .holder = &holder, .study = &study, .interview = interview, .question = BYTES("q1")};
}

static void refuses_what_is_not_there(void)
{
    struct interview_facts facts = {.holder = &holder};
    unsigned step;

    for (step = INTERVIEW_READ; step <= INTERVIEW_COMPLETE; step++) {
        struct ask_interview ask = {.step = (enum interview_step)step};
        struct plan plan = plan_with(&facts, &ask);
        struct interview interview;
        struct refused refused = interview_settle(&interview, &plan, &facts, &ask, NULL);
        CHECK_NOTE("step %u", step);
        CHECK_INT(plan.refused.refusal, REFUSAL_NOT_FOUND);
        CHECK_INT(plan.refused.field, step == INTERVIEW_BEGIN ? FIELD_STUDY : FIELD_INTERVIEW);
        CHECK_INT(plan.write_count, 0);
        CHECK_INT(refused.refusal, REFUSAL_NOT_FOUND);
        CHECK(uuid_is_zero(&interview.id));
    }
}

/* The whole table: what each step does from each state. */
static void takes_each_step_from_its_states_alone(void)
{
    static const struct {
        enum interview_step step;
        enum interview_state state;
        enum refusal wanted;
        size_t writes;
    } rows[] = {
        {INTERVIEW_READ, INTERVIEW_OPEN, REFUSAL_NONE, 0},
        {INTERVIEW_READ, INTERVIEW_AGREED, REFUSAL_NONE, 0},
        {INTERVIEW_READ, INTERVIEW_DONE, REFUSAL_NONE, 0},
        {INTERVIEW_CONSENT, INTERVIEW_OPEN, REFUSAL_NONE, 1},
        {INTERVIEW_CONSENT, INTERVIEW_AGREED, REFUSAL_NONE, 0},
        {INTERVIEW_CONSENT, INTERVIEW_DONE, REFUSAL_INTERVIEW_STATE, 0},
        {INTERVIEW_ANSWER, INTERVIEW_OPEN, REFUSAL_INTERVIEW_STATE, 0},
        {INTERVIEW_ANSWER, INTERVIEW_AGREED, REFUSAL_NONE, 1},
        {INTERVIEW_ANSWER, INTERVIEW_DONE, REFUSAL_INTERVIEW_STATE, 0},
        {INTERVIEW_COMPLETE, INTERVIEW_OPEN, REFUSAL_INTERVIEW_STATE, 0},
        {INTERVIEW_COMPLETE, INTERVIEW_AGREED, REFUSAL_NONE, 1},
        {INTERVIEW_COMPLETE, INTERVIEW_DONE, REFUSAL_NONE, 0},
        {INTERVIEW_READ, (enum interview_state)0, REFUSAL_INTERVIEW_STATE, 0}, /* no store holds these two */
        {INTERVIEW_ANSWER, (enum interview_state)9, REFUSAL_INTERVIEW_STATE, 0},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct interview interview = {.id = {{6}}, .user = {{5}}, .state = rows[i].state}, after;
        struct interview_facts facts = facts_of(&interview);
        struct ask_interview ask = {.step = rows[i].step, .answer = BYTES("yes")};
        struct plan plan = plan_with(&facts, &ask);
        CHECK_NOTE("step row %zu", i);
        CHECK_INT(plan.refused.refusal, rows[i].wanted);
        CHECK_INT(plan.write_count, rows[i].writes);
        if (plan.write_count) continue;
        CHECK_INT(interview_settle(&after, &plan, &facts, &ask, NULL).refusal, rows[i].wanted);
        CHECK_INT(uuid_is_zero(&after.id), rows[i].wanted != REFUSAL_NONE);
    }
}

static void refuses_answers(void)
{
    static const struct {
        struct bytes question, answer;
        enum refusal wanted;
        enum ask_field field;
    } rows[] = {
        {{NULL, 0}, {wide, 1}, REFUSAL_PARAMETER_INVALID, FIELD_QUESTION},
        {{wide, QUESTION_MAX + 1}, {wide, 1}, REFUSAL_PARAMETER_INVALID, FIELD_QUESTION},
        {{wide, 1}, {wide, ANSWER_MAX + 1}, REFUSAL_PARAMETER_INVALID, FIELD_ANSWER},
        {{wide, QUESTION_MAX}, {wide, ANSWER_MAX}, REFUSAL_NONE, FIELD_NONE},
        {{wide, 1}, {wide, 0}, REFUSAL_NONE, FIELD_NONE},
    };
    struct interview interview = {.id = {{6}}, .state = INTERVIEW_AGREED};
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct interview_facts facts = facts_of(&interview);
        struct ask_interview ask = {.step = INTERVIEW_ANSWER, .answer = rows[i].answer};
        struct plan plan;
        facts.question = rows[i].question;
        plan = plan_with(&facts, &ask);
        CHECK_NOTE("answer row %zu", i);
        CHECK_INT(plan.refused.refusal, rows[i].wanted);
        CHECK_INT(plan.refused.field, rows[i].field);
        CHECK_INT(plan.write_count, rows[i].wanted ? 0 : 1);
    }
}

static void plans_what_each_step_writes(void)
{
    struct interview interview = {.id = {{6}}, .state = INTERVIEW_OPEN};
    struct interview_facts facts = facts_of(&interview);
    struct ask_interview ask = {.step = INTERVIEW_BEGIN};
    struct plan plan = plan_with(&facts, &ask);

    CHECK_INT(plan.writes[0].kind, WRITE_INTERVIEW);
    CHECK_INT(plan.writes[0].gt_ms, holder.gt_ms);
    CHECK(uuid_equal(&plan.writes[0].interview.user, &holder.user));
    CHECK(uuid_equal(&plan.writes[0].interview.study, &study.id));
    CHECK_INT(plan.writes[0].interview.state, INTERVIEW_OPEN);
    CHECK(!uuid_is_zero(&plan.writes[0].interview.id));
    ask.step = INTERVIEW_CONSENT;
    plan = plan_with(&facts, &ask);
    CHECK_INT(plan.writes[0].kind, WRITE_INTERVIEW_STEP);
    CHECK_INT(plan.writes[0].gt_ms, holder.gt_ms);
    CHECK_INT(plan.writes[0].interview_step.from, 1u << INTERVIEW_OPEN);
    CHECK_INT(plan.writes[0].interview_step.to, INTERVIEW_AGREED);
    CHECK(uuid_equal(&plan.writes[0].interview_step.user, &holder.user));
    interview.state = INTERVIEW_AGREED;
    ask.step = INTERVIEW_COMPLETE;
    plan = plan_with(&facts, &ask);
    CHECK_INT(plan.writes[0].interview_step.from, 1u << INTERVIEW_AGREED);
    CHECK_INT(plan.writes[0].interview_step.to, INTERVIEW_DONE);
    ask.step = INTERVIEW_ANSWER;
    ask.answer = BYTES("yes");
    plan = plan_with(&facts, &ask);
    CHECK_INT(plan.writes[0].kind, WRITE_ANSWER);
    CHECK_INT(plan.writes[0].gt_ms, holder.gt_ms);
    CHECK_BYTES(plan.writes[0].answer.question, BYTES("q1"));
    CHECK_BYTES(plan.writes[0].answer.answer, BYTES("yes"));
    CHECK(uuid_equal(&plan.writes[0].answer.user, &holder.user));
}

/* Somebody took a step between the read and the write. */
static void decides_on_the_row_that_is_there(void)
{
    static const struct {
        enum interview_step step;
        enum interview_state read;
        enum row_state row;
        enum interview_state now;
        enum refusal wanted;
    } rows[] = {
        {INTERVIEW_CONSENT, INTERVIEW_OPEN, ROW_WRITTEN, INTERVIEW_AGREED, REFUSAL_NONE},
        {INTERVIEW_CONSENT, INTERVIEW_OPEN, ROW_EXISTS, INTERVIEW_AGREED, REFUSAL_NONE},
        {INTERVIEW_CONSENT, INTERVIEW_OPEN, ROW_EXISTS, INTERVIEW_DONE, REFUSAL_INTERVIEW_STATE},
        {INTERVIEW_CONSENT, INTERVIEW_OPEN, ROW_ABSENT, INTERVIEW_OPEN, REFUSAL_TOKEN_CUT_OFF},
        {INTERVIEW_CONSENT, INTERVIEW_OPEN, ROW_SKIPPED, INTERVIEW_OPEN, REFUSAL_NOT_FOUND},
        {INTERVIEW_ANSWER, INTERVIEW_AGREED, ROW_EXISTS, INTERVIEW_DONE, REFUSAL_INTERVIEW_STATE},
        {INTERVIEW_COMPLETE, INTERVIEW_AGREED, ROW_EXISTS, INTERVIEW_DONE, REFUSAL_NONE},
        {INTERVIEW_COMPLETE, INTERVIEW_AGREED, ROW_EXISTS, INTERVIEW_OPEN, REFUSAL_INTERVIEW_STATE},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct interview interview = {.id = {{6}}, .state = rows[i].read}, after;
        struct interview_facts facts = facts_of(&interview);
        struct ask_interview ask = {.step = rows[i].step, .answer = BYTES("yes")};
        struct plan plan = plan_with(&facts, &ask);
        struct row row = {.state = rows[i].row, .interview = {.id = {{6}}, .state = rows[i].now}};
        CHECK_NOTE("row %zu", i);
        CHECK_INT(interview_settle(&after, &plan, &facts, &ask, &row).refusal, rows[i].wanted);
        CHECK_INT(after.state, rows[i].wanted ? (enum interview_state)0 : rows[i].now);
    }
}

int main(void)
{
    memset(wide, 'a', sizeof wide);
    CHECK_RUN(refuses_what_is_not_there);
    CHECK_RUN(takes_each_step_from_its_states_alone);
    CHECK_RUN(refuses_answers);
    CHECK_RUN(plans_what_each_step_writes);
    CHECK_RUN(decides_on_the_row_that_is_there);
    return CHECK_END();
}
