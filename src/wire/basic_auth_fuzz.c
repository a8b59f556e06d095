/* Laws: what is read encodes back to the same credentials; a user has no colon; a bearer token is the
 * end of its field. */
#include "wire/basic_auth.h"

#include "base/base64url.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_basic(const struct basic_auth *auth, struct bytes authorization)
{
    struct buf pair, text;
    buf_init(&pair, SIZE_MAX);
    buf_init(&text, SIZE_MAX);
    buf_append(&pair, auth->user);
    buf_append_byte(&pair, ':');
    buf_append(&pair, auth->password);
    base64_append(&text, buf_bytes(&pair));
    if (!bytes_equal(buf_bytes(&text), bytes_from(authorization, sizeof "Basic " - 1))) abort();
    if (bytes_have(auth->user, ':') || bytes_have(buf_bytes(&pair), 0)) abort();
    buf_release(&pair);
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size), token;
    struct basic_auth auth;
    struct arena arena;
    arena_init(&arena, 4096);
    if (basic_auth_read(&auth, &arena, input) == ERR_OK)
        check_basic(&auth, input);
    else if (!bytes_is_absent(auth.user) || !bytes_is_absent(auth.password))
        abort();
    if (bearer_read(&token, input, 512) != ERR_OK) {
        if (!bytes_is_absent(token)) abort();
    } else if (token.len == 0 || token.len > 512 || token.ptr + token.len != data + size) {
        abort();
    }
    if (dpop_auth_read(&token, input, 512) == ERR_OK &&
        (token.len == 0 || token.len > 512 || bearer_read(&token, input, 512) == ERR_OK))
        abort(); /* one field has one scheme */
    arena_release(&arena);
    return 0;
}
