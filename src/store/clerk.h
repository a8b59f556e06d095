/* clerk.h — a thread that sleeps until its bell rings, and leaves when it has been told to and nothing waits.
 *
 *     while (clerk_wait(clerk)) work off the mailbox;
 *     work off the mailbox once more;
 *
 * Whoever tells it to stop has seen to it that nobody posts any more. Signals go to other threads. */
#ifndef COATCHECK_STORE_CLERK_H
#define COATCHECK_STORE_CLERK_H

#include "base/err.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

struct clerk { /* zeroed: not started */
    pthread_t thread;
    sem_t bell;
    atomic_bool is_stopping;
    bool is_started;
};

MUST_USE enum err clerk_start(struct clerk *clerk, const char *name, void *(*run)(void *), void *state);
void clerk_ring(struct clerk *clerk); /* any thread; no ring is lost */
bool clerk_wait(struct clerk *clerk); /* by the thread itself; false: stop */
void clerk_stop(struct clerk *clerk); /* waits until it has left; harmless if it was never started */

void bell_wait(sem_t *bell); /* sem_wait that no signal can end early */

#endif
