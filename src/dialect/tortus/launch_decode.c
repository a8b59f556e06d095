/* launch_decode.c — launch tokens, their exchange, and how a user's id is written. */
#include <string.h>

#include "base/hex.h"
#include "dialect/member.h"
#include "dialect/tortus/tortus.h"

void tortus_user_write(char out[TORTUS_USER_LEN], const struct uuid *id)
{
    memcpy(out, TORTUS_USER_PREFIX, sizeof TORTUS_USER_PREFIX - 1);
    hex_write(out + sizeof TORTUS_USER_PREFIX - 1, uuid_bytes(id));
}

bool tortus_user_of(struct uuid *out, struct bytes text)
{
    char again[TORTUS_USER_LEN];

    memset(out, 0, sizeof *out);
    if (text.len != TORTUS_USER_LEN || !bytes_start_with(text, BYTES(TORTUS_USER_PREFIX))) return false;
    if (hex_read(out->byte, sizeof out->byte, bytes_from(text, sizeof TORTUS_USER_PREFIX - 1))) return false;
    tortus_user_write(again, out);
    return bytes_equal(bytes_of(again, sizeof again), text); /* one user has one spelling */
}

/* The object as compact text: what the customer wrote, without white space. */
static enum err decode_payload(struct ask_launch *launch, const struct dialect_request *request,
                               struct refused *refused)
{
    struct json value = json_member(request->body, "userPayload");
    struct json_writer w;
    struct buf text;
    enum err e;

    if (!member_is_given(value)) return ERR_OK;
    if (json_type_of(value) != JSON_IS_OBJECT) {
        member_refuse(refused, REFUSAL_PARAMETER_INVALID, FIELD_PAYLOAD, "must be an object");
        return ERR_OK;
    }
    buf_init(&text, PAYLOAD_MAX);
    w = json_writer_on(&text);
    json_put_value(&w, value);
    e = buf_error(&text);
    if (e == ERR_TOO_LARGE) {
        member_refuse(refused, REFUSAL_PARAMETER_INVALID, FIELD_PAYLOAD, "is too long (at most 2048 bytes)");
        e = ERR_OK;
    } else if (!e) {
        launch->payload = arena_copy(request->arena, buf_bytes(&text));
        if (bytes_is_absent(launch->payload)) e = ERR_NO_MEMORY;
    }
    buf_release(&text);
    return e;
}

/* Every member may be left out, and so may the whole body. */
enum err tortus_decode_launch(struct ask *ask, struct refused *refused, const struct dialect_request *request)
{
    struct ask_launch *launch = &ask->launch;
    enum json_type type = json_type_of(request->body);
    struct bytes label;

    ask->kind = ASK_LAUNCH;
    *launch = (struct ask_launch){0};
    if (type == JSON_IS_ABSENT) return ERR_OK;
    if (type != JSON_IS_OBJECT) return ERR_MALFORMED;
    /* an id that has not our form is one we never gave: unknown, as any other that we do not know */
    launch->has_user =
        tortus_user_of(&launch->user, member_text(request->body, "userId", FIELD_USER_ID, refused));
    label = member_text(request->body, "externalUserId", FIELD_EXTERNAL_ID, refused);
    if (label.len) launch->external_id = label; /* an empty label is none */
    return decode_payload(launch, request, refused);
}

enum err tortus_decode_exchange(struct ask *ask, struct refused *refused,
                                const struct dialect_request *request)
{
    struct ask_redeem *redeem = &ask->redeem;

    ask->kind = ASK_REDEEM;
    *redeem = (struct ask_redeem){.kind = TICKET_LAUNCH, .needs_publishable_key = true};
    if (json_type_of(request->body) != JSON_IS_OBJECT) return ERR_MALFORMED;
    redeem->ticket = member_text(request->body, "launchToken", FIELD_TOKEN, refused);
    redeem->publishable_key = member_text(request->body, "publishableKey", FIELD_PUBLISHABLE_KEY, refused);
    if (!redeem->ticket.len) member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_TOKEN, "can't be blank");
    if (!redeem->publishable_key.len)
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_PUBLISHABLE_KEY, "can't be blank");
    return ERR_OK;
}
