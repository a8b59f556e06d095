/* The first byte chooses the decoder, the rest is its JSON, or its query behind an id. Laws: a decoder names
 * its kind of ask whatever it reads; a refusal says why; texts that are taken hold no NUL; a page is within
 * its bounds; and the same document written again gives the same refusal. */
#include <stdlib.h>
#include <string.h>

#include "dialect/signalwire/signalwire.h"

static const struct {
    ask_decode_fn *decode;
    enum ask_kind kind;
    bool takes_body;
} decoders[] = {
    {signalwire_decode_subscriber_create, ASK_USER, true},
    {signalwire_decode_subscriber_update, ASK_USER, true},
    {signalwire_decode_room_create, ASK_RESOURCE, true},
    {signalwire_decode_make_key, ASK_MAKE_KEY, true},
    {signalwire_decode_subscribers, ASK_USERS, false},
    {signalwire_decode_resources, ASK_RESOURCES, false},
    {signalwire_decode_subscriber_addresses, ASK_USERS, false},
    {signalwire_decode_resource_addresses, ASK_RESOURCES, false},
    {signalwire_decode_subscriber_read, ASK_USER, false},
    {signalwire_decode_subscriber_delete, ASK_USER, false},
    {signalwire_decode_resource_read, ASK_RESOURCE, false},
    {signalwire_decode_resource_delete, ASK_RESOURCE, false},
};
#define DECODERS (sizeof decoders / sizeof decoders[0])

static void require(bool law)
{
    if (!law) abort();
}

static void check_ask(const struct ask *ask)
{
    size_t i;

    switch (ask->kind) {
    case ASK_USER:
        require(!bytes_have(ask->user.reference, 0) && !bytes_have(ask->user.password, 0));
        for (i = 0; i < PROFILE_COUNT; i++)
            require(!bytes_have(ask->user.profile.value[i], 0));
        break;
    case ASK_RESOURCE:
        require(!bytes_have(ask->resource.name, 0) && !bytes_have(ask->resource.display_name, 0));
        break;
    case ASK_MAKE_KEY:
        require(!bytes_have(ask->make_key.name, 0) && ask->make_key.permissions <= PERMISSION_ALL);
        break;
    case ASK_USERS:
    case ASK_RESOURCES:
        require(ask->page.size >= 1 && ask->page.size <= PAGE_SIZE_MAX && !bytes_have(ask->page.cursor, 0));
        break;
    default:
        abort();
    }
}

static struct refused decode(size_t which, const struct dialect_request *request)
{
    struct refused refused = {REFUSAL_NONE, FIELD_NONE, NULL};
    struct ask ask;
    enum err e;

    memset(&ask, 0, sizeof ask);
    e = decoders[which].decode(&ask, &refused, request);
    require(e == ERR_OK || (e == ERR_MALFORMED && decoders[which].takes_body));
    require(ask.kind == decoders[which].kind);
    require((refused.because != NULL) == (refused.refusal != REFUSAL_NONE));
    if (!e) check_ask(&ask);
    return refused;
}

static void decode_document(size_t which, struct dialect_request *request, struct bytes text)
{
    struct json document, again;
    struct json_writer w;
    struct buf written;

    if (json_read(&document, text) != ERR_OK) return;
    buf_init(&written, 1 << 20);
    w = json_writer_on(&written);
    json_put_value(&w, document);
    if (buf_error(&written) == ERR_OK && json_read(&again, buf_bytes(&written)) == ERR_OK) {
        struct refused first, second;
        request->body = document;
        first = decode(which, request);
        request->body = again;
        second = decode(which, request);
        require(first.refusal == second.refusal && first.field == second.field);
        json_free(again);
    }
    buf_release(&written);
    json_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest, id;
    struct dialect_request request = {.params = {.count = 1}};
    struct arena arena;
    size_t which;

    if (!data || size == 0) return 0;
    which = (size_t)(data[0] - 'a') % DECODERS;
    rest = bytes_of(data + 1, size - 1);
    arena_init(&arena, 1 << 20);
    request.arena = &arena;
    request.params.value[0] = BYTES("11111111-1111-4111-8111-111111111111");
    if (decoders[which].takes_body)
        decode_document(which, &request, rest);
    else {
        if (bytes_split(&id, &request.query, rest, '?'))
            request.params.value[0] = id;
        else
            request.query = rest;
        (void)decode(which, &request);
    }
    arena_release(&arena);
    return 0;
}
