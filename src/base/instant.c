#include "base/instant.h"

#include <stdio.h>
#include <string.h>

static void put_digits(char *out, int64_t number, int width)
{
    while (width--) {
        out[width] = (char)('0' + number % 10);
        number /= 10;
    }
}

/* The year is taken to begin in March, so that the leap day is its last; then a month begins on day (153 m +
 * 2) / 5, and 400 years are always 146097 days. 719468 days lie between 0000-03-01 and 1970-01-01. */
static void put_date(char *out, int64_t days_since_1970)
{
    int64_t days = days_since_1970 + 719468;
    int64_t era = days / 146097, day = days % 146097;
    int64_t year_of_era = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;

    put_digits(out, era * 400 + year_of_era + (month >= 10 ? 1 : 0), 4);
    out[4] = '-';
    put_digits(out + 5, month < 10 ? month + 3 : month - 9, 2);
    out[7] = '-';
    put_digits(out + 8, day_of_year - (153 * month + 2) / 5 + 1, 2);
}

void instant_write(char out[INSTANT_TEXT_LEN], int64_t ms)
{
    const int64_t day_ms = 86400000;
    const int64_t least = -62162035200000,
                  most = 253402300799999; /* 0000-03-01T00:00:00.000Z, 9999-12-31T23:59:59.999Z */
    int64_t of_day;

    ms = ms < least ? least : ms > most ? most : ms;
    of_day = ((ms % day_ms) + day_ms) % day_ms;
    put_date(out, (ms - of_day) / day_ms);
    out[10] = 'T';
    put_digits(out + 11, of_day / 3600000, 2);
    out[13] = ':';
    put_digits(out + 14, of_day / 60000 % 60, 2);
    out[16] = ':';
    put_digits(out + 17, of_day / 1000 % 60, 2);
    out[19] = '.';
    put_digits(out + 20, of_day % 1000, 3);
    out[23] = 'Z';
}

void instant_write_http(char out[INSTANT_HTTP_LEN], int64_t ms)
{
    static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char text[INSTANT_TEXT_LEN];
    int64_t day = ms >= 0 ? ms / 86400000 : 0;
    int month;

    instant_write(text, ms >= 0 ? ms : 0);
    month = (text[5] - '0') * 10 + text[6] - '1';
    memcpy(out, days + 3 * (day % 7), 3);
    memcpy(out + 3, ", ", 2);
    memcpy(out + 5, text + 8, 2);
    out[7] = ' ';
    memcpy(out + 8, months + 3 * month, 3);
    out[11] = ' ';
    memcpy(out + 12, text, 4);
    out[16] = ' ';
    memcpy(out + 17, text + 11, 8);
    memcpy(out + 25, " GMT", 4);
}

void instant_write_short(char out[INSTANT_SHORT_MAX], int64_t s_since_1970)
{
    const int64_t far_s = 253402300799; /* 9999-12-31T23:59:59Z: seconds beyond must not overflow as ms */
    int64_t at_s = s_since_1970 < 0 ? 0 : s_since_1970 > far_s ? far_s : s_since_1970;
    char text[INSTANT_TEXT_LEN];

    instant_write(text, at_s * 1000);
    memcpy(out, text, INSTANT_SHORT_MAX - 2); /* without the milliseconds */
    memcpy(out + INSTANT_SHORT_MAX - 2, "Z", 2);
}

void instant_write_span(char out[INSTANT_SPAN_MAX], int64_t at_s, int64_t now_s)
{
    static const struct {
        int64_t s;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    /* both are cut at 1970, so that the difference cannot overflow */
    int64_t span_s = (at_s < 0 ? 0 : at_s) - (now_s < 0 ? 0 : now_s);
    int64_t size_s = span_s < 0 ? -span_s : span_s;
    size_t i = 0;

    while (units[i].s > 1 && size_s < 2 * units[i].s)
        i++;
    (void)snprintf(out, INSTANT_SPAN_MAX, "%s%lld %s%s", span_s > 0 ? "in " : "",
                   (long long)(size_s / units[i].s), units[i].name, span_s > 0 ? "" : " ago");
}
