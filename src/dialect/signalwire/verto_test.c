#include <jansson.h>

#include "dialect/signalwire/signalwire.h"
#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define UUID_OF(n)  "0" #n "000000-0000-0000-0000-000000000000"
#define CALL_ID     "11111111-2222-4333-8444-555555555555"

static struct buf out;
static struct dice_seeded storage;
static struct holder holder;
static struct dialect_session session;
static struct rpc_message message;

static void session_init(void)
{
    holder = (struct holder){.project = {{1}}, .user = {{2}}, .jti = BYTES("jti-1")};
    session = (struct dialect_session){.holder = &holder,
                                       .name = BYTES("0123456789abcdef"),
                                       .first_jti = BYTES("jti-1"),
                                       .node = BYTES("node-1"),
                                       .ice_servers = BYTES("[]"),
                                       .dice = dice_from_seed(&storage, 9),
                                       .now_ms = 1767225600999};
    buf_reset(&out);
}

/* The whole message, member by member; quotes are written as '. Ids of ours are fresh. */
static void check_written(const char *wanted)
{
    char text[4096];
    json_t *got = json_loadb((const char *)out.ptr, out.len, JSON_REJECT_DUPLICATES, NULL), *expected, *inner;
    size_t i;

    CHECK_INT(buf_error(&out), ERR_OK);
    (void)snprintf(text, sizeof text, "%s", wanted);
    for (i = 0; text[i]; i++)
        if (text[i] == '\'') text[i] = '"';
    expected = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_string(json_object_get(expected, "id")) &&
        !strcmp(json_string_value(json_object_get(expected, "id")), "?")) {
        CHECK_INT(json_string_length(json_object_get(got, "id")), UUID_TEXT_LEN);
        json_object_set(expected, "id", json_object_get(got, "id"));
        inner = json_object_get(json_object_get(got, "params"), "params");
        CHECK(json_is_integer(json_object_get(inner, "id")));
        json_object_set(json_object_get(json_object_get(expected, "params"), "params"), "id",
                        json_object_get(inner, "id"));
    }
    if (!CHECK(expected && json_equal(got, expected)))
        fprintf(stderr, "    got %.*s\n    wanted %s\n", (int)out.len, (const char *)out.ptr, text);
    json_decref(got);
    json_decref(expected);
    buf_reset(&out);
}

/* Decodes one request, written with ' for quotes; its strings live until the next. */
static struct phone_ask decoded(struct refused *refused, const char *params)
{
    static char text[70000];
    struct phone_ask ask;
    int code;
    size_t i;

    rpc_message_release(&message);
    (void)snprintf(text, sizeof text, "{'jsonrpc':'2.0','id':'r-1','method':'webrtc.verto','params':%s}",
                   params);
    for (i = 0; text[i]; i++)
        if (text[i] == '\'') text[i] = '"';
    CHECK_INT(rpc_read(&message, &code, bytes_of_text(text)), ERR_OK);
    *refused = (struct refused){0};
    signalwire_decode_phone(&ask, refused, &message);
    CHECK(bytes_equal(ask.id, BYTES("r-1")));
    return ask;
}

#define INVITE(dialog, more)                                                                                 \
    "{'callID':'x','node_id':'','message':{'jsonrpc':'2.0','id':'m-1','method':'verto.invite','params':{'"   \
    "dialogParams':{" dialog "}" more "}}}"
#define SDP_MEMBER ",'sdp':'v=0\\r\\ns=-\\r\\n'"
#define DIAL       "'callID':'" CALL_ID "','destination_number':'/private/bob?channel=audio'"

