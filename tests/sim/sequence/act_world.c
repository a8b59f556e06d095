/* act_world.c — what befalls the node between two messages: time, want of memory, a failing or slow store,
 * an operator, an end. */
#include "sim/memory.h"
#include "sim/node.h"
#include "sim/sequence/action.h"
#include "sim/times.h"

#define LIVES_MAX 3 /* of one sequence: a start is dear */

static void set_clock(int64_t by_ms)
{
    world.wall_ahead_ms += by_ms;
    world.clock_set_us = world.mono_us;
    times_check();
}

/* a: how; b, c: how far. The wall clock is set back or forward, the machine sleeps, or an operator says that
 * the clock is right. */
static void pass_time(const struct action *action)
{
    int64_t ms = (action->b + 1) * (int64_t[]){10, 1000, 60000, 600000}[action->c & 3];

    switch (action->a & 3) {
    case 0:
        set_clock(-ms);
        return;
    case 1:
        set_clock(ms);
        return;
    case 2:
        world.slept_ms += ms;
        world.clock_set_us = world.mono_us;
        return;
    default:
        world.clock_set_us = world.mono_us;
        node_confirm_clock();
        return;
    }
}

/* Only ever slower: what is on its way has been told its pace already. */
static void change_pace(const struct action *action)
{
    int64_t net_us = (int64_t[]){50, 50, 1000, 20000}[action->a & 3];
    int64_t disk_us = (int64_t[]){100, 100, 3000, 50000}[action->b & 3];

    if (net_us > world.temper.net_us) world.temper.net_us = net_us;
    if (disk_us > world.temper.disk_us) world.temper.disk_us = disk_us;
}

static void end_life(const struct action *action)
{
    if (node_life() >= LIVES_MAX) return;
    if (action->a & 1) {
        node_kill(action->b & 7);
        return;
    }
    node_want_restart();
    if (!node_wants_restart()) return;
    node_stop_now();
    node_boot();
}

bool act_on_world(const struct action *action)
{
    switch (action->verb) {
    case VERB_TIME:
        pass_time(action);
        return true;
    case VERB_MEMORY:
        if (node_is_up()) memory_fail(action->a & 63, (action->b & 3) + 1u);
        return true;
    case VERB_STORE:
        node_trouble_store();
        return true;
    case VERB_PACE:
        change_pace(action);
        return true;
    case VERB_KEY:
        node_toggle_key();
        return true;
    case VERB_LIFE:
        end_life(action);
        return true;
    default:
        return false;
    }
}
