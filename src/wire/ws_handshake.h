/* ws_handshake.h — the server's half of the WebSocket upgrade (RFC 6455 §4.2), over an HTTP request
 * already read. Offers no extension and no sub-protocol; what a client proposes is left unanswered,
 * which declines it. */
#ifndef COATCHECK_WIRE_WS_HANDSHAKE_H
#define COATCHECK_WIRE_WS_HANDSHAKE_H

#include "base/buf.h"
#include "wire/http_request.h"

#define WS_ACCEPT_LEN 28

struct ws_handshake {
    char accept[WS_ACCEPT_LEN]; /* Sec-WebSocket-Accept */
    struct bytes origin;        /* borrowed; absent if none was sent: not a browser */
    int status; /* 101, or the refusal: 400 malformed or HTTP/1.0, 405 not GET, 426 other version (answer with
                   Sec-WebSocket-Version: 13 and Upgrade: websocket), 403 two Origin fields; 500 if SHA-1
                   failed */
};

/* Pure. Whether the Origin is listed is the caller's question. */
void ws_handshake_read(struct ws_handshake *out, const struct http_request *request, const uint8_t *in);
void ws_handshake_reply(struct buf *out, const struct ws_handshake *handshake); /* the 101 */

#endif
