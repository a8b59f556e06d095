#include "engine/slot.h"

#define RETRY_MAX_MS 60000

static int64_t draw(const struct dice *dice, int64_t width_ms)
{
    return width_ms > 0 ? (int64_t)dice_below(dice, (uint64_t)width_ms) : 0;
}

int64_t slot_refresh_ms(int64_t left_ms, int64_t life_ms, const struct dice *dice)
{
    int64_t whole_ms = life_ms > left_ms ? life_ms : left_ms, retry_ms = whole_ms / 10, opens_ms, closes_ms;

    if (left_ms <= 0) return 0;
    if (retry_ms > RETRY_MAX_MS) retry_ms = RETRY_MAX_MS;
    opens_ms = left_ms - (whole_ms + 3) / 4; /* at least one, so that no slot is at the end */
    if (opens_ms < 0) opens_ms = 0;
    closes_ms = left_ms - retry_ms;
    if (closes_ms <= opens_ms) closes_ms = opens_ms + (left_ms - opens_ms) / 2; /* it came late */
    return opens_ms + draw(dice, closes_ms - opens_ms);
}

int64_t slot_window_ms(int64_t crowd, int64_t per_s)
{
    int64_t window_ms = crowd * 1000 / per_s;

    return window_ms > SLOT_WINDOW_MIN_MS ? window_ms : SLOT_WINDOW_MIN_MS;
}

int64_t slot_return_ms(const struct slot_return *slot, const struct dice *dice)
{
    int64_t of = slot->of > 0 ? slot->of : 1, number = slot->number < of ? slot->number : of - 1;
    int64_t opens_ms = slot->window_ms * number / of, closes_ms = slot->window_ms * (number + 1) / of;

    return slot->earliest_ms + opens_ms + draw(dice, closes_ms - opens_ms);
}
