/* loop.h — one event loop, one thread: the place where a core's connections live.
 *
 * With listener, stream and stun the only code that knows libuv. Nothing of a loop may be
 * touched from another thread, except its mailbox: loop_post. Time comes from the clock (clock.h),
 * which can be replaced. */
#ifndef COATCHECK_SERVER_LOOP_H
#define COATCHECK_SERVER_LOOP_H

#include "base/err.h"
#include "base/mailbox.h"
#include "server/clock.h"

struct loop;

MUST_USE enum err loop_new(struct loop **out, unsigned index, struct clock *clock);
void loop_free(struct loop *loop); /* after its thread has ended */

MUST_USE enum err loop_start(struct loop *loop); /* runs it on a thread of its own until loop_stop */
void loop_stop(struct loop *loop);               /* any thread; pending mail is still opened */
void loop_join(struct loop *loop);
/* Opens the mail that came after the thread had ended. For whoever takes several loops down together: all are
 * drained before the first is freed, because a letter may post another one to a neighbour. */
void loop_drain(struct loop *loop);
/* Once a process, after the last loop is freed: waits for the threads that have hashed for them. Left to the
 * exit, they would end after the crypto library, and what it keeps for each would be lost. */
void loop_end_all(void);
const char *loop_library(void); /* version of the event library, for people */

void loop_post(struct loop *loop, struct mail *mail); /* any thread */
/* Opened in a later turn, and not between two reads as other mail may be: for the rest of what is done in
 * slices. On the loop's own thread. */
void loop_post_later(struct loop *loop, struct mail *mail);
void loop_post_to(void *loop, struct mail *mail); /* the same, as a store_commit.post */

unsigned loop_index(const struct loop *loop);
const struct host *loop_host(const struct loop *loop);
/* Engine time of this turn: ms since 1970, never backwards. Whoever asks decides by it: the floor follows. */
int64_t loop_now_ms(const struct loop *loop);
int64_t loop_wall_ms(const struct loop *loop); /* the machine's: for logs, proofs and people */
int64_t loop_step_ms(const struct loop *loop); /* not 0: an unconfirmed step of the wall clock (clock.h) */
int64_t loop_tick_ms(const struct loop *loop); /* monotonic ms of this turn: for timeouts */

/* Deadlines: one per thing, kept in a heap with a single timer. `at_ms` is on the monotonic clock
 * (loop_tick_ms). */
struct deadline { /* embed zeroed; 0 in place means not set */
    int64_t at_ms;
    uint32_t place; /* in the heap, 1-based */
    void (*due)(struct deadline *deadline);
};
/* ERR_NO_MEMORY only when the heap must grow; moving a set deadline cannot fail. */
MUST_USE enum err deadline_set(struct loop *loop, struct deadline *deadline, int64_t at_ms,
                               void (*due)(struct deadline *));
void deadline_clear(struct loop *loop, struct deadline *deadline);

/* Runs work() on a pool thread, then done() back on this loop: for scrypt and the like. Embed it in
 * what it carries. */
struct errand {
    void (*work)(struct errand *errand);
    void (*done)(struct errand *errand);
    void *uv; /* the loop's own */
};
MUST_USE enum err loop_errand(struct loop *loop, struct errand *errand); /* ERR_LIMIT when too many wait */

#endif
