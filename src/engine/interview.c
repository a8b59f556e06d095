#include "engine/interview.h"

#include <string.h>

#define STATES (INTERVIEW_DONE + 1)
#define STEPS  (INTERVIEW_COMPLETE + 1)

enum move { REFUSED, STAYS, MOVES }; /* an empty cell refuses */

/* clang-format off: a table is read by columns */
static const struct {
    enum move from[STATES];
    enum interview_state to;
    const char *because;
} steps[STEPS] = {
    /*                       OPEN                        AGREED                       DONE */
    [INTERVIEW_READ] = {{[INTERVIEW_OPEN] = STAYS, [INTERVIEW_AGREED] = STAYS, [INTERVIEW_DONE] = STAYS},
                        INTERVIEW_OPEN,
                        ""},
    [INTERVIEW_CONSENT] = {{[INTERVIEW_OPEN] = MOVES, [INTERVIEW_AGREED] = STAYS},
                           INTERVIEW_AGREED,
                           "is complete"},
    [INTERVIEW_ANSWER] = {{[INTERVIEW_AGREED] = MOVES},
                          INTERVIEW_AGREED,
                          "takes answers between consent and completion"},
    [INTERVIEW_COMPLETE] = {{[INTERVIEW_AGREED] = MOVES, [INTERVIEW_DONE] = STAYS},
                            INTERVIEW_DONE,
                            "needs consent first"},
};
/* clang-format on */

static struct refused refuse(enum refusal refusal, enum ask_field field, const char *because)
{
    return (struct refused){refusal, field, because};
}

static enum move move_of(enum interview_step step, enum interview_state state)
{
    return (unsigned)state < STATES ? steps[step].from[state] : REFUSED;
}

static void plan_begin(struct plan *out, const struct interview_facts *facts, int64_t now_ms,
                       const struct dice *dice)
{
    struct write *write;

    if (!facts->study) {
        out->refused = refuse(REFUSAL_NOT_FOUND, FIELD_STUDY, NULL);
        return;
    }
    write = &out->writes[out->write_count++];
    write->kind = WRITE_INTERVIEW;
    write->gt_ms = facts->holder->gt_ms;
    uuid_draw(&write->interview.id, dice);
    write->interview.project = facts->holder->project;
    write->interview.study = facts->study->id;
    write->interview.user = facts->holder->user;
    write->interview.state = INTERVIEW_OPEN;
    write->interview.created_ms = now_ms;
}

static struct refused check_answer(const struct interview_facts *facts, const struct ask_interview *ask)
{
    if (bytes_is_absent(facts->question))
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_QUESTION, "is none of this study's");
    if (facts->question.len > QUESTION_MAX)
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_QUESTION, "is too long (at most 255 bytes)");
    if (ask->answer.len > ANSWER_MAX)
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_ANSWER, "is too long (at most 8192 bytes)");
    return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
}

static void plan_answer(struct plan *out, const struct interview_facts *facts,
                        const struct ask_interview *ask, int64_t now_ms)
{
    struct write *write;

    out->refused = check_answer(facts, ask);
    if (out->refused.refusal) return;
    write = &out->writes[out->write_count++];
    write->kind = WRITE_ANSWER;
    write->gt_ms = facts->holder->gt_ms;
    write->answer.project = facts->holder->project;
    write->answer.interview = facts->interview->id;
    write->answer.user = facts->holder->user;
    write->answer.question = facts->question;
    write->answer.answer = ask->answer;
    write->answer.now_ms = now_ms;
}

static void plan_step(struct plan *out, const struct interview_facts *facts, enum interview_step step,
                      int64_t now_ms)
{
    struct write *write = &out->writes[out->write_count++];
    unsigned state;

    write->kind = WRITE_INTERVIEW_STEP;
    write->gt_ms = facts->holder->gt_ms;
    write->interview_step.project = facts->holder->project;
    write->interview_step.id = facts->interview->id;
    write->interview_step.user = facts->holder->user;
    for (state = 0; state < STATES; state++)
        if (steps[step].from[state] == MOVES) write->interview_step.from |= 1u << state;
    write->interview_step.to = steps[step].to;
    write->interview_step.now_ms = now_ms;
}

void interview_plan(struct plan *out, const struct interview_facts *facts, const struct ask_interview *ask,
                    int64_t now_ms, const struct dice *dice)
{
    enum move move;

    memset(out, 0, sizeof *out);
    if (ask->step == INTERVIEW_BEGIN) {
        plan_begin(out, facts, now_ms, dice);
        return;
    }
    if (!facts->interview) {
        out->refused = refuse(REFUSAL_NOT_FOUND, FIELD_INTERVIEW, NULL);
        return;
    }
    move = move_of(ask->step, facts->interview->state);
    if (move == REFUSED)
        out->refused = refuse(REFUSAL_INTERVIEW_STATE, FIELD_INTERVIEW, steps[ask->step].because);
    else if (move == MOVES && ask->step == INTERVIEW_ANSWER)
        plan_answer(out, facts, ask, now_ms);
    else if (move == MOVES)
        plan_step(out, facts, ask->step, now_ms);
}

/* Another request may have taken a step between the read and the write: its row says what is true now. */
struct refused interview_settle(struct interview *interview, const struct plan *plan,
                                const struct interview_facts *facts, const struct ask_interview *ask,
                                const struct row *rows)
{
    memset(interview, 0, sizeof *interview);
    if (plan->refused.refusal) return plan->refused;
    if (!plan->write_count) {
        *interview = *facts->interview;
        return plan->refused;
    }
    /* it was there, or was to be: an interview goes with its user alone */
    if (rows[0].state == ROW_ABSENT) return refuse(REFUSAL_TOKEN_CUT_OFF, FIELD_NONE, NULL);
    if (rows[0].state == ROW_SKIPPED) return refuse(REFUSAL_NOT_FOUND, FIELD_INTERVIEW, NULL);
    if (rows[0].state == ROW_EXISTS && move_of(ask->step, rows[0].interview.state) != STAYS)
        return refuse(REFUSAL_INTERVIEW_STATE, FIELD_INTERVIEW, steps[ask->step].because);
    *interview = rows[0].interview;
    return plan->refused;
}
