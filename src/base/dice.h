/* dice.h — randomness as an argument. The server's dice come from the kernel; a test's from a seed, so that
 * any draw can be replayed. dice_fill cannot fail: a source that cannot deliver stops the process rather
 * than return less. */
#ifndef COATCHECK_BASE_DICE_H
#define COATCHECK_BASE_DICE_H

#include <stddef.h>
#include <stdint.h>

typedef void dice_fill_fn(void *source, uint8_t *out, size_t len);

struct dice {
    dice_fill_fn *fill;
    void *source; /* not owned */
};

void dice_fill(const struct dice *dice, void *out, size_t len);
uint64_t dice_u64(const struct dice *dice);
uint64_t dice_below(const struct dice *dice, uint64_t limit); /* 0..limit-1, unbiased; limit > 0 */

/* Repeatable dice for tests and the simulator: the same seed gives the same draws. Never for real secrets. */
struct dice_seeded {
    uint64_t state;
};
struct dice dice_from_seed(struct dice_seeded *storage, uint64_t seed);

#endif
