#include <jansson.h>

#include "dialect/signalwire/signalwire.h"
#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define UUID_OF(n)  "0" #n "000000-0000-0000-0000-000000000000"

static struct buf body;
static struct dialect_reply reply;

/* Encodes, and compares the whole body, member by member, with the wanted JSON (quotes written as '). */
static void check_body(outcome_encode_fn *encode, const struct outcome *outcome, int status,
                       const char *wanted)
{
    char text[4096];
    json_t *got, *expected;
    size_t i;

    (void)snprintf(text, sizeof text, "%s", wanted);
    for (i = 0; text[i]; i++)
        if (text[i] == '\'') text[i] = '"';
    buf_reset(&body);
    reply = (struct dialect_reply){.body = &body};
    encode(&reply, outcome);
    CHECK_INT(buf_error(&body), ERR_OK);
    CHECK_INT(reply.status, status);
    got = json_loadb((const char *)body.ptr, body.len, JSON_REJECT_DUPLICATES, NULL);
    expected = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    CHECK(expected != NULL);
    if (!CHECK(got && expected && json_equal(got, expected)))
        fprintf(stderr, "    got %.*s\n    wanted %s\n", (int)body.len, (const char *)body.ptr, text);
    json_decref(got);
    json_decref(expected);
}

static outcome_encode_fn *const encoders[] = {signalwire_encode_minted, signalwire_encode_refreshed,
                                              signalwire_encode_who, signalwire_encode_addresses,
                                              signalwire_encode_refused};

static void says_no_in_the_vendors_words(void)
{
    static const struct {
        enum refusal refusal;
        int status;
        const char *text;
    } rows[] = {
        {REFUSAL_CREDENTIAL_MISSING, 401, "{'error':'Unauthorized'}"},
        {REFUSAL_KEY_UNKNOWN, 401, "{'error':'Unauthorized'}"},
        {REFUSAL_KEY_SECRET_WRONG, 401, "{'error':'Unauthorized'}"},
        {REFUSAL_KEY_PERMISSION, 401, "{'error':'Unauthorized'}"},
        {REFUSAL_SECRET_FROM_BROWSER, 401, "{'error':'Unauthorized'}"},
        {REFUSAL_TOKEN_EXPIRED, 401, "{'error':'Unauthorized'}"},
        {REFUSAL_PROOF_MISSING, 401, "{'error':'Unauthorized'}"},
        {REFUSAL_ORIGIN_NOT_LISTED, 403, "{'error':'Forbidden'}"},
        {REFUSAL_NOT_FOUND, 404, "{'error':'Not Found'}"},
        {REFUSAL_METHOD_NOT_ALLOWED, 405, "{'error':'Method Not Allowed'}"},
        {REFUSAL_RATE_LIMITED, 429, "{'error':'Too Many Requests'}"},
    };
    size_t i, e;

    for (i = 0; i < COUNT(rows); i++)
        for (e = 0; e < COUNT(encoders); e++) {
            struct outcome outcome = {.kind = OUTCOME_REFUSED,
                                      .refused = {rows[i].refusal, FIELD_NONE, "not for callers"}};
            CHECK_NOTE("%s, encoder %zu", refusal_name(rows[i].refusal), e);
            check_body(encoders[e], &outcome, rows[i].status, rows[i].text);
        }
}

static void says_that_we_failed(void)
{
    static const struct {
        enum err error;
        int status;
        const char *text;
    } rows[] = {
        {ERR_MALFORMED, 400, "{'error':'Bad Request'}"},
        {ERR_TOO_LARGE, 413, "{'error':'Payload Too Large'}"},
        {ERR_UNSUPPORTED, 415, "{'error':'Unsupported Media Type'}"},
        {ERR_NO_MEMORY, 503, "{'error':'Service Unavailable'}"},
        {ERR_STORE_BUSY, 503, "{'error':'Service Unavailable'}"},
        {ERR_CRYPTO, 500, "{'error':'Internal Server Error'}"},
        {ERR_CORRUPT, 500, "{'error':'Internal Server Error'}"},
    };
    size_t i, e;

    for (i = 0; i < COUNT(rows); i++)
        for (e = 0; e < COUNT(encoders); e++) {
            struct outcome outcome = {.kind = OUTCOME_FAILED, .error = rows[i].error};
            CHECK_NOTE("%s, encoder %zu", err_name(rows[i].error), e);
            check_body(encoders[e], &outcome, rows[i].status, rows[i].text);
        }
}

