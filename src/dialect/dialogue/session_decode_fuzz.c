/* The first byte chooses the decoder, the rest is its JSON; an empty rest is no body. Laws: a decoder names
 * its kind of ask whatever it reads; a refusal says why; texts hold no NUL; what is taken names a ticket; and
 * the same document written again gives the same ask. */
#include <stdlib.h>
#include <string.h>

#include "dialect/dialogue/dialogue.h"

static const struct {
    char letter;
    ask_decode_fn *decode;
    enum ask_kind kind;
} decoders[] = {{'b', dialogue_decode_bootstrap, ASK_BOOTSTRAP},
                {'r', dialogue_decode_redeem, ASK_REDEEM},
                {'v', dialogue_decode_visit, ASK_VISIT}};

struct decoded {
    struct ask ask;
    struct refused refused;
    enum err error;
};

static void require(bool law)
{
    if (!law) abort();
}

static void check_text(struct bytes a, struct bytes b)
{
    require(bytes_is_absent(a) == bytes_is_absent(b) && bytes_equal(a, b) && !bytes_have(a, 0));
}

static struct decoded decode_one(size_t which, struct json body)
{
    struct dialect_request request = {.body = body};
    struct decoded decoded;

    memset(&decoded, 0, sizeof decoded);
    decoded.error = decoders[which].decode(&decoded.ask, &decoded.refused, &request);
    require(decoded.ask.kind == decoders[which].kind);
    require(decoded.error == ERR_OK || decoded.error == ERR_MALFORMED);
    require((decoded.refused.because != NULL) == (decoded.refused.refusal != REFUSAL_NONE));
    return decoded;
}

static void decode_twice(size_t which, struct json document, struct json again)
{
    struct decoded a = decode_one(which, document), b = decode_one(which, again);

    require(a.error == b.error && a.refused.refusal == b.refused.refusal &&
            a.refused.field == b.refused.field);
    if (a.ask.kind == ASK_BOOTSTRAP) {
        check_text(a.ask.bootstrap.external_id, b.ask.bootstrap.external_id);
    } else if (a.ask.kind == ASK_REDEEM) {
        check_text(a.ask.redeem.ticket, b.ask.redeem.ticket);
        check_text(a.ask.redeem.publishable_key, b.ask.redeem.publishable_key);
        require(a.error || a.refused.refusal || a.ask.redeem.ticket.len);
    } else {
        check_text(a.ask.visit.publishable_key, b.ask.visit.publishable_key);
        require(a.ask.visit.has_study == b.ask.visit.has_study &&
                uuid_equal(&a.ask.visit.study, &b.ask.visit.study));
    }
}

static void decode_document(size_t which, struct bytes text)
{
    struct json document, again;
    struct json_writer w;
    struct buf written;

    if (json_read(&document, text) != ERR_OK) return;
    buf_init(&written, 1 << 20);
    w = json_writer_on(&written);
    json_put_value(&w, document);
    if (buf_error(&written) == ERR_OK && json_read(&again, buf_bytes(&written)) == ERR_OK) {
        decode_twice(which, document, again);
        json_free(again);
    }
    buf_release(&written);
    json_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t i;

    for (i = 0; size && i < sizeof decoders / sizeof decoders[0]; i++) {
        if (data[0] != (uint8_t)decoders[i].letter) continue;
        if (size > 1)
            decode_document(i, bytes_of(data + 1, size - 1));
        else
            decode_twice(i, (struct json){NULL}, (struct json){NULL});
    }
    return 0;
}
