#include "harness/check.h"
#include "token/alg.h"

static void refuses_what_has_no_row(void)
{
    static const char *const names[] = {"",       "none",   "None",  "NONE",  "HS256",
                                        "ES384",  "ES256K", "PS256", "es256", "EDDSA",
                                        "ES256 ", " ES256", "ES25",  "RS512", "ES2567"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK_NOTE("%s", names[i]);
        CHECK_INT(alg_of_jose(bytes_of_text(names[i])), ALG_NONE);
    }
    CHECK_INT(alg_of_jose(BYTES_NONE), ALG_NONE);
    CHECK_INT(alg_of_jose(BYTES("ES256\0")), ALG_NONE);
}

static void finds_every_row_by_its_name(void)
{
    for (enum alg alg = ALG_NONE + 1; alg < ALG_COUNT; alg++)
        CHECK_INT(alg_of_jose(bytes_of_text(alg_jose(alg))), alg);
}

static void only_ours_may_sign(void)
{
    CHECK(!alg_may_sign(ALG_NONE));
    CHECK(!alg_may_sign(ALG_COUNT));
    CHECK(!alg_may_sign(ALG_RS256));
    CHECK(alg_may_sign(ALG_ES256));
    CHECK(alg_may_sign(ALG_EDDSA));
    CHECK_INT(alg_signature_len(ALG_ES256), 64);
    CHECK_INT(alg_signature_len(ALG_RS256), 0);
}

int main(void)
{
    CHECK_RUN(refuses_what_has_no_row);
    CHECK_RUN(finds_every_row_by_its_name);
    CHECK_RUN(only_ours_may_sign);
    return CHECK_END();
}
