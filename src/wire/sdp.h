/* sdp.h — the session descriptions that two browsers exchange through us (RFC 8866): passed on byte for
 * byte, except for lines that a browser cannot use from another browser's offer.
 *
 * A bundle group over several media is taken out, because the answerer would gather candidates for the first
 * of them only, and then never send its answer. Candidates may be taken out by configuration: those that
 * were given could be reached before the answerer knows its own, with the same result. Rewriting what was
 * rewritten changes nothing. */
#ifndef COATCHECK_WIRE_SDP_H
#define COATCHECK_WIRE_SDP_H

#include "base/buf.h"

#define SDP_MAX 32768 /* bytes; a browser's offer of audio and video has about 6 KiB */

enum sdp_candidates {
    SDP_ALL,       /* stay */
    SDP_DROP_HOST, /* those of type host go: addresses of the machine itself */
    SDP_NONE       /* all go; the answerer learns the offerer from its checks */
};

/* Lines that end in CRLF or LF, without any other CR and without NUL: what every reader takes for the same
 * lines. ERR_MALFORMED, ERR_TOO_LARGE. */
MUST_USE enum err sdp_check(struct bytes sdp);
/* Appends the offer as its answerer shall have it. Errors as sdp_check, or the buffer's. */
MUST_USE enum err sdp_rewrite_offer(struct buf *out, struct bytes sdp, enum sdp_candidates candidates);

#endif