static void refuses_dials(void)
{
    static const struct {
        const char *params;
        enum refusal refusal;
        enum ask_field field;
    } rows[] = {
        {INVITE("", SDP_MEMBER), REFUSAL_PARAMETER_MISSING, FIELD_CALL},
        {INVITE("'callID':''", SDP_MEMBER), REFUSAL_PARAMETER_MISSING, FIELD_CALL},
        {INVITE("'callID':null", SDP_MEMBER), REFUSAL_PARAMETER_MISSING, FIELD_CALL},
        {INVITE("'callID':7", SDP_MEMBER), REFUSAL_PARAMETER_INVALID, FIELD_CALL},
        {INVITE("'callID':'a\\u0000b'", SDP_MEMBER), REFUSAL_PARAMETER_INVALID, FIELD_CALL},
        {INVITE("'callID':'0123456789012345678901234567890123456789012345678901234567890123+'", SDP_MEMBER),
         REFUSAL_PARAMETER_INVALID, FIELD_CALL},
        {INVITE("'callID':'c'", SDP_MEMBER), REFUSAL_PARAMETER_MISSING, FIELD_ADDRESS_NAME},
        {INVITE("'callID':'c','destination_number':['/a']", SDP_MEMBER), REFUSAL_PARAMETER_INVALID,
         FIELD_ADDRESS_NAME},
        {INVITE("'callID':'c','destination_number':'/a\\u0000'", SDP_MEMBER), REFUSAL_PARAMETER_INVALID,
         FIELD_ADDRESS_NAME},
        {INVITE(DIAL, ""), REFUSAL_PARAMETER_MISSING, FIELD_SDP},
        {INVITE(DIAL, ",'sdp':''"), REFUSAL_PARAMETER_INVALID, FIELD_SDP},
        {INVITE(DIAL, ",'sdp':{}"), REFUSAL_PARAMETER_INVALID, FIELD_SDP},
        {INVITE(DIAL, ",'sdp':'v=0\\ra=x\\r\\n'"), REFUSAL_PARAMETER_INVALID, FIELD_SDP},
        {INVITE(DIAL, ",'sdp':'v=0\\u0000'"), REFUSAL_PARAMETER_INVALID, FIELD_SDP},
    };
    struct refused refused;
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct phone_ask ask = decoded(&refused, rows[i].params);
        CHECK_NOTE("row %zu", i);
        CHECK_INT(ask.verb, PHONE_DIAL);
        CHECK(bytes_equal(ask.inner_id, BYTES("m-1")));
        CHECK_INT(refused.refusal, rows[i].refusal);
        CHECK_INT(refused.field, rows[i].field);
        CHECK(refused.because != NULL);
    }
}

static void refuses_an_sdp_that_is_too_large(void)
{
    static char text[40000];
    struct refused refused;
    size_t len = 0;

    len += (size_t)snprintf(
        text, sizeof text, "%s",
        "{'message':{'method':'verto.answer','params':{'dialogParams':{'callID':'c'},'sdp':'");
    memset(text + len, 'a', 32769);
    (void)snprintf(text + len + 32769, 16, "'}}}");
    (void)decoded(&refused, text);
    CHECK_INT(refused.refusal, REFUSAL_PARAMETER_INVALID);
    CHECK_INT(refused.field, FIELD_SDP);
}

static void reads_a_dial(void)
{
    struct refused refused;
    struct phone_ask ask = decoded(&refused, INVITE(DIAL, SDP_MEMBER));

    CHECK_INT(refused.refusal, REFUSAL_NONE);
    CHECK_INT(ask.verb, PHONE_DIAL);
    CHECK(bytes_equal(ask.leg, BYTES(CALL_ID)));
    CHECK(bytes_equal(ask.destination, BYTES("/private/bob?channel=audio")));
    CHECK(bytes_equal(ask.sdp, BYTES("v=0\r\ns=-\r\n")));
    CHECK(!ask.is_again);
    ask = decoded(&refused, INVITE(DIAL ",'attach':true,'reattaching':true", SDP_MEMBER));
    CHECK(ask.is_again);
    ask = decoded(&refused, INVITE(DIAL ",'attach':false", SDP_MEMBER));
    CHECK(!ask.is_again);
}

#define MESSAGE(text) "{'message':{'jsonrpc':'2.0','id':'m-2'," text "}}"