static void points_at_the_member(void)
{
    static const struct {
        enum refusal refusal;
        enum ask_field field;
        const char *because, *code, *attribute, *message;
    } rows[] = {
        {REFUSAL_PARAMETER_MISSING, FIELD_REFERENCE, "can't be blank", "missing_required_parameter",
         "'reference'", "reference can't be blank"},
        {REFUSAL_PARAMETER_INVALID, FIELD_EXPIRE_AT, "is past", "invalid_parameter", "'expire_at'",
         "expire_at is past"},
        {REFUSAL_PARAMETER_INVALID, FIELD_APPLICATION, "x", "invalid_parameter", "'application_id'",
         "application_id x"},
        {REFUSAL_PARAMETER_INVALID, FIELD_PASSWORD, "x", "invalid_parameter", "'password'", "password x"},
        {REFUSAL_PARAMETER_INVALID, FIELD_FINGERPRINT, "x", "invalid_parameter", "'fingerprint'",
         "fingerprint x"},
        {REFUSAL_PARAMETER_INVALID, FIELD_SCOPE, "x", "invalid_parameter", "'scope'", "scope x"},
        {REFUSAL_PARAMETER_INVALID, FIELD_ADDRESS_NAME, "x", "invalid_parameter", "'name'", "name x"},
        {REFUSAL_PARAMETER_INVALID, FIELD_NONE, NULL, "invalid_parameter", "null", "the request is invalid"},
    };
    size_t i;
    int field;

    for (i = 0; i < COUNT(rows) + PROFILE_COUNT; i++) {
        struct outcome outcome = {.kind = OUTCOME_REFUSED};
        char text[512];
        json_t *document;

        if (i < COUNT(rows)) {
            outcome.refused = (struct refused){rows[i].refusal, rows[i].field, rows[i].because};
            buf_reset(&body);
            reply = (struct dialect_reply){.body = &body};
            signalwire_encode_minted(&reply, &outcome);
            document = json_loadb((const char *)body.ptr, body.len, 0, NULL);
            CHECK_NOTE("row %zu", i);
            CHECK(strcmp(json_string_value(json_object_get(
                             json_array_get(json_object_get(document, "errors"), 0), "message")),
                         rows[i].message) == 0);
            json_decref(document);
            continue;
        }
        field = (int)(i - COUNT(rows));
        outcome.refused =
            (struct refused){REFUSAL_PARAMETER_INVALID, (enum ask_field)(FIELD_PROFILE + field), "x"};
        CHECK_NOTE("profile field %d", field);
        (void)snprintf(text, sizeof text,
                       "{'errors':[{'type':'validation_error','code':'invalid_parameter','message':'%s x',"
                       "'attribute':'%s','url':'https://signalwire.com/docs/apis/error-codes'}]}",
                       profile_member((enum profile_field)field), profile_member((enum profile_field)field));
        check_body(signalwire_encode_minted, &outcome, 422, text);
    }
    for (i = 0; i < COUNT(rows); i++) {
        struct outcome outcome = {.kind = OUTCOME_REFUSED,
                                  .refused = {rows[i].refusal, rows[i].field, rows[i].because}};
        buf_reset(&body);
        reply = (struct dialect_reply){.body = &body};
        signalwire_encode_minted(&reply, &outcome);
        json_t *document = json_loadb((const char *)body.ptr, body.len, 0, NULL);
        json_t *error = json_array_get(json_object_get(document, "errors"), 0);
        CHECK_NOTE("row %zu", i);
        CHECK_INT(reply.status, 422);
        CHECK_INT(json_object_size(document), 1);
        CHECK_INT(json_object_size(error), 5);
        CHECK(strcmp(json_string_value(json_object_get(error, "code")), rows[i].code) == 0);
        CHECK(json_is_null(json_object_get(error, "attribute")) == (rows[i].field == FIELD_NONE));
        json_decref(document);
    }
}

