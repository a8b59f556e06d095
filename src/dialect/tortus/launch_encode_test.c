#include <jansson.h>

#include "dialect/tortus/tortus.h"
#include "harness/check.h"
#include "harness/reply_check.h"

#define WORDS_401 "'error_description':'The credential is missing, wrong, or no longer good.'}"

static void says_no(void)
{
    static const struct {
        enum refusal refusal;
        enum ask_field field;
        const char *because;
        int status;
        const char *launch, *exchange; /* NULL: the same */
    } rows[] = {
        {REFUSAL_KEY_UNKNOWN, FIELD_NONE, NULL, 401, "{'error':'invalid_client'," WORDS_401,
         "{'error':'invalid_grant'," WORDS_401},
        {REFUSAL_TICKET_USED, FIELD_NONE, NULL, 401, "{'error':'invalid_client'," WORDS_401,
         "{'error':'invalid_grant'," WORDS_401},
        {REFUSAL_TICKET_EXPIRED, FIELD_NONE, "never told", 401, "{'error':'invalid_client'," WORDS_401,
         "{'error':'invalid_grant'," WORDS_401},
        {REFUSAL_ORIGIN_NOT_LISTED, FIELD_NONE, NULL, 403,
         "{'error':'access_denied','error_description':'This page may not ask for it.'}", NULL},
        {REFUSAL_PARAMETER_INVALID, FIELD_PAYLOAD, "must be an object", 400,
         "{'error':'invalid_request','error_description':'userPayload must be an object'}", NULL},
        {REFUSAL_PARAMETER_MISSING, FIELD_TOKEN, "can't be blank", 400,
         "{'error':'invalid_request','error_description':'launchToken can\\u0027t be blank'}", NULL},
        {REFUSAL_PARAMETER_INVALID, FIELD_NONE, NULL, 400,
         "{'error':'invalid_request','error_description':'The request is not what the API defines.'}", NULL},
        {REFUSAL_METHOD_NOT_ALLOWED, FIELD_NONE, NULL, 405,
         "{'error':'invalid_request','error_description':'The path takes another method.'}", NULL},
        {REFUSAL_RATE_LIMITED, FIELD_NONE, NULL, 429,
         "{'error':'rate_limited','error_description':'Too many requests; wait as long as Retry-After "
         "says.'}",
         NULL},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct outcome outcome = {.kind = OUTCOME_REFUSED};
        outcome.refused = (struct refused){rows[i].refusal, rows[i].field, rows[i].because};
        CHECK_NOTE("refusal row %zu", i);
        check_body(tortus_encode_launch, &outcome, rows[i].status, rows[i].launch);
        check_body(tortus_encode_refused, &outcome, rows[i].status, rows[i].launch);
        check_body(tortus_encode_exchange, &outcome, rows[i].status,
                   rows[i].exchange ? rows[i].exchange : rows[i].launch);
    }
}

static void says_that_it_could_not(void)
{
    static const struct {
        enum err error;
        int status;
        const char *word;
    } rows[] = {
        {ERR_MALFORMED, 400, "invalid_request"}, {ERR_UNSUPPORTED, 415, "invalid_request"},
        {ERR_TOO_LARGE, 413, "invalid_request"}, {ERR_STORE_BUSY, 503, "temporarily_unavailable"},
        {ERR_CORRUPT, 500, "server_error"},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct outcome outcome = {.kind = OUTCOME_FAILED, .error = rows[i].error};
        struct dialect_reply reply = {.body = &body};
        char wanted[64];
        buf_reset(&body);
        tortus_encode_exchange(&reply, &outcome);
        (void)snprintf(wanted, sizeof wanted, "{\"error\":\"%s\"", rows[i].word);
        CHECK_NOTE("error row %zu", i);
        CHECK_INT(reply.status, rows[i].status);
        CHECK(bytes_start_with(buf_bytes(&body), bytes_of_text(wanted)));
    }
}

static void answers_with_the_documented_members(void)
{
    struct outcome ticket = {.kind = OUTCOME_TICKET}, session = {.kind = OUTCOME_MINTED};

    ticket.ticket.text = BYTES("lt_0a.b");
    ticket.ticket.user = (struct uuid){{0xab, 1}};
    ticket.ticket.iat_s = 1000;
    ticket.ticket.exp_s = 1300;
    check_body(
        tortus_encode_launch, &ticket, 200,
        "{'launch_token':'lt_0a.b','user_id':'tortus|ab010000000000000000000000000000','expires_in':300}");
    session.minted.token = BYTES("a.b.c");
    session.minted.user = (struct uuid){{0xab, 1}};
    session.minted.iat_s = 1000;
    session.minted.exp_s = 4600;
    check_body(tortus_encode_exchange, &session, 200,
               "{'accessToken':'a.b.c','expiresIn':3600,'userId':'tortus|ab010000000000000000000000000000'}");
}

int main(void)
{
    buf_init(&body, 4096);
    CHECK_RUN(says_no);
    CHECK_RUN(says_that_it_could_not);
    CHECK_RUN(answers_with_the_documented_members);
    buf_release(&body);
    return CHECK_END();
}
