/* loop_sim.h — what the doors of one simulated loop know of each other (loop.c, stream.c, node.c). */
#ifndef COATCHECK_TESTS_SIM_LOOP_SIM_H
#define COATCHECK_TESTS_SIM_LOOP_SIM_H

#include "server/deadline.h"
#include "server/listener.h"
#include "sim/world.h"

#define LOOP_READ_BYTES 65536

struct listener {
    struct listener *next; /* of its loop */
    struct loop *loop;
    int port;
    unsigned streams, streams_max;
    listener_accept_fn *accept;
    void *state;
    bool is_closed;
};

struct loop_time {
    int64_t now_ms, wall_ms, step_ms, tick_ms;
};

struct loop {
    unsigned index;
    struct clock *clock;
    struct loop_time *time; /* behind a pointer, as a const loop is asked for it */
    struct loop_time time_read;
    struct deadline_heap deadlines;
    size_t deadlines_most; /* there have ever been */
    struct mailbox mailbox, later;
    struct item turn, timer;
    struct stream *streams;
    struct listener *listeners;
    struct sim_errand *errand_list;
    unsigned errands;
    bool is_running, must_stop, is_winding_down, has_ended;
    uint8_t read_bytes[LOOP_READ_BYTES];
};

void loop_open_mail(struct loop *loop);
bool loop_is_late(const struct loop *loop); /* a deadline is due whose turn has not come */
void loop_look_if_ended(struct loop *loop);
void loop_vanish(struct loop *loop); /* its process is gone */

/* A door was used from inside. False: the node died before, and nothing leaves it any more. */
bool door_opens(void);

#endif
