/* The first byte chooses the decoder, the rest is its JSON; an empty rest is no body. Laws: a decoder names
 * its kind of ask whatever it reads; a refusal says why; texts hold no NUL; a payload is an object of ours
 * that reads and writes back the same; a user id is taken in one spelling only; and the same document written
 * again gives the same ask. */
#include <stdlib.h>
#include <string.h>

#include "dialect/tortus/tortus.h"

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

static void check_payload(struct bytes payload)
{
    struct json document;
    struct json_writer w;
    struct buf again;

    if (bytes_is_absent(payload)) return;
    require(payload.len <= PAYLOAD_MAX);
    require(json_read(&document, payload) == ERR_OK && json_type_of(document) == JSON_IS_OBJECT);
    buf_init(&again, 1 << 20);
    w = json_writer_on(&again);
    json_put_value(&w, document);
    require(bytes_equal(buf_bytes(&again), payload));
    buf_release(&again);
    json_free(document);
}

static void check_launch(const struct decoded *a, const struct decoded *b)
{
    const struct ask_launch *left = &a->ask.launch, *right = &b->ask.launch;

    require(left->has_user == right->has_user && uuid_equal(&left->user, &right->user));
    require(same_text(left->external_id, right->external_id) && !bytes_have(left->external_id, 0));
    require(same_text(left->payload, right->payload));
    check_payload(left->payload);
}

static void check_exchange(const struct decoded *a, const struct decoded *b)
{
    const struct ask_redeem *left = &a->ask.redeem, *right = &b->ask.redeem;

    require(left->kind == TICKET_LAUNCH && left->needs_publishable_key);
    require(same_text(left->ticket, right->ticket) && !bytes_have(left->ticket, 0));
    require(same_text(left->publishable_key, right->publishable_key) &&
            !bytes_have(left->publishable_key, 0));
    require(a->error || a->refused.refusal || (left->ticket.len && left->publishable_key.len));
}

static struct decoded decode_one(bool is_launch, struct json body, struct arena *arena)
{
    struct dialect_request request = {.body = body, .arena = arena};
    struct decoded decoded;

    memset(&decoded, 0, sizeof decoded);
    decoded.error =
        (is_launch ? tortus_decode_launch : tortus_decode_exchange)(&decoded.ask, &decoded.refused, &request);
    require(decoded.ask.kind == (is_launch ? ASK_LAUNCH : ASK_REDEEM));
    require(decoded.error == ERR_OK || decoded.error == ERR_MALFORMED);
    require((decoded.refused.because != NULL) == (decoded.refused.refusal != REFUSAL_NONE));
    return decoded;
}

static void decode_twice(bool is_launch, struct json document, struct json again)
{
    struct arena arena;
    struct decoded first, second;

    arena_init(&arena, 1 << 20);
    first = decode_one(is_launch, document, &arena);
    second = decode_one(is_launch, again, &arena);
    require(first.error == second.error && first.refused.refusal == second.refused.refusal &&
            first.refused.field == second.refused.field);
    (is_launch ? check_launch : check_exchange)(&first, &second);
    arena_release(&arena);
}

static void decode_document(bool is_launch, struct bytes text)
{
    struct json document, again;
    struct json_writer w;
    struct buf written;

    if (json_read(&document, text) != ERR_OK) return;
    buf_init(&written, 1 << 20);
    w = json_writer_on(&written);
    json_put_value(&w, document);
    if (buf_error(&written) == ERR_OK && json_read(&again, buf_bytes(&written)) == ERR_OK) {
        decode_twice(is_launch, document, again);
        json_free(again);
    }
    buf_release(&written);
    json_free(document);
}

static void read_user(struct bytes text)
{
    struct uuid id;
    char again[TORTUS_USER_LEN];

    if (!tortus_user_of(&id, text)) return;
    tortus_user_write(again, &id);
    require(bytes_equal(text, bytes_of(again, sizeof again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest;

    if (size == 0) return 0;
    rest = bytes_of(data + 1, size - 1);
    if (data[0] == 'u')
        read_user(rest);
    else if (rest.len)
        decode_document(data[0] == 'l', rest);
    else
        decode_twice(data[0] == 'l', (struct json){NULL}, (struct json){NULL});
    return 0;
}
