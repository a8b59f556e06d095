/* socket.c — what this dialect says on the WebSocket: JSON-RPC replies and events (docs/wire.md). What is
 * observed of the clients is listed in README.md, with its source. */
#include "dialect/signalwire/signalwire.h"

#include "wire/json_write.h"

#define PROTOCOL_PREFIX  "signalwire_"
#define SESSION_NAME_LEN 32 /* characters of a session's name */

/* The id of a request of ours must be a string: the client drops anything else. */
static struct bytes fresh_id(char out[UUID_TEXT_LEN], const struct dialect_session *session)
{
    struct uuid id;

    uuid_draw(&id, &session->dice);
    uuid_write(out, &id);
    return bytes_of(out, UUID_TEXT_LEN);
}

/* The vendor's clients take the name as opaque, but an older one expects the token's jti as its
 * second part. */
static void append_protocol(struct buf *out, struct bytes first_jti, struct bytes name)
{
    buf_append_text(out, PROTOCOL_PREFIX);
    buf_append(out, first_jti);
    buf_append_byte(out, '_');
    buf_append(out, name);
}

struct bytes signalwire_session_of(struct bytes protocol)
{
    struct bytes rest = bytes_from(protocol, sizeof PROTOCOL_PREFIX - 1);

    if (!bytes_start_with(protocol, BYTES(PROTOCOL_PREFIX)) ||
        rest.len != UUID_TEXT_LEN + 1 + SESSION_NAME_LEN || rest.ptr[UUID_TEXT_LEN] != '_')
        return BYTES_NONE;
    return bytes_from(rest, UUID_TEXT_LEN + 1);
}

static void write_protocol(struct json_writer *w, const char *key, const char *prefix, struct bytes first_jti,
                           struct bytes name)
{
    struct buf text;

    buf_init(&text, 256);
    buf_append_text(&text, prefix);
    append_protocol(&text, first_jti, name);
    json_key(w, key);
    json_put_string(w, buf_bytes(&text));
    if (buf_error(&text)) w->out->error = buf_error(&text);
    buf_release(&text);
}

static void write_subscriber(struct json_writer *w, const struct holder *holder)
{
    json_key(w, "fabric_subscriber");
    json_object_begin(w);
    json_key(w, "version");
    json_put_number(w, 1);
    json_key(w, "expires_at");
    json_put_number(w, holder->exp_s);
    json_key(w, "subscriber_id");
    json_put_uuid(w, &holder->user);
    json_key(w, "application_id");
    json_put_uuid_or_null(w, &holder->application);
    json_key(w, "project_id");
    json_put_uuid(w, &holder->project);
    json_key(w, "space_id"); /* a space is a host name there; here a project is all there is */
    json_put_uuid(w, &holder->project);
    json_object_end(w);
}

static void write_authorization(struct json_writer *w, const struct holder *holder)
{
    json_key(w, "authorization");
    json_object_begin(w);
    json_key(w, "jti");
    json_put_string(w, holder->jti);
    json_key(w, "project_id");
    json_put_uuid(w, &holder->project);
    signalwire_write_scope(w, holder);
    write_subscriber(w, holder);
    signalwire_write_binding(w, holder);
    json_object_end(w);
}

/* Ours: only to clients that asked. */
static void write_slots(struct json_writer *w, const struct slots *slots)
{
    if (!slots) return;
    json_key(w, "slots");
    json_object_begin(w);
    json_key(w, "refresh_in_ms");
    json_put_number(w, slots->refresh_in_ms);
    json_key(w, "return_within_ms");
    json_put_number(w, slots->return_within_ms);
    json_object_end(w);
}

/* Everything here is type-checked by the client; a missing member makes it drop the reply without a word. */
void signalwire_welcome(struct buf *out, const struct dialect_session *session, struct bytes id)
{
    struct json_writer w;

    rpc_result_begin(out, id);
    w = json_writer_on(out);
    json_object_begin(&w);
    json_key(&w, "identity");
    json_put_string(&w, session->name);
    write_protocol(&w, "protocol", "", session->first_jti, session->name);
    write_authorization(&w, session->holder);
    json_key(&w, "ice_servers");
    json_put_verbatim(&w, session->ice_servers);
    write_slots(&w, session->slots);
    json_object_end(&w);
    rpc_end(out);
}

static int code_of(const struct refused *refused, enum err error)
{
    switch (refused->refusal) {
    case REFUSAL_NONE:
        return error == ERR_MALFORMED ? RPC_INVALID_PARAMS : RPC_INTERNAL;
    case REFUSAL_RESUME_IMPOSSIBLE:
        return RPC_VALIDATION_FAILED;
    case REFUSAL_PARAMETER_INVALID:
    case REFUSAL_PARAMETER_MISSING:
        return RPC_INVALID_PARAMS;
    case REFUSAL_NOT_FOUND:
    case REFUSAL_METHOD_NOT_ALLOWED:
        return RPC_METHOD_NOT_FOUND;
    case REFUSAL_ALREADY_CONNECTED:
        return RPC_INVALID_REQUEST;
    default:
        return RPC_UNAUTHENTICATED;
    }
}

/* One text a code. "Requester validation failed" is compared literally by an older client
 * (docs/compat.md). */
static const char *message_of(int code)
{
    switch (code) {
    case RPC_UNAUTHENTICATED:
        return "Authentication failed";
    case RPC_VALIDATION_FAILED:
        return "Requester validation failed";
    case RPC_METHOD_NOT_FOUND:
        return "Method not found";
    case RPC_INVALID_PARAMS:
        return "Invalid params";
    case RPC_INVALID_REQUEST:
        return "Invalid request";
    case RPC_PARSE_ERROR:
        return "Parse error";
    default:
        return "Internal error";
    }
}