static void reads_answers_and_farewells(void)
{
    struct refused refused;
    struct phone_ask ask =
        decoded(&refused, MESSAGE("'method':'verto.answer','params':{'dialogParams':{'callID':'c-1','"
                                  "destination_number':'room'}" SDP_MEMBER "}"));

    CHECK_INT(refused.refusal, REFUSAL_NONE);
    CHECK_INT(ask.verb, PHONE_ANSWER);
    CHECK(bytes_equal(ask.leg, BYTES("c-1")) && bytes_is_absent(ask.destination) && ask.sdp.len);
    CHECK_NOTE("a plain hang-up has no cause");
    ask = decoded(&refused, MESSAGE("'method':'verto.bye','params':{'dialogParams':{'callID':'c-1'}}"));
    CHECK_INT(refused.refusal, REFUSAL_NONE);
    CHECK_INT(ask.verb, PHONE_HANG_UP);
    CHECK_INT(ask.cause, CAUSE_NORMAL_CLEARING);
    CHECK_NOTE("a reject has one");
    ask = decoded(&refused, MESSAGE("'method':'verto.bye','params':{'dialogParams':{'callID':'c-1'},'cause':'"
                                    "USER_BUSY','causeCode':'17'}"));
    CHECK_INT(ask.cause, CAUSE_USER_BUSY);
    CHECK_NOTE("without a call");
    (void)decoded(&refused, MESSAGE("'method':'verto.bye','params':{'callID':'c-1'}"));
    CHECK_INT(refused.refusal, REFUSAL_PARAMETER_MISSING);
    CHECK_INT(refused.field, FIELD_CALL);
}

/* Whatever else it is gets an answer and has no effect. */
static void takes_everything_else_without_effect(void)
{
    static const char *const rows[] = {
        MESSAGE("'method':'verto.modify','params':{'dialogParams':{'callID':'c'},'sdp':'v=0','action':'"
                "updateMedia'}"),
        MESSAGE("'method':'verto.modify','params':{'dialogParams':{'callID':'c'},'action':'hold'}"),
        MESSAGE("'method':'verto.info','params':{'dialogParams':{'callID':'c'},'dtmf':'5'}"),
        MESSAGE("'method':'verto.pong','params':{'callID':'c'}"),
        MESSAGE("'method':'verto.ping'"),
        MESSAGE("'method':'verto.subscribe','params':{}"),
        MESSAGE("'result':{'method':'verto.answer'}"),
        MESSAGE("'method':'verto.Bye'"),
        MESSAGE("'method':7"),
        "{}",
        "{'message':'verto.bye'}",
        "{'message':[{'method':'verto.bye'}]}",
        "{'message':{'id':695468737,'result':{'method':'verto.bye'}}}",
    };
    struct refused refused;
    size_t i;

    session_init();
    for (i = 0; i < COUNT(rows); i++) {
        struct phone_ask ask = decoded(&refused, rows[i]);
        CHECK_NOTE("row %zu", i);
        CHECK_INT(ask.verb, PHONE_OTHER);
        CHECK_INT(refused.refusal, REFUSAL_NONE);
        CHECK(bytes_is_absent(ask.leg) && bytes_is_absent(ask.sdp));
        signalwire_answer_phone(&out, &session, &ask);
        check_written(i < 9 ? "{'jsonrpc':'2.0','id':'r-1','result':{'code':'200','message':'OK','node_id':'"
                              "node-1','result':{'jsonrpc':'2.0','id':'m-2','result':{}}}}"
                            : "{'jsonrpc':'2.0','id':'r-1','result':{'code':'200','message':'OK','node_id':'"
                              "node-1','result':{'jsonrpc':'2.0','id':null,'result':{}}}}");
    }
}

static void answers_a_dial(void)
{
    struct phone_ask ask = {
        .verb = PHONE_DIAL, .id = BYTES("r"), .inner_id = BYTES("m"), .leg = BYTES(CALL_ID)};

    session_init();
    signalwire_answer_phone(&out, &session, &ask);
    check_written(
        "{'jsonrpc':'2.0','id':'r','result':{'code':'200','message':'OK','node_id':'node-1','result':{"
        "'jsonrpc':'2.0','id':'m','result':{'message':'CALL CREATED','callID':'" CALL_ID
        "','memberID':'" CALL_ID "'}}}}");
}

