#include "base/buf.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_CAP 256 /* one small reply or log line without growing again */

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_release(struct buf *buf)
{
    free(buf->ptr);
    buf_init(buf, buf->max);
}

void buf_wipe(struct buf *buf)
{
    if (buf->ptr != NULL) secret_wipe(buf->ptr, buf->cap);
    buf_release(buf);
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->error = ERR_OK;
}

/* Not realloc: it may leave a copy of a secret in freed memory, where buf_wipe cannot reach it. */
static bool move_to(struct buf *buf, size_t cap)
{
    uint8_t *bigger = malloc(cap == 0 ? 1 : cap);
    if (bigger == NULL) return false;
    if (buf->ptr != NULL) {
        memcpy(bigger, buf->ptr, buf->len);
        secret_wipe(buf->ptr, buf->len);
        free(buf->ptr);
    }
    buf->ptr = bigger;
    buf->cap = cap;
    return true;
}

static bool has_room(const struct buf *buf, size_t len)
{
    return buf->error == ERR_OK && buf->ptr != NULL && len <= buf->cap - buf->len;
}

static bool make_room(struct buf *buf, size_t len)
{
    if (buf->error != ERR_OK) return false;
    if (len > buf->max - buf->len) {
        buf->error = ERR_TOO_LARGE;
        return false;
    }
    size_t needed = buf->len + len;
    /* doubling: each byte moves twice at most */
    size_t cap = buf->cap > buf->max / 2 ? buf->max : buf->cap * 2;
    if (cap < BUF_FIRST_CAP) cap = BUF_FIRST_CAP < buf->max ? BUF_FIRST_CAP : buf->max;
    if (cap < needed) cap = needed;
    if (move_to(buf, cap)) return true;
    buf->error = ERR_NO_MEMORY;
    return false;
}

uint8_t *buf_extend(struct buf *buf, size_t len)
{
    if (!has_room(buf, len) && !make_room(buf, len)) return NULL;
    uint8_t *room = buf->ptr + buf->len;
    buf->len += len;
    return room;
}

void buf_append(struct buf *buf, struct bytes b)
{
    if (b.len == 0) return;
    uint8_t *room = buf_extend(buf, b.len);
    if (room != NULL) memcpy(room, b.ptr, b.len);
}

void buf_append_text(struct buf *buf, const char *text)
{
    buf_append(buf, bytes_of_text(text));
}

void buf_append_byte(struct buf *buf, uint8_t byte)
{
    if (!has_room(buf, 1) && !make_room(buf, 1)) return;
    buf->ptr[buf->len++] = byte;
}

void buf_append_u64(struct buf *buf, uint64_t number)
{
    uint8_t digits[20]; /* 2^64 - 1 has 20 */
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    buf_append(buf, bytes_of(digits + at, sizeof digits - at));
}

void buf_append_i64(struct buf *buf, int64_t number)
{
    if (number < 0) buf_append_byte(buf, '-');
    buf_append_u64(buf, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void buf_truncate(struct buf *buf, size_t len)
{
    if (len < buf->len) buf->len = len;
}

void buf_drop_front(struct buf *buf, size_t len)
{
    if (len > buf->len) len = buf->len;
    if (len == 0) return;
    buf->len -= len;
    memmove(buf->ptr, buf->ptr + len, buf->len);
}

enum err buf_error(const struct buf *buf)
{
    return buf->error;
}

struct bytes buf_bytes(const struct buf *buf)
{
    if (buf->error != ERR_OK || buf->ptr == NULL) return BYTES("");
    return bytes_of(buf->ptr, buf->len);
}
