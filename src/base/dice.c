#include "base/dice.h"

#include <assert.h>
#include <string.h>

void dice_fill(const struct dice *dice, void *out, size_t len)
{
    dice->fill(dice->source, out, len);
}

uint64_t dice_u64(const struct dice *dice)
{
    uint64_t number;
    dice_fill(dice, &number, sizeof number);
    return number;
}

uint64_t dice_below(const struct dice *dice, uint64_t limit)
{
    assert(limit > 0);
    /* 2^64 mod limit: draws below it would make the small results likelier, so they are thrown again. */
    uint64_t unfair = (0 - limit) % limit, number;
    do
        number = dice_u64(dice);
    while (number < unfair);
    return number % limit;
}

/* SplitMix64: a counter and a mixing function; well spread, and no secret at all. */
static uint64_t next_seeded(struct dice_seeded *seeded)
{
    uint64_t mix = seeded->state += 0x9E3779B97F4A7C15u;
    mix = (mix ^ mix >> 30) * 0xBF58476D1CE4E5B9u;
    mix = (mix ^ mix >> 27) * 0x94D049BB133111EBu;
    return mix ^ mix >> 31;
}

static void fill_seeded(void *source, uint8_t *out, size_t len)
{
    while (len > 0) {
        uint64_t word = next_seeded(source);
        size_t part = len < sizeof word ? len : sizeof word;
        memcpy(out, &word, part);
        out += part;
        len -= part;
    }
}

struct dice dice_from_seed(struct dice_seeded *storage, uint64_t seed)
{
    storage->state = seed;
    return (struct dice){fill_seeded, storage};
}
