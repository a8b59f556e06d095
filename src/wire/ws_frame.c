#include "wire/ws_frame.h"

#include <string.h>

#define CONTROL_MAX  125 /* RFC 6455 §5.5 */
#define FIN_BIT      0x80
#define MASK_BIT     0x80
#define RSV_BITS     0x70
#define CONTROL_BIT  0x08 /* opcodes 8 to 15 */
#define LENGTH_IS_16 126
#define LENGTH_IS_64 127
#define MASK_LEN     4
#define WIDEST_HEAD  10 /* of a server's frame, which has no mask */

static bool is_control(uint8_t opcode)
{
    return (opcode & CONTROL_BIT) != 0;
}

static size_t length_size(uint8_t length_code)
{
    return length_code == LENGTH_IS_16 ? 2 : length_code == LENGTH_IS_64 ? 8 : 0;
}

/* Bytes of the head up to and including the length; 2 as long as the second byte is not here. */
static size_t length_end(const struct ws_frame *frame)
{
    return frame->head_len < 2 ? 2 : 2 + length_size(frame->head[1] & 0x7f);
}

static uint64_t declared_length(const struct ws_frame *frame)
{
    size_t size = length_size(frame->head[1] & 0x7f);
    uint64_t length = 0;

    if (size == 0) return frame->head[1] & 0x7f;
    for (size_t i = 0; i < size; i++)
        length = length << 8 | frame->head[2 + i];
    return length;
}

static uint16_t first_bytes_rule(const struct ws_frame *frame)
{
    uint8_t opcode = frame->head[0] & 0x0f, length_code = frame->head[1] & 0x7f;

    if (frame->head[0] & RSV_BITS) return 1002;           /* RFC 6455 §5.2: no extension was agreed */
    if ((opcode & ~CONTROL_BIT) > WS_BINARY) return 1002; /* §5.2: reserved opcodes 3-7 and 11-15 */
    if (frame->head_len < 2) return 0;
    if (!(frame->head[1] & MASK_BIT)) return 1002; /* §5.1: a client masks every frame */
    if (!is_control(opcode)) return 0;
    if (!(frame->head[0] & FIN_BIT)) return 1002; /* §5.5: control frames are never fragmented */
    return length_code > CONTROL_MAX ? 1002 : 0;  /* §5.5 */
}

/* The close code of the rule that the head breaks as far as it is here; 0 if none. */
static uint16_t broken_rule(const struct ws_frame *frame, uint64_t length_max)
{
    uint64_t length;
    uint16_t code = frame->head_len > 0 ? first_bytes_rule(frame) : 0;

    if (code || frame->head_len < 2 || frame->head_len < length_end(frame)) return code;
    length = declared_length(frame);
    if (length >> 63) return 1002; /* RFC 6455 §5.2: the most significant bit must be 0 */
    if (length_size(frame->head[1] & 0x7f) == 2 && length < LENGTH_IS_16)
        return 1002; /* §5.2: shortest form */
    if (length_size(frame->head[1] & 0x7f) == 8 && length <= UINT16_MAX) return 1002;
    return !is_control(frame->head[0] & 0x0f) && length > length_max ? 1009 : 0;
}

static bool head_is_whole(const struct ws_frame *frame)
{
    return frame->head_len >= 2 && frame->head_len == length_end(frame) + MASK_LEN;
}

/* Takes the first two bytes, then the length, then the mask, and looks at each part before the next. */
static enum ws_frame_event feed_head(struct ws_frame *frame, struct ws_frame_step *step, const uint8_t *in,
                                     size_t len, uint64_t length_max)
{
    while (!head_is_whole(frame)) {
        size_t goal = length_end(frame), count;
        step->close_code = broken_rule(frame, length_max);
        if (step->close_code) return WS_FRAME_BROKEN;
        if (step->used == len) return WS_FRAME_MORE;
        if (frame->head_len >= goal) goal += MASK_LEN;
        count = goal - frame->head_len < len - step->used ? goal - frame->head_len : len - step->used;
        memcpy(frame->head + frame->head_len, in + step->used, count);
        frame->head_len = (uint8_t)(frame->head_len + count);
        step->used += count;
    }
    frame->payload_left = step->length = declared_length(frame);
    return WS_FRAME_BEGIN;
}

