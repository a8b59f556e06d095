/* The first byte chooses the decoder, the rest is its JSON or query. Laws: a decoder names its kind of ask
 * whatever it reads; a refusal says why; what a mint takes holds no NUL; and the same document written again
 * gives the same ask. */
#include <stdlib.h>
#include <string.h>

#include "dialect/signalwire/signalwire.h"

struct decoded {
    struct ask ask;
    struct refused refused;
    enum err error;
};

static void require(bool law)
{
    if (!law) abort();
}

static bool is_clean(struct bytes text)
{
    return !bytes_have(text, 0);
}

static bool same_text(struct bytes a, struct bytes b)
{
    return bytes_is_absent(a) == bytes_is_absent(b) && bytes_equal(a, b);
}

static void check_mint(const struct decoded *a, const struct decoded *b)
{
    const struct ask_mint *left = &a->ask.mint, *right = &b->ask.mint;
    size_t i;

    require(is_clean(left->reference) && is_clean(left->password) && is_clean(left->fingerprint));
    require(same_text(left->reference, right->reference) && same_text(left->password, right->password));
    require(same_text(left->fingerprint, right->fingerprint));
    require(left->has_expiry == right->has_expiry && left->expire_at_s == right->expire_at_s);
    require(left->has_application == right->has_application &&
            uuid_equal(&left->application, &right->application));
    require(left->may_self_refresh == right->may_self_refresh);
    for (i = 0; i < PROFILE_COUNT; i++)
        require(is_clean(left->profile.value[i]) &&
                same_text(left->profile.value[i], right->profile.value[i]));
    require(a->error || a->refused.refusal || !bytes_is_absent(left->reference));
}

static void check_connect(const struct decoded *a, const struct decoded *b)
{
    require(same_text(a->ask.connect.token, b->ask.connect.token));
    require(same_text(a->ask.connect.proof, b->ask.connect.proof));
    require(a->ask.connect.wants_resume == b->ask.connect.wants_resume);
    require(a->ask.connect.wants_upgrade == b->ask.connect.wants_upgrade);
    require(a->ask.connect.wants_resume || !a->ask.connect.wants_upgrade);
    require(a->ask.connect.takes_slots == b->ask.connect.takes_slots);
    require(same_text(a->ask.connect.state, b->ask.connect.state));
    require(same_text(a->ask.connect.session, b->ask.connect.session));
    require(a->ask.connect.wants_resume ||
            (bytes_is_absent(a->ask.connect.state) && bytes_is_absent(a->ask.connect.session)));
    require(bytes_is_absent(a->ask.connect.session) || a->ask.connect.session.len == 32);
    require(a->error || a->refused.refusal || a->ask.connect.token.len > 0);
}

static void check_refresh(const struct decoded *a, const struct decoded *b)
{
    require(is_clean(a->ask.refresh.refresh_token) && bytes_is_absent(a->ask.refresh.proof));
    require(same_text(a->ask.refresh.refresh_token, b->ask.refresh.refresh_token));
    require(a->error || a->refused.refusal || a->ask.refresh.refresh_token.len > 0);
}

static void check_renewal(const struct decoded *a, const struct decoded *b)
{
    require(same_text(a->ask.reauthenticate.token, b->ask.reauthenticate.token));
    require(same_text(a->ask.reauthenticate.proof, b->ask.reauthenticate.proof));
    require(a->error || a->refused.refusal || a->ask.reauthenticate.token.len > 0);
}

/* By the first byte of the input; what has none of its own is a connect. */
static const struct {
    char first;
    ask_decode_fn *decode;
    enum ask_kind kind;
    void (*check)(const struct decoded *a, const struct decoded *b);
} documents[] = {
    {'m', signalwire_decode_mint, ASK_MINT_SUBSCRIBER, check_mint},
    {'r', signalwire_decode_refresh, ASK_REFRESH, check_refresh},
    {'n', signalwire_decode_reauthenticate, ASK_REAUTHENTICATE, check_renewal},
    {'c', signalwire_decode_connect, ASK_CONNECT, check_connect},
};

static struct decoded decode_one(ask_decode_fn *decode, enum ask_kind kind, struct json body)
{
    struct dialect_request request = {.body = body};
    struct decoded decoded;

    memset(&decoded, 0, sizeof decoded);
    decoded.error = decode(&decoded.ask, &decoded.refused, &request);
    require(decoded.ask.kind == kind);
    require(decoded.error == ERR_OK || decoded.error == ERR_MALFORMED);
    require((decoded.refused.because != NULL) == (decoded.refused.refusal != REFUSAL_NONE));
    return decoded;
}

static void decode_document(size_t which, struct bytes text)
{
    ask_decode_fn *decode = documents[which].decode;
    enum ask_kind kind = documents[which].kind;
    struct json document, again;
    struct decoded first, second;
    struct json_writer w;
    struct buf written;

    if (json_read(&document, text) != ERR_OK) return;
    buf_init(&written, 1 << 20);
    w = json_writer_on(&written);
    json_put_value(&w, document);
    if (buf_error(&written) == ERR_OK && json_read(&again, buf_bytes(&written)) == ERR_OK) {
        first = decode_one(decode, kind, document);
        second = decode_one(decode, kind, again);
        require(first.error == second.error && first.refused.refusal == second.refused.refusal &&
                first.refused.field == second.refused.field);
        documents[which].check(&first, &second);
        json_free(again);
    }
    buf_release(&written);
    json_free(document);
}

static void decode_query(struct bytes query)
{
    struct dialect_request request = {.query = query};
    struct refused refused = {0};
    struct arena arena;
    struct ask ask = {0};

    arena_init(&arena, 1 << 20);
    request.arena = &arena;
    require(signalwire_decode_addresses(&ask, &refused, &request) == ERR_OK);
    require(ask.kind == ASK_ADDRESSES);
    require(!refused.refusal || bytes_is_absent(ask.addresses.name));
    require(is_clean(ask.addresses.name) && ask.addresses.name.len <= query.len);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t last = sizeof documents / sizeof documents[0] - 1;
    struct bytes rest;
    size_t which = 0;

    if (size == 0) return 0;
    rest = bytes_of(data + 1, size - 1);
    while (which < last && (uint8_t)documents[which].first != data[0])
        which++;
    if (data[0] == 'q')
        decode_query(rest);
    else
        decode_document(which, rest);
    return 0;
}
