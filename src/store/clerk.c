#include "store/clerk.h"

#include <errno.h>
#include <signal.h>

/* A new thread inherits the mask of the one that starts it: signals are for the loops. */
static int start_without_signals(pthread_t *thread, void *(*run)(void *), void *state)
{
    sigset_t all, before;
    sigfillset(&all);
    (void)sigdelset(&all, SIGSYS); /* about a call of the thread itself, and told there */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, NULL, run, state);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

enum err clerk_start(struct clerk *clerk, const char *name, void *(*run)(void *), void *state)
{
    atomic_store(&clerk->is_stopping, false);
    if (sem_init(&clerk->bell, 0, 0) != 0) return ERR_IO;
    if (start_without_signals(&clerk->thread, run, state) != 0) {
        sem_destroy(&clerk->bell);
        return ERR_NO_MEMORY;
    }
    clerk->is_started = true;
    (void)pthread_setname_np(clerk->thread, name); /* only for those who look at threads */
    return ERR_OK;
}

/* sem_post fails only when the count is at SEM_VALUE_MAX: the clerk is awake then anyway. */
void clerk_ring(struct clerk *clerk)
{
    (void)sem_post(&clerk->bell);
}

void bell_wait(sem_t *bell)
{
    while (sem_wait(bell) != 0 && errno == EINTR)
        continue;
}

bool clerk_wait(struct clerk *clerk)
{
    bell_wait(&clerk->bell);
    return !atomic_load(&clerk->is_stopping);
}

void clerk_stop(struct clerk *clerk)
{
    if (!clerk->is_started) return;
    atomic_store(&clerk->is_stopping, true);
    clerk_ring(clerk);
    (void)pthread_join(clerk->thread, NULL); /* fails only for a thread that is not joinable */
    sem_destroy(&clerk->bell);
    clerk->is_started = false;
}
