/* Aims at ws_frame_feed. Law: the frames are the same however the stream is split, and used ≤ given. The
 * first byte of the input chooses the split. */
#include <stdlib.h>
#include <string.h>

#include "wire/ws_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LENGTH_MAX 65536

static void append_u64(struct buf *out, uint64_t number)
{
    buf_append(out, bytes_of(&number, sizeof number));
}

static void note(struct buf *seen, const struct ws_frame_step *step)
{
    switch (step->event) {
    case WS_FRAME_MORE:
        return;
    case WS_FRAME_PAYLOAD:
        buf_append(seen, step->payload);
        return;
    case WS_FRAME_BEGIN:
        append_u64(seen, step->length);
        if (step->length > LENGTH_MAX) abort();
        break;
    case WS_FRAME_END:
        break;
    case WS_FRAME_BROKEN:
        if (step->close_code != 1002 && step->close_code != 1009) abort();
        append_u64(seen, step->close_code);
        break;
    }
    buf_append_byte(seen, (uint8_t)step->event);
    if (step->event != WS_FRAME_BROKEN)
        buf_append_byte(seen, (uint8_t)(step->opcode | (step->is_final ? 128u : 0u)));
}

static void feed(struct buf *seen, struct bytes stream, size_t piece_max)
{
    uint8_t *copy = malloc(stream.len + 1);
    struct ws_frame frame = {0};
    struct ws_frame_step step = {.event = WS_FRAME_MORE};
    size_t at = 0, end = 0;

    if (!copy) abort();
    if (stream.len > 0) memcpy(copy, stream.ptr, stream.len);
    while (step.event != WS_FRAME_BROKEN && (step.event != WS_FRAME_MORE || end < stream.len)) {
        if (step.event == WS_FRAME_MORE) end = stream.len - end < piece_max ? stream.len : end + piece_max;
        step = ws_frame_feed(&frame, copy + at, end - at, LENGTH_MAX);
        if (step.used > end - at) abort();
        at += step.used;
        note(seen, &step);
        if (step.event == WS_FRAME_MORE && at != end) abort();
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes stream = bytes_from(bytes_of(data, size), 1);
    struct buf whole, split;

    if (size == 0) return 0;
    buf_init(&whole, size * 24);
    buf_init(&split, size * 24);
    feed(&whole, stream, SIZE_MAX);
    feed(&split, stream, data[0] % 16u + 1);
    if (buf_error(&whole) != ERR_OK) abort();
    if (!bytes_equal(buf_bytes(&whole), buf_bytes(&split))) abort();
    buf_release(&whole);
    buf_release(&split);
    return 0;
}
