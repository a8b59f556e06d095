/* host.h — the only door to the clock, randomness and signals. Everything else takes them from a struct host,
 * so that a simulator can stand in. */
#ifndef COATCHECK_SERVER_HOST_H
#define COATCHECK_SERVER_HOST_H

#include "base/dice.h"

struct host {
    int64_t (*wall_ms)(void *state);       /* ms since 1970, as the machine believes */
    int64_t (*monotonic_ms)(void *state);  /* never backwards, unrelated to the wall: for timeouts */
    int64_t (*since_boot_ms)(void *state); /* the same, and goes on while the machine sleeps: for clock.h */
    struct dice dice;                      /* safe to use from any thread */
    void *state;
};

const struct host *host_machine(void); /* the real one: kernel clocks, getrandom */

#endif
