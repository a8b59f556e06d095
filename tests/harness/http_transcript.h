/* http_transcript.h — what the HTTP reader makes of a stream of bytes, as text that tests and
 * fuzzers can compare:
 *
 *   DONE GET /path 3=abc     a whole request: method, target, body
 *   CLOSE                    the last one was not keep-alive; the rest is not read
 *   REFUSED 400 bare_lf
 *   MORE                     the stream ended inside a request
 *
 * The same stream must give the same transcript however it is cut. Each feed is given memory of exactly its
 * size, so that a sanitizer sees any look past the end. */
#ifndef COATCHECK_TESTS_HTTP_TRANSCRIPT_H
#define COATCHECK_TESTS_HTTP_TRANSCRIPT_H

#include "wire/http_request.h"
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

struct http_stream {
    struct http_request request;
    uint8_t *piece; /* the bytes of the request under way */
    size_t len;
    bool is_over;
    unsigned done;
};

static inline void http_stream_take(struct http_stream *stream, struct bytes b)
{
    uint8_t *longer = malloc(stream->len + b.len + 1);
    if (longer == NULL) abort();
    /* At the end of its memory: what follows is not ours. */
    if (stream->len > 0) memcpy(longer + 1, stream->piece + 1, stream->len);
    if (b.len > 0) memcpy(longer + 1 + stream->len, b.ptr, b.len);
    free(stream->piece);
    stream->piece = longer;
    stream->len += b.len;
}

static inline void http_stream_note_done(struct http_stream *stream, struct buf *out)
{
    const struct http_request *request = &stream->request;
    const uint8_t *in = stream->piece + 1;
    if (request->used > stream->len || request->head_len > request->used) abort();
    if (request->body.start + request->body.len > request->used) abort();
    buf_append_text(out, "DONE ");
    buf_append(out, http_span_of(request->method_text, in));
    buf_append_byte(out, ' ');
    buf_append(out, http_span_of(request->target, in));
    buf_append_byte(out, ' ');
    buf_append_u64(out, request->body.len);
    buf_append_byte(out, '=');
    buf_append(out, http_span_of(request->body, in));
    buf_append_text(out, request->keep_alive ? "\n" : "\nCLOSE\n");
    stream->is_over = !request->keep_alive;
    stream->done++;
}

static inline void http_stream_next(struct http_stream *stream)
{
    struct bytes rest =
        bytes_of(stream->piece + 1 + stream->request.used, stream->len - stream->request.used);
    uint8_t *used = stream->piece;
    stream->piece = NULL;
    stream->len = 0;
    http_stream_take(stream, rest);
    free(used);
    http_request_init(&stream->request);
}

static inline void http_stream_feed(struct http_stream *stream, struct buf *out, struct bytes b)
{
    if (stream->is_over) return;
    http_stream_take(stream, b);
    for (;;) {
        switch (http_request_feed(&stream->request, stream->piece + 1, stream->len)) {
        case HTTP_HEAD:
            continue;
        case HTTP_MORE:
            return;
        case HTTP_REFUSED:
            buf_append_text(out, "REFUSED ");
            buf_append_u64(out, stream->request.status);
            buf_append_byte(out, ' ');
            buf_append_text(out, stream->request.reason);
            buf_append_byte(out, '\n');
            stream->is_over = true;
            return;
        case HTTP_DONE:
            http_stream_note_done(stream, out);
            if (stream->is_over) return;
            http_stream_next(stream);
        }
    }
}

/* Appends the transcript of raw, fed in pieces: the first of `first` bytes, then of `then` bytes each.
 * Returns the number of whole requests. */
static inline unsigned http_transcript(struct buf *out, struct bytes raw, size_t first, size_t then)
{
    struct http_stream stream = {.piece = NULL};
    http_request_init(&stream.request);
    http_stream_feed(&stream, out, bytes_part(raw, 0, first));
    for (size_t at = first; at < raw.len; at += then)
        http_stream_feed(&stream, out, bytes_part(raw, at, then));
    if (!stream.is_over && stream.len > 0) buf_append_text(out, "MORE\n");
    free(stream.piece);
    return stream.done;
}

#endif
