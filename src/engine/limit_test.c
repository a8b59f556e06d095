#include "engine/limit.h"

#include "harness/check.h"

#define NOW INT64_C(1700000000000000)

/* How many of `tries` at one moment are let through. */
static int burst_of(int64_t *full_at_us, const struct limit_rule *rule, int64_t now_us, int tries)
{
    int64_t wait_ms;
    int passed = 0;

    while (tries--)
        passed += limit_allows(full_at_us, &wait_ms, rule, *full_at_us, now_us);
    return passed;
}

static void refuses_the_first_beyond_a_burst(void)
{
    const struct limit_rule rule = {.per_minute = 60, .burst = 10};
    int64_t full_at_us = 0, next_us, wait_ms;

    CHECK_INT(burst_of(&full_at_us, &rule, NOW, 100), 10);
    CHECK(!limit_allows(&next_us, &wait_ms, &rule, full_at_us, NOW));
    CHECK_INT(next_us, full_at_us); /* what is refused costs nothing */
    CHECK_INT(wait_ms, 1000);
    CHECK(!limit_allows(&next_us, &wait_ms, &rule, full_at_us, NOW + 999000));
    CHECK_INT(wait_ms, 1);
    CHECK(limit_allows(&next_us, &wait_ms, &rule, full_at_us, NOW + 1000000));
}

static void gives_back_with_time_and_never_more_than_a_burst(void)
{
    const struct limit_rule rule = {.per_minute = 60, .burst = 10};
    int64_t full_at_us = 0;

    CHECK_INT(burst_of(&full_at_us, &rule, NOW, 100), 10);
    CHECK_INT(burst_of(&full_at_us, &rule, NOW + 3500000, 100), 3);
    CHECK_INT(burst_of(&full_at_us, &rule, NOW + 3600000000, 100), 10);
}

static void holds_on_average_whatever_the_steps(void)
{
    const struct limit_rule rule = {.per_minute = 6000, .burst = 5};
    int64_t full_at_us = 0, at_us;
    int passed = 0;

    for (at_us = NOW; at_us < NOW + 10000000; at_us += 1234)
        passed += burst_of(&full_at_us, &rule, at_us, 3);
    CHECK(passed >= 1000 && passed <= 1005); /* 100 a second for ten seconds, and one burst */
}

static void a_clock_set_back_locks_nobody_out_for_longer_than_a_burst(void)
{
    const struct limit_rule rule = {.per_minute = 60, .burst = 2};
    int64_t full_at_us = NOW + 2000000, next_us, wait_ms;

    CHECK(!limit_allows(&next_us, &wait_ms, &rule, full_at_us, NOW));
    CHECK_INT(wait_ms, 1000);
}

static void no_limit_is_none(void)
{
    const struct limit_rule rule = {.per_minute = 0, .burst = 1};
    int64_t full_at_us = 0;

    CHECK_INT(burst_of(&full_at_us, &rule, NOW, 1000), 1000);
}

static void every_row_is_sane(void)
{
    enum limit limit;

    CHECK(!limit_of(&limit, BYTES("wrong")) && !limit_of(&limit, BYTES_NONE) && !limit_of(&limit, BYTES("")));
    for (limit = LIMIT_NONE + 1; limit < LIMIT_COUNT; limit++) {
        struct limit_rule rule = limit_standard(limit);
        enum limit found;
        CHECK(rule.burst >= 1 && rule.per_minute >= 0);
        CHECK(limit_of(&found, bytes_of_text(limit_text(limit))) && found == limit);
    }
}

/* Whoever guesses at tickets is told one thing, whether or not it was one: the same in a flood. */
static void whatever_was_a_ticket_once_is_like_a_guess(void)
{
    CHECK_INT(guess_of(REFUSAL_NONE), GUESS_NONE);
    CHECK_INT(guess_of(REFUSAL_PARAMETER_MISSING), GUESS_NONE);
    CHECK_INT(guess_of(REFUSAL_TOKEN_EXPIRED), GUESS_NONE); /* clients refresh by it, and it is no secret */
    CHECK_INT(guess_of(REFUSAL_KEY_SECRET_WRONG), GUESS_WRONG);
    CHECK_INT(guess_of(REFUSAL_TICKET_INVALID), GUESS_WRONG);
    for (enum refusal refusal = REFUSAL_NONE + 1; refusal < REFUSAL_COUNT; refusal++) {
        CHECK_NOTE("%s", refusal_name(refusal));
        if (strcmp(refusal_slug(refusal), "invalid_ticket") == 0) CHECK(guess_of(refusal) != GUESS_NONE);
    }
}

int main(void)
{
    CHECK_RUN(whatever_was_a_ticket_once_is_like_a_guess);
    CHECK_RUN(refuses_the_first_beyond_a_burst);
    CHECK_RUN(gives_back_with_time_and_never_more_than_a_burst);
    CHECK_RUN(holds_on_average_whatever_the_steps);
    CHECK_RUN(a_clock_set_back_locks_nobody_out_for_longer_than_a_burst);
    CHECK_RUN(no_limit_is_none);
    CHECK_RUN(every_row_is_sane);
    return CHECK_END();
}
