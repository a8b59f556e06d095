#include "server/node.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "server/admin.h"
#include "server/admin_ask.h"
#include "server/conn.h"
#include "server/floor.h"
#include "server/limits.h"
#include "server/prune.h"
#include "server/rotation.h"
#include "server/seats.h"
#include "server/session.h"
#include "server/showroom.h"
#include "server/watch.h"

struct order { /* from the main thread to a lane */
    struct mail mail;
    struct lane *lane;
    struct watch *watch;
};

static unsigned lanes_wanted(const struct config *config)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (config->loops) return (unsigned)config->loops;
    return processors < 1 ? 1 : processors > NODE_LANES_MAX ? NODE_LANES_MAX : (unsigned)processors;
}

static enum err listen_on(struct node *node, struct lane *lane, enum lane_door door, int *port,
                          const char **why)
{
    struct listener_options options = {
        .host = door == DOOR_ADMIN ? "127.0.0.1" : node->config->host,
        .port = *port,
        .tls = door == DOOR_TLS ? node->tls : NULL,
        .must_be_free = lane == node->lanes[0] && *port != 0,
        /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): a node has one lane at least (lanes_wanted) */
        .streams_max = (unsigned)(node->config->connections_max / node->lane_count) + 1,
        .accept = door == DOOR_ADMIN ? conn_accept_admin : conn_accept,
        .state = lane,
    };
    enum err e = listener_open(&lane->listeners[door], lane->loop, &options, why);

    if (e)
        node->refused_port = *port;
    else
        *port = listener_port(lane->listeners[door]);
    return e;
}

static enum err listen_in_folder(struct node *node, const char **why)
{
    struct lane *lane = node->lanes[0];
    struct listener_options options = {
        .folder = node->folder,
        .name = ADMIN_SOCKET,
        .streams_max = 2 * ADMIN_CONNECTIONS_MAX, /* those that give way are still closing */
        .accept = admin_accept,
        .state = lane,
    };
    enum err e = listener_open(&lane->listeners[DOOR_FOLDER], lane->loop, &options, why);

    if (e == ERR_IO) {
        *why = "the data folder takes no socket file (" ADMIN_SOCKET ")";
        e = ERR_CONFIG;
    }
    return e;
}

/* So that who looks for a server here finds none at once. Whatever fails, the file says nothing by itself. */
static void remove_socket(const struct node *node)
{
    char path[PATH_MAX];

    if (node->folder && snprintf(path, sizeof path, "%s/" ADMIN_SOCKET, node->folder) < (int)sizeof path)
        (void)unlink(path);
}

static enum err listen_all(struct node *node, const char **why)
{
    unsigned i;
    enum err e;

    node->port = (int)node->config->port;
    node->tls_port = (int)node->config->tls_port;
    node->admin_port = (int)node->config->admin_port;
    for (i = 0; i < node->lane_count; i++) {
        if ((e = listen_on(node, node->lanes[i], DOOR_PLAIN, &node->port, why))) return e;
        if (node->tls && (e = listen_on(node, node->lanes[i], DOOR_TLS, &node->tls_port, why))) return e;
    }
    if (!node->tls) node->tls_port = 0;
    if ((e = listen_on(node, node->lanes[0], DOOR_ADMIN, &node->admin_port, why))) return e;
    return node->folder ? listen_in_folder(node, why) : ERR_OK;
}

enum err node_listen(struct node *node, const char **why)
{
    uint64_t seed = dice_u64(&node->host->dice);
    struct bytes word;
    unsigned i;
    enum err e;

    *why = "the floor of time cannot be read from the store";
    if ((e = floor_begin(node))) return e;
    *why = "there is not enough memory to start";
    if ((e = limits_new(&node->limits, seed)) || (e = seats_new(&node->seats, seed))) return e;
    *why = "the setting limits cannot be read: write name=per_minute/burst, as docs/operating.md lists them";
    if (!limits_set_all(node->limits, bytes_of_text(node->config->limits), &word)) return ERR_CONFIG;
    *why = "there is not enough memory to start";
    node->parking_seed = dice_u64(&node->host->dice);
    for (i = 0; i < lanes_wanted(node->config); i++) {
        if ((e = lane_new(&node->lanes[i], node, i))) return e;
        node->lane_count++;
    }
    return listen_all(node, why);
}

static void open_stop(struct mail *mail)
{
    struct order *order = (struct order *)mail;
    struct node *node = order->lane->node;

    if (order->lane == node->lanes[0]) {
        watch_stop(node->watch);
        prune_stop(node->prune);
        floor_stop(node->floor);
        rotation_stop(node->rotation);
    }
    lane_begin_stop(order->lane);
    free(order);
}

