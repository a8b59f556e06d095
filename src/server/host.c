#include "server/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/secret.h"

/* A draw of the kernel costs about 200 ns whatever its size, most draws are 8 or 16 bytes: so each
 * thread keeps a few ahead. Below 256 bytes getrandom is all or nothing (getrandom(2)); the loop is
 * for larger ones. */
#define POOL_BYTES 512

static _Thread_local struct {
    uint8_t ahead[POOL_BYTES]; /* the last `left` bytes are unused, those before them wiped */
    size_t left;
} pool;

static void draw(uint8_t *out, size_t len)
{
    while (len) {
        ssize_t got = getrandom(out, len, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            fputs("the kernel gives no random bytes\n", stderr);
            abort();
        }
        out += got;
        len -= (size_t)got;
    }
}

static void fill(void *source, uint8_t *out, size_t len)
{
    (void)source;
    if (len > POOL_BYTES / 4) {
        draw(out, len);
        return;
    }
    if (pool.left < len) {
        draw(pool.ahead, POOL_BYTES);
        pool.left = POOL_BYTES;
    }
    uint8_t *next = pool.ahead + POOL_BYTES - pool.left;
    memcpy(out, next, len);
    secret_wipe(next, len); /* what was given out must not be found here later */
    pool.left -= len;
}

static int64_t read_clock_ms(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) != 0) abort(); /* these clocks exist on every kernel we run on */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t wall_ms(void *state)
{
    (void)state;
    return read_clock_ms(CLOCK_REALTIME);
}

static int64_t monotonic_ms(void *state)
{
    (void)state;
    return read_clock_ms(CLOCK_MONOTONIC);
}

static int64_t since_boot_ms(void *state)
{
    (void)state;
    return read_clock_ms(CLOCK_BOOTTIME);
}

static const struct host machine = {wall_ms, monotonic_ms, since_boot_ms, {fill, NULL}, NULL};

const struct host *host_machine(void)
{
    return &machine;
}
