/* node.h — one running server: what its lanes share. Built by the command line, immutable while it runs,
 * except for the counters. */
#ifndef COATCHECK_SERVER_NODE_H
#define COATCHECK_SERVER_NODE_H

#include <stdatomic.h>

#include "config/config.h"
#include "server/clock.h"
#include "server/lane.h"
#include "service/keys.h"

#define NODE_LANES_MAX 64
#define CALL_SLOTS     16384 /* callers likewise */
#define PARKING_SLOTS  1024  /* peer addresses are counted by hash; two that share a slot share its limit */

struct page { /* a static page of `coatcheck dev`; absent in serve */
    struct bytes path, type, content;
};

struct document { /* what is served as it is, with the tag that tells its versions apart */
    struct bytes content, tag;
};

struct limits;
struct seats;
struct showroom;

struct node {
    const struct config *config;
    const struct host *host;
    struct clock clock;
    struct store *store;       /* owned from node_start on */
    struct keyring *ring;      /* the same; the newest: once the loops run, lane 0's */
    struct secret *master;     /* what the stored ring is wrapped under; the same */
    bool master_is_given;      /* by the environment, not by a file of the data folder */
    struct publication *facts; /* the first; lanes hold what came after */
    struct watch *watch;       /* lane 0's */
    struct prune *prune;       /* lane 0's */
    struct floor *floor;       /* the same */
    struct rotation *rotation; /* the same */
    struct tls *tls;           /* NULL: plain only */
    struct limits *limits;     /* of all lanes */
    struct seats *seats;       /* the same */
    const char *folder;        /* the data folder, absolute: the admin socket lies there; NULL: none */
    struct showroom *showroom; /* NULL but in `coatcheck dev` */
    const struct page *pages;
    size_t page_count;
    struct document openapi;      /* what /openapi.json answers */
    struct bytes id;              /* this node's name in events: a fresh uuid */
    unsigned lane_count, started; /* lanes made; of these, loops running */
    struct lane *lanes[NODE_LANES_MAX];
    int refused_port;               /* after a failed node_listen: which one it was */
    int port, tls_port, admin_port; /* as bound; tls_port 0 without TLS */
    _Atomic int64_t parked;         /* sockets, over all lanes */
    _Atomic int64_t parked_by_address[PARKING_SLOTS];
    uint64_t parking_seed;
    _Atomic int64_t calls; /* over all lanes: phone.h */
    _Atomic int32_t calls_by_caller[CALL_SLOTS];
    _Atomic uint64_t journeys; /* of sessions to other lanes, counted when they are under way */
    bool has_ended;            /* no loop runs any more: nobody opens letters */
    _Atomic bool is_ready, is_stopping;
};

/* Opens listeners: from then on ports are known and connections queue in the kernel. *why says what failed,
 * for the person who starts it. After a failure of either call: node_stop. */
MUST_USE enum err node_listen(struct node *node, const char **why);
/* Reads the facts and starts all loops. config must not change any more. */
MUST_USE enum err node_start(struct node *node, const char **why);
/* Takes no new work, lets answers under way finish (config stop_timeout_s), closes sockets with 1012, ends
 * the loops and frees what the node owns. */
void node_stop(struct node *node);

#endif
