#include "sim/node.h"
#include "sim/sessions.h"

#include <stdio.h>
#include <string.h>

#include "server/conn.h"
#include "server/rotation.h"
#include "server/tls.h"
#include "sim/interview.h"
#include "sim/law.h"
#include "sim/link.h"
#include "sim/loop_sim.h"
#include "sim/memory.h"
#include "sim/model.h"
#include "sim/operator.h"
#include "sim/times.h"

static struct {
    struct node node;
    struct config config;
    char id[UUID_TEXT_LEN];
    bool has_lanes, is_up, is_stopping, is_dead, wants_restart, is_founded;
    bool is_dying;
    unsigned doors_left; /* until it is dead */
    unsigned life;
    struct item again;
    struct ring_ask order; /* an operator's, to the key ring */
    struct mail order_mail;
    bool has_order;
} sim;

/* ---- doors ---- */

bool door_opens(void)
{
    if (sim.is_dying && !sim.is_dead && !sim.doors_left--) sim.is_dead = true;
    return !sim.is_dead;
}

struct listener *node_listener(void)
{
    struct listener *listener;
    const struct lane *lane;

    if (!sim.is_up || sim.is_dead) return NULL;
    lane = sim.node.lanes[roll(sim.node.lane_count)];
    for (listener = lane->loop->listeners; listener; listener = listener->next)
        if (listener->accept == conn_accept) return listener;
    return NULL;
}

/* ---- life ---- */

void node_prepare(void)
{
    struct config *config = &sim.config;

    memset(&sim, 0, sizeof sim);
    config_defaults(config);
    config->loops = between(1, 2);
    config->connections_max = between(16, 40);
    config->users_cached_max = between(1, 20);
    config->parked_max = between(1, 6);
    config->parked_per_address_max = between(1, 4);
    config->ping_interval_s = between(5, 20);
    config->ping_timeout_s = config->ping_interval_s * between(2, 5);
    config->park_s = between(20, 300);
    config->session_lapse_s = between(5, 120);
    (void)snprintf(config->public_url, sizeof config->public_url, SIM_URL);
    (void)snprintf(config->ch, sizeof config->ch, "puc.coat.test");
}

struct config *node_settings(void)
{
    return &sim.config;
}

void node_is_founded(void)
{
    sim.is_founded = true;
}

static void retry(struct item *item)
{
    (void)item;
    node_boot();
}

/* Opens the data and, in a first life, writes the projects. False: no memory. */
static enum err open_data(void)
{
    const char *why;
    enum memory_owner before;
    enum err e = disk_store_open(&sim.node.store);

    if (e) return e;
    before = memory_enter(MEMORY_NODE);
    sim.node.master = secret_new();
    if (!sim.node.master) {
        memory_leave(before);
        return ERR_NO_MEMORY;
    }
    sim.node.master->len = 32;
    memset(sim.node.master->data, 7, sim.node.master->len);
    e = keyring_open(&sim.node.ring, sim.node.store, sim.node.master, &world.host.dice, world_wall_ms(),
                     &why);
    memory_leave(before);
    if (!e && !sim.is_founded) {
        model_found(sim.node.store, sim.node.ring);
        sim.is_founded = true;
    }
    return e;
}

/* What takes many to bring about, a few do. */
static void shrink_crowds(void)
{
    unsigned i;

    for (i = 0; i < sim.node.lane_count; i++) {
        if (world.seed % 2) sim.node.lanes[i]->wave_most = 1;
        if (world.seed / 2 % 2) sim.node.lanes[i]->looks_per_turn = 1;
    }
}

static enum err start(void)
{
    enum memory_owner before;
    const char *why;
    enum err e;

    sim.node = (struct node){.config = &sim.config, .host = &world.host};
    sim.node.id = bytes_of(sim.id, sizeof sim.id);
    memcpy(sim.id, "00000000-0000-4000-8000-000000000001", sizeof sim.id);
    if ((e = open_data())) return e;
    times_boot(disk_floor_ms());
    interviews_boot(disk_floor_ms());
    disk_store_goes_live(sim.node.store);
    if (sim.life > 1 && world.temper.has_memory_faults && chance(20))
        memory_fail((unsigned)roll(60), (unsigned)between(1, 3));
    before = memory_enter(MEMORY_NODE);
    e = node_listen(&sim.node, &why);
    if (!e) shrink_crowds();
    if (!e) e = node_start(&sim.node, &why);
    memory_leave(before);
    return e;
}

void node_boot(void)
{
    enum err e;

    sim.life++;
    sim.is_up = sim.is_dying = sim.is_dead = sim.wants_restart = sim.has_order = false;
    trace("node", "starts, life %u", sim.life);
    operator_boot();
    voided_boot();
    e = start();
    memory_fail(0, 0);
    sim.has_lanes = sim.is_up = !e;
    if (!e) return;
    trace("node", "cannot start: %s", err_name(e));
    sim.has_lanes = true; /* what there is of them is put away */
    node_stop_now();
    agenda_put(&sim.again, 1000000, retry);
}

static void check_nothing_left(void)
{
    if (!memory_node_blocks()) return;
    memory_tell_blocks();
    world_fail("nothing leaks", "%zu blocks are left when the node has stopped", memory_node_blocks());
}

