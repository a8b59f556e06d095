/* What a participant's session does, and what it does not: its own calls, its own interviews. */
#include "service/service.h"

#include "harness/ticket_world.h"

static char token_text[JWS_MAX], other_text[JWS_MAX], embedded_text[JWS_MAX];
static struct bytes token, other, embedded;

static void make_sessions(void)
{
    struct ticket_text ticket;
    size_t len = 0;

    bootstrap(&ticket, BYTES("ada"));
    redeem(token_text, &len, TICKET_BOOTSTRAP, &ticket);
    token = bytes_of(token_text, len);
    bootstrap(&ticket, BYTES("bob"));
    redeem(other_text, &len, TICKET_BOOTSTRAP, &ticket);
    other = bytes_of(other_text, len);
    launch(&ticket, NULL, BYTES_NONE);
    redeem(embedded_text, &len, TICKET_LAUNCH, &ticket);
    embedded = bytes_of(embedded_text, len);
}

static void check_asked(struct asked *asked, enum refusal wanted, enum outcome_kind kind)
{
    ask_run(asked);
    if (wanted)
        check_refused(asked, wanted);
    else
        CHECK_INT(asked->run.outcome.kind, kind);
    ask_release(asked);
}

/* A session is good for its own calls and for nothing else. */
static void kinds_do_not_stand_in_for_each_other(void)
{
    struct asked asked;

    ask_bearer_init(&asked, ASK_WHO_AM_I, token);
    check_asked(&asked, REFUSAL_TOKEN_KIND, OUTCOME_WHO);
    ask_bearer_init(&asked, ASK_PARTICIPANT, embedded);
    check_asked(&asked, REFUSAL_TOKEN_KIND, OUTCOME_WHO);
    ask_bearer_init(&asked, ASK_STUDY, embedded);
    asked.run.ask.interview.study = study;
    check_asked(&asked, REFUSAL_TOKEN_KIND, OUTCOME_STUDY);
    ask_connect_init(&asked, token, BYTES_NONE);
    check_asked(&asked, REFUSAL_TOKEN_KIND, OUTCOME_CONNECTED);
    ask_connect_init(&asked, embedded, BYTES_NONE);
    check_asked(&asked, REFUSAL_TOKEN_KIND, OUTCOME_CONNECTED);
    ask_bearer_init(&asked, ASK_PARTICIPANT, token);
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.kind, OUTCOME_WHO);
    CHECK_INT(asked.run.outcome.who.kind, USER_PARTICIPANT);
    CHECK_BYTES(asked.run.outcome.who.external_id, BYTES("ada"));
    ask_release(&asked);
}

static void studies_are_the_projects_own(void)
{
    struct asked asked;

    ask_bearer_init(&asked, ASK_STUDY, token);
    asked.run.ask.interview.study = live_study;
    check_asked(&asked, REFUSAL_NOT_FOUND, OUTCOME_STUDY);
    ask_bearer_init(&asked, ASK_STUDY, token);
    asked.run.ask.interview.study = study;
    check_asked(&asked, REFUSAL_NONE, OUTCOME_STUDY);
    ask_bearer_init(&asked, ASK_INTERVIEW, token);
    asked.run.ask.interview = (struct ask_interview){.step = INTERVIEW_BEGIN, .study = live_study};
    check_asked(&asked, REFUSAL_NOT_FOUND, OUTCOME_INTERVIEW);
}

static struct interview step(enum interview_step what, struct bytes by, const struct uuid *id,
                             enum refusal wanted)
{
    struct interview interview = {.state = (enum interview_state)0};
    struct asked asked;

    ask_bearer_init(&asked, ASK_INTERVIEW, by);
    asked.run.ask.interview = (struct ask_interview){.step = what, .study = study, .id = *id};
    asked.run.ask.interview.question = BYTES("q1");
    asked.run.ask.interview.answer = BYTES("because");
    ask_run(&asked);
    if (wanted)
        check_refused(&asked, wanted);
    else if (CHECK(asked.run.outcome.kind == OUTCOME_INTERVIEW))
        interview = asked.run.outcome.interview;
    ask_release(&asked);
    return interview;
}

