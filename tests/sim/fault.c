#include "sim/fault.h"

#include "sim/memory.h"
#include "sim/node.h"
#include "sim/times.h"
#include "sim/world.h"

static struct item next, operator_comes;

static void set_clock(int64_t by_ms)
{
    world.wall_ahead_ms += by_ms;
    world.clock_set_us = world.mono_us;
    trace("clock", "set by %lld ms", (long long)by_ms);
    times_check();
}

/* Looks why nothing is granted: the clock is right now, or it is wrong and is put right. */
static void on_operator(struct item *item)
{
    (void)item;
    if (!times_are_stepped()) return;
    if (chance(30)) {
        set_clock(-between(300000, 100000000));
        return;
    }
    trace("operator", "confirms the clock");
    world.clock_set_us = world.mono_us;
    node_confirm_clock();
}

/* Set back, set forward, a lid that was closed, or a process that stood still: everything that was due comes
 * late. */
static void move_clock(void)
{
    int64_t by_ms = between(1, 100) * (int64_t[]){10, 1000, 10000, 1000000}[roll(4)];

    switch (roll(4)) {
    case 0:
        set_clock(-by_ms);
        return;
    case 1:
        set_clock(by_ms);
        if (!operator_comes.place && chance(90))
            agenda_put(&operator_comes, between(0, 30000000), on_operator);
        return;
    case 2:
        world.slept_ms += by_ms;
        world.clock_set_us = world.mono_us;
        trace("clock", "the machine slept for %lld ms", (long long)by_ms);
        return;
    default:
        world.mono_us += by_ms % 5000 * 1000;
        times_stood_still(by_ms % 5000 * 1000);
        trace("clock", "stands still for %lld ms", (long long)by_ms % 5000);
        return;
    }
}

static void starve(void)
{
    if (!world.temper.has_memory_faults || !node_is_up()) return;
    if (chance(25)) /* what a reply is written to is larger than what is read into */
        memory_fail_large(256, (unsigned)roll(6), (unsigned)between(1, 2));
    else
        memory_fail((unsigned)roll(chance(50) ? 6 : 40), (unsigned)between(1, 4));
}

static void strike(void)
{
    const struct temper *temper = &world.temper;

    switch (roll(7)) {
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
    case 5:
        node_rotate_ring();
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
    next = operator_comes = (struct item){0};
    agenda_put(&next, between(0, 5000000), on_next);
}

void faults_end(void)
{
    agenda_remove(&next);
    agenda_remove(&operator_comes);
    memory_fail(0, 0);
}
