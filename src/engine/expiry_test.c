#include "engine/expiry.h"

#include "harness/check.h"

#define NOW_S 1767225600

static void refuses_the_past_and_the_far_future(void)
{
    static const int64_t wrong[] = {NOW_S, NOW_S - 1, 0, -1, INT64_MIN, NOW_S + 3601, INT64_MAX};
    size_t i;

    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct refused refused = expiry_check(true, wrong[i], 3600, NOW_S);
        CHECK_NOTE("%lld", (long long)wrong[i]);
        CHECK_INT(refused.refusal, REFUSAL_PARAMETER_INVALID);
        CHECK_INT(refused.field, FIELD_EXPIRE_AT);
        CHECK(refused.because != NULL);
    }
}

static void takes_what_lies_between(void)
{
    CHECK_INT(expiry_check(true, NOW_S + 1, 3600, NOW_S).refusal, REFUSAL_NONE);
    CHECK_INT(expiry_check(true, NOW_S + 3600, 3600, NOW_S).refusal, REFUSAL_NONE);
    CHECK_INT(expiry_check(false, -5, 3600, NOW_S).refusal, REFUSAL_NONE);
}

int main(void)
{
    CHECK_RUN(refuses_the_past_and_the_far_future);
    CHECK_RUN(takes_what_lies_between);
    return CHECK_END();
}