void node_stop_now(void)
{
    enum memory_owner before;
    unsigned trouble = world.trouble;

    if (!sim.has_lanes) return;
    trace("node", "stops");
    sim.is_stopping = true;
    before = memory_enter(MEMORY_NODE);
    node_stop(&sim.node);
    memory_leave(before);
    sim.is_stopping = sim.has_lanes = sim.is_up = sim.is_dying = sim.is_dead = sim.wants_restart = false;
    memory_fail(0, 0);
    check_nothing_left();
    times_stopped(world.trouble > trouble);
}

/* ---- death ---- */

/* The process's memory is swept away; what lives in the crypto library is not ours to sweep and is put back
 * first. */
static void vanish(void)
{
    enum memory_owner before;
    unsigned i;

    disk_store_crash(sim.node.store); /* what it still writes may point into a bench of keys */
    before = memory_enter(MEMORY_NODE);
    for (i = 0; i < sim.node.lane_count; i++)
        service_free(sim.node.lanes[i]->service);
    keyring_free(sim.node.ring);
    secret_free(sim.node.master);
    memory_leave(before);
    for (i = 0; i < sim.node.lane_count; i++)
        loop_vanish(sim.node.lanes[i]->loop);
    memory_sweep();
}

void node_crash_if_dead(void)
{
    if (!sim.has_lanes || sim.is_stopping) return;
    if (sim.is_dying && !sim.doors_left) sim.is_dead = true;
    if (!sim.is_dead) return;
    trace("node", "is killed");
    vanish();
    sim.has_lanes = sim.is_up = sim.is_dying = sim.is_dead = false;
    agenda_put(&sim.again, between(0, 3000000), retry);
}

void node_end(void)
{
    if (sim.is_dying) sim.is_dead = true;
    node_crash_if_dead();
    node_stop_now();
    agenda_remove(&sim.again);
}

void node_kill(unsigned doors)
{
    if (!sim.is_up || sim.is_stopping || sim.is_dying) return;
    sim.is_dying = true;
    sim.doors_left = doors;
}

void node_want_restart(void)
{
    if (sim.is_up && !sim.is_stopping && !sim.is_dying) sim.wants_restart = true;
}

bool node_wants_restart(void)
{
    return sim.wants_restart && sim.is_up && !sim.is_dying;
}

/* ---- what others ask ---- */

void node_toggle_key(void)
{
    if (sim.is_up && !sim.is_stopping && !sim.is_dying)
        model_toggle_key(sim.node.store, (unsigned)roll(PROJECTS));
}

static void ordered(struct ring_ask *ask, enum err error)
{
    sim.has_order = false;
    sessions_rotated();
    trace("operator", "rotated: %s, %s", err_name(error), ring_no_text(ask->plan.no));
}

static void open_order(struct mail *mail)
{
    (void)mail;
    if (sim.node.rotation)
        rotation_ask(sim.node.rotation, &sim.order);
    else
        sim.has_order = false;
}

/* No token may become unverifiable by it: tokens are shown as long as they live, whoever signed them. */
void node_rotate_ring(void)
{
    if (!sim.is_up || sim.is_stopping || sim.is_dying || sim.is_dead || sim.has_order) return;
    sim.order = (struct ring_ask){.job = RING_JOB_STEPS,
                                  .order = {.want = RING_WANT_ROTATE,
                                            .use = chance(50) ? RING_SIGN : RING_SEAL,
                                            .is_emergency = chance(80)},
                                  .done = ordered};
    sim.order_mail.open = open_order;
    sim.has_order = true;
    sessions_rotated();
    trace("operator", "rotates the %s keys", ring_use_text(sim.order.order.use));
    loop_post(sim.node.lanes[0]->loop, &sim.order_mail);
}

void node_confirm_clock(void)
{
    if (!sim.is_up || sim.is_stopping) return;
    times_confirm();
    (void)clock_confirm(&sim.node.clock);
}

/* A lane keeps its buffers from one reply to the next, and soon needs no memory for any: here each asks anew,
 * and may get none. */
void node_drop_buffers(void)
{
    unsigned i;

    if (!sim.has_lanes || !world.temper.has_memory_faults || world.seed / 4 % 2) return;
    for (i = 0; i < sim.node.lane_count; i++) {
        struct lane *lane = sim.node.lanes[i];
        buf_release(&lane->out);
        buf_release(&lane->body);
        buf_release(&lane->fields);
    }
}

void node_trouble_store(void)
{
    if (sim.is_up && !sim.is_stopping) disk_store_trouble(sim.node.store);
}

bool node_is_up(void)
{
    return sim.is_up && !sim.is_dead;
}

bool node_is_stopping(void)
{
    return sim.is_stopping;
}

unsigned node_life(void)
{
    return sim.life;
}

struct node *node_running(void)
{
    return sim.has_lanes && !sim.is_dead ? &sim.node : NULL;
}

const struct config *node_config(void)
{
    return &sim.config;
}

bool node_parking_is_full(const struct loop *loop, const char *peer)
{
    return !lane_may_park(sim.node.lanes[loop->index], peer);
}