static enum err send_order(struct lane *lane, void (*open)(struct mail *))
{
    struct order *order = calloc(1, sizeof *order);

    if (!order) return ERR_NO_MEMORY;
    order->mail.open = open;
    order->lane = lane;
    loop_post(lane->loop, &order->mail);
    return ERR_OK;
}

static enum err publish_first(struct node *node)
{
    struct facts *facts;
    enum err e = node->store->ops->facts(node->store, &facts);

    if (e) return e;
    e = publication_new(&node->facts, facts, node->lane_count);
    if (e) facts_free(facts);
    return e;
}

/* Before the loops run: what was voided before is refused from the first request on. */
static enum err load_cutoffs(struct node *node)
{
    struct store_cutoffs *cutoffs;
    size_t i, j;
    enum err e = node->store->ops->cutoffs(node->store, &cutoffs);

    for (i = 0; !e && i < node->lane_count; i++)
        for (j = 0; !e && j < cutoffs->count; j++)
            e = service_take_cutoff(node->lanes[i]->service, &cutoffs->list[j]);
    store_cutoffs_free(cutoffs);
    return e;
}

enum err node_start(struct node *node, const char **why)
{
    unsigned i;
    enum err e;

    *why = "the facts cannot be read from the store";
    if ((e = publish_first(node))) return e;
    if (!node->facts->facts->project_count)
        log_warn("no_projects", log_text("data", node->folder ? node->folder : ""),
                 log_text("fix",
                          "is this the folder you meant? Nobody can be served before coatcheck project "
                          "create NAME --data FOLDER"));
    *why = "a loop cannot be started: not enough memory or threads";
    for (i = 0; i < node->lane_count; i++)
        if ((e = lane_open_service(node->lanes[i]))) return e;
    *why = "what was revoked cannot be read from the store";
    if ((e = load_cutoffs(node))) return e;
    *why = "a loop cannot be started: not enough memory or threads";
    if ((e = watch_start(&node->watch, node)) || (e = prune_start(&node->prune, node)) ||
        (e = floor_start(&node->floor, node)) || (e = rotation_start(&node->rotation, node)))
        return e;
    for (i = 0; i < node->lane_count; i++) {
        if ((e = loop_start(node->lanes[i]->loop))) return e;
        node->started++;
    }
    atomic_store(&node->is_ready, true);
    return ERR_OK;
}

void node_stop(struct node *node)
{
    unsigned i;

    atomic_store(&node->is_stopping, true);
    for (i = 0; i < node->started; i++)
        if (send_order(node->lanes[i], open_stop))
            loop_stop(node->lanes[i]->loop); /* no memory for a letter: stop hard */
    for (i = 0; i < node->started; i++)
        loop_join(node->lanes[i]->loop);
    for (i = 0; i < node->lane_count; i++)
        sessions_stop(node->lanes[i]); /* of a lane that was stopped hard */
    floor_end(node);
    /* the store finishes what waits, while the lanes' memory is still there to take the answers */
    if (node->store) node->store->ops->close(node->store);
    node->store = NULL;
    remove_socket(node);
    /* a last answer may be what the next question was to follow from */
    for (i = 0; i < node->lane_count; i++)
        if (node->lanes[i]->service) service_close_store(node->lanes[i]->service);
    /* The longest way that begins with an answer of the store, in letters: a removal's cutoff to every lane
     * and home, then the changed facts to lane 0 and home. Each may wait for the next round, the first is
     * opened in this one. */
    for (i = 0; i < 6 * node->lane_count; i++)
        loop_drain(node->lanes[i % node->lane_count]->loop);
    watch_free(node->watch);
    node->watch = NULL;
    rotation_free(node->rotation);
    node->rotation = NULL;
    prune_free(node->prune);
    node->prune = NULL;
    floor_free(node->floor);
    node->floor = NULL;
    /* what the watch ended may have gone home to other lanes */
    for (i = 0; i < node->lane_count; i++)
        loop_drain(node->lanes[i]->loop);
    node->has_ended = true;
    for (i = 0; i < node->lane_count; i++) {
        /* after a start that failed: the part of a lane that never took it */
        if (node->facts && !node->lanes[i]->service) publication_let_go(node->facts);
        lane_free(node->lanes[i]);
    }
    node->lane_count = node->started = 0;
    node->has_ended = false;
    limits_free(node->limits);
    node->limits = NULL;
    seats_free(node->seats);
    node->seats = NULL;
    showroom_free(node->showroom);
    node->showroom = NULL;
    keyring_free(node->ring);
    secret_free(node->master);
    node->ring = NULL;
    node->master = NULL;
}
