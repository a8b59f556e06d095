/* verto_decode.c — what a client wants of its calls: a JSON-RPC message inside a JSON-RPC request
 * (docs/wire.md). */
#include "dialect/member.h"
#include "dialect/signalwire/signalwire.h"

#include "wire/sdp.h"

/* All else (modify, info, subscribe, pong, and replies of an older client, which have no method at all) wants
 * nothing of us but an answer. */
static const struct {
    const char *method;
    enum phone_verb verb;
} verbs[] = {
    {"verto.invite", PHONE_DIAL},
    {"verto.answer", PHONE_ANSWER},
    {"verto.bye", PHONE_HANG_UP},
};

static enum phone_verb verb_of(struct bytes method)
{
    size_t i;

    for (i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (bytes_equal(method, bytes_of_text(verbs[i].method))) return verbs[i].verb;
    return PHONE_OTHER;
}

static struct bytes text_in(struct json object, const char *name, size_t max, enum ask_field field,
                            struct refused *refused)
{
    struct json value = json_member(object, name);
    struct bytes text = json_text(value);

    if (!member_is_given(value) || (!text.len && !bytes_is_absent(text)))
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, field, "can't be blank");
    else if (!json_text_is_clean(value) || text.len > max)
        member_refuse_invalid(refused, field, "must be a short text");
    else
        return text;
    return BYTES_NONE;
}

static struct bytes sdp_in(struct json params, struct refused *refused)
{
    struct json value = json_member(params, "sdp");
    struct bytes sdp = json_text(value);

    if (!member_is_given(value)) {
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_SDP, "can't be blank");
        return BYTES_NONE;
    }
    switch (sdp_check(sdp)) {
    case ERR_OK:
        return sdp;
    case ERR_TOO_LARGE:
        member_refuse_invalid(refused, FIELD_SDP, "must have at most 32768 bytes");
        return BYTES_NONE;
    default:
        member_refuse_invalid(refused, FIELD_SDP, "must be lines that end in CRLF, or all in LF");
        return BYTES_NONE;
    }
}

void signalwire_decode_phone(struct phone_ask *ask, struct refused *refused, const struct rpc_message *call)
{
    struct json message = json_member(call->params, "message");
    struct json params = json_member(message, "params"), dialog = json_member(params, "dialogParams");
    struct json id = json_member(message, "id");

    *ask = (struct phone_ask){.id = call->id, .verb = verb_of(json_text(json_member(message, "method")))};
    if (json_text_is_clean(id) && json_text(id).len <= RPC_ID_MAX) ask->inner_id = json_text(id);
    if (ask->verb == PHONE_OTHER) return;
    /* an older client names other things too, and wrongly: a call is known by this alone */
    ask->leg = text_in(dialog, "callID", PHONE_LEG_MAX, FIELD_CALL, refused);
    if (ask->verb == PHONE_HANG_UP) {
        ask->cause = call_cause_named(json_text(json_member(params, "cause")));
        return;
    }
    ask->sdp = sdp_in(params, refused);
    if (ask->verb == PHONE_ANSWER) return;
    ask->destination =
        text_in(dialog, "destination_number", PHONE_DESTINATION_MAX, FIELD_ADDRESS_NAME, refused);
    ask->is_again = json_type_of(json_member(dialog, "attach")) == JSON_IS_TRUE ||
                    json_type_of(json_member(dialog, "reattaching")) == JSON_IS_TRUE;
}
