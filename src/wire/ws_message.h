/* ws_message.h — whole messages out of frames: fragments joined, UTF-8 checked as it comes, ping and
 * close seen to.
 *
 * Feed until it says MORE, with the rest of your input each time, be it empty: only then is the payload
 * last shown given back. Between messages the struct holds no memory: an idle session costs its own size
 * only. A message that arrives in one piece is given as a view into your input, without a copy. Broken
 * peers get a close code: 1002 protocol, 1003 binary (unless taken), 1007 not UTF-8 (at the latest with
 * the final fragment), 1008 more than fragments_max frames in one message, 1009 longer than message_max,
 * 1013 no memory. */
#ifndef COATCHECK_WIRE_WS_MESSAGE_H
#define COATCHECK_WIRE_WS_MESSAGE_H

#include "base/buf.h"
#include "base/utf8.h"
#include "wire/ws_frame.h"

#define WS_MESSAGE_MAX   65536 /* bytes of one text message */
#define WS_FRAGMENTS_MAX 1024  /* frames of one message */

struct ws_message { /* init with ws_message_init */
    struct ws_frame frame;
    struct buf text;                     /* what has not come in one piece; no memory between messages */
    uint32_t message_max, fragments_max; /* yours to change after init */
    uint32_t fragments;                  /* of the message under way; 0: none is */
    struct utf8 utf8;
    uint8_t control_len; /* bytes at the end of text that belong to a control frame */
    bool takes_binary;   /* yours to set after init: binary messages come as such, not as 1003 */
    bool is_binary;      /* the message under way */
    bool is_shown;       /* the last payload shown lies in text */
    bool is_over;        /* after close or a broken frame nothing is read any more */
};

enum ws_message_event {
    WS_MESSAGE_MORE,
    WS_MESSAGE_TEXT,
    WS_MESSAGE_BINARY, /* only if taken */
    WS_MESSAGE_PING,
    WS_MESSAGE_PONG,
    WS_MESSAGE_CLOSE,
    WS_MESSAGE_BROKEN
};

struct ws_message_step {
    enum ws_message_event event;
    size_t used;          /* bytes of in that are done with; call again with the rest */
    struct bytes payload; /* TEXT, BINARY, PING, PONG: valid until the next call; CLOSE: the reason */
    uint16_t close_code; /* CLOSE: what to echo (1000 if the peer gave none, 1002 if its code is invalid, 1007
                            if its reason is); BROKEN: what to send */
};

void ws_message_init(struct ws_message *message);
void ws_message_release(struct ws_message *message);
struct ws_message_step ws_message_feed(struct ws_message *message, uint8_t *in, size_t len);

/* RFC 6455 §7.4: may a peer send this code on the wire? 1000-1003, 1007-1014, 3000-4999. */
bool ws_close_code_is_valid(uint16_t code);

#endif
