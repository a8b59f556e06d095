#include "store/log_check.h"

#include "base/buf.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The SQLite database file format, "The Write-Ahead Log": all numbers are big-endian. */
#define HEADER_LEN       32
#define FRAME_HEADER_LEN 24
#define MAGIC            0x377f0682u /* the lowest bit says in which order the words of a sum are read */
#define VERSION          3007000u
#define PAGE_MAX         65536u

struct sum {
    uint32_t a, b;
};

struct log {
    int file;
    off_t at;
    uint32_t page_len;
    bool is_big_endian;
    uint8_t salt[8];
    struct sum before; /* as written in the header or the frame before, right or wrong */
    bool has_before;   /* that was of this log's life: an older one's frames may follow */
};

static uint32_t number_at(const uint8_t *bytes, bool is_big_endian)
{
    return is_big_endian
               ? (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3]
               : (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

static struct sum sum_at(const uint8_t *bytes)
{
    return (struct sum){number_at(bytes, true), number_at(bytes + 4, true)};
}

static bool sum_equal(struct sum one, struct sum other)
{
    return one.a == other.a && one.b == other.b;
}

static struct sum sum_on(struct sum sum, const uint8_t *bytes, size_t len, bool is_big_endian)
{
    for (size_t i = 0; i < len; i += 8) {
        sum.a += number_at(bytes + i, is_big_endian) + sum.b;
        sum.b += number_at(bytes + i + 4, is_big_endian) + sum.a;
    }
    return sum;
}

/* False: the file ends before, or cannot be read. */
static bool take(struct log *log, uint8_t *out, size_t len, enum err *e)
{
    size_t got = 0;
    ssize_t step = 1;
    while (got < len && step > 0) {
        step = pread(log->file, out + got, len - got, log->at + (off_t)got);
        if (step > 0) got += (size_t)step;
    }
    if (step < 0) *e = ERR_IO;
    log->at += (off_t)got;
    return got == len;
}

static bool header_is_right(struct log *log, const uint8_t header[HEADER_LEN])
{
    uint32_t magic = number_at(header, true);
    log->is_big_endian = magic & 1;
    log->page_len = number_at(header + 8, true);
    memcpy(log->salt, header + 16, sizeof log->salt);
    log->before = sum_at(header + 24);
    log->has_before = true;
    return (magic & ~1u) == MAGIC && number_at(header + 4, true) == VERSION && log->page_len >= 512 &&
           log->page_len <= PAGE_MAX && (log->page_len & (log->page_len - 1)) == 0 &&
           sum_equal(log->before, sum_on((struct sum){0, 0}, header, 24, log->is_big_endian));
}

/* True: written right after the frame before it, in this life of the log. */
static bool frame_follows(struct log *log, const uint8_t *frame)
{
    bool is_ours = memcmp(frame + 8, log->salt, sizeof log->salt) == 0;
    struct sum sum = sum_on(log->before, frame, 8, log->is_big_endian);
    sum = sum_on(sum, frame + FRAME_HEADER_LEN, log->page_len, log->is_big_endian);
    bool follows = log->has_before && is_ours && sum_equal(sum, sum_at(frame + 16));
    log->before = sum_at(frame + 16);
    log->has_before = is_ours;
    return follows;
}

static enum err check_frames(struct log *log, uint8_t *frame)
{
    enum err e = ERR_OK;
    bool is_broken = false, after_commit = false;
    while (take(log, frame, FRAME_HEADER_LEN + log->page_len, &e)) {
        bool follows = frame_follows(log, frame);
        if (is_broken && follows && after_commit) return ERR_CORRUPT;
        if (!follows) is_broken = true;
        after_commit = number_at(frame + 4, true) != 0;
    }
    return e;
}

enum err log_check(const char *path)
{
    struct log log = {.file = open(path, O_RDONLY | O_CLOEXEC)};
    uint8_t header[HEADER_LEN], first;
    struct buf frame;
    enum err e = ERR_OK;
    if (log.file < 0) return ERR_IO;
    buf_init(&frame, FRAME_HEADER_LEN + PAGE_MAX);
    if (!take(&log, header, sizeof header, &e)) goto done; /* cut in the middle of its first write */
    if (!header_is_right(&log, header)) {
        if (take(&log, &first, 1, &e)) e = ERR_CORRUPT;
        goto done;
    }
    uint8_t *room = buf_extend(&frame, FRAME_HEADER_LEN + log.page_len);
    e = room == NULL ? ERR_NO_MEMORY : check_frames(&log, room);
done:
    buf_release(&frame);
    (void)close(log.file); /* was only read */
    return e;
}
