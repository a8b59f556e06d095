/* verto_encode.c — what a client is told of its calls: replies that wrap a reply, events that wrap a request
 * (docs/wire.md). */
#include "dialect/signalwire/signalwire.h"

#include "wire/json_write.h"

static void put_text(struct json_writer *w, const char *key, struct bytes text)
{
    json_key(w, key);
    json_put_string(w, text);
}

/* A new call is known by exactly this message; without memberID the client waits on, and gives up. */
static void write_created(struct json_writer *w, const struct phone_ask *ask)
{
    json_key(w, "message");
    json_put_literal(w, "CALL CREATED");
    put_text(w, "callID", ask->leg);
    put_text(w, "memberID", ask->leg);
}

/* To whatever else nothing is said: a renegotiation that is answered so leaves the call as it is. */
void signalwire_answer_phone(struct buf *out, const struct dialect_session *session,
                             const struct phone_ask *ask)
{
    struct json_writer w;

    rpc_result_begin(out, ask->id);
    w = json_writer_on(out);
    json_object_begin(&w);
    json_key(&w, "code");
    json_put_literal(&w, "200");
    json_key(&w, "message");
    json_put_literal(&w, "OK");
    put_text(&w, "node_id", session->node);
    json_key(&w, "result");
    json_object_begin(&w);
    json_key(&w, "jsonrpc");
    json_put_literal(&w, "2.0");
    json_key(&w, "id");
    json_put_string_or_null(&w, ask->inner_id);
    json_key(&w, "result");
    json_object_begin(&w);
    if (ask->verb == PHONE_DIAL) write_created(&w, ask);
    json_object_end(&w);
    json_object_end(&w);
    json_object_end(&w);
    rpc_end(out);
}

/* None of the three codes on which the client would wait on instead of ending its call. */
static int code_of(const struct refused *refused)
{
    switch (refused->refusal) {
    case REFUSAL_NONE:
        return RPC_INTERNAL;
    case REFUSAL_DESTINATION_UNKNOWN:
        return -32004;
    case REFUSAL_RATE_LIMITED:
        return -32005;
    default:
        return RPC_INVALID_REQUEST;
    }
}

static const char *message_of(const struct refused *refused)
{
    switch (refused->refusal) {
    case REFUSAL_NONE:
        return "Internal error";
    case REFUSAL_DESTINATION_UNKNOWN:
        return "Unknown destination";
    case REFUSAL_RATE_LIMITED:
        return "Too many calls";
    default:
        return "Invalid request";
    }
}

void signalwire_refuse_phone(struct buf *out, const struct phone_ask *ask, const struct refused *refused,
                             enum err error, struct bytes data)
{
    (void)error; /* whatever failed is ours to know */
    rpc_error(out, ask->id, code_of(refused), message_of(refused), data);
}

static void write_news(struct json_writer *w, const struct phone_news *news)
{
    put_text(w, "callID", news->leg);
    if (news->kind == PHONE_ENDED) {
        json_key(w, "cause");
        json_put_literal(w, call_cause_text(news->cause));
        json_key(w, "causeCode");
        json_put_number(w, call_cause_number(news->cause));
        return;
    }
    put_text(w, "sdp", news->sdp);
    if (news->kind == PHONE_ANSWERED) return;
    put_text(w, "caller_id_name", news->caller_name);
    put_text(w, "caller_id_number", news->caller_number);
    put_text(w, "callee_id_name", news->callee_name);
    put_text(w, "callee_id_number", news->callee_number);
    json_key(w, "display_direction");
    json_put_literal(w, "outbound");
}

void signalwire_tell_phone(struct buf *out, const struct dialect_session *session,
                           const struct phone_news *news)
{
    static const char *const methods[] = {
        [PHONE_RINGS] = "verto.invite", [PHONE_ANSWERED] = "verto.answer", [PHONE_ENDED] = "verto.bye"};
    struct json_writer w;

    signalwire_event_begin(&w, out, session, "webrtc.message");
    json_object_begin(&w);
    json_key(&w, "jsonrpc");
    json_put_literal(&w, "2.0");
    json_key(&w, "id");
    json_put_number(&w, (int64_t)(dice_u64(&session->dice) >> 33)); /* a number, other than outside */
    json_key(&w, "method");
    json_put_literal(&w, methods[news->kind]);
    json_key(&w, "params");
    json_object_begin(&w);
    write_news(&w, news);
    json_object_end(&w);
    json_object_end(&w);
    signalwire_event_end(&w);
}
