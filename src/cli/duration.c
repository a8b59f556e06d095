#include "cli/duration.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    char name;
    int64_t ms;
} units[] = {{'d', 86400000}, {'h', 3600000}, {'m', 60000}, {'s', 1000}};
#define UNITS (sizeof units / sizeof units[0])

bool duration_of(int64_t *out_ms, const char *text)
{
    int64_t number = 0;
    const char *at = text;
    size_t i;

    *out_ms = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (number > (INT64_MAX - 9) / 10) return false;
        number = number * 10 + (*at - '0');
    }
    if (at == text || !at[0] || at[1]) return false;
    for (i = 0; i < UNITS; i++)
        if (units[i].name == *at && number <= INT64_MAX / units[i].ms) {
            *out_ms = number * units[i].ms;
            return true;
        }
    return false;
}

void duration_write(char out[DURATION_TEXT_MAX], int64_t ms)
{
    size_t i, len = 0;

    for (i = 0; i < UNITS; i++) {
        int64_t number = ms / units[i].ms;
        ms %= units[i].ms;
        if (number == 0 && (len || i + 1 < UNITS)) continue;
        len += (size_t)snprintf(out + len, DURATION_TEXT_MAX - len, "%s%" PRId64 "%c", len ? " " : "", number,
                                units[i].name);
    }
}
