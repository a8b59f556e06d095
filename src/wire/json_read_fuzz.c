/* Aims at json_read and json_put_value. Law: what is accepted, written by us and read again is equal, and is
 * written the same way again. */
#include <jansson.h>
#include <stdlib.h>

#include "wire/json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_value(struct buf *out, struct json value)
{
    struct json_writer w = json_writer_on(out);

    buf_reset(out);
    json_put_value(&w, value);
    if (buf_error(out) != ERR_OK) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json first, second;
    struct buf once, twice;

    if (json_read(&first, bytes_of(data, size)) != ERR_OK) {
        if (first.node) abort();
        return 0;
    }
    /* No byte grows more than sixfold, except the bare numbers. */
    buf_init(&once, size * 32 + 64);
    buf_init(&twice, size * 32 + 64);
    write_value(&once, first);
    if (json_read(&second, buf_bytes(&once)) != ERR_OK) abort();
    if (!json_equal(first.node, second.node)) abort();
    write_value(&twice, second);
    if (!bytes_equal(buf_bytes(&once), buf_bytes(&twice))) abort();
    json_free(first);
    json_free(second);
    buf_release(&once);
    buf_release(&twice);
    return 0;
}
