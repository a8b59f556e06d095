/* Law: a stream of requests reads the same whole, byte by byte and in two pieces; spans stay
 * inside the request. */
#include "wire/http_request.h"
#include "harness/http_transcript.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes raw = bytes_of(data, size);
    struct buf whole, cut;
    buf_init(&whole, SIZE_MAX);
    buf_init(&cut, SIZE_MAX);
    (void)http_transcript(&whole, raw, size, 1); /* the count is in the transcript */
    size_t stride = 1 + size / 16;
    for (size_t first = size < 512 ? 0 : stride; first < size; first += stride) {
        buf_reset(&cut);
        (void)http_transcript(&cut, raw, first, first == 0 ? 1 : size);
        if (!bytes_equal(buf_bytes(&whole), buf_bytes(&cut))) abort();
    }
    buf_release(&whole);
    buf_release(&cut);
    return 0;
}
