#include <jansson.h>

#include "dialect/dialogue/dialogue.h"
#include "harness/check.h"
#include "harness/reply_check.h"

#define UUID_OF(n) "0" #n "000000-0000-0000-0000-000000000000"
#define NOW_S      INT64_C(1767225600) /* 2026-01-01 */

static outcome_encode_fn *const encoders[] = {
    dialogue_encode_bootstrap, dialogue_encode_session, dialogue_encode_me,     dialogue_encode_study,
    dialogue_encode_interview, dialogue_encode_begun,   dialogue_encode_refused};

#define WORDS_401 "'message':'The credential is missing, wrong, or no longer good.'}}"

static void says_no_the_same_way_everywhere(void)
{
    static const struct {
        enum refusal refusal;
        enum ask_field field;
        const char *because;
        int status;
        const char *wanted;
    } rows[] = {
        {REFUSAL_KEY_UNKNOWN, FIELD_NONE, NULL, 401, "{'error':{'code':'unauthorized'," WORDS_401},
        {REFUSAL_TICKET_USED, FIELD_NONE, NULL, 401, "{'error':{'code':'invalid_ticket'," WORDS_401},
        {REFUSAL_TICKET_EXPIRED, FIELD_NONE, NULL, 401, "{'error':{'code':'invalid_ticket'," WORDS_401},
        {REFUSAL_TICKET_INVALID, FIELD_TOKEN, "never told", 401,
         "{'error':{'code':'invalid_ticket'," WORDS_401},
        {REFUSAL_PARAMETER_MISSING, FIELD_STUDY, "is needed", 400,
         "{'error':{'code':'missing_parameter','message':'studyId is needed'}}"},
        {REFUSAL_NOT_FOUND, FIELD_STUDY, "never told", 404,
         "{'error':{'code':'not_found','message':'There is nothing of that name.'}}"},
        {REFUSAL_INTERVIEW_STATE, FIELD_INTERVIEW, "needs consent first", 409,
         "{'error':{'code':'interview_state','message':'The interview needs consent first'}}"},
        {REFUSAL_ORIGIN_NOT_LISTED, FIELD_NONE, NULL, 403,
         "{'error':{'code':'origin','message':'This page may not ask for it.'}}"},
        {REFUSAL_RATE_LIMITED, FIELD_NONE, NULL, 429,
         "{'error':{'code':'rate_limited','message':'Too many requests; wait as long as Retry-After "
         "says.'}}"},
    };
    struct outcome failed = {.kind = OUTCOME_FAILED, .error = ERR_UNSUPPORTED};
    size_t i, e;

    for (i = 0; i < COUNT(rows); i++)
        for (e = 0; e < COUNT(encoders); e++) {
            struct outcome outcome = {.kind = OUTCOME_REFUSED};
            outcome.refused = (struct refused){rows[i].refusal, rows[i].field, rows[i].because};
            CHECK_NOTE("refusal row %zu, encoder %zu", i, e);
            check_body(encoders[e], &outcome, rows[i].status, rows[i].wanted);
        }
    check_body(dialogue_encode_session, &failed, 415,
               "{'error':{'code':'unsupported','message':'The body must be application/json.'}}");
}

static void tells_tickets_and_sessions(void)
{
    struct outcome ticket = {.kind = OUTCOME_TICKET}, session = {.kind = OUTCOME_MINTED};

    ticket.ticket.text = BYTES("bt_a.b");
    ticket.ticket.exp_s = NOW_S + 300;
    check_body(dialogue_encode_bootstrap, &ticket, 200,
               "{'bootstrapToken':'bt_a.b','expiresAt':'2026-01-01T00:05:00.000Z'}");
    session.minted.token = BYTES("a.b.c");
    session.minted.user = (struct uuid){{1}};
    session.minted.exp_s = NOW_S + 900;
    check_body(dialogue_encode_session, &session, 201,
               "{'sessionToken':'a.b.c','expiresAt':'2026-01-01T00:15:00.000Z','userId':'" UUID_OF(1) "'}");
}

static void tells_who(void)
{
    struct outcome outcome = {.kind = OUTCOME_WHO, .holder = {.exp_s = NOW_S}};

    outcome.who = (struct user){.id = {{1}}, .kind = USER_ANONYMOUS};
    check_body(dialogue_encode_me, &outcome, 200,
               "{'userId':'" UUID_OF(1) "','anonymous':true,'externalUserId':null,"
                                        "'expiresAt':'2026-01-01T00:00:00.000Z'}");
    outcome.who.kind = USER_PARTICIPANT;
    outcome.who.external_id = BYTES("<u>");
    check_body(dialogue_encode_me, &outcome, 200,
               "{'userId':'" UUID_OF(1) "','anonymous':false,'externalUserId':'<u>',"
                                        "'expiresAt':'2026-01-01T00:00:00.000Z'}");
}

static void tells_studies_and_interviews(void)
{
    static const struct study study = {.id = {{2}},
                                       .title = {(const uint8_t *)"T", 1},
                                       .questions_json = {(const uint8_t *)"[{\"id\":\"q\"}]", 12}};
    struct outcome outcome = {.kind = OUTCOME_STUDY};

    outcome.study = &study;
    check_body(dialogue_encode_study, &outcome, 200,
               "{'id':'" UUID_OF(2) "','title':'T','questions':[{'id':'q'}]}");
    outcome = (struct outcome){.kind = OUTCOME_INTERVIEW};
    outcome.interview = (struct interview){
        .id = {{1}}, .study = {{2}}, .user = {{3}}, .state = INTERVIEW_OPEN, .created_ms = NOW_S * 1000};
    check_body(dialogue_encode_begun, &outcome, 201,
               "{'id':'" UUID_OF(1) "','studyId':'" UUID_OF(2) "','userId':'" UUID_OF(
                   3) "','status':'created','answerCount':0,'createdAt':'2026-01-01T00:00:00.000Z',"
                      "'completedAt':null}");
    outcome.interview.state = INTERVIEW_AGREED;
    outcome.interview.answer_count = 2;
    check_body(dialogue_encode_interview, &outcome, 200,
               "{'id':'" UUID_OF(1) "','studyId':'" UUID_OF(2) "','userId':'" UUID_OF(
                   3) "','status':'consented','answerCount':2,'createdAt':'2026-01-01T00:00:00.000Z',"
                      "'completedAt':null}");
    outcome.interview.state = INTERVIEW_DONE;
    outcome.interview.completed_ms = NOW_S * 1000 + 5;
    check_body(dialogue_encode_interview, &outcome, 200,
               "{'id':'" UUID_OF(1) "','studyId':'" UUID_OF(2) "','userId':'" UUID_OF(
                   3) "','status':'completed','answerCount':2,'createdAt':'2026-01-01T00:00:00.000Z',"
                      "'completedAt':'2026-01-01T00:00:00.005Z'}");
}

int main(void)
{
    buf_init(&body, 4096);
    CHECK_RUN(says_no_the_same_way_everywhere);
    CHECK_RUN(tells_tickets_and_sessions);
    CHECK_RUN(tells_who);
    CHECK_RUN(tells_studies_and_interviews);
    buf_release(&body);
    return CHECK_END();
}
