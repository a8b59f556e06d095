/* run_interview.c — what a participant's session does: read its study, be interviewed, ask who it is. */
#include <string.h>

#include "engine/interview.h"
#include "service/service_run.h"
#include "wire/json_read.h"

static const struct study *study_of(const struct run *run, const struct uuid *id)
{
    return facts_study(lease_facts(run->lease), &run->project->id, id);
}

static void refuse_no_study(struct run *run)
{
    struct finding *finding = run_finding(run, "study.exists");
    char id[UUID_TEXT_LEN];

    uuid_write(id, &run->ask.interview.study);
    finding_expected(finding, "a study of the session's project");
    finding_seen(finding, "%.36s", id);
    run_refuse(run, REFUSAL_NOT_FOUND, FIELD_STUDY, NULL);
}

void run_study(struct run *run)
{
    if (!run_authenticate_bearer(run, BYTES_NONE, MAY_BE_INTERVIEWED) || !run_goes_on(run)) return;
    run->outcome.study = study_of(run, &run->ask.interview.study);
    if (!run->outcome.study)
        refuse_no_study(run);
    else
        run_finish(run, OUTCOME_STUDY);
}

/* ---- who ---- */

/* Nobody has a row whom no backend vouched for: they are who their session says. */
static void participant_read(struct run *run)
{
    struct user *who = &run->outcome.who;

    *who = (struct user){
        .id = run->outcome.holder.user, .project = run->outcome.holder.project, .kind = USER_ANONYMOUS};
    if (run->read.found) *who = run->read.user;
    run_finish(run, OUTCOME_WHO);
}

void run_participant(struct run *run)
{
    const struct holder *holder = &run->outcome.holder;

    if (!run_authenticate_bearer(run, BYTES_NONE, MAY_BE_INTERVIEWED)) return;
    run_read(run, READ_USER_BY_ID, &holder->project, &holder->user, BYTES_NONE, participant_read);
}

/* ---- interviews ---- */

/* The id of the question that is meant: named by its id, by its text, or counted. A study written by hand may
 * hold bare texts; then they are the ids. */
static struct bytes question_of(struct json questions, const struct ask_interview *ask)
{
    bool is_counted = bytes_is_absent(ask->question);
    size_t i;

    for (i = 0; i < json_count(questions); i++) {
        struct json question = json_item(questions, i);
        struct bytes text = json_text(question), id = text;

        if (bytes_is_absent(text)) {
            text = json_text(json_member(question, "text"));
            id = json_text(json_member(question, "id"));
        }
        if (is_counted ? ask->number == (int64_t)i
                       : bytes_equal(ask->question, id) || bytes_equal(ask->question, text))
            return bytes_is_absent(id) ? text : id;
    }
    return BYTES_NONE;
}

static enum err find_question(struct interview_facts *facts, struct run *run)
{
    struct json questions;
    struct bytes id;
    enum err e;

    if (run->ask.interview.step != INTERVIEW_ANSWER || !facts->study) return ERR_OK;
    e = json_read(&questions, facts->study->questions_json);
    if (e) return e == ERR_MALFORMED ? ERR_CORRUPT : e;
    id = question_of(questions, &run->ask.interview);
    facts->question = arena_copy(run->arena, id);
    if (arena_copy_failed(id, facts->question)) e = ERR_NO_MEMORY;
    json_free(questions);
    return e;
}

static const char *state_text(enum interview_state state)
{
    return state == INTERVIEW_OPEN ? "open" : state == INTERVIEW_AGREED ? "agreed" : "done";
}

static void refuse(struct run *run, const struct interview_facts *facts, const struct refused *refused)
{
    struct finding *finding;
    char id[UUID_TEXT_LEN];

    if (refused->field == FIELD_STUDY) {
        refuse_no_study(run);
        return;
    }
    if (refused->refusal == REFUSAL_NOT_FOUND) {
        finding = run_finding(run, "interview.exists");
        uuid_write(id, &run->ask.interview.id);
        finding_expected(finding, "an interview of this participant");
        finding_seen(finding, "%.36s", id);
    } else if (refused->refusal == REFUSAL_TOKEN_CUT_OFF) {
        finding = run_finding(run, "token.gt");
        finding_expected(finding, "gt after every cutoff of the user and the project");
        finding_seen(finding, "gt %lld; one came while the store was asked",
                     (long long)run->outcome.holder.gt_ms);
    } else if (refused->refusal == REFUSAL_INTERVIEW_STATE && facts->interview) {
        finding = run_finding(run, "interview.state");
        finding_expected(finding, "an interview at the step that the call needs");
        finding_seen(finding, "it is %s", state_text(facts->interview->state));
    }
    run_refuse_as(run, refused);
}

static struct interview_facts facts_of(struct run *run)
{
    const struct ask_interview *ask = &run->ask.interview;
    bool begins = ask->step == INTERVIEW_BEGIN;
    struct interview_facts facts = {.holder = &run->outcome.holder};

    if (!begins && run->read.found) facts.interview = &run->read.interview;
    if (begins)
        facts.study = study_of(run, &ask->study);
    else if (facts.interview)
        facts.study = study_of(run, &facts.interview->study);
    return facts;
}

static void settle(struct run *run)
{
    struct interview_facts facts = facts_of(run);
    struct interview interview;
    struct refused refused = interview_settle(&interview, &run->plan, &facts, &run->ask.interview, run->rows);

    if (refused.refusal) {
        refuse(run, &facts, &refused);
        return;
    }
    run->outcome.interview = interview;
    run_finish(run, OUTCOME_INTERVIEW);
}

static void plan(struct run *run)
{
    struct interview_facts facts = facts_of(run);
    enum err e = find_question(&facts, run);

    if (e) {
        run_fail(run, e);
        return;
    }
    interview_plan(&run->plan, &facts, &run->ask.interview, run->now_ms, &run->service->options.dice);
    if (run->plan.refused.refusal || !run->plan.write_count)
        settle(run);
    else
        run_commit(run, settle);
}

/* What a session leaves in the store, it leaves at a pace: anybody may have one. */
static enum limit limit_of_step(enum interview_step step)
{
    if (step == INTERVIEW_BEGIN) return LIMIT_INTERVIEW_USER;
    return step == INTERVIEW_ANSWER ? LIMIT_ANSWER_USER : LIMIT_NONE;
}

void run_interview(struct run *run)
{
    const struct ask_interview *ask = &run->ask.interview;

    if (!run_authenticate_bearer(run, BYTES_NONE, MAY_BE_INTERVIEWED) || !run_goes_on(run) ||
        !run_limit(run, limit_of_step(ask->step), uuid_bytes(&run->outcome.holder.user)))
        return;
    if (ask->step == INTERVIEW_BEGIN)
        plan(run);
    else
        run_read(run, READ_INTERVIEW, &run->project->id, &ask->id, BYTES_NONE, plan);
}
