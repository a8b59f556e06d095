#include "cli/duration.h"

#include "harness/check.h"

static void refuses_what_is_no_duration(void)
{
    static const char *const texts[] = {
        "",
        "h",
        "2",
        "2 h",
        " 2h",
        "2h ",
        "+2h",
        "-2h",
        "2H",
        "2w",
        "2hh",
        "2h3m",
        "2.5h",
        "2,5h",
        "0x2h",
        "1e3s",
        "٢h",
        "two hours",
        "9223372036854775808s",
        "99999999999999999999999s",
        "9223372036854776s",
        "106751991168d",
    };
    int64_t ms;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK_NOTE("%s", texts[i]);
        CHECK(!duration_of(&ms, texts[i]));
        CHECK_INT(ms, 0);
    }
}

static void reads_durations(void)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"0s", 0},
        {"1s", 1000},
        {"90s", 90000},
        {"15m", 900000},
        {"2h", 7200000},
        {"002h", 7200000},
        {"7d", 604800000},
        {"3650d", INT64_C(315360000000)},
        {"9223372036854775s", INT64_C(9223372036854775000)},
    };
    int64_t ms;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_NOTE("%s", rows[i].text);
        CHECK(duration_of(&ms, rows[i].text));
        CHECK_INT(ms, rows[i].ms);
    }
}

static void writes_durations(void)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {999, "0s"},
        {1000, "1s"},
        {90000, "1m 30s"},
        {7200000, "2h"},
        {7200001, "2h"},
        {93605000, "1d 2h 5s"},
        {86400000, "1d"},
        {INT64_MAX, "106751991167d 7h 12m 55s"},
    };
    char text[DURATION_TEXT_MAX];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        duration_write(text, rows[i].ms);
        CHECK_NOTE("%s", rows[i].text);
        CHECK(strcmp(text, rows[i].text) == 0);
    }
}

int main(void)
{
    CHECK_RUN(refuses_what_is_no_duration);
    CHECK_RUN(reads_durations);
    CHECK_RUN(writes_durations);
    return CHECK_END();
}
