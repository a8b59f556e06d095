#include "server/clock.h"

#include <pthread.h>

#include "harness/check.h"

#define T    ((int64_t)1767225600000)
#define MIN  ((int64_t)60000)
#define HOUR (60 * MIN)
#define DAY  (24 * HOUR)

/* A host whose clocks stand where the test puts them; monotonic_ms is not for clock.c. */
static _Atomic int64_t wall_ms, boot_ms;

static int64_t read_wall_ms(void *state)
{
    (void)state;
    return wall_ms;
}

static int64_t read_boot_ms(void *state)
{
    (void)state;
    return boot_ms;
}

static const struct host host = {read_wall_ms, NULL, read_boot_ms, {NULL, NULL}, NULL};
static struct clock node_clock;

static struct clock_reading read_now(void)
{
    struct clock_reading reading;
    clock_look(&reading, &node_clock);
    return reading;
}

static void start(int64_t wall, int64_t floor_ms)
{
    wall_ms = wall;
    boot_ms = 1000;
    clock_start(&node_clock, &host, floor_ms);
}

/* Both clocks go on by by_ms, then somebody sets the wall by set_ms. */
static void pass(int64_t by_ms, int64_t set_ms)
{
    boot_ms += by_ms;
    wall_ms += by_ms + set_ms;
}

static void follows_or_goes_on(void)
{
    static const struct {
        const char *name;
        int64_t by_ms, set_ms; /* what happens */
        int64_t now_ms;        /* engine time afterwards, from T */
        int64_t step_ms;
    } rows[] = {
        {"time passes", 1000, 0, 1000, 0},
        {"set back by an hour", 1000, -HOUR, 2000, 0},
        {"still set back", 5000, 0, 7000, 0},
        {"right again", 0, HOUR, 7000, 0},
        {"a leap second", 0, -1000, 7000, 0},
        {"and time passes", 999, 0, 7999, 0},
        {"a little too much", 0, 1001, 8000, 0},
        {"five minutes forward", 0, 5 * MIN, 8000 + 5 * MIN, 0},
        {"a day in which the machine slept", DAY, 0, 8000 + 5 * MIN + DAY, 0},
        {"more than five minutes forward", 0, 5 * MIN + 1, 8000 + 5 * MIN + DAY, 5 * MIN + 1},
        {"and it stays so", 1000, 0, 9000 + 5 * MIN + DAY, 5 * MIN + 1},
        {"and on", 0, HOUR, 9000 + 5 * MIN + DAY, HOUR + 5 * MIN + 1},
        {"it comes back by itself", 1000, -HOUR - 5 * MIN, 10001 + 5 * MIN + DAY, 0},
    };
    start(T, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_NOTE("%s", rows[i].name);
        pass(rows[i].by_ms, rows[i].set_ms);
        CHECK_INT(read_now().now_ms - T, rows[i].now_ms);
        CHECK_INT(read_now().step_ms, rows[i].step_ms);
        CHECK_INT(read_now().wall_ms, wall_ms);
    }
}

static void waits_for_a_confirmation(void)
{
    start(T, 0);
    CHECK_INT(clock_confirm(&node_clock), 0); /* there is nothing to confirm */
    pass(1000, 5 * MIN);
    CHECK_INT(clock_confirm(&node_clock), 0); /* not either: this much is followed by itself */
    CHECK_INT(read_now().now_ms, T + 1000 + 5 * MIN);
    pass(0, DAY);
    CHECK_INT(read_now().step_ms, DAY);
    pass(2000, 0);
    CHECK_INT(clock_confirm(&node_clock), DAY);
    CHECK_INT(read_now().now_ms, wall_ms);
    CHECK_INT(read_now().step_ms, 0);
    CHECK_INT(clock_confirm(&node_clock), 0);
    pass(1000, -2 * DAY); /* it was wrong after all: what was confirmed stays */
    CHECK_INT(read_now().now_ms, T + 4000 + 5 * MIN + DAY);
}

