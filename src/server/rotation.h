/* rotation.h — the key ring's life while the server runs: what the timetable says is due (engine/ring.h), and
 * what an operator orders, one after the other, on lane 0.
 *
 * A step is one durable commit, made off the loop; the next one is taken only when every lane works by the
 * ring that came of it. Whatever fails is tried again by the timetable a minute later: every state that a
 * step leaves behind is one from which the next one is due by itself. */
#ifndef COATCHECK_SERVER_ROTATION_H
#define COATCHECK_SERVER_ROTATION_H

#include "server/node.h"

struct rotation;
MUST_USE enum err rotation_start(struct rotation **out, struct node *node); /* before the loops run */
void rotation_stop(struct rotation *rotation); /* on lane 0's thread; a step under way still ends */
void rotation_free(struct rotation *rotation); /* after the loops have ended and are drained, and the watch */

struct ring_timetable rotation_timetable(const struct config *config);

enum ring_job {
    RING_JOB_LOOK,  /* only the plan */
    RING_JOB_STEPS, /* the plan, and its steps unless it is refused */
    RING_JOB_REWRAP /* every key under the master key in MASTER_NEXT_FILE of the data folder, which is from
                       then on the server's; one commit */
};
struct ring_ask { /* embed it in what waits, and keep it until done */
    struct ring_ask *next;
    enum ring_job job;
    struct ring_order order;
    char id[SEAL_KEY_ID_LEN]; /* what order.id points to */
    struct ring_plan plan;    /* the answer */
    const char *because;      /* of an error, where more is known; else NULL */
    void (*done)(struct ring_ask *ask, enum err error);
};
/* On lane 0's thread. done comes on it too, once: when all is durable and every lane works by it, or with
 * what went wrong. ERR_STOPPING from rotation_free: nobody is left to be told. */
void rotation_ask(struct rotation *rotation, struct ring_ask *ask);

#endif
