/* The params of a request about a call. Laws: the request's id is kept; a refusal says why, and only what
 * wants something is refused; what is taken is whole and within its limits; the same document written again
 * gives the same. */
#include <stdlib.h>

#include "dialect/signalwire/signalwire.h"
#include "wire/json_write.h"
#include "wire/sdp.h"

struct decoded {
    struct phone_ask ask;
    struct refused refused;
};

static void require(bool law)
{
    if (!law) abort();
}

static bool same_text(struct bytes a, struct bytes b)
{
    return bytes_is_absent(a) == bytes_is_absent(b) && bytes_equal(a, b);
}

static bool is_text(struct bytes text, size_t max)
{
    return text.len && text.len <= max && !bytes_have(text, 0);
}

static struct decoded decode_one(struct json params)
{
    struct rpc_message call = {.kind = RPC_REQUEST, .id = BYTES("id"), .params = params};
    struct decoded d = {.refused = {0}};
    const struct phone_ask *ask = &d.ask;

    signalwire_decode_phone(&d.ask, &d.refused, &call);
    require(bytes_equal(ask->id, call.id) && ask->inner_id.len <= RPC_ID_MAX);
    require((d.refused.because != NULL) == (d.refused.refusal != REFUSAL_NONE));
    if (ask->verb == PHONE_OTHER)
        require(!d.refused.refusal && bytes_is_absent(ask->leg) && bytes_is_absent(ask->sdp));
    else if (!d.refused.refusal) {
        require(is_text(ask->leg, PHONE_LEG_MAX));
        require(ask->verb == PHONE_HANG_UP || sdp_check(ask->sdp) == ERR_OK);
        require(ask->verb != PHONE_DIAL || is_text(ask->destination, PHONE_DESTINATION_MAX));
    }
    require(ask->cause < CALL_CAUSES);
    return d;
}

static void check_same(const struct decoded *a, const struct decoded *b)
{
    require(a->ask.verb == b->ask.verb && a->ask.cause == b->ask.cause && a->ask.is_again == b->ask.is_again);
    require(a->refused.refusal == b->refused.refusal && a->refused.field == b->refused.field);
    require(same_text(a->ask.leg, b->ask.leg) && same_text(a->ask.sdp, b->ask.sdp));
    require(same_text(a->ask.inner_id, b->ask.inner_id) && same_text(a->ask.destination, b->ask.destination));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json document, again;
    struct decoded first, second;
    struct json_writer w;
    struct buf written;

    if (json_read(&document, bytes_of(data, size)) != ERR_OK) return 0;
    buf_init(&written, 1 << 20);
    w = json_writer_on(&written);
    json_put_value(&w, document);
    if (buf_error(&written) == ERR_OK && json_read(&again, buf_bytes(&written)) == ERR_OK) {
        first = decode_one(document);
        second = decode_one(again);
        check_same(&first, &second);
        json_free(again);
    }
    buf_release(&written);
    json_free(document);
    return 0;
}
