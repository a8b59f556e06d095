#include "sim/frame.h"

void frame_append(struct buf *out, uint8_t first, struct bytes payload, const uint8_t *mask)
{
    uint8_t bit = mask ? 0x80 : 0;
    size_t i, start;

    buf_append_byte(out, first);
    if (payload.len < 126)
        buf_append_byte(out, (uint8_t)(payload.len | bit));
    else if (payload.len < 65536) {
        buf_append_byte(out, 126 | bit);
        buf_append_byte(out, (uint8_t)(payload.len >> 8));
        buf_append_byte(out, (uint8_t)payload.len);
    } else {
        buf_append_byte(out, 127 | bit);
        for (i = 0; i < 8; i++)
            buf_append_byte(out, (uint8_t)((uint64_t)payload.len >> (56 - 8 * i)));
    }
    if (mask) buf_append(out, bytes_of(mask, 4));
    start = out->len;
    buf_append(out, payload);
    for (i = 0; mask && i < payload.len; i++)
        out->ptr[start + i] ^= mask[i % 4];
}
