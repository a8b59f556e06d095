/* stun.h — the server's half of a STUN question: "from where do my packets come?" (RFC 8489), enough for a
 * browser that gathers candidates without a user name. One datagram in, at most one out; no I/O.
 *
 * Only Binding requests are answered. Attributes that may be ignored are; those that may not and are
 * unknown get 420 with their list, as §6.3.1 asks. An answer has at most STUN_ANSWER_MAX bytes: nothing
 * here amplifies. */
#ifndef COATCHECK_WIRE_STUN_H
#define COATCHECK_WIRE_STUN_H

#include "base/buf.h"

#define STUN_ANSWER_MAX  64 /* bytes */
#define STUN_UNKNOWN_MAX 4  /* unknown attributes that an answer lists */
#define STUN_TRANSACTION 12 /* bytes */

struct stun_request {
    uint8_t transaction[STUN_TRANSACTION];
    uint16_t unknown[STUN_UNKNOWN_MAX]; /* attributes that must be understood and are not */
    size_t unknown_count;
};

struct stun_address {
    uint8_t ip[16];
    size_t ip_len; /* 4 or 16 */
    uint16_t port;
};

/* False: nothing that is answered (another class or method, cut, or no STUN at all). */
bool stun_read(struct stun_request *out, struct bytes datagram);
void stun_write(struct buf *out, const struct stun_request *request, const struct stun_address *from);

#endif
