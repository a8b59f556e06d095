#include "base/dice.h"
#include "harness/check.h"

static void same_seed_same_draws(void)
{
    struct dice_seeded a, b, c;
    struct dice first = dice_from_seed(&a, 42), second = dice_from_seed(&b, 42),
                other = dice_from_seed(&c, 43);
    uint8_t x[37], y[37], z[37];
    dice_fill(&first, x, sizeof x);
    dice_fill(&second, y, sizeof y);
    dice_fill(&other, z, sizeof z);
    CHECK(memcmp(x, y, sizeof x) == 0);
    CHECK(memcmp(x, z, sizeof x) != 0);
    CHECK(dice_u64(&first) == dice_u64(&second));
}

static void draws_stay_below_and_reach_all(void)
{
    struct dice_seeded seeded;
    struct dice dice = dice_from_seed(&seeded, 1);
    unsigned seen[6] = {0};
    for (int i = 0; i < 6000; i++) {
        uint64_t number = dice_below(&dice, 6);
        if (!CHECK(number < 6)) return;
        seen[number]++;
    }
    for (int i = 0; i < 6; i++)
        CHECK(seen[i] > 850 && seen[i] < 1150);
    CHECK(dice_below(&dice, 1) == 0);
}

static void fill_scripted(void *source, uint8_t *out, size_t len)
{
    uint64_t *next = source;
    memcpy(out, next, len);
    *next += 1;
}

/* 2^64 mod 3 is 1: the draw 0 would make 0 likelier, so it is thrown again and 1 is taken. */
static void throws_unfair_draws_again(void)
{
    uint64_t next = 0;
    struct dice dice = {fill_scripted, &next};
    CHECK_INT(dice_below(&dice, 3), 1);
    CHECK_INT(next, 2);
}

int main(void)
{
    CHECK_RUN(same_seed_same_draws);
    CHECK_RUN(draws_stay_below_and_reach_all);
    CHECK_RUN(throws_unfair_draws_again);
    return CHECK_END();
}
