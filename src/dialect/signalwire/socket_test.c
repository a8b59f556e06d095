#include <jansson.h>

#include "dialect/signalwire/signalwire.h"
#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define UUID_OF(n)  "0" #n "000000-0000-0000-0000-000000000000"

static struct buf out;
static struct dice_seeded storage;
static struct holder holder;
static struct dialect_session session;

static void session_init(void)
{
    holder = (struct holder){.project = {{1}},
                             .user = {{2}},
                             .user_kind = USER_SUBSCRIBER,
                             .is_full_subscriber = true,
                             .jti = BYTES("jti-1"),
                             .exp_s = 1767232800};
    session = (struct dialect_session){.holder = &holder,
                                       .name = BYTES("0123456789abcdef"),
                                       .first_jti = BYTES("jti-1"),
                                       .node = BYTES("node-1"),
                                       .ice_servers = BYTES("[{\"urls\":[\"stun:a.test\"]}]"),
                                       .dice = dice_from_seed(&storage, 9),
                                       .now_ms = 1767225600999};
    buf_reset(&out);
}

static json_t *written(void)
{
    json_t *document = json_loadb((const char *)out.ptr, out.len, JSON_REJECT_DUPLICATES, NULL);

    CHECK_INT(buf_error(&out), ERR_OK);
    CHECK(document != NULL);
    return document;
}

/* The whole message, member by member; quotes are written as '. A wanted id of "?" is any fresh one. */
static void check_written(const char *wanted)
{
    char text[4096];
    json_t *got = written(), *expected;
    size_t i;

    (void)snprintf(text, sizeof text, "%s", wanted);
    for (i = 0; text[i]; i++)
        if (text[i] == '\'') text[i] = '"';
    expected = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_string(json_object_get(expected, "id")) &&
        strcmp(json_string_value(json_object_get(expected, "id")), "?") == 0) {
        CHECK_INT(json_string_length(json_object_get(got, "id")), UUID_TEXT_LEN);
        json_object_set(expected, "id", json_object_get(got, "id"));
    }
    if (!CHECK(expected && json_equal(got, expected)))
        fprintf(stderr, "    got %.*s\n    wanted %s\n", (int)out.len, (const char *)out.ptr, text);
    json_decref(got);
    json_decref(expected);
    buf_reset(&out);
}

static void refuses_calls_by_code(void)
{
    static const struct {
        enum refusal refusal;
        enum err error;
        int code;
        const char *message;
    } rows[] = {
        {REFUSAL_CREDENTIAL_MISSING, ERR_OK, -32002, "Authentication failed"},
        {REFUSAL_TOKEN_MALFORMED, ERR_OK, -32002, "Authentication failed"},
        {REFUSAL_TOKEN_EXPIRED, ERR_OK, -32002, "Authentication failed"},
        {REFUSAL_TOKEN_FOREIGN, ERR_OK, -32002, "Authentication failed"},
        {REFUSAL_TOKEN_CUT_OFF, ERR_OK, -32002, "Authentication failed"},
        {REFUSAL_PROOF_MISSING, ERR_OK, -32002, "Authentication failed"},
        {REFUSAL_PROOF_REPLAYED, ERR_OK, -32002, "Authentication failed"},
        {REFUSAL_ORIGIN_NOT_LISTED, ERR_OK, -32002, "Authentication failed"},
        {REFUSAL_NOT_CONNECTED, ERR_OK, -32002, "Authentication failed"},
        {REFUSAL_RESUME_IMPOSSIBLE, ERR_OK, -32003, "Requester validation failed"},
        {REFUSAL_PARAMETER_INVALID, ERR_OK, -32602, "Invalid params"},
        {REFUSAL_PARAMETER_MISSING, ERR_OK, -32602, "Invalid params"},
        {REFUSAL_NOT_FOUND, ERR_OK, -32601, "Method not found"},
        {REFUSAL_ALREADY_CONNECTED, ERR_OK, -32600, "Invalid request"},
        {REFUSAL_NONE, ERR_MALFORMED, -32602, "Invalid params"},
        {REFUSAL_NONE, ERR_NO_MEMORY, -32603, "Internal error"},
        {REFUSAL_NONE, ERR_STORE_FAILED, -32603, "Internal error"},
    };
    size_t i;

    session_init();
    for (i = 0; i < COUNT(rows); i++) {
        struct refused refused = {rows[i].refusal, FIELD_NONE, "not for callers"};
        char text[256];
        CHECK_NOTE("%s %s", refusal_name(rows[i].refusal), err_name(rows[i].error));
        signalwire_refuse_call(&out, BYTES("7"), &refused, rows[i].error, BYTES_NONE);
        (void)snprintf(text, sizeof text, "{'jsonrpc':'2.0','id':'7','error':{'code':%d,'message':'%s'}}",
                       rows[i].code, rows[i].message);
        check_written(text);
        signalwire_refuse_call(&out, BYTES_NONE, &refused, rows[i].error, BYTES("{\"error_id\":\"e1\"}"));
        (void)snprintf(
            text, sizeof text,
            "{'jsonrpc':'2.0','id':null,'error':{'code':%d,'message':'%s','data':{'error_id':'e1'}}}",
            rows[i].code, rows[i].message);
        check_written(text);
    }
}

