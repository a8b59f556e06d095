/* Aims at ws_message_feed. Laws: the events are the same however the stream is split; a text is UTF-8 within
 * its limit; between messages no memory is held; binary comes only where it is taken. The first byte of the
 * input chooses the split and whether it is. */
#include <stdlib.h>
#include <string.h>

#include "wire/ws_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SMALL_MAX 300 /* so that short inputs reach the limits too */
#define FEW_MAX   6

static void check(const struct ws_message *message, const struct ws_message_step *step)
{
    if (step->event == WS_MESSAGE_TEXT && (step->payload.len > SMALL_MAX || !utf8_is_valid(step->payload)))
        abort();
    if (step->event == WS_MESSAGE_BINARY && (!message->takes_binary || step->payload.len > SMALL_MAX))
        abort();
    if (step->event == WS_MESSAGE_CLOSE && !ws_close_code_is_valid(step->close_code)) abort();
    if (step->event == WS_MESSAGE_BROKEN && (step->close_code < 1002 || step->close_code > 1009)) abort();
    if (step->event != WS_MESSAGE_MORE) return;
    if (message->fragments == 0 && message->frame.head_len == 0 && message->text.ptr) abort();
    if (message->is_over && message->text.ptr) abort();
}

static void note(struct buf *seen, const struct ws_message_step *step)
{
    if (step->event == WS_MESSAGE_MORE) return;
    buf_append_byte(seen, (uint8_t)step->event);
    buf_append_u64(seen, step->close_code);
    buf_append_u64(seen, step->payload.len);
    buf_append(seen, step->payload);
}

static void feed_piece(struct ws_message *message, struct buf *seen, struct bytes piece)
{
    uint8_t *copy = malloc(piece.len + 1);
    struct ws_message_step step;
    size_t at = 0;

    if (!copy) abort();
    if (piece.len > 0) memcpy(copy, piece.ptr, piece.len);
    do {
        step = ws_message_feed(message, copy + at, piece.len - at);
        if (step.used > piece.len - at) abort();
        at += step.used;
        check(message, &step);
        note(seen, &step);
    } while (step.event != WS_MESSAGE_MORE);
    if (at != piece.len) abort();
    free(copy);
}

static void feed(struct buf *seen, struct bytes stream, size_t piece_max, bool takes_binary)
{
    struct ws_message message;

    ws_message_init(&message);
    message.message_max = SMALL_MAX;
    message.fragments_max = FEW_MAX;
    message.takes_binary = takes_binary;
    for (size_t at = 0; at < stream.len; at += piece_max)
        feed_piece(&message, seen, bytes_part(stream, at, piece_max));
    ws_message_release(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes stream = bytes_from(bytes_of(data, size), 1);
    struct buf whole, split;

    if (size == 0 || size > 100000) return 0;
    buf_init(&whole, size * 24);
    buf_init(&split, size * 24);
    feed(&whole, stream, size, data[0] >> 7);
    feed(&split, stream, data[0] % 16u + 1, data[0] >> 7);
    if (buf_error(&whole) != ERR_OK) abort();
    if (!bytes_equal(buf_bytes(&whole), buf_bytes(&split))) abort();
    buf_release(&whole);
    buf_release(&split);
    return 0;
}
