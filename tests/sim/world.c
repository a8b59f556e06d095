#include "sim/world.h"
#include "sim/law_presence.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/law.h"
#include "sim/phones.h"
#include "sim/times.h"

#define AGENDA_MAX    8192
#define WALL_START_MS ((int64_t)1767225600000) /* 2026-01-01 */

struct world world;
bool world_is_traced;
bool world_aborts;

static struct item *agenda[AGENDA_MAX + 1]; /* a heap from 1 on */
static size_t agenda_count;

/* ---- choices ---- */

uint64_t roll(uint64_t limit)
{
    return dice_below(&world.dice, limit);
}

int64_t between(int64_t least, int64_t most)
{
    return least + (int64_t)roll((uint64_t)(most - least) + 1);
}

bool chance(unsigned percent)
{
    return roll(100) < percent;
}

int64_t delay_us(int64_t usual_us)
{
    unsigned kind = (unsigned)roll(100);

    if (kind < 70) return between(0, usual_us);
    if (kind < 97) return between(0, 8 * usual_us);
    return between(0, 200 * usual_us);
}

/* ---- clocks ---- */

int64_t world_mono_ms(void)
{
    return world.mono_us / 1000;
}

int64_t world_wall_ms(void)
{
    return WALL_START_MS + world_mono_ms() + world.slept_ms + world.wall_ahead_ms;
}

int64_t world_boot_ms(void)
{
    return world_mono_ms() + world.slept_ms + 1000; /* a machine has been up for a while */
}

static int64_t host_wall_ms(void *state)
{
    (void)state;
    return world_wall_ms();
}

static int64_t host_monotonic_ms(void *state)
{
    (void)state;
    return world_mono_ms() + 1000;
}

static int64_t host_since_boot_ms(void *state)
{
    (void)state;
    times_read(); /* the wall was read just before */
    return world_boot_ms();
}

/* ---- agenda ---- */

static bool comes_before(const struct item *a, const struct item *b)
{
    if (a->at_us != b->at_us) return a->at_us < b->at_us;
    return a->tie < b->tie;
}

static void place(struct item *item, size_t at)
{
    agenda[at] = item;
    item->place = at;
}

static void rise(struct item *item, size_t at)
{
    while (at > 1 && comes_before(item, agenda[at / 2])) {
        place(agenda[at / 2], at);
        at /= 2;
    }
    place(item, at);
}

static void sink(struct item *item, size_t at)
{
    for (;;) {
        size_t child = 2 * at;
        if (child > agenda_count) break;
        if (child < agenda_count && comes_before(agenda[child + 1], agenda[child])) child++;
        if (!comes_before(agenda[child], item)) break;
        place(agenda[child], at);
        at = child;
    }
    place(item, at);
}

void agenda_remove(struct item *item)
{
    size_t at = item->place;
    struct item *last;

    if (!at) return;
    item->place = 0;
    last = agenda[agenda_count--];
    if (last == item) return;
    rise(last, at);
    sink(last, last->place);
}

void agenda_put(struct item *item, int64_t in_us, void (*due)(struct item *))
{
    agenda_remove(item);
    if (agenda_count == AGENDA_MAX) abort(); /* a world this busy is a mistake of ours */
    item->at_us = world.mono_us + (in_us > 0 ? in_us : 0);
    item->tie = dice_u64(&world.dice);
    item->due = due;
    rise(item, ++agenda_count);
}

bool world_step(void)
{
    struct item *item;

    if (!agenda_count) return false;
    item = agenda[1];
    agenda_remove(item);
    if (item->at_us > world.mono_us) world.mono_us = item->at_us;
    world.steps++;
    item->due(item);
    times_check();
    law_check();
    return true;
}

/* ---- telling ---- */

static void tell(const char *what, const char *format, va_list arguments)
{
    char details[600];

    (void)vsnprintf(details, sizeof details, format, arguments);
    printf("%10.6f  %-18s %s\n", (double)world.mono_us / 1e6, what, details);
}

void trace_line(const char *what, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(what, format, arguments);
    va_end(arguments);
}

void world_fail(const char *law, const char *format, ...)
{
    va_list arguments;
    char details[600];

    va_start(arguments, format);
    (void)vsnprintf(details, sizeof details, format, arguments);
    va_end(arguments);
    printf("seed %" PRIu64 ", step %" PRIu64 ", %.6f s: BROKEN %s: %s\n", world.seed, world.steps,
           (double)world.mono_us / 1e6, law, details);
    fflush(stdout);
    if (world_aborts) abort();
    _exit(EXIT_LAW_BROKEN);
}

/* ---- beginning ---- */

static void draw_temper(struct temper *out)
{
    out->net_us = (int64_t[]){50, 1000, 20000}[roll(3)];
    out->disk_us = (int64_t[]){100, 3000, 50000}[roll(3)];
    out->faults = (unsigned[]){0, 20, 60}[roll(3)];
    out->has_crashes = chance(60);
    out->has_store_faults = chance(50);
    out->has_memory_faults = chance(40);
    out->has_clock_faults = chance(40);
}

void world_begin(uint64_t seed)
{
    memset(&world, 0, sizeof world);
    agenda_count = 0;
    world.seed = seed;
    world.dice = dice_from_seed(&world.dice_storage, seed * 2);
    world.host.wall_ms = host_wall_ms;
    world.host.monotonic_ms = host_monotonic_ms;
    world.host.since_boot_ms = host_since_boot_ms;
    world.host.dice = dice_from_seed(&world.node_dice_storage, seed * 2 + 1);
    (void)dice_u64(&world.dice); /* neighbouring seeds part at once */
    draw_temper(&world.temper);
    times_begin();
    phones_begin();
    law_presence_begin();
}
