#include "sim/fault.h"

#include "sim/memory.h"
#include "sim/node.h"
#include "sim/world.h"

static struct item next;

/* Set back, set forward, or a process that stood still: everything that was due comes late. */
static void move_clock(void)
{
    int64_t by_ms = between(1, 100) * (int64_t[]){10, 1000, 10000}[roll(3)];

    switch (roll(3)) {
    case 0:
        world.wall_ahead_ms -= by_ms;
        trace("clock", "set back by %lld ms", (long long)by_ms);
        return;
    case 1:
        world.wall_ahead_ms += by_ms;
        world.clock_set_us = world.mono_us;
        trace("clock", "set forward by %lld ms", (long long)by_ms);
        return;
    default:
        world.mono_us += by_ms % 5000 * 1000;
        trace("clock", "stands still for %lld ms", (long long)by_ms % 5000);
        return;
    }
}

static void starve(void)
{
    if (world.temper.has_memory_faults && node_is_up())
        memory_fail((unsigned)roll(chance(50) ? 6 : 40), (unsigned)between(1, 4));
}

static void strike(void)
{
    const struct temper *temper = &world.temper;

    switch (roll(6)) {
    case 0:
        if (temper->has_crashes) node_kill((unsigned)roll(8));
        return;
    case 1:
        if (temper->has_crashes) node_want_restart();
        return;
    case 2:
        if (temper->has_store_faults) node_trouble_store();
        return;
    case 3:
        starve();
        return;
    case 4:
        if (temper->has_clock_faults) move_clock();
        return;
    default:
        node_toggle_key();
        return;
    }
}

static void on_next(struct item *item)
{
    if (chance(world.temper.faults)) strike();
    if (chance(world.temper.faults))
        starve(); /* each allocation has a path of its own: there are many to try */
    agenda_put(item, between(0, chance(50) ? 100000 : 10000000), on_next);
}

void faults_begin(void)
{
    next = (struct item){0};
    agenda_put(&next, between(0, 5000000), on_next);
}

void faults_end(void)
{
    agenda_remove(&next);
    memory_fail(0, 0);
}