static void tells_refresh_tokens_apart(void)
{
    static const struct {
        enum refusal refusal;
        const char *code;
    } rows[] = {
        {REFUSAL_PARAMETER_MISSING, "missing_required_parameter"},
        {REFUSAL_PARAMETER_INVALID, "invalid_parameter"},
        {REFUSAL_REFRESH_EXPIRED, "token_expired"},
        {REFUSAL_REFRESH_KIND, "not_a_refresh_token"},
        {REFUSAL_REFRESH_MALFORMED, "token_invalid"},
        {REFUSAL_REFRESH_FOREIGN, "token_invalid"},
        {REFUSAL_REFRESH_REUSED, "token_invalid"},
        {REFUSAL_REFRESH_DEAD, "token_invalid"},
        {REFUSAL_REFRESH_STATE_LOST, "token_invalid"},
        {REFUSAL_REFRESH_ROLLED_BACK, "token_invalid"},
        {REFUSAL_TOKEN_CUT_OFF, "token_invalid"},
        {REFUSAL_USER_GONE, "token_invalid"},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct outcome outcome = {.kind = OUTCOME_REFUSED,
                                  .refused = {rows[i].refusal, FIELD_REFRESH_TOKEN, "is no good"}};
        char text[512];
        CHECK_NOTE("row %zu", i);
        (void)snprintf(
            text, sizeof text,
            "{'errors':[{'type':'validation_error','code':'%s','message':'refresh_token is no good',"
            "'attribute':'refresh_token','url':'https://signalwire.com/docs/apis/error-codes'}]}",
            rows[i].code);
        check_body(signalwire_encode_refreshed, &outcome, 422, text);
    }
}

static void hands_out_a_refreshed_pair(void)
{
    struct outcome outcome = {.kind = OUTCOME_MINTED};

    outcome.minted.token = BYTES("a.b.c");
    outcome.minted.refresh_token = BYTES("r.s");
    check_body(signalwire_encode_refreshed, &outcome, 201, "{'token':'a.b.c','refresh_token':'r.s'}");
}

static void hands_out_a_minted_pair(void)
{
    struct outcome outcome = {.kind = OUTCOME_MINTED};

    outcome.minted.user = (struct uuid){{1}};
    outcome.minted.token = BYTES("a.b.c");
    outcome.minted.refresh_token = BYTES("r.s");
    check_body(signalwire_encode_minted, &outcome, 200,
               "{'subscriber_id':'" UUID_OF(1) "','token':'a.b.c','refresh_token':'r.s'}");
}

#define DESK                                                                                                 \
    "{'id':'" UUID_OF(2) "','name':'front-desk','display_name':'Desk \\u00e4 <b>','resource_id':'" UUID_OF(  \
        3) "','type':'call','cover_url':null,'preview_url':null,'locked':false,"                             \
           "'channels':{'audio':'/public/front-desk?channel=audio','video':'/public/"                        \
           "front-desk?channel=video'},"                                                                     \
           "'created_at':'2026-01-01T00:00:00.000Z'}"

static struct address desk(void)
{
    return (struct address){.id = {{2}},
                            .resource = {{3}},
                            .name = BYTES("/public/front-desk"),
                            .display_name = BYTES("Desk \xc3\xa4 <b>"),
                            .type = ADDRESS_CALL,
                            .created_ms = 1767225600000};
}