static void goes_on_from_the_floor(void)
{
    static const struct {
        const char *name;
        int64_t floor_ms;          /* from T, where the wall clock stands at the start */
        int64_t at_once, later_ms; /* engine time, from T; and 10 s later */
    } rows[] = {
        {"no floor yet", -T, 0, 10000},
        {"the machine was off for years", -3650 * DAY, 0, 10000},
        {"just passed", -1, 0, 10000},
        {"reached", 0, 0, 10000},
        {"after a crash it stands still a while", 1, 1, 10000},
        {"as long as the floor was ahead", CLOCK_FLOOR_AHEAD_MS, CLOCK_FLOOR_AHEAD_MS, 10000},
        {"further ahead, it goes on from there", CLOCK_FLOOR_AHEAD_MS + 1, CLOCK_FLOOR_AHEAD_MS + 1,
         CLOCK_FLOOR_AHEAD_MS + 10001},
        {"an hour", HOUR, HOUR, HOUR + 10000},
        {"a year", 365 * DAY, 365 * DAY, 365 * DAY + 10000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_NOTE("%s", rows[i].name);
        start(T, T + rows[i].floor_ms);
        CHECK_INT(read_now().now_ms, T + rows[i].at_once);
        CHECK_INT(read_now().step_ms, 0);
        pass(10000, 0);
        CHECK_INT(read_now().now_ms, T + rows[i].later_ms);
    }
    pass(0, 365 * DAY + 4 * MIN); /* the wall clock passes the floor: it is followed again */
    CHECK_INT(read_now().now_ms, wall_ms);
    pass(0, 365 * DAY);
    CHECK_INT(read_now().step_ms, 365 * DAY);
}

static void lets_the_floor_follow_what_is_decided(void)
{
    start(T, T - DAY);
    CHECK_INT(clock_floor(&node_clock, T - DAY), T - DAY); /* nobody has decided anything */
    (void)read_now();
    CHECK_INT(clock_floor(&node_clock, T - DAY), T - DAY); /* to look is not to decide */
    clock_use(&node_clock, read_now().now_ms);
    CHECK_INT(clock_floor(&node_clock, T - DAY), T + CLOCK_FLOOR_AHEAD_MS);
    CHECK_INT(atomic_load(&node_clock.floor_ms), T + CLOCK_FLOOR_AHEAD_MS);
    CHECK_INT(clock_floor(&node_clock, T - DAY), T + CLOCK_FLOOR_AHEAD_MS); /* the commit failed: again */
    CHECK_INT(clock_floor(&node_clock, T + CLOCK_FLOOR_LOW_MS), T + CLOCK_FLOOR_LOW_MS); /* far enough */
    CHECK_INT(clock_floor(&node_clock, T + CLOCK_FLOOR_LOW_MS - 1), T + CLOCK_FLOOR_AHEAD_MS);
    pass(HOUR, 0); /* nothing happens for an hour */
    CHECK_INT(clock_floor(&node_clock, T + CLOCK_FLOOR_AHEAD_MS), T + CLOCK_FLOOR_AHEAD_MS);
    clock_use(&node_clock, read_now().now_ms);
    CHECK_INT(clock_floor(&node_clock, T + CLOCK_FLOOR_AHEAD_MS), T + HOUR + CLOCK_FLOOR_AHEAD_MS);
    pass(0, DAY); /* unconfirmed: it is not stored */
    clock_use(&node_clock, read_now().now_ms);
    CHECK_INT(clock_floor(&node_clock, T), T + HOUR + CLOCK_FLOOR_AHEAD_MS);
    CHECK_INT(clock_confirm(&node_clock), DAY);
    clock_use(&node_clock, read_now().now_ms);
    CHECK_INT(clock_floor(&node_clock, T), T + DAY + HOUR + CLOCK_FLOOR_AHEAD_MS);
    pass(1000, 0);
    clock_end(&node_clock);
    CHECK_INT(clock_floor(&node_clock, T + DAY + HOUR + CLOCK_FLOOR_AHEAD_MS), T + DAY + HOUR + 1000);
}

static void leaves_the_floor_when_it_ends_unused(void)
{
    start(T, T + HOUR);
    clock_end(&node_clock);
    CHECK_INT(clock_floor(&node_clock, T + HOUR), T + HOUR);
}

/* ---- lanes ---- */

#define READINGS 200000

static void *watch_time(void *state)
{
    struct clock *clock = state;
    struct clock_reading reading;
    int64_t before_ms = 0, backwards = 0;
    for (int i = 0; i < READINGS; i++) {
        clock_look(&reading, clock);
        clock_use(clock, reading.now_ms);
        backwards += reading.now_ms < before_ms;
        before_ms = reading.now_ms;
    }
    return backwards ? state : NULL;
}

static void runs_forward_on_every_thread(void)
{
    pthread_t lanes[3];
    void *ran_backwards;
    start(T, 0);
    for (size_t i = 0; i < 3; i++)
        CHECK(pthread_create(&lanes[i], NULL, watch_time, &node_clock) == 0);
    for (int i = 0; i < READINGS; i++) { /* to and fro: each forward swing is a little higher */
        boot_ms += i % 64 == 0;
        wall_ms += i % 2 ? 1001 : -1000;
    }
    for (size_t i = 0; i < 3; i++) {
        CHECK(pthread_join(lanes[i], &ran_backwards) == 0);
        CHECK(ran_backwards == NULL);
    }
    CHECK(clock_floor(&node_clock, 0) > T);
}

int main(void)
{
    CHECK_RUN(follows_or_goes_on);
    CHECK_RUN(waits_for_a_confirmation);
    CHECK_RUN(goes_on_from_the_floor);
    CHECK_RUN(lets_the_floor_follow_what_is_decided);
    CHECK_RUN(leaves_the_floor_when_it_ends_unused);
    CHECK_RUN(runs_forward_on_every_thread);
    return CHECK_END();
}
