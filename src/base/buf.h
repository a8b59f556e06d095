/* buf.h — a growing byte buffer that owns its memory and always has a limit.
 *
 * Writing is sticky: the first append that fails (no memory, or past max) sets the buffer's error, and
 * every later append is ignored. Write freely, then ask buf_error() once. Nothing half-written can be
 * mistaken for a whole, because buf_bytes() of a failed buffer is empty. Zeroed memory is not a valid buf:
 * call buf_init first. */
#ifndef COATCHECK_BASE_BUF_H
#define COATCHECK_BASE_BUF_H

#include "base/bytes.h"
#include "base/err.h"

struct buf {
    uint8_t *ptr;
    size_t len, cap, max; /* max: the most bytes it may ever hold */
    enum err error;       /* ERR_NO_MEMORY, ERR_TOO_LARGE, or what a writer on top sets to the same effect */
};

void buf_init(struct buf *buf, size_t max); /* allocates nothing yet */
void buf_release(struct buf *buf);          /* frees; the buf may be used again as if just initialised */
void buf_wipe(struct buf *buf);             /* overwrites, then releases: for buffers that held secrets */
void buf_reset(struct buf *buf);            /* forgets content and error, keeps the memory */

void buf_append(struct buf *buf, struct bytes b);
void buf_append_text(struct buf *buf, const char *text);
void buf_append_byte(struct buf *buf, uint8_t byte);
void buf_append_u64(struct buf *buf, uint64_t number); /* decimal */
void buf_append_i64(struct buf *buf, int64_t number);  /* decimal */

/* Room for exactly len bytes at the end, counted as written; NULL (and the sticky error) if there is none. */
uint8_t *buf_extend(struct buf *buf, size_t len);
void buf_truncate(struct buf *buf, size_t len);   /* to at most len bytes */
void buf_drop_front(struct buf *buf, size_t len); /* removes the first len bytes, moving the rest down */

MUST_USE enum err buf_error(const struct buf *buf);
/* valid until the next write; empty if the buffer has failed */
struct bytes buf_bytes(const struct buf *buf);

#endif
