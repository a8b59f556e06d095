/* world.h — one seed's world: its dice, its clocks, its agenda, and what is told of it.
 *
 * Everything that happens is an item on the agenda: bytes arriving, a timer, a commit reaching the disk, a
 * client's next thought, a fault. Items are due at a virtual time; ties are decided by the seed. One step is
 * one item and, after it, every law (law.h). Nothing here knows how many nodes there are: a node is a set of
 * loops, a store and a host, and several can stand in one world. */
#ifndef COATCHECK_TESTS_SIM_WORLD_H
#define COATCHECK_TESTS_SIM_WORLD_H

#include <stdbool.h>

#include "base/dice.h"
#include "server/host.h"

struct item { /* embed zeroed */
    int64_t at_us;
    uint64_t tie;
    size_t place; /* on the agenda, 1-based; 0: not there */
    void (*due)(struct item *item);
};

/* The struct that a member is embedded in. */
#define HOLDER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

struct temper {      /* how this world is, drawn from the seed */
    int64_t net_us;  /* a usual delay of bytes */
    int64_t disk_us; /* a usual commit */
    unsigned faults; /* per cent of the fault driver's turns that do something; 0: a calm world */
    bool has_crashes, has_store_faults, has_memory_faults, has_clock_faults;
};

struct world {
    uint64_t seed;
    struct dice_seeded dice_storage, node_dice_storage;
    struct dice dice;                    /* the world's choices */
    struct host host;                    /* what the node gets: virtual clocks, dice of its own */
    int64_t mono_us;                     /* the monotonic clock */
    int64_t wall_ahead_ms, clock_set_us; /* against mono; when engine time may last have jumped by it */
    int64_t slept_ms;                    /* the machine, while its monotonic clock stood */
    struct temper temper;
    uint64_t steps;
    unsigned trouble; /* injected failures so far: an answer of 503 needs one */
};
extern struct world world;

void world_begin(uint64_t seed);
bool world_step(void); /* false: the agenda is empty */

int64_t world_wall_ms(void);
int64_t world_mono_ms(void);
int64_t world_boot_ms(void);

/* The seed's choices. */
uint64_t roll(uint64_t limit);                /* 0..limit-1 */
int64_t between(int64_t least, int64_t most); /* both included */
bool chance(unsigned percent);
int64_t delay_us(int64_t usual_us); /* mostly about usual, sometimes much longer */

void agenda_put(struct item *item, int64_t in_us, void (*due)(struct item *)); /* moves what is there */
void agenda_remove(struct item *item);

/* One line of the trace: time, what, details. Costs nothing when nobody listens. */
extern bool world_is_traced;
void trace_line(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define trace(...)                                                                                           \
    do {                                                                                                     \
        if (world_is_traced) trace_line(__VA_ARGS__);                                                        \
    } while (0)

/* A law is broken: says which and ends this process. */
__attribute__((noreturn, format(printf, 2, 3))) void world_fail(const char *law, const char *format, ...);
#define EXIT_LAW_BROKEN 3
extern bool world_aborts; /* a fuzzer wants a signal instead */

#endif
