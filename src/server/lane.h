/* lane.h — one loop and everything that lives on it: service, connections, sockets, scratch memory, counters.
 * Nothing here is touched from another thread but by mail; counters are read from anywhere. */
#ifndef COATCHECK_SERVER_LANE_H
#define COATCHECK_SERVER_LANE_H

#include <stdatomic.h>

#include "server/listener.h"
#include "server/loop.h"
#include "server/records.h"
#include "server/session_index.h"
#include "server/session_names.h"
#include "service/service.h"

struct admin;
struct asking;
struct call;
struct conn;
struct cuts;
struct exchange;
struct flow;
struct node;
struct presence_round;
struct session_fetch;
struct socket;

/* A revocation may change that of thousands of users at once; pages that nobody touches are not there. */
#define LANE_PRESENCES 4096

/* A connect costs a signature's check, or two, and an encrypted state: about a tenth of a millisecond. When
 * a crowd comes at once, others' calls get their turn behind so many of them: see socket_wave.c. */
#define CONNECTS_PER_TURN 16

enum lane_counter {
    COUNT_REQUESTS,
    COUNT_REFUSED,
    COUNT_MINTED,
    COUNT_UPGRADES,
    COUNT_CONNECTS_GRANTED,
    COUNT_CONNECTS_REFUSED,
    COUNT_SESSIONS_LIVE,
    COUNT_SESSIONS_DETACHED,
    COUNT_SESSIONS_REGISTERED,
    COUNT_PARKED,
    COUNT_CALLS,
    COUNT_CONNECTIONS,
    LANE_COUNTERS
};

enum lane_door { DOOR_PLAIN, DOOR_TLS, DOOR_ADMIN, DOOR_FOLDER, LANE_DOORS }; /* the last two: of lane 0 */

struct lane {
    struct node *node;
    struct loop *loop;
    struct service *service;
    struct listener *listeners[LANE_DOORS]; /* NULL: closed */
    struct records *records;                /* of refusals */
    struct flow *flow;                      /* of what passes; NULL but in `coatcheck dev` */
    struct admin *admins;                   /* connections of the admin socket */
    uint64_t admin_serial;                  /* of the latest of them */
    struct conn *conns;                     /* all HTTP connections */
    struct socket *sockets;                 /* all WebSockets */
    struct session_names names;             /* all sessions, by name */
    struct session_index index;             /* the same, by what a cutoff can name */
    struct session_fetch *probing;          /* who waits here for a socket's answer */
    uint64_t probes;                        /* so many sockets were asked whether their peer is there */
    struct asking *wave, **wave_end;        /* connects that wait for a turn, in order */
    unsigned wave_decided;                  /* in this turn */
    unsigned wave_most;                     /* CONNECTS_PER_TURN */
    unsigned looks_per_turn;                /* SESSIONS_PER_TURN */
    struct mail wave_turn;                  /* begins the next one: under way when so many were decided */
    struct call *calls;                     /* that were dialled here */
    struct cuts *cuts;                      /* cutoffs on their way from here */
    struct presence_round *presences[LANE_PRESENCES]; /* by user */
    struct exchange *spare;                           /* exchanges not in use */
    unsigned spare_count;
    struct buf out, body, fields; /* scratch of one reply; empty between turns */
    char date[30];                /* IMF-fixdate of date_s */
    int64_t date_s;
    struct deadline stop_deadline;
    struct deadline drain_deadline;    /* the next sockets to be closed */
    int64_t drained_ms;                /* monotonic: when the last of them shall be */
    int64_t drain_crowd, drain_closed; /* sockets when the stop began; of those closed since */
    bool is_stopping;
    _Atomic bool is_out_of_time; /* stopping took too long: what has not begun on a pool thread never does */
    _Atomic int64_t counters[LANE_COUNTERS];
};

/* a loop without a service yet */
MUST_USE enum err lane_new(struct lane **out, struct node *node, unsigned index);
/* takes its part of node->facts; before the loop starts */
MUST_USE enum err lane_open_service(struct lane *lane);
void lane_free(struct lane *lane); /* after its loop has ended */
void lane_count(struct lane *lane, enum lane_counter counter, int change);

/* All below on the lane's own thread. */

void lane_begin_stop(struct lane *lane);
void lane_stopped_if_idle(struct lane *lane); /* called whenever a connection or socket has gone */
/* *has_aged: some project's clock was moved, so deadlines of sessions must follow. On failure the lane stays
 * on the facts it has. */
MUST_USE enum err lane_take_facts(struct lane *lane, struct publication *facts, struct keyring *ring,
                                  bool *has_aged);

/* A user was removed or changed: no lane keeps its copy. On this lane's thread. */
void lane_forget_user(struct lane *lane, const struct uuid *project, const struct uuid *id);

/* Scratch for one message, emptied. */
struct buf *lane_out(struct lane *lane);
struct buf *lane_body(struct lane *lane);
struct buf *lane_fields(struct lane *lane);
void lane_wipe_scratch(struct lane *lane); /* overwrites what the three hold and keeps their memory */
struct bytes lane_date(struct lane *lane);

/* One refusal: draws its id, by which an operator can ask why, and remembers it. route and peer are copied;
 * status 0: on a socket. */
#define LANE_ERROR_ID_LEN RECORD_ID_LEN
void lane_refused(struct lane *lane, char out[LANE_ERROR_ID_LEN], const struct finding *finding, int status,
                  const char *route, const char *peer);

/* Parking space, over all lanes: false when this peer, or everybody together, has used it up. */
bool lane_may_park(const struct lane *lane, const char *peer);
bool lane_park(uint16_t *slot, struct lane *lane, const char *peer); /* true: a slot to give back */
void lane_unpark(struct lane *lane, uint16_t slot);

#endif
