#include "engine/slot.h"

#include "harness/check.h"

#define HOUR_MS INT64_C(3600000)
#define CROWD   19000
#define PARTS   20

static struct dice_seeded storage;
static struct dice dice;

/* Whatever a holder says: no time before now, none after the end. */
static void never_refreshes_after_the_end(void)
{
    static const int64_t lives_ms[] = {
        0, 1, 2, 3, 7, 999, 1000, 60000, 2 * HOUR_MS, 168 * HOUR_MS, -5, INT64_MAX / 2000};
    size_t i;
    int draw;

    for (i = 0; i < sizeof lives_ms / sizeof lives_ms[0]; i++)
        for (draw = 0; draw < 2000; draw++) {
            int64_t left_ms = (lives_ms[i] / 1000 + 1) * draw - 5;
            int64_t slot_ms = slot_refresh_ms(left_ms, lives_ms[i], &dice);
            CHECK_NOTE("%lld left of %lld", (long long)left_ms, (long long)lives_ms[i]);
            if (left_ms <= 0)
                CHECK_INT(slot_ms, 0);
            else
                CHECK(slot_ms >= 0 && slot_ms < left_ms);
        }
}

static void leaves_time_to_try_again(void)
{
    static const struct {
        int64_t left_ms, life_ms, from_ms, to_ms;
    } rows[] = {
        {2 * HOUR_MS, 2 * HOUR_MS, HOUR_MS * 3 / 2,
         2 * HOUR_MS - 60000},                                /* the last quarter, without a minute */
        {HOUR_MS, 2 * HOUR_MS, HOUR_MS / 2, HOUR_MS - 60000}, /* it connected at half its life */
        {60000, 60000, 45000, 54000},                         /* without a tenth */
        {10000, 60000, 0, 4000},                              /* within the window already */
        {4000, 60000, 0, 2000},                               /* behind it */
        {60000, 2 * HOUR_MS, 0, 30000},
        {90000, 60000, 67500, 81000}, /* a life shorter than what is left of it: clocks differ */
        {1, 60000, 0, 1},
    };
    size_t i;
    int draw;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (draw = 0; draw < 5000; draw++) {
            int64_t slot_ms = slot_refresh_ms(rows[i].left_ms, rows[i].life_ms, &dice);
            CHECK_NOTE("row %zu: %lld", i, (long long)slot_ms);
            CHECK(slot_ms >= rows[i].from_ms && slot_ms < rows[i].to_ms);
        }
}

/* Tokens of one second: no part of the window gets more than a fair share and what chance adds (five
 * standard deviations of 950 are 154). */
static void spreads_refreshes_fairly(void)
{
    int64_t life_ms = 2 * HOUR_MS, from_ms = life_ms - life_ms / 4, width_ms = life_ms / 4 - 60000;
    unsigned parts[PARTS] = {0};
    int i;

    for (i = 0; i < CROWD; i++)
        parts[(slot_refresh_ms(life_ms, life_ms, &dice) - from_ms) * PARTS / width_ms]++;
    for (i = 0; i < PARTS; i++) {
        CHECK_NOTE("part %d: %u", i, parts[i]);
        CHECK(parts[i] > CROWD / PARTS - 154 && parts[i] < CROWD / PARTS + 154);
    }
}

static void gives_everybody_time_to_come_in(void)
{
    CHECK_INT(slot_window_ms(0, 1000), SLOT_WINDOW_MIN_MS);
    CHECK_INT(slot_window_ms(1, 1000), SLOT_WINDOW_MIN_MS);
    CHECK_INT(slot_window_ms(1001, 1000), 1001);
    CHECK_INT(slot_window_ms(CROWD, 1000), CROWD);
    CHECK_INT(slot_window_ms(1000000, 1), 1000000000);
}

/* Each part of the window gets its share exactly, in whatever order they are sent away. */
static void spreads_returns_evenly(void)
{
    int64_t window_ms = slot_window_ms(CROWD, 1000);
    unsigned parts[PARTS] = {0};
    int64_t i;

    for (i = 0; i < CROWD; i++) {
        int64_t slot_ms = slot_return_ms(&(struct slot_return){3000, window_ms, i, CROWD}, &dice);
        CHECK(slot_ms >= 3000 && slot_ms < 3000 + window_ms);
        parts[(slot_ms - 3000) * PARTS / window_ms]++;
    }
    for (i = 0; i < PARTS; i++)
        CHECK_INT(parts[i], CROWD / PARTS);
}

static void keeps_whoever_was_not_counted_within(void)
{
    static const struct slot_return places[] = {{500, 1000, 0, 0}, {500, 1000, 0, 1}, {500, 1000, 5, 0},
                                                {500, 1000, 7, 3}, {500, 1000, 3, 3}, {500, 1000, 2, 3}};
    size_t i;

    for (i = 0; i < sizeof places / sizeof places[0]; i++) {
        int64_t slot_ms = slot_return_ms(&places[i], &dice);
        CHECK_NOTE("%lld of %lld: %lld", (long long)places[i].number, (long long)places[i].of,
                   (long long)slot_ms);
        CHECK(slot_ms >= 500 && slot_ms < 1500);
    }
}

static void draws_the_same_again(void)
{
    struct dice_seeded again;
    struct dice first = dice_from_seed(&storage, 5), second = dice_from_seed(&again, 5);
    int i;

    for (i = 0; i < 100; i++) {
        CHECK_INT(slot_refresh_ms(HOUR_MS, HOUR_MS, &first), slot_refresh_ms(HOUR_MS, HOUR_MS, &second));
        CHECK_INT(slot_return_ms(&(struct slot_return){0, HOUR_MS, i, 100}, &first),
                  slot_return_ms(&(struct slot_return){0, HOUR_MS, i, 100}, &second));
    }
}

int main(void)
{
    dice = dice_from_seed(&storage, 77);
    CHECK_RUN(never_refreshes_after_the_end);
    CHECK_RUN(leaves_time_to_try_again);
    CHECK_RUN(spreads_refreshes_fairly);
    CHECK_RUN(gives_everybody_time_to_come_in);
    CHECK_RUN(spreads_returns_evenly);
    CHECK_RUN(keeps_whoever_was_not_counted_within);
    CHECK_RUN(draws_the_same_again);
    return CHECK_END();
}
