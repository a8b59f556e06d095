/* clock.h — engine time: the one clock of a node, by which every lane decides; nothing is locked.
 *
 * It is the wall clock as long as that behaves. When the wall clock is set back, engine time goes on from
 * where it was, at the rate of a clock that nobody can set. A step forward of more than CLOCK_STEP_MAX_MS is
 * not followed before an operator confirms it, or the wall clock comes back by itself; until then the node is
 * not ready and grants nothing. What the wall is compared with counts the machine's sleep (host.h), so that a
 * lid that was closed for a night is no step.
 *
 * The floor outlives the process: no engine time beyond it was ever decided by. It is kept some seconds
 * ahead, so that it need not be written with each decision, and put to the exact time at an orderly stop. A
 * start takes the wall clock if that has passed the floor, however far: nothing says how long the machine was
 * off. A wall clock just before it, as after a crash, is waited for, time standing still meanwhile; from a
 * floor further ahead time goes on. */
#ifndef COATCHECK_SERVER_CLOCK_H
#define COATCHECK_SERVER_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "server/host.h"

#define CLOCK_STEP_MAX_MS    300000
#define CLOCK_FLOOR_AHEAD_MS 5000 /* of engine time, when it is written */
#define CLOCK_FLOOR_LOW_MS   3000 /* with less it is written again; more than its commit usually takes */

struct clock {
    const struct host *host;
    int64_t least_ms;          /* the floor of this start; immutable */
    _Atomic int64_t offset_ms; /* engine time less time since boot; only grows */
    _Atomic int64_t step_ms;   /* of an unconfirmed step; 0: none */
    _Atomic int64_t used_ms;   /* about the latest time that was decided by; 0: nothing was */
    _Atomic int64_t floor_ms;  /* what the store was last asked to keep */
    _Atomic bool has_ended;
};

struct clock_reading {
    int64_t now_ms, wall_ms; /* engine time; the machine's */
    int64_t step_ms;         /* not 0: the wall clock is that far ahead, unconfirmed */
};

/* floor_ms: as the store has it, 0 for none. Before any other thread knows the clock. */
void clock_start(struct clock *clock, const struct host *host, int64_t floor_ms);
/* Any thread. A reading only becomes a decision by clock_use: what nobody decides by needs no floor. */
void clock_look(struct clock_reading *out, struct clock *clock);
void clock_use(struct clock *clock, int64_t now_ms);
int64_t clock_confirm(struct clock *clock); /* follows the wall clock; returns the step, 0: there was none */
void clock_end(struct clock *clock);        /* nobody decides any more */

/* What the store shall keep as its floor, where it keeps stored_ms: a store_floor_fn
 * (store.h). Any thread. */
int64_t clock_floor(void *state, int64_t stored_ms);

#endif
