#include "engine/age.h"

#include "harness/check.h"

#define NOW_MS      INT64_C(1767225600123)
#define HOUR        INT64_C(3600000)
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static void never_lies_behind_real_time(void)
{
    static const struct {
        int64_t project_ms, theirs_ms, ahead_ms;
    } rows[] = {
        {0, 0, 0},
        {HOUR, HOUR, 0}, /* minted after the last advance: its full time */
        {HOUR, 0, HOUR}, /* before it: the hour is gone */
        {3 * HOUR, HOUR, 2 * HOUR},
        {HOUR, HOUR - 1, 1},
        {HOUR, HOUR + 1, 0}, /* claims to be older than its project: real time */
        {0, HOUR, 0},
        {HOUR, INT64_MAX, 0},
        {0, INT64_MAX, 0},
        {HOUR, -1, HOUR},
        {HOUR, INT64_MIN, HOUR},
        {AGE_MAX_MS, 0, AGE_MAX_MS},
        {AGE_MAX_MS, INT64_MIN, AGE_MAX_MS},
        {-HOUR, 0, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_NOTE("row %zu", i);
        CHECK_INT(age_now_ms(NOW_MS, rows[i].project_ms, rows[i].theirs_ms) - NOW_MS, rows[i].ahead_ms);
    }
}

static void takes_steps_within_bounds(void)
{
    static const struct {
        bool exists, is_test;
        int64_t age_ms, by_ms;
        enum age_step wanted;
    } rows[] = {
        {false, false, 0, HOUR, AGE_NO_PROJECT},
        {true, false, 0, HOUR, AGE_LIVE_PROJECT},
        {true, false, 0, 0, AGE_LIVE_PROJECT},
        {true, true, 0, 0, AGE_STEP_TOO_SMALL},
        {true, true, 0, -1, AGE_STEP_TOO_SMALL},
        {true, true, HOUR, -HOUR, AGE_STEP_TOO_SMALL},
        {true, true, HOUR, INT64_MIN, AGE_STEP_TOO_SMALL},
        {true, true, 0, AGE_STEP_MAX_MS + 1, AGE_STEP_TOO_LARGE},
        {true, true, 0, INT64_MAX, AGE_STEP_TOO_LARGE},
        {true, true, AGE_MAX_MS, INT64_MAX, AGE_STEP_TOO_LARGE},
        {true, true, AGE_MAX_MS, 1, AGE_TOO_OLD},
        {true, true, AGE_MAX_MS - HOUR, HOUR + 1, AGE_TOO_OLD},
        {true, true, AGE_MAX_MS - HOUR, HOUR, AGE_MAY_STEP},
        {true, true, 0, AGE_STEP_MAX_MS, AGE_MAY_STEP},
        {true, true, HOUR, 1, AGE_MAY_STEP},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fact_project project = {.is_test = rows[i].is_test, .age_ms = rows[i].age_ms};
        CHECK_NOTE("row %zu", i);
        CHECK_INT(age_step_check(rows[i].exists ? &project : NULL, rows[i].by_ms), rows[i].wanted);
    }
}

/* Whoever asks learns which bound it was: each refusal has a clause of its own, and what may be has none. */
static void tells_each_bound_apart(void)
{
    CHECK_INT(strlen(age_step_text(AGE_MAY_STEP)), 0);
    for (enum age_step step = AGE_NO_PROJECT; step <= AGE_TOO_OLD; step++) {
        CHECK_NOTE("step %d", (int)step);
        CHECK(age_step_text(step)[0] != 0);
        for (enum age_step other = AGE_NO_PROJECT; other < step; other++)
            CHECK(strcmp(age_step_text(step), age_step_text(other)) != 0);
    }
}

int main(void)
{
    CHECK_RUN(never_lies_behind_real_time);
    CHECK_RUN(takes_steps_within_bounds);
    CHECK_RUN(tells_each_bound_apart);
    return CHECK_END();
}