/* -32002, -32003 and -32602 would leave the client waiting. */
static void refuses_by_codes_that_end_the_call(void)
{
    static const struct {
        enum refusal refusal;
        enum err error;
        int code;
        const char *message;
    } rows[] = {
        {REFUSAL_DESTINATION_UNKNOWN, ERR_OK, -32004, "Unknown destination"},
        {REFUSAL_RATE_LIMITED, ERR_OK, -32005, "Too many calls"},
        {REFUSAL_PARAMETER_MISSING, ERR_OK, -32600, "Invalid request"},
        {REFUSAL_PARAMETER_INVALID, ERR_OK, -32600, "Invalid request"},
        {REFUSAL_TOKEN_CUT_OFF, ERR_OK, -32600, "Invalid request"},
        {REFUSAL_NONE, ERR_STORE_FAILED, -32603, "Internal error"},
        {REFUSAL_NONE, ERR_NO_MEMORY, -32603, "Internal error"},
    };
    struct phone_ask ask = {.verb = PHONE_DIAL, .id = BYTES("r"), .inner_id = BYTES("m")};
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct refused refused = {rows[i].refusal, FIELD_NONE, "not for callers"};
        char text[256];
        CHECK_NOTE("row %zu", i);
        signalwire_refuse_phone(&out, &ask, &refused, rows[i].error, BYTES("{\"error_id\":\"e1\"}"));
        (void)snprintf(
            text, sizeof text,
            "{'jsonrpc':'2.0','id':'r','error':{'code':%d,'message':'%s','data':{'error_id':'e1'}}}",
            rows[i].code, rows[i].message);
        check_written(text);
    }
}

#define EVENT(method, params)                                                                                \
    "{'jsonrpc':'2.0','id':'?','method':'signalwire.event','params':{'event_type':'webrtc.message',"         \
    "'event_channel':'signalwire:signalwire_jti-1_0123456789abcdef','timestamp':1767225600,'project_id':"    \
    "'" UUID_OF(1) "','node_id':'node-1','params':{'jsonrpc':'2.0','id':0,'method':'" method                 \
                   "','params':{" params "}}}}"

static void tells_of_legs(void)
{
    struct phone_news news = {.kind = PHONE_RINGS,
                              .leg = BYTES(CALL_ID),
                              .sdp = BYTES("v=0\r\n"),
                              .caller_name = BYTES("Ada \"L\""),
                              .caller_number = BYTES("/private/ada"),
                              .callee_name = BYTES("Bob"),
                              .callee_number = BYTES("/private/bob")};

    session_init();
    signalwire_tell_phone(&out, &session, &news);
    check_written(EVENT("verto.invite",
                        "'callID':'" CALL_ID "','sdp':'v=0\\r\\n','caller_id_name':'Ada \\'L\\'',"
                        "'caller_id_number':'/private/ada','callee_id_name':'Bob','callee_id_number':'/"
                        "private/bob','display_direction':'outbound'"));
    news.kind = PHONE_ANSWERED;
    signalwire_tell_phone(&out, &session, &news);
    check_written(EVENT("verto.answer", "'callID':'" CALL_ID "','sdp':'v=0\\r\\n'"));
    news.kind = PHONE_ENDED;
    news.cause = CAUSE_USER_BUSY;
    signalwire_tell_phone(&out, &session, &news);
    check_written(EVENT("verto.bye", "'callID':'" CALL_ID "','cause':'USER_BUSY','causeCode':17"));
}

int main(void)
{
    buf_init(&out, 65536);
    CHECK_RUN(refuses_dials);
    CHECK_RUN(refuses_an_sdp_that_is_too_large);
    CHECK_RUN(reads_a_dial);
    CHECK_RUN(reads_answers_and_farewells);
    CHECK_RUN(takes_everything_else_without_effect);
    CHECK_RUN(answers_a_dial);
    CHECK_RUN(refuses_by_codes_that_end_the_call);
    CHECK_RUN(tells_of_legs);
    rpc_message_release(&message);
    buf_release(&out);
    return CHECK_END();
}