void signalwire_refuse_call(struct buf *out, struct bytes id, const struct refused *refused, enum err error,
                            struct bytes data)
{
    int code = code_of(refused, error);

    rpc_error(out, id, code, message_of(code), data);
}

void signalwire_event_begin(struct json_writer *w, struct buf *out, const struct dialect_session *session,
                            const char *type)
{
    char id[UUID_TEXT_LEN];

    rpc_request_begin(out, fresh_id(id, session), "signalwire.event");
    *w = json_writer_on(out);
    json_object_begin(w);
    json_key(w, "event_type");
    json_put_literal(w, type);
    /* it must contain the protocol, or the client takes the event for stale */
    write_protocol(w, "event_channel", "signalwire:", session->first_jti, session->name);
    json_key(w, "timestamp");
    json_put_number(w, session->now_ms / 1000);
    json_key(w, "project_id");
    json_put_uuid(w, &session->holder->project);
    json_key(w, "node_id");
    json_put_string(w, session->node);
    json_key(w, "params");
}

void signalwire_event_end(struct json_writer *w)
{
    json_object_end(w);
    rpc_end(w->out);
}

/* An empty state erases one the client may still hold: it then comes back with a fresh connect. */
void signalwire_give_state(struct buf *out, const struct dialect_session *session, struct bytes state)
{
    struct json_writer w;

    signalwire_event_begin(&w, out, session, "signalwire.authorization.state");
    json_object_begin(&w);
    json_key(&w, "authorization_state");
    json_put_string(&w, bytes_is_absent(state) ? BYTES("") : state);
    json_object_end(&w);
    signalwire_event_end(&w);
}

static void write_party(struct json_writer *w, const char *key, struct bytes first_jti, struct bytes name,
                        const struct uuid *user)
{
    json_key(w, key);
    json_object_begin(w);
    write_protocol(w, "protocol", "", first_jti, name);
    json_key(w, "subscriber_id");
    json_put_uuid(w, user);
    json_object_end(w);
}

void signalwire_tell_upgrade(struct buf *out, const struct dialect_session *session,
                             const struct dialect_upgrade *upgrade)
{
    struct json_writer w;

    signalwire_event_begin(&w, out, session, "session.upgraded");
    json_object_begin(&w);
    write_party(&w, "from", upgrade->from_first_jti, upgrade->from_name, &upgrade->from_user);
    write_party(&w, "to", upgrade->to_first_jti, upgrade->to_name, &upgrade->to_user);
    json_object_end(&w);
    signalwire_event_end(&w);
}

void signalwire_tell_presence(struct buf *out, const struct dialect_session *session, enum presence presence)
{
    static const char *const words[] = {"offline", "do_not_disturb", "online"};
    struct json_writer w;

    signalwire_event_begin(&w, out, session, "subscriber.presence");
    json_object_begin(&w);
    json_key(&w, "subscriber_id");
    json_put_uuid(&w, &session->holder->user);
    json_key(&w, "presence");
    json_put_literal(&w, words[presence]);
    json_object_end(&w);
    signalwire_event_end(&w);
}

void signalwire_tell_expiry(struct buf *out, const struct dialect_session *session)
{
    struct json_writer w;

    signalwire_event_begin(&w, out, session, "session.expiring");
    json_object_begin(&w);
    json_key(&w, "expires_at");
    json_put_number(&w, session->holder->exp_s);
    json_object_end(&w);
    signalwire_event_end(&w);
}

void signalwire_ping(struct buf *out, const struct dialect_session *session)
{
    char id[UUID_TEXT_LEN];
    struct json_writer w;

    rpc_request_begin(out, fresh_id(id, session), "signalwire.ping");
    w = json_writer_on(out);
    json_object_begin(&w);
    json_key(&w, "timestamp");
    json_put_number(&w, session->now_ms / 1000);
    json_object_end(&w);
    rpc_end(out);
}

static void answer_ok(struct buf *out, const struct dialect_session *session, struct bytes id)
{
    struct json_writer w;

    rpc_result_begin(out, id);
    w = json_writer_on(out);
    json_object_begin(&w);
    json_key(&w, "code");
    json_put_literal(&w, "200");
    json_key(&w, "message");
    json_put_literal(&w, "OK");
    write_slots(&w, session->slots);
    json_object_end(&w);
    rpc_end(out);
}

/* Guests, invitees and visitors of an embed send this too, at every start: they get a success without effect.
 * do_not_disturb is ours: each registration says it anew. */
static enum after_call answer_online(struct buf *out, const struct dialect_session *session,
                                     const struct rpc_message *call)
{
    answer_ok(out, session, call->id);
    if (!session->holder->is_full_subscriber) return AFTER_NOTHING;
    return json_type_of(json_member(call->params, "do_not_disturb")) == JSON_IS_TRUE ? AFTER_REGISTER_QUIETLY
                                                                                     : AFTER_REGISTER;
}

static enum after_call answer_offline(struct buf *out, const struct dialect_session *session,
                                      const struct rpc_message *call)
{
    answer_ok(out, session, call->id);
    return session->holder->is_full_subscriber ? AFTER_UNREGISTER : AFTER_NOTHING;
}

/* To the client any result is success there. */
static enum after_call answer_reauthenticate(struct buf *out, const struct dialect_session *session,
                                             const struct rpc_message *call)
{
    answer_ok(out, session, call->id);
    return AFTER_NOTHING;
}

const struct socket_call signalwire_calls[SIGNALWIRE_CALLS] = {
    {"subscriber.online", NULL, answer_online},
    {"subscriber.offline", NULL, answer_offline},
    {"signalwire.reauthenticate", signalwire_decode_reauthenticate, answer_reauthenticate},
};
