/* Laws: what is read writes back as the same text, and any bytes written are read back the same. */
#include "base/base64url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct bytes text, bool is_url)
{
    uint8_t *out = malloc(text.len + 1);
    size_t len;
    struct buf back;
    buf_init(&back, SIZE_MAX);
    if (out == NULL) return;
    enum err e = is_url ? base64url_read(out, text.len, &len, text) : base64_read(out, text.len, &len, text);
    if (e == ERR_OK) {
        if (is_url)
            base64url_append(&back, bytes_of(out, len));
        else
            base64_append(&back, bytes_of(out, len));
        if (!bytes_equal(buf_bytes(&back), text)) abort();
    } else if (len != 0) {
        abort();
    }
    buf_release(&back);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    uint8_t *back = malloc(size + 1);
    size_t len;
    struct buf text;
    if (back == NULL) return 0;
    check_text(input, true);
    check_text(input, false);
    buf_init(&text, SIZE_MAX);
    base64url_append(&text, input);
    if (base64url_read(back, size, &len, buf_bytes(&text)) != ERR_OK) abort();
    if (!bytes_equal(bytes_of(back, len), input)) abort();
    buf_release(&text);
    free(back);
    return 0;
}
