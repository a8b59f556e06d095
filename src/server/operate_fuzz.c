/* Aims at operation_read. Law: what is taken has a verb and texts without NUL, and written as a line it is
 * read again as the same; what is refused leaves nothing behind. */
#include <stdlib.h>
#include <string.h>

#include "server/operate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_text(struct bytes a, struct bytes b)
{
    return bytes_is_absent(a) == bytes_is_absent(b) && bytes_equal(a, b);
}

static void check_same(const struct operation *a, const struct operation *b)
{
    size_t i;

    if (a->verb != b->verb || a->question_count != b->question_count) abort();
    for (i = 0; i < OPERANDS; i++)
        if (!same_text(a->operand[i], b->operand[i]) || bytes_have(a->operand[i], 0)) abort();
    for (i = 0; i < a->question_count; i++)
        if (!same_text(a->questions[i], b->questions[i]) || bytes_is_absent(a->questions[i])) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct operation nothing;
    struct operation operation, again;
    struct json document, line;
    struct buf text;

    if (json_read(&document, bytes_of(data, size))) return 0;
    if (operation_read(&operation, document)) {
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): both were filled with zeros, gaps and all */
        if (memcmp(&operation, &nothing, sizeof operation) != 0) abort();
    } else {
        if (operation.verb >= OPERATIONS) abort();
        buf_init(&text, 1 << 20);
        operation_write(&text, &operation);
        if (!buf_error(&text)) {
            if (json_read(&line, buf_bytes(&text)) || operation_read(&again, line)) abort();
            check_same(&operation, &again);
            json_free(line);
        }
        buf_release(&text);
    }
    json_free(document);
    return 0;
}