/* RFC 6455 §5.3, eight bytes at a time: the mask's period of four divides eight. */
static void unmask(struct ws_frame *frame, uint8_t *data, size_t len)
{
    const uint8_t *mask = frame->head + length_end(frame);
    uint8_t key[8];
    uint64_t word_key, word;
    size_t i = 0;

    for (; i < sizeof key; i++)
        key[i] = mask[(frame->mask_at + i) % MASK_LEN];
    memcpy(&word_key, key, sizeof word_key);
    for (i = 0; len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, data + i, sizeof word);
        word ^= word_key;
        memcpy(data + i, &word, sizeof word);
    }
    for (; i < len; i++)
        data[i] ^= key[i % sizeof key];
    frame->mask_at = (uint8_t)((frame->mask_at + len) % MASK_LEN);
}

static enum ws_frame_event feed_payload(struct ws_frame *frame, struct ws_frame_step *step, uint8_t *in,
                                        size_t len)
{
    size_t count = frame->payload_left < len ? (size_t)frame->payload_left : len;

    if (frame->payload_left == 0) return WS_FRAME_END;
    if (count == 0) return WS_FRAME_MORE;
    unmask(frame, in, count);
    frame->payload_left -= count;
    step->payload = bytes_of(in, count);
    step->used = count;
    return WS_FRAME_PAYLOAD;
}

struct ws_frame_step ws_frame_feed(struct ws_frame *frame, uint8_t *in, size_t len, uint64_t length_max)
{
    struct ws_frame_step step = {.event = WS_FRAME_MORE};

    if (head_is_whole(frame))
        step.event = feed_payload(frame, &step, in, len);
    else
        step.event = feed_head(frame, &step, in, len, length_max);
    step.opcode = (enum ws_opcode)(frame->head[0] & 0x0f);
    step.is_final = (frame->head[0] & FIN_BIT) != 0;
    if (step.event == WS_FRAME_END) *frame = (struct ws_frame){0};
    return step;
}

/* The head of an unmasked final frame, in its shortest form; returns its size. */
static size_t write_head(uint8_t head[WIDEST_HEAD], enum ws_opcode opcode, size_t len)
{
    uint8_t length_code = len <= CONTROL_MAX ? (uint8_t)len : len <= UINT16_MAX ? LENGTH_IS_16 : LENGTH_IS_64;
    size_t size = length_size(length_code);

    head[0] = (uint8_t)(FIN_BIT | opcode);
    head[1] = length_code;
    for (size_t i = 0; i < size; i++)
        head[2 + i] = (uint8_t)((uint64_t)len >> (8 * (size - 1 - i)));
    return 2 + size;
}

void ws_frame_write(struct buf *out, enum ws_opcode opcode, struct bytes payload)
{
    uint8_t head[WIDEST_HEAD];

    buf_append(out, bytes_of(head, write_head(head, opcode, payload.len)));
    buf_append(out, payload);
}

/* A reason too long is cut between characters, because it must stay UTF-8 (RFC 6455 §5.5.1). */
void ws_frame_write_close(struct buf *out, uint16_t code, struct bytes reason)
{
    uint8_t payload[CONTROL_MAX] = {(uint8_t)(code >> 8), (uint8_t)code};

    if (reason.len > sizeof payload - 2) {
        size_t len = sizeof payload - 2;
        while (len > 0 && (reason.ptr[len] & 0xc0) == 0x80)
            len--;
        reason.len = len;
    }
    if (reason.len > 0) memcpy(payload + 2, reason.ptr, reason.len);
    ws_frame_write(out, WS_CLOSE, bytes_of(payload, 2 + reason.len));
}