static void lists_addresses(void)
{
    struct address list[] = {desk(), desk()};
    struct outcome outcome = {.kind = OUTCOME_ADDRESSES};

    outcome.addresses.list = list;
    check_body(signalwire_encode_addresses, &outcome, 200, "{'data':[],'links':{}}");
    outcome.addresses.count = 1;
    check_body(signalwire_encode_addresses, &outcome, 200, "{'data':[" DESK "],'links':{}}");
    outcome.addresses.count = 2;
    check_body(signalwire_encode_addresses, &outcome, 200, "{'data':[" DESK "," DESK "],'links':{}}");
}

/* Every member the client reads is there, null where we know nothing. */
static void tells_who_one_is(void)
{
    struct outcome outcome = {.kind = OUTCOME_WHO};
    struct holder *holder = &outcome.holder;

    outcome.who.id = (struct uuid){{1}};
    outcome.who.reference = BYTES("ada@example.com");
    outcome.who.profile.value[PROFILE_FIRST_NAME] = BYTES("Ada");
    outcome.who.profile.value[PROFILE_DISPLAY_NAME] = BYTES("A. \"L\"");
    outcome.who.address = desk();
    holder->is_full_subscriber = true;
    holder->exp_s = 1767232800;
    check_body(
        signalwire_encode_who, &outcome, 200,
        "{'id':'" UUID_OF(
            1) "','email':'ada@example.com','first_name':'Ada','last_name':null,"
               "'display_name':'A. \\'L\\'','job_title':null,'time_zone':null,'country':null,'region':null,"
               "'company_name':null,'push_notification_key':null,"
               "'app_settings':{'display_name':'A. \\'L\\'','scopes':[]},'fabric_addresses':[" DESK "],"
               "'sat_claims':{'scope':[],'expires_at':1767232800}}");
    outcome.who.reference = BYTES("ada");
    outcome.who.profile.value[PROFILE_DISPLAY_NAME] = BYTES_NONE;
    holder->is_full_subscriber = false;
    holder->may_self_refresh = true;
    holder->jkt = BYTES("thumb");
    check_body(
        signalwire_encode_who, &outcome, 200,
        "{'id':'" UUID_OF(
            1) "','email':null,'first_name':'Ada','last_name':null,"
               "'display_name':null,'job_title':null,'time_zone':null,'country':null,'region':null,"
               "'company_name':null,'push_notification_key':null,"
               "'app_settings':{'display_name':null,'scopes':[]},'fabric_addresses':[],"
               "'sat_claims':{'scope':['sat:refresh'],'expires_at':1767232800,'cnf':{'jkt':'thumb'}}}");
}

/* A reply that does not fit shows in the buffer, and a half-written one is no reply. */
static void does_not_hand_out_half_a_body(void)
{
    struct outcome outcome = {.kind = OUTCOME_MINTED};
    struct buf small;
    size_t max;

    outcome.minted.token = BYTES("a.b.c");
    outcome.minted.refresh_token = BYTES("r.s");
    for (max = 0; max < 60; max++) {
        buf_init(&small, max);
        reply = (struct dialect_reply){.body = &small};
        signalwire_encode_minted(&reply, &outcome);
        CHECK_INT(buf_error(&small), ERR_TOO_LARGE);
        CHECK_INT(buf_bytes(&small).len, 0);
        buf_release(&small);
    }
}

int main(void)
{
    buf_init(&body, 65536);
    CHECK_RUN(says_no_in_the_vendors_words);
    CHECK_RUN(says_that_we_failed);
    CHECK_RUN(points_at_the_member);
    CHECK_RUN(tells_refresh_tokens_apart);
    CHECK_RUN(hands_out_a_minted_pair);
    CHECK_RUN(hands_out_a_refreshed_pair);
    CHECK_RUN(lists_addresses);
    CHECK_RUN(tells_who_one_is);
    CHECK_RUN(does_not_hand_out_half_a_body);
    buf_release(&body);
    return CHECK_END();
}