/* Each member is type-checked by the client, and without one the reply is
 * dropped in silence. */
static void welcomes(void)
{
    session_init();
    signalwire_welcome(&out, &session, BYTES("c-1"));
    check_written("{'jsonrpc':'2.0','id':'c-1','result':{'identity':'0123456789abcdef','protocol':'"
                  "signalwire_jti-1_0123456789abcdef',"
                  "'authorization':{'jti':'jti-1','project_id':'" UUID_OF(
                      1) "','scope':[],"
                         "'fabric_subscriber':{'version':1,'expires_at':1767232800,'subscriber_id':'" UUID_OF(
                             2) "',"
                                "'application_id':null,'project_id':'" UUID_OF(1) "','space_id':'" UUID_OF(
                                    1) "'}},"
                                       "'ice_servers':[{'urls':['stun:a.test']}]}}");
    holder.application = (struct uuid){{3}};
    holder.may_self_refresh = true;
    holder.jkt = BYTES("thumb");
    session.ice_servers = BYTES("[]");
    signalwire_welcome(&out, &session, BYTES("c\"2"));
    check_written(
        "{'jsonrpc':'2.0','id':'c\\'2','result':{'identity':'0123456789abcdef',"
        "'protocol':'signalwire_jti-1_0123456789abcdef',"
        "'authorization':{'jti':'jti-1','project_id':'" UUID_OF(
            1) "','scope':['sat:refresh'],"
               "'fabric_subscriber':{'version':1,'expires_at':1767232800,'subscriber_id':'" UUID_OF(
                   2) "',"
                      "'application_id':'" UUID_OF(3) "','project_id':'" UUID_OF(1) "','space_id':'" UUID_OF(
                          1) "'},"
                             "'cnf':{'jkt':'thumb'}},'ice_servers':[]}}");
}

static void tells_slots_to_who_takes_them(void)
{
    static const struct slots slots = {.refresh_in_ms = 5400001, .return_within_ms = 19000};
    struct rpc_message call = {.kind = RPC_REQUEST, .id = BYTES("r-1")};
    json_t *document;

    session_init();
    session.slots = &slots;
    signalwire_welcome(&out, &session, BYTES("c-1"));
    document = written();
    CHECK_INT(json_integer_value(json_object_get(
                  json_object_get(json_object_get(document, "result"), "slots"), "refresh_in_ms")),
              5400001);
    json_decref(document);
    buf_reset(&out);
    CHECK_INT(signalwire_calls[SIGNALWIRE_CALLS - 1].answer(&out, &session, &call), AFTER_NOTHING);
    check_written("{'jsonrpc':'2.0','id':'r-1','result':{'code':'200','message':'OK',"
                  "'slots':{'refresh_in_ms':5400001,'return_within_ms':19000}}}");
}

/* The channel holds the session's name, or the client takes the event for stale; the
 * id is a string. */
static void erases_an_older_state(void)
{
    session_init();
    signalwire_give_state(&out, &session, BYTES_NONE);
    check_written("{'jsonrpc':'2.0','id':'?','method':'signalwire.event','params':{"
                  "'event_type':'signalwire.authorization.state','event_channel':'signalwire:signalwire_jti-"
                  "1_0123456789abcdef',"
                  "'timestamp':1767225600,'project_id':'" UUID_OF(1) "','node_id':'node-1',"
                                                                     "'params':{'authorization_state':''}}}");
}

/* A whole event of this type with these params. */
static void check_event(const char *type, const char *params)
{
    char wanted[1024];

    (void)snprintf(wanted, sizeof wanted,
                   "{'jsonrpc':'2.0','id':'?','method':'signalwire.event','params':{'event_type':'%s',"
                   "'event_channel':'signalwire:signalwire_jti-1_0123456789abcdef','timestamp':1767225600,"
                   "'project_id':'" UUID_OF(1) "','node_id':'node-1','params':{%s}}}",
                   type, params);
    check_written(wanted);
}

static void tells_who_became_more(void)
{
    const struct dialect_upgrade upgrade = {.from_name = BYTES("fedc"),
                                            .from_first_jti = BYTES("jti-0"),
                                            .to_name = BYTES("0123456789abcdef"),
                                            .to_first_jti = BYTES("jti-1"),
                                            .from_user = {{7}},
                                            .to_user = {{2}}};

    session_init();
    signalwire_tell_upgrade(&out, &session, &upgrade);
    check_event(
        "session.upgraded",
        "'from':{'protocol':'signalwire_jti-0_fedc','subscriber_id':'" UUID_OF(
            7) "'},"
               "'to':{'protocol':'signalwire_jti-1_0123456789abcdef','subscriber_id':'" UUID_OF(2) "'}");
}

