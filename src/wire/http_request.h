/* http_request.h — a strict reader of HTTP/1.1 requests (RFC 9112), without I/O and without
 * memory of its own.
 *
 * You keep the bytes of one request in one piece, beginning at its first byte, and call http_request_feed
 * with all of them each time more have come. The reader remembers offsets only, so the piece may move between
 * calls. It looks at each byte once, line by line, and reports one step:
 *
 *   HTTP_MORE     not enough yet; call again with more bytes
 *   HTTP_HEAD     request line and fields are whole, once per request. Now look at them, refuse early or set
 *                 body_max, then call again with the same bytes
 *   HTTP_DONE     the whole message. `body` spans its content; the next message begins at `used`
 *   HTTP_REFUSED  the bytes are no request we take; answer `status`, then close: framing is lost for good
 *
 * A chunked body is decoded in place: after HTTP_DONE the body is one piece. What real clients send is
 * accepted and nothing else: one space between words, CRLF only, no folding, no field name outside RFC 9110
 * tchar, no control bytes in values, exactly one Host on 1.1, never both lengths, only "chunked" alone, no
 * trailers with content we use (they are checked and dropped), methods upper-case, origin-form or "*"
 * targets, one empty line before a request. Methods no route could have are refused here (501). Limits:
 * HTTP_*_MAX below. */
#ifndef COATCHECK_WIRE_HTTP_REQUEST_H
#define COATCHECK_WIRE_HTTP_REQUEST_H

#include "base/bytes.h"
#include "base/err.h"

#define HTTP_HEAD_MAX           16384  /* bytes of request line and fields together -> 431 */
#define HTTP_TARGET_MAX         8192   /* bytes of the target -> 414 */
#define HTTP_NAME_MAX           256    /* bytes of a field name -> 431 */
#define HTTP_FIELDS_MAX         100    /* field lines -> 431 */
#define HTTP_BODY_MAX           262144 /* bytes of a decoded body, whatever a route says -> 413 */
#define HTTP_CHUNK_EXT_MAX      256    /* bytes of one chunk-size line with its extensions -> 400 */
#define HTTP_CHUNK_OVERHEAD_MAX 16384  /* chunk framing bytes beyond as many as there is content -> 400 */
#define HTTP_TRAILERS_MAX       16     /* trailer lines -> 400 */
#define HTTP_TRAILER_MAX        1024   /* bytes of one trailer line -> 400 */

/* HTTP_OTHER is PATCH: well known, but no route's. */
enum http_method { HTTP_GET, HTTP_HEAD_METHOD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OPTIONS, HTTP_OTHER };

enum http_step { HTTP_MORE, HTTP_HEAD, HTTP_DONE, HTTP_REFUSED };

struct http_span { /* offsets into the request's bytes */
    uint32_t start, len;
};
struct http_field {
    struct http_span name, value; /* value without the white space around it */
};

struct http_request {
    /* true from HTTP_HEAD on */
    enum http_method method;
    struct http_span method_text, target;
    uint8_t version_minor; /* 1 for HTTP/1.1, 0 for HTTP/1.0 */
    bool keep_alive;       /* false: answer, then close */
    bool expects_continue; /* Expect: 100-continue, and the body has not begun to arrive */
    bool wants_upgrade; /* Connection lists "upgrade" and Upgrade is there: ws_handshake decides what it is */
    bool has_body;
    uint32_t field_count;
    struct http_field fields[HTTP_FIELDS_MAX];
    uint32_t head_len; /* bytes up to and including the empty line */

    /* yours to lower at HTTP_HEAD; at first HTTP_BODY_MAX */
    uint32_t body_max;

    /* true from HTTP_DONE on */
    struct http_span body;
    size_t used; /* bytes of the whole message as it came; with chunked, counted before decoding */

    /* true at HTTP_REFUSED */
    uint16_t status;    /* 400, 413, 414, 417, 431, 501 or 505 */
    const char *reason; /* which rule, for the operator: a literal such as "both_lengths" */

    /* the reader's own place; see http_request.c */
    uint8_t state;
    uint16_t seen, trailer_count;
    uint32_t at, line_start, chunk_out;
    uint64_t body_left;
};

void http_request_init(struct http_request *request);

/* in: all bytes since the request's first; len may grow between calls, content below it must not change
 * except by this reader's own in-place decoding. */
enum http_step http_request_feed(struct http_request *request, uint8_t *in, size_t len);

struct bytes http_span_of(struct http_span span, const uint8_t *in);

/* The first field of that name (ASCII case ignored); absent if there is none. *count, if given, is how many
 * there are: callers for whom two are an attack must look. */
struct bytes http_request_field(const struct http_request *request, const uint8_t *in, struct bytes name,
                                unsigned *count);

#endif
