#include "server/clock.h"

#include "base/log.h"

#define USE_GRAIN_MS 500 /* so that lanes do not fight for a cache line in each turn */

/* The wall first: a thread that is held up between the two readings takes the wall for earlier than it is,
 * which is harmless, and never for later, which would add up. */
static int64_t read_ahead_ms(int64_t *wall_ms, int64_t *since_boot_ms, const struct clock *clock)
{
    *wall_ms = clock->host->wall_ms(clock->host->state);
    *since_boot_ms = clock->host->since_boot_ms(clock->host->state);
    return *wall_ms - *since_boot_ms;
}

void clock_start(struct clock *clock, const struct host *host, int64_t floor_ms)
{
    int64_t wall_ms, since_boot_ms, ahead_ms;

    clock->host = host;
    clock->least_ms = floor_ms;
    ahead_ms = read_ahead_ms(&wall_ms, &since_boot_ms, clock);
    if (floor_ms - wall_ms > CLOCK_FLOOR_AHEAD_MS) {
        log_warn("clock_behind", log_number("by_ms", floor_ms - wall_ms),
                 log_text("fix", "set the clock; until it has caught up time goes on from the stored floor"));
        ahead_ms = floor_ms - since_boot_ms;
    }
    atomic_store(&clock->offset_ms, ahead_ms);
    atomic_store(&clock->step_ms, 0);
    atomic_store(&clock->used_ms, 0);
    atomic_store(&clock->floor_ms, floor_ms);
    atomic_store(&clock->has_ended, false);
}

static void note_step(struct clock *clock, int64_t step_ms)
{
    int64_t before_ms = atomic_load_explicit(&clock->step_ms, memory_order_relaxed);

    if (before_ms == step_ms) return;
    before_ms = atomic_exchange(&clock->step_ms, step_ms);
    if (!before_ms && step_ms)
        log_warn("clock_stepped", log_number("by_ms", step_ms),
                 log_text("fix", "if the clock is right now: coatcheck clock confirm; else set it back"));
    else if (before_ms && !step_ms)
        log_info("clock_came_back", log_number("by_ms", before_ms));
}

/* Grows to at least ahead_ms, whatever other lanes do meanwhile. */
static int64_t raise(struct clock *clock, int64_t ahead_ms)
{
    int64_t offset_ms = atomic_load(&clock->offset_ms);

    while (offset_ms < ahead_ms)
        if (atomic_compare_exchange_weak(&clock->offset_ms, &offset_ms, ahead_ms)) return ahead_ms;
    return offset_ms;
}

void clock_look(struct clock_reading *out, struct clock *clock)
{
    int64_t since_boot_ms, ahead_ms = read_ahead_ms(&out->wall_ms, &since_boot_ms, clock);
    int64_t offset_ms = atomic_load(&clock->offset_ms);

    out->step_ms = ahead_ms - offset_ms > CLOCK_STEP_MAX_MS ? ahead_ms - offset_ms : 0;
    note_step(clock, out->step_ms);
    if (!out->step_ms && ahead_ms > offset_ms) offset_ms = raise(clock, ahead_ms);
    out->now_ms = since_boot_ms + offset_ms;
    if (out->now_ms < clock->least_ms) out->now_ms = clock->least_ms;
}

void clock_use(struct clock *clock, int64_t now_ms)
{
    if (now_ms - atomic_load_explicit(&clock->used_ms, memory_order_relaxed) >= USE_GRAIN_MS)
        atomic_store_explicit(&clock->used_ms, now_ms, memory_order_relaxed);
}

int64_t clock_confirm(struct clock *clock)
{
    int64_t wall_ms, since_boot_ms, ahead_ms = read_ahead_ms(&wall_ms, &since_boot_ms, clock);
    int64_t step_ms = ahead_ms - atomic_load(&clock->offset_ms);

    if (step_ms <= CLOCK_STEP_MAX_MS) return 0;
    (void)raise(clock, ahead_ms);
    atomic_store(&clock->step_ms, 0);
    log_info("clock_confirmed", log_number("by_ms", step_ms));
    return step_ms;
}

void clock_end(struct clock *clock)
{
    atomic_store(&clock->has_ended, true);
}

int64_t clock_floor(void *state, int64_t stored_ms)
{
    struct clock *clock = state;
    int64_t used_ms = atomic_load_explicit(&clock->used_ms, memory_order_relaxed);
    bool has_ended = atomic_load(&clock->has_ended);
    struct clock_reading reading;

    if (!used_ms || (!has_ended && stored_ms - used_ms >= CLOCK_FLOOR_LOW_MS)) return stored_ms;
    clock_look(&reading, clock);
    reading.now_ms += has_ended ? 0 : CLOCK_FLOOR_AHEAD_MS;
    atomic_store_explicit(&clock->floor_ms, reading.now_ms, memory_order_relaxed);
    return reading.now_ms;
}
