/* Law: claims that were read are written, read again and written as the same text; a check never passes
 * what has expired. */
#include "token/claims.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void never_passes_what_expired(const struct claims *claims)
{
    static const int64_t clocks[] = {0, 1, 1767225600, INT64_MAX};

    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        struct claims_policy policy = {.iss = claims->iss,
                                       .aud = BYTES("ws"),
                                       .now_s = clocks[i],
                                       .age_max_ms = INT64_MAX,
                                       .life_max_s = 86400};
        if (claims_check(claims, &policy) == REFUSAL_NONE && claims->exp_s <= clocks[i]) abort();
        policy.moved_now_s = claims->exp_s;
        if (claims_check(claims, &policy) == REFUSAL_NONE) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct claims claims, again;
    struct arena arena;
    struct buf first, second;

    arena_init(&arena, 64 * 1024);
    buf_init(&first, 64 * 1024);
    buf_init(&second, 64 * 1024);
    if (claims_read(&claims, &arena, bytes_of(data, size), BYTES("ws")) == ERR_OK) {
        never_passes_what_expired(&claims);
        claims_write(&first, &claims);
        if (claims.kind != KIND_NONE) { /* without a kind the text is not one of ours */
            if (claims_read(&again, &arena, buf_bytes(&first), BYTES("ws")) != ERR_OK) abort();
            claims_write(&second, &again);
            if (!bytes_equal(buf_bytes(&first), buf_bytes(&second))) abort();
        }
    }
    buf_release(&first);
    buf_release(&second);
    arena_release(&arena);
    return 0;
}
