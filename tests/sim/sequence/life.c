/* life.c — one node's life for one sequence. The projects are written once a process; every life begins on a
 * disk that has them, so that no key is drawn or hashed anew. */
#include "base/log.h"
#include "sim/disk.h"
#include "sim/loop_sim.h"
#include "sim/memory.h"
#include "sim/node.h"
#include "sim/sequence/action.h"

#define MINUTE_US 60000000
#define REST_US   45000000 /* more than any answer can take */

static void take_line(void *state, enum log_level level, const char *line, size_t len)
{
    enum memory_owner before = memory_enter(MEMORY_SIM);

    (void)state;
    (void)level;
    trace("  log", "%.*s", (int)(len ? len - 1 : 0), line);
    secrets_take_line(bytes_of(line, len));
    memory_leave(before);
}

static int64_t log_clock(void *state)
{
    (void)state;
    return world_wall_ms();
}

static void stay_calm(void)
{
    world.temper = (struct temper){.net_us = 50, .disk_us = 100};
    memory_fail(0, 0);
}

static void found(void)
{
    world_begin(0);
    stay_calm();
    model_reset();
    disk_begin();
    node_prepare();
    node_boot();
    node_end();
    disk_keep_founding();
}

void life_begin(uint8_t seed)
{
    world_begin(1 + (uint64_t)seed);
    stay_calm();
    world.mono_us = MINUTE_US;
    disk_rewind();
    model_rewind();
    secrets_begin();
    parties_begin();
    node_prepare();
    node_is_founded();
    node_boot();
}

static bool is_owed(const struct request *request)
{
    return request->delivered_ms != INT64_MIN && world.trouble == request->trouble &&
           request->life == node_life();
}

static void check_all_answered(const struct link *link)
{
    const struct tap *tap = &link->tap;
    const struct request *request = tap->unanswered;
    const struct call *call;

    if (tap->is_wild || !link->stream || link->stream->phase != STREAM_LIVE) return;
    if (tap->session == TAP_HTTP && request && is_owed(request))
        world_fail("a whole request is answered", "link %u", link->number);
    if (tap->session != TAP_OPENING && tap->session != TAP_LIVE) return;
    for (call = tap->calls; call; call = call->next)
        if (!call->is_answered && call->delivered_ms != INT64_MIN && world.trouble == call->trouble)
            world_fail("one reply a call, in order", "link %u: none to \"%s\"", link->number, call->id);
}

void life_end(void)
{
    const struct link *link;

    memory_fail(0, 0);
    run_for(world.temper.disk_us < 50000 ? REST_US / 3 : REST_US);
    for (link = links; link; link = link->next)
        check_all_answered(link);
    node_end();
    secrets_end();
    links_end();
    parties_end();
}

void lives_prepare(void)
{
    static bool is_done;

    if (is_done) return;
    is_done = true;
    world_aborts = true;
    memory_begin();
    model_begin();
    log_open(take_line, log_clock, NULL, LOG_DEBUG);
    found();
}
