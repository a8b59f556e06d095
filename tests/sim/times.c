#include "sim/times.h"

#include <string.h>

#include "sim/node.h"
#include "sim/world.h"

#define STEP_MAX_MS 300000
#define CATCH_UP_MS 5000 /* a wall clock this little before the floor is waited for */

static struct {
    int64_t least_ms, offset_ms; /* this process's floor; engine time against time since boot */
    bool is_first;               /* it has not looked yet */
    int64_t floor_ms;            /* on the disk */
    int64_t used_ms;             /* the latest that was decided by, in all lives */
    int64_t behind_us;           /* since when the disk's floor is behind that; 0: it is not */
    unsigned behind_trouble;
    int64_t stepped_since_us, stepped_last_us; /* 0: never */
} times;

void times_begin(void)
{
    memset(&times, 0, sizeof times);
}

static int64_t ahead_ms(void)
{
    return world_wall_ms() - world_boot_ms();
}

void times_boot(int64_t floor_ms)
{
    size_t i;

    times.is_first = true;
    times.least_ms = floor_ms;
    times.floor_ms = floor_ms;
    for (i = 0; i < model.token_count; i++) {
        struct token *token = &model.tokens[i];
        /* the floor had not followed yet when the process died: what was told since is not known any more */
        if (token->exp_s * 1000 > floor_ms) token->over_us = 0;
        if (token->iat_s * 1000 > floor_ms) token->is_lost = true;
    }
    if (times.used_ms <= floor_ms) return;
    trace("floor", "%lld ms are lost", (long long)(times.used_ms - floor_ms));
    times.used_ms = floor_ms;
    times.behind_us = 0;
}

void times_read(void)
{
    int64_t now_ahead_ms = ahead_ms();

    if (times.is_first)
        times.offset_ms =
            times.least_ms - world_wall_ms() > CATCH_UP_MS ? times.least_ms - world_boot_ms() : now_ahead_ms;
    else if (now_ahead_ms > times.offset_ms && now_ahead_ms - times.offset_ms <= STEP_MAX_MS)
        times.offset_ms = now_ahead_ms;
    times.is_first = false;
}

void times_confirm(void)
{
    if (times_are_stepped()) times.offset_ms = ahead_ms();
    times_check();
}

int64_t times_now_ms(void)
{
    int64_t offset_ms = times_are_stepped() || ahead_ms() < times.offset_ms ? times.offset_ms : ahead_ms();
    int64_t now_ms = world_boot_ms() + offset_ms;

    return now_ms < times.least_ms ? times.least_ms : now_ms;
}

void times_told(int64_t now_ms)
{
    if (now_ms != times_now_ms())
        world_fail("engine time goes on from the floor, and steps only when confirmed",
                   "it is %lld, told %lld", (long long)times_now_ms(), (long long)now_ms);
}

void times_used(int64_t now_ms)
{
    if (now_ms < times.used_ms)
        world_fail("engine time never runs backwards", "%lld ms", (long long)(times.used_ms - now_ms));
    times.used_ms = now_ms;
    if (now_ms <= times.floor_ms || times.behind_us) return;
    times.behind_us = world.mono_us;
    times.behind_trouble = world.trouble;
}

void times_floor(int64_t floor_ms)
{
    if (floor_ms > times_now_ms() + CATCH_UP_MS)
        world_fail("an unconfirmed time is not stored", "%lld ms ahead",
                   (long long)(floor_ms - times_now_ms()));
    times.floor_ms = floor_ms;
    if (times.used_ms <= floor_ms) times.behind_us = 0;
}

/* What a process has said must hold for the next one, which knows the floor alone. */
void times_stopped(bool had_trouble)
{
    if (times.used_ms > times.floor_ms && !had_trouble)
        world_fail("an orderly stop keeps the time", "%lld ms are lost",
                   (long long)(times.used_ms - times.floor_ms));
}

bool times_are_stepped(void)
{
    return !times.is_first && ahead_ms() - times.offset_ms > STEP_MAX_MS;
}

bool times_was_stepped(int64_t since_us)
{
    return times_are_stepped() || (times.stepped_last_us && times.stepped_last_us >= since_us);
}

bool times_is_stepped(int64_t since_us)
{
    return times_are_stepped() && times.stepped_since_us && times.stepped_since_us < since_us;
}

void times_stood_still(int64_t us)
{
    if (times.behind_us) times.behind_us += us;
}

/* A second until it is asked for, the asker's turn, two groups of a slow disk. */
static int64_t patience_us(void)
{
    return 2000000 + 2 * 200 * world.temper.disk_us;
}

void times_check(void)
{
    bool are_stepped = times_are_stepped();

    if (are_stepped && !times.stepped_since_us) times.stepped_since_us = world.mono_us;
    if (!are_stepped) times.stepped_since_us = 0;
    if (are_stepped) times.stepped_last_us = world.mono_us;
    if (!times.behind_us || !node_is_up() || node_is_stopping()) return;
    if (times.behind_trouble != world.trouble) { /* a failed commit is followed by another */
        times.behind_us = world.mono_us;
        times.behind_trouble = world.trouble;
    }
    if (world.mono_us - times.behind_us > patience_us())
        world_fail("the floor follows", "since %lld ms it is behind",
                   (long long)((world.mono_us - times.behind_us) / 1000));
}
