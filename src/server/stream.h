/* stream.h — one accepted connection as a stream of bytes; plain and TLS look the same from above.
 *
 * TLS runs over memory buffers, so there is one path for both: bytes come from the socket, through TLS if the
 * listener has it, to `on_bytes`; what is written goes the other way. Bytes are given in the loop's shared
 * read buffer: use them before returning, they may be changed in place, and keep a copy of what is not yet
 * whole. An idle stream owns no buffers (TLS: its library's).
 *
 * Writing never blocks: what the socket does not take at once is kept, up to STREAM_UNSENT_MAX; past that the
 * stream is closed, as its peer does not read. So it is when of what is kept nothing goes out for
 * STREAM_STALL_MS. After stream_close nothing is called but on_gone, once, from a later turn; the owner frees
 * its own state there. Owner: the protocol above (conn, socket). */
#ifndef COATCHECK_SERVER_STREAM_H
#define COATCHECK_SERVER_STREAM_H

#include "base/bytes.h"
#include "base/err.h"
#include "server/loop.h"

#define STREAM_UNSENT_MAX 262144 /* bytes kept for a peer that does not read */
#define STREAM_STALL_MS   10000  /* and so long, unless it takes some */

struct stream;
struct stream_user { /* who listens; one static table per protocol */
    void (*on_bytes)(void *owner, uint8_t *bytes, size_t len);
    void (*on_end)(void *owner);  /* the peer has sent its last byte; stream_close is up to the owner */
    void (*on_sent)(void *owner); /* everything unsent has gone out (only after something was kept) */
    void (*on_gone)(void *owner); /* the stream is closed and about to be freed */
};

void stream_attach(struct stream *stream, const struct stream_user *user, void *owner);
void stream_write(struct stream *stream, struct bytes b); /* copies what cannot be sent now */
size_t stream_unsent(const struct stream *stream);
void stream_stop_reading(struct stream *stream); /* back-pressure: the kernel keeps what comes */
void stream_start_reading(struct stream *stream);
void stream_close(struct stream *stream); /* at once; unsent bytes are lost */
/* sends what is kept, half-closes, waits <= 2 s for the peer, then closes */
void stream_close_after_sending(struct stream *stream);

void stream_end_with(struct stream *stream, struct bytes last); /* the same behind these, and cheaper */

struct loop *stream_loop(const struct stream *stream);
bool stream_is_tls(const struct stream *stream);
/* The peer's address as text, for limits and logs: "127.0.0.1", "::1". out holds 46 bytes. */
void stream_peer(const struct stream *stream, char out[46]);

#endif
