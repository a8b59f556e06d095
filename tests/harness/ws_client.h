/* ws_client.h — frames as a client sends them, right or wrong, for tests of the WebSocket reader. */
#ifndef COATCHECK_TESTS_WS_CLIENT_H
#define COATCHECK_TESTS_WS_CLIENT_H

#include <string.h>

#include "base/buf.h"

static const uint8_t ws_client_mask[4] = {0x37, 0xfa, 0x21, 0x3d};

/* first: FIN, RSV and opcode, for example 0x81. The length is written in width bytes: 0, 2 or 8. */
static inline void ws_client_head(struct buf *out, uint8_t first, uint64_t len, size_t width)
{
    buf_append_byte(out, first);
    buf_append_byte(out, (uint8_t)(0x80 | (width == 8 ? 127 : width == 2 ? 126 : len)));
    for (size_t i = 0; i < width; i++)
        buf_append_byte(out, (uint8_t)(len >> (8 * (width - 1 - i))));
    buf_append(out, bytes_of(ws_client_mask, sizeof ws_client_mask));
}

static inline void ws_client_frame(struct buf *out, uint8_t first, struct bytes payload)
{
    ws_client_head(out, first, payload.len, payload.len > 65535 ? 8 : payload.len > 125 ? 2 : 0);
    for (size_t i = 0; i < payload.len; i++)
        buf_append_byte(out, payload.ptr[i] ^ ws_client_mask[i % 4]);
}

#endif
