#include "wire/ws_message.h"

#define CONTROL_MAX 125 /* RFC 6455 §5.5 */

void ws_message_init(struct ws_message *message)
{
    *message = (struct ws_message){.message_max = WS_MESSAGE_MAX, .fragments_max = WS_FRAGMENTS_MAX};
    buf_init(&message->text, 0); /* its limit comes with the first byte, from message_max */
}

void ws_message_release(struct ws_message *message)
{
    buf_release(&message->text);
}

bool ws_close_code_is_valid(uint16_t code)
{
    if (code >= 3000) return code <= 4999;
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

static bool is_control(enum ws_opcode opcode)
{
    return opcode >= WS_CLOSE;
}

/* Bytes of the text message so far; behind them in the same buffer lies what came of a control frame. */
static size_t text_len(const struct ws_message *message)
{
    return message->text.len - message->control_len;
}

/* What the last event showed is read by now. Between messages no memory is held. */
static void drop_shown(struct ws_message *message)
{
    if (!message->is_shown) return;
    buf_truncate(&message->text, message->control_len > 0 ? text_len(message) : 0);
    message->control_len = 0;
    message->is_shown = false;
    if (message->fragments == 0) buf_release(&message->text);
}

/* RFC 6455 §5.4. Returns the close code of the broken rule, or 0. */
static uint16_t begin_frame(struct ws_message *message, enum ws_opcode opcode)
{
    if (is_control(opcode)) return 0;
    if ((opcode == WS_CONTINUATION) != (message->fragments > 0)) return 1002;
    if (opcode == WS_BINARY && !message->takes_binary) return 1003;
    if (message->fragments >= message->fragments_max) return 1008;
    if (opcode != WS_CONTINUATION) message->is_binary = opcode == WS_BINARY;
    message->fragments++;
    return 0;
}

static uint16_t keep(struct ws_message *message, struct bytes piece)
{
    message->text.max = (size_t)message->message_max + CONTROL_MAX;
    buf_append(&message->text, piece);
    return buf_error(&message->text) == ERR_OK ? 0 : (uint16_t)err_close_code(message->text.error);
}

/* A piece of payload: looked at, then kept, unless it is all there is to the payload, which needs no copy. */
static uint16_t take_payload(struct ws_message *message, const struct ws_frame_step *frame,
                             struct bytes *whole)
{
    bool is_last = message->frame.payload_left == 0;
    uint16_t code;

    if (is_control(frame->opcode)) {
        if (is_last && message->control_len == 0) {
            *whole = frame->payload;
            return 0;
        }
        code = keep(message, frame->payload);
        if (!code) message->control_len = (uint8_t)(message->control_len + frame->payload.len);
        return code;
    }
    /* RFC 6455 §8.1, as soon as it shows */
    if (!message->is_binary && !utf8_feed(&message->utf8, frame->payload)) return 1007;
    if (is_last && frame->is_final && message->text.len == 0) {
        *whole = frame->payload;
        return 0;
    }
    return keep(message, frame->payload);
}

/* What was collected of it, if it did not come whole. */
static struct bytes control_payload(struct ws_message *message, struct bytes whole)
{
    if (message->control_len == 0) return whole;
    message->is_shown = true;
    return bytes_from(buf_bytes(&message->text), text_len(message));
}

/* RFC 6455 §5.5.1 and §7.4: a code and a reason, both valid, or nothing at all. */
static void end_close(struct ws_message_step *step, struct bytes payload)
{
    uint16_t code = 0; /* one byte alone is no code, nor is 0 */

    step->event = WS_MESSAGE_CLOSE;
    step->close_code = 1000;
    if (payload.len == 0) return;
    if (payload.len >= 2) code = (uint16_t)(payload.ptr[0] << 8 | payload.ptr[1]);
    step->close_code = 1002;
    if (!ws_close_code_is_valid(code)) return;
    step->close_code = 1007; /* §8.1 */
    if (!utf8_is_valid(bytes_from(payload, 2))) return;
    step->close_code = code;
    step->payload = bytes_from(payload, 2);
}

static void end_control(struct ws_message *message, struct ws_message_step *step, enum ws_opcode opcode,
                        struct bytes whole)
{
    struct bytes payload = control_payload(message, whole);

    if (opcode == WS_CLOSE) {
        message->is_over = true;
        message->fragments = 0; /* what was collected of a message is lost, and freed with the reason */
        message->is_shown = true;
        end_close(step, payload);
        return;
    }
    step->event = opcode == WS_PING ? WS_MESSAGE_PING : WS_MESSAGE_PONG;
    step->payload = payload;
}

/* The frame is over; if that makes an event, step holds it. Returns a close code or 0. */
static uint16_t end_frame(struct ws_message *message, struct ws_message_step *step,
                          const struct ws_frame_step *frame, struct bytes whole)
{
    if (is_control(frame->opcode)) {
        end_control(message, step, frame->opcode, whole);
        return 0;
    }
    if (!frame->is_final) return 0;
    if (!utf8_is_complete(&message->utf8)) return 1007;
    message->fragments = 0;
    message->is_shown = message->text.len > 0;
    step->event = message->is_binary ? WS_MESSAGE_BINARY : WS_MESSAGE_TEXT;
    step->payload = message->is_shown ? buf_bytes(&message->text) : whole;
    return 0;
}

static uint16_t take_frame_step(struct ws_message *message, struct ws_message_step *step,
                                const struct ws_frame_step *frame, struct bytes *whole)
{
    switch (frame->event) {
    case WS_FRAME_MORE:
        return 0;
    case WS_FRAME_BEGIN:
        return begin_frame(message, frame->opcode);
    case WS_FRAME_PAYLOAD:
        return take_payload(message, frame, whole);
    case WS_FRAME_END:
        return end_frame(message, step, frame, *whole);
    case WS_FRAME_BROKEN:
        return frame->close_code;
    }
    return 1002;
}

static void break_off(struct ws_message *message, struct ws_message_step *step, uint16_t code)
{
    *step = (struct ws_message_step){.event = WS_MESSAGE_BROKEN, .used = step->used, .close_code = code};
    message->is_over = true;
    buf_release(&message->text);
}

struct ws_message_step ws_message_feed(struct ws_message *message, uint8_t *in, size_t len)
{
    struct ws_message_step step = {.event = WS_MESSAGE_MORE};
    struct bytes whole = BYTES(""); /* of the frame under way, if it came in one piece; empty, not absent */
    uint8_t nothing = 0;

    if (!in) in = &nothing;
    drop_shown(message);
    while (!message->is_over && step.event == WS_MESSAGE_MORE) {
        struct ws_frame_step frame = ws_frame_feed(&message->frame, in + step.used, len - step.used,
                                                   message->message_max - text_len(message));
        uint16_t code;
        step.used += frame.used;
        code = take_frame_step(message, &step, &frame, &whole);
        if (code) break_off(message, &step, code);
        if (frame.event == WS_FRAME_MORE) return step;
    }
    if (step.event == WS_MESSAGE_MORE) step.used = len; /* is_over: read no more */
    return step;
}