static void tells_presence(void)
{
    static const struct {
        enum presence presence;
        const char *params;
    } rows[] = {
        {PRESENCE_OFFLINE, "'subscriber_id':'" UUID_OF(2) "','presence':'offline'"},
        {PRESENCE_UNDISTURBED, "'subscriber_id':'" UUID_OF(2) "','presence':'do_not_disturb'"},
        {PRESENCE_ONLINE, "'subscriber_id':'" UUID_OF(2) "','presence':'online'"},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        session_init();
        signalwire_tell_presence(&out, &session, rows[i].presence);
        check_event("subscriber.presence", rows[i].params);
    }
}

static void warns_of_the_end(void)
{
    session_init();
    signalwire_tell_expiry(&out, &session);
    check_event("session.expiring", "'expires_at':1767232800");
}

static void pings_with_a_fresh_id(void)
{
    char first[UUID_TEXT_LEN + 1] = {0};
    json_t *ping;

    session_init();
    signalwire_ping(&out, &session);
    ping = written();
    (void)snprintf(first, sizeof first, "%s", json_string_value(json_object_get(ping, "id")));
    json_decref(ping);
    check_written("{'jsonrpc':'2.0','id':'?','method':'signalwire.ping','params':{'timestamp':1767225600}}");
    signalwire_ping(&out, &session);
    ping = written();
    CHECK(strcmp(first, json_string_value(json_object_get(ping, "id"))) != 0);
    json_decref(ping);
}

static void answers_online_and_offline(void)
{
    static const struct {
        const char *method;
        bool is_full;
        const char *params;
        enum after_call effect;
    } rows[] = {
        {"subscriber.online", false, "{}", AFTER_NOTHING}, /* guests send it too: a success without effect */
        {"subscriber.online", false, "{\"do_not_disturb\":true}", AFTER_NOTHING},
        {"subscriber.offline", false, "{}", AFTER_NOTHING},
        {"subscriber.online", true, "{}", AFTER_REGISTER},
        {"subscriber.online", true, "{\"do_not_disturb\":true}", AFTER_REGISTER_QUIETLY},
        {"subscriber.online", true, "{\"do_not_disturb\":false}", AFTER_REGISTER},
        {"subscriber.online", true, "{\"do_not_disturb\":\"true\"}", AFTER_REGISTER},
        {"subscriber.offline", true, "{\"do_not_disturb\":true}", AFTER_UNREGISTER},
    };
    struct rpc_message call = {.kind = RPC_REQUEST, .id = BYTES("o-1")};
    size_t i, m;

    session_init();
    for (i = 0; i < COUNT(rows); i++) {
        holder.is_full_subscriber = rows[i].is_full;
        for (m = 0; m < SIGNALWIRE_CALLS; m++)
            if (strcmp(signalwire_calls[m].method, rows[i].method) == 0) break;
        CHECK_NOTE("%s %s", rows[i].method, rows[i].params);
        if (!CHECK(m < SIGNALWIRE_CALLS)) continue;
        CHECK_INT(json_read(&call.params, bytes_of_text(rows[i].params)), ERR_OK);
        CHECK_INT(signalwire_calls[m].answer(&out, &session, &call), rows[i].effect);
        check_written("{'jsonrpc':'2.0','id':'o-1','result':{'code':'200','message':'OK'}}");
        json_free(call.params);
    }
}

static void is_whole(void)
{
    size_t i, m;

    CHECK(dialect_of_socket() == &signalwire_dialect);
    CHECK(strcmp(signalwire_dialect.connect_method, "signalwire.connect") == 0);
    CHECK(signalwire_dialect.call_count == SIGNALWIRE_CALLS);
    for (m = 0; m < signalwire_dialect.call_count; m++)
        CHECK(signalwire_dialect.calls[m].method && signalwire_dialect.calls[m].answer);
    for (i = 0; i < signalwire_dialect.route_count; i++) {
        const struct dialect_route *row = &signalwire_dialect.routes[i];
        CHECK_NOTE("%s", row->route.path);
        CHECK(row->decode && row->encode && signalwire_dialect.owns_path(bytes_of_text(row->route.path)));
        CHECK((row->route.body != ROUTE_NO_BODY) == (row->route.body_max > 0));
        CHECK(!row->route.takes_bound_as_bearer ||
              (row->route.method == HTTP_GET && row->route.credential == ROUTE_BEARER));
    }
}

int main(void)
{
    buf_init(&out, 65536);
    CHECK_RUN(refuses_calls_by_code);
    CHECK_RUN(welcomes);
    CHECK_RUN(tells_slots_to_who_takes_them);
    CHECK_RUN(erases_an_older_state);
    CHECK_RUN(tells_who_became_more);
    CHECK_RUN(tells_presence);
    CHECK_RUN(warns_of_the_end);
    CHECK_RUN(pings_with_a_fresh_id);
    CHECK_RUN(answers_online_and_offline);
    CHECK_RUN(is_whole);
    buf_release(&out);
    return CHECK_END();
}
