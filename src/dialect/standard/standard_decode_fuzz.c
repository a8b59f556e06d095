/* The first byte chooses the decoder, the rest is its form or query. Laws: a decoder names its kind of ask
 * whatever it reads; a refusal says why; what is taken is whole, and holds no control byte. */
#include <stdlib.h>
#include <string.h>

#include "dialect/standard/standard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool law)
{
    if (!law) abort();
}

static void require_text(struct bytes text)
{
    size_t i;

    require(text.len > 0);
    for (i = 0; i < text.len; i++)
        require(text.ptr[i] >= 0x20 && text.ptr[i] != 0x7F);
}

static void check_taken(const struct ask *ask)
{
    switch ((int)ask->kind) {
    case ASK_REFRESH:
        require_text(ask->refresh.refresh_token);
        require(ask->refresh.may_lack_key);
        return;
    case ASK_REDEEM:
        require_text(ask->redeem.ticket);
        require(ask->redeem.kind == TICKET_LAUNCH || ask->redeem.kind == TICKET_BOOTSTRAP);
        require(ask->redeem.needs_publishable_key == (ask->redeem.kind == TICKET_LAUNCH));
        return;
    case ASK_INTROSPECT:
        require_text(ask->introspect.token);
        return;
    case ASK_REVOKE:
        require_text(ask->revoke.token);
        return;
    case ASK_REVOCATIONS:
        require(ask->revocations.since_ms >= 0);
        return;
    default:
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ask_decode_fn *const decoders[] = {standard_decode_token, standard_decode_introspect,
                                              standard_decode_revoke, standard_decode_revocations};
    struct dialect_request request = {0};
    struct refused refused = {0};
    struct arena arena;
    struct ask ask;
    enum err e;

    if (!size) return 0;
    memset(&ask, 0, sizeof ask);
    arena_init(&arena, 1 << 22);
    request.arena = &arena;
    request.form = request.query = bytes_of(data + 1, size - 1);
    e = decoders[data[0] % 4](&ask, &refused, &request);
    require(ask.kind != ASK_NONE);
    require(e == ERR_OK || e == ERR_MALFORMED);
    require(!refused.refusal == !refused.because);
    if (!e && !refused.refusal) check_taken(&ask);
    if (ask.credential.kind != CREDENTIAL_NONE) {
        require(ask.credential.kind == CREDENTIAL_ASSERTION && !e);
        require_text(ask.credential.token);
        require_text(ask.credential.assertion_type);
    }
    arena_release(&arena);
    return 0;
}
