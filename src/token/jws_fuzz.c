/* Law: a token taken apart and put together again from its decoded parts is the same text, to the
 * last character. */
#include "token/jws.h"

#include "base/base64url.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes token = bytes_of(data, size);
    struct arena arena;
    struct buf again;
    struct jws jws;

    arena_init(&arena, 4 * JWS_MAX);
    buf_init(&again, JWS_MAX);
    if (jws_split(&jws, &arena, token) == ERR_OK) {
        if (size > JWS_MAX || jws.signature.len == 0) abort();
        if (json_type_of(json_member(jws.header, "crit")) != JSON_IS_ABSENT) abort();
        buf_append(&again, bytes_part(jws.signing_input, 0, bytes_index(jws.signing_input, '.')));
        buf_append_byte(&again, '.');
        base64url_append(&again, jws.payload);
        buf_append_byte(&again, '.');
        base64url_append(&again, jws.signature);
        if (!bytes_equal(buf_bytes(&again), token)) abort();
    }
    jws_release(&jws);
    buf_release(&again);
    arena_release(&arena);
    return 0;
}
