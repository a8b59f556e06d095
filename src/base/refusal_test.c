#include "base/refusal.h"
#include "harness/check.h"

static void every_row_is_a_no(void)
{
    for (int r = REFUSAL_NONE + 1; r < REFUSAL_COUNT; r++) {
        enum refusal refusal = (enum refusal)r;
        CHECK_NOTE("%s", refusal_name(refusal));
        CHECK(refusal_http_status(refusal) >= 400 && refusal_http_status(refusal) < 500);
        CHECK(refusal_close_code(refusal) > 1000);
        CHECK(refusal_slug(refusal)[0] != 0);
        CHECK(refusal_doc(refusal)[0] != 0);
        CHECK(refusal_fix(refusal)[0] != 0);
    }
}

static void none_is_a_yes(void)
{
    CHECK_INT(refusal_http_status(REFUSAL_NONE), 200);
    CHECK_INT(refusal_close_code(REFUSAL_NONE), 1000);
    CHECK(strcmp(refusal_slug(REFUSAL_NONE), "") == 0);
}

/* A client must not learn from the slug which half of its credential was wrong. */
static void key_rows_look_alike(void)
{
    CHECK(strcmp(refusal_slug(REFUSAL_KEY_UNKNOWN), refusal_slug(REFUSAL_KEY_SECRET_WRONG)) == 0);
    CHECK_INT(refusal_http_status(REFUSAL_KEY_UNKNOWN), refusal_http_status(REFUSAL_KEY_SECRET_WRONG));
}

int main(void)
{
    CHECK_RUN(every_row_is_a_no);
    CHECK_RUN(none_is_a_yes);
    CHECK_RUN(key_rows_look_alike);
    return CHECK_END();
}
