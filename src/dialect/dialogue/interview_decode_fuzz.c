/* A line with the path's id, then the body: the first byte chooses the decoder. Laws: a decoder names its
 * kind of ask whatever it reads; a refusal says why; an answer that is taken has a question and holds no NUL;
 * and the same document written again gives the same ask. */
#include <stdlib.h>
#include <string.h>

#include "dialect/dialogue/dialogue.h"

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
    return bytes_is_absent(a) == bytes_is_absent(b) && bytes_equal(a, b) && !bytes_have(a, 0);
}

static ask_decode_fn *decoder_of(uint8_t letter)
{
    return letter == 's'   ? dialogue_decode_study
           : letter == 'b' ? dialogue_decode_begin
           : letter == 'c' ? dialogue_decode_consent
           : letter == 'd' ? dialogue_decode_complete
           : letter == 'r' ? dialogue_decode_read
                           : dialogue_decode_answer;
}

static struct decoded decode_one(uint8_t letter, struct bytes id, struct json body, struct arena *arena)
{
    struct dialect_request request = {.body = body, .params = {.value = {id}, .count = 1}, .arena = arena};
    struct decoded decoded;

    memset(&decoded, 0, sizeof decoded);
    decoded.error = decoder_of(letter)(&decoded.ask, &decoded.refused, &request);
    require(decoded.ask.kind == (letter == 's' ? ASK_STUDY : ASK_INTERVIEW));
    require(decoded.error == ERR_OK || decoded.error == ERR_MALFORMED);
    require((decoded.refused.because != NULL) == (decoded.refused.refusal != REFUSAL_NONE));
    return decoded;
}

static void decode_twice(uint8_t letter, struct bytes id, struct json document, struct json again)
{
    struct arena arena;
    struct decoded a, b;

    arena_init(&arena, 1 << 20);
    a = decode_one(letter, id, document, &arena);
    b = decode_one(letter, id, again, &arena);
    require(a.error == b.error && a.refused.refusal == b.refused.refusal &&
            a.refused.field == b.refused.field);
    require(uuid_equal(&a.ask.interview.study, &b.ask.interview.study));
    require(uuid_equal(&a.ask.interview.id, &b.ask.interview.id));
    require(a.ask.interview.step == b.ask.interview.step && a.ask.interview.number == b.ask.interview.number);
    if (!a.error && !a.refused.refusal) {
        require(same_text(a.ask.interview.question, b.ask.interview.question));
        require(same_text(a.ask.interview.answer, b.ask.interview.answer));
        if (a.ask.interview.step == INTERVIEW_ANSWER) require(!bytes_is_absent(a.ask.interview.answer));
    }
    arena_release(&arena);
}

static void decode_document(uint8_t letter, struct bytes id, struct bytes text)
{
    struct json document, again;
    struct json_writer w;
    struct buf written;

    if (json_read(&document, text) != ERR_OK) return;
    buf_init(&written, 1 << 20);
    w = json_writer_on(&written);
    json_put_value(&w, document);
    if (buf_error(&written) == ERR_OK && json_read(&again, buf_bytes(&written)) == ERR_OK) {
        decode_twice(letter, id, document, again);
        json_free(again);
    }
    buf_release(&written);
    json_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes id, body;

    if (size == 0) return 0;
    if (bytes_split(&id, &body, bytes_of(data + 1, size - 1), '\n') && body.len)
        decode_document(data[0], id, body);
    else
        decode_twice(data[0], bytes_of(data + 1, size - 1), (struct json){NULL}, (struct json){NULL});
    return 0;
}
