/* ws_frame.h — turns bytes into WebSocket frames, as a server sees them (RFC 6455 §5).
 *
 * Feed any split of the stream. Payload is unmasked in place and points into your input. Refused with a close
 * code: unmasked frames, reserved bits and opcodes, long or fragmented control frames, lengths not in their
 * shortest form, lengths with the top bit (all 1002), and, in data frames, a declared length above length_max
 * (1009), both at the header, before any payload. Holds 32 bytes or less and allocates nothing. */
#ifndef COATCHECK_WIRE_WS_FRAME_H
#define COATCHECK_WIRE_WS_FRAME_H

#include "base/buf.h"

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

struct ws_frame { /* zeroed: at the start of a frame */
    uint8_t head[14], head_len;
    uint8_t mask_at; /* which mask byte is next */
    uint64_t payload_left;
};

enum ws_frame_event { WS_FRAME_MORE, WS_FRAME_BEGIN, WS_FRAME_PAYLOAD, WS_FRAME_END, WS_FRAME_BROKEN };

struct ws_frame_step {
    enum ws_frame_event event;
    size_t used;           /* bytes of in that are done with; call again with the rest */
    enum ws_opcode opcode; /* from BEGIN to END, is_final too */
    bool is_final;
    uint64_t length;      /* BEGIN */
    struct bytes payload; /* PAYLOAD: a piece, unmasked, inside your input */
    uint16_t close_code;  /* BROKEN: 1002 or 1009 */
};

struct ws_frame_step ws_frame_feed(struct ws_frame *frame, uint8_t *in, size_t len, uint64_t length_max);

/* One whole unmasked server frame. A close frame's payload is code and reason, at most 125 bytes. */
void ws_frame_write(struct buf *out, enum ws_opcode opcode, struct bytes payload);
void ws_frame_write_close(struct buf *out, uint16_t code, struct bytes reason);

#endif
