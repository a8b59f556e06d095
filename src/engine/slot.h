/* slot.h — when one of a crowd shall do what all of it has to: refresh before its token ends, come back after
 * a stop. Each is told a time of its own, and together the times lie evenly over a window.
 *
 * A refresh is drawn from the last quarter of the token's life, so that tokens minted in one second are not
 * refreshed in one; what is left behind the window, a tenth of the life or a minute, is for trying again.
 * A return is drawn from a slice of the window that belongs to its place in the crowd: evenly even where
 * chance alone would heap some up. All times are milliseconds from now. Pure. */
#ifndef COATCHECK_ENGINE_SLOT_H
#define COATCHECK_ENGINE_SLOT_H

#include "base/dice.h"

#define SLOT_WINDOW_MIN_MS 1000

/* left_ms: until the token ends; life_ms: from its mint to its end. Never after the end, never below 0. */
int64_t slot_refresh_ms(int64_t left_ms, int64_t life_ms, const struct dice *dice);

/* How long it takes to let so many in at this rate, at least SLOT_WINDOW_MIN_MS. per_s > 0. */
int64_t slot_window_ms(int64_t crowd, int64_t per_s);

struct slot_return {
    int64_t earliest_ms, window_ms; /* nobody before the one, everybody within the other behind it */
    int64_t number, of; /* its place, from 0 on; one that was not counted has the last; both 0: there is no
                           crowd */
};
int64_t slot_return_ms(const struct slot_return *slot, const struct dice *dice);

#endif