static void interviews_take_their_steps_in_order(void)
{
    const struct uuid none = {{1}};
    struct interview at = step(INTERVIEW_BEGIN, token, &none, REFUSAL_NONE);
    const struct uuid id = at.id;

    CHECK_INT(at.state, INTERVIEW_OPEN);
    step(INTERVIEW_READ, token, &none, REFUSAL_NOT_FOUND);
    step(INTERVIEW_READ, other, &id, REFUSAL_NOT_FOUND); /* another's is not there */
    step(INTERVIEW_CONSENT, other, &id, REFUSAL_NOT_FOUND);
    step(INTERVIEW_ANSWER, token, &id, REFUSAL_INTERVIEW_STATE);
    step(INTERVIEW_COMPLETE, token, &id, REFUSAL_INTERVIEW_STATE);
    CHECK_INT(step(INTERVIEW_CONSENT, token, &id, REFUSAL_NONE).state, INTERVIEW_AGREED);
    CHECK_INT(step(INTERVIEW_CONSENT, token, &id, REFUSAL_NONE).state, INTERVIEW_AGREED);
    CHECK_INT(step(INTERVIEW_ANSWER, token, &id, REFUSAL_NONE).answer_count, 1);
    CHECK_INT(step(INTERVIEW_ANSWER, token, &id, REFUSAL_NONE).answer_count, 1); /* the same question */
    CHECK_INT(step(INTERVIEW_COMPLETE, token, &id, REFUSAL_NONE).state, INTERVIEW_DONE);
    CHECK_INT(step(INTERVIEW_COMPLETE, token, &id, REFUSAL_NONE).state, INTERVIEW_DONE);
    step(INTERVIEW_ANSWER, token, &id, REFUSAL_INTERVIEW_STATE);
    step(INTERVIEW_CONSENT, token, &id, REFUSAL_INTERVIEW_STATE);
    CHECK_INT(step(INTERVIEW_READ, token, &id, REFUSAL_NONE).state, INTERVIEW_DONE);
}

static void questions_are_named_in_three_ways(void)
{
    static const struct {
        const char *question; /* NULL: by number */
        int64_t number;
        enum refusal wanted;
        uint32_t count;
    } rows[] = {
        {"q9", 0, REFUSAL_PARAMETER_INVALID, 0},
        {"", 0, REFUSAL_PARAMETER_INVALID, 0},
        {NULL, 2, REFUSAL_PARAMETER_INVALID, 0},
        {NULL, -1, REFUSAL_PARAMETER_INVALID, 0},
        {"q1", 0, REFUSAL_NONE, 1},
        {"Why?", 0, REFUSAL_NONE, 1},
        {NULL, 0, REFUSAL_NONE, 1},
        {"How?", 0, REFUSAL_NONE, 2},
        {NULL, 1, REFUSAL_NONE, 2},
    };
    const struct uuid none = {{1}};
    const struct uuid id = step(INTERVIEW_BEGIN, other, &none, REFUSAL_NONE).id;
    size_t i;

    step(INTERVIEW_CONSENT, other, &id, REFUSAL_NONE);
    for (i = 0; i < COUNT(rows); i++) {
        struct asked asked;
        ask_bearer_init(&asked, ASK_INTERVIEW, other);
        asked.run.ask.interview = (struct ask_interview){.step = INTERVIEW_ANSWER,
                                                         .id = id,
                                                         .question = bytes_of_text(rows[i].question),
                                                         .number = rows[i].number,
                                                         .answer = BYTES("so")};
        CHECK_NOTE("question row %zu", i);
        ask_run(&asked);
        if (rows[i].wanted)
            check_refused(&asked, rows[i].wanted);
        else
            CHECK_INT(asked.run.outcome.interview.answer_count, rows[i].count);
        ask_release(&asked);
    }
}

int main(void)
{
    open_all();
    make_sessions();
    CHECK_RUN(kinds_do_not_stand_in_for_each_other);
    CHECK_RUN(studies_are_the_projects_own);
    CHECK_RUN(interviews_take_their_steps_in_order);
    CHECK_RUN(questions_are_named_in_three_ways);
    world_close();
    return CHECK_END();
}
