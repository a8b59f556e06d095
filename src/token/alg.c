#include "token/alg.h"

#include <stddef.h>

struct alg_row {
    const char *jose;
    bool may_sign;
    size_t signature_len;
};

static const struct alg_row rows[ALG_COUNT] = {
    [ALG_NONE] = {"", false, 0},
#define ALG_ROW(name, jose, signs, len) [ALG_##name] = {jose, signs, len},
#include "token/alg.def"
#undef ALG_ROW
};

static const struct alg_row *alg_row(enum alg alg)
{
    return &rows[alg < ALG_COUNT ? alg : ALG_NONE];
}

const char *alg_jose(enum alg alg)
{
    return alg_row(alg)->jose;
}

bool alg_may_sign(enum alg alg)
{
    return alg_row(alg)->may_sign;
}

size_t alg_signature_len(enum alg alg)
{
    return alg_row(alg)->signature_len;
}

enum alg alg_of_jose(struct bytes name)
{
    for (enum alg alg = ALG_NONE + 1; alg < ALG_COUNT; alg++)
        if (bytes_equal(name, bytes_of_text(rows[alg].jose))) return alg;
    return ALG_NONE;
}
