/* The first byte chooses the decoder, the rest is its JSON. Laws: a decoder names its kind of ask
 * whatever it reads; a refusal says why; what is not refused is whole; and the same document written
 * again gives the same ask. */
#include <stdlib.h>
#include <string.h>

#include "dialect/signalwire/signalwire.h"
#include "wire/json_write.h"

struct decoded {
    struct ask ask;
    struct refused refused;
    enum err error;
};

static void require(bool law)
{
    if (!law) abort();
}

static bool same_text(struct bytes a, struct bytes b)
{
    return bytes_is_absent(a) == bytes_is_absent(b) && bytes_equal(a, b);
}

static void check_guest(const struct ask_guest *a, const struct ask_guest *b, bool is_taken)
{
    size_t i;

    require(a->address_count <= ADDRESSES_MAX && a->address_count <= a->address_count_asked);
    if (is_taken)
        require(a->address_count ==
                (a->address_count_asked < ADDRESSES_MAX ? a->address_count_asked : ADDRESSES_MAX));
    for (i = 0; is_taken && i < a->address_count; i++)
        require(!uuid_is_zero(&a->addresses[i]));
    require(memcmp(a->addresses, b->addresses, sizeof a->addresses) == 0);
    require(a->address_count_asked == b->address_count_asked && a->has_expiry == b->has_expiry);
    require(a->expire_at_s == b->expire_at_s);
}

static void check_same(const struct decoded *a, const struct decoded *b)
{
    bool is_taken = !a->error && !a->refused.refusal;

    require(a->error == b->error && a->refused.refusal == b->refused.refusal &&
            a->refused.field == b->refused.field);
    if (a->ask.kind == ASK_MINT_GUEST)
        check_guest(&a->ask.guest, &b->ask.guest, is_taken);
    else if (a->ask.kind == ASK_MINT_INVITE) {
        require(uuid_equal(&a->ask.invite.address, &b->ask.invite.address));
        require(same_text(a->ask.invite.proof, b->ask.invite.proof));
        require(!is_taken || !uuid_is_zero(&a->ask.invite.address));
    } else if (a->ask.kind == ASK_MINT_EMBED) {
        require(same_text(a->ask.embed.token, b->ask.embed.token));
        require(!is_taken || (a->ask.embed.token.len && !bytes_have(a->ask.embed.token, 0)));
    } else {
        require(same_text(a->ask.bind.proof, b->ask.bind.proof));
        require(a->ask.bind.has_life == b->ask.bind.has_life && a->ask.bind.life_s == b->ask.bind.life_s);
    }
}

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

static void decode_document(ask_decode_fn *decode, enum ask_kind kind, struct bytes text)
{
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
        check_same(&first, &second);
        json_free(again);
    }
    buf_release(&written);
    json_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        char first;
        ask_decode_fn *decode;
        enum ask_kind kind;
    } rows[] = {{'g', signalwire_decode_guest, ASK_MINT_GUEST},
                {'i', signalwire_decode_invite, ASK_MINT_INVITE},
                {'e', signalwire_decode_embed, ASK_MINT_EMBED},
                {'b', signalwire_decode_activate, ASK_BIND},
                {'r', signalwire_decode_renew, ASK_BIND}};
    size_t i;

    for (i = 0; size && i < sizeof rows / sizeof rows[0]; i++)
        if (data[0] == (uint8_t)rows[i].first)
            decode_document(rows[i].decode, rows[i].kind, bytes_of(data + 1, size - 1));
    return 0;
}
