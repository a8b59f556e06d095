#include "base/err.h"
#include "harness/check.h"

static void every_row_is_a_no(void)
{
    for (int e = ERR_OK + 1; e < ERR_COUNT; e++) {
        CHECK_NOTE("%s", err_name((enum err)e));
        CHECK(err_http_status((enum err)e) >= 400 && err_http_status((enum err)e) < 600);
        CHECK(err_close_code((enum err)e) > 1000);
        CHECK(err_slug((enum err)e)[0] != 0);
        CHECK(err_doc((enum err)e)[0] != 0);
        CHECK(err_fix((enum err)e)[0] != 0);
    }
}

static void ok_is_a_yes(void)
{
    CHECK_INT(err_http_status(ERR_OK), 200);
    CHECK_INT(err_close_code(ERR_OK), 1000);
    CHECK(strcmp(err_slug(ERR_OK), "") == 0);
    CHECK(strcmp(err_name(ERR_STORE_BUSY), "STORE_BUSY") == 0);
}

int main(void)
{
    CHECK_RUN(every_row_is_a_no);
    CHECK_RUN(ok_is_a_yes);
    return CHECK_END();
}
