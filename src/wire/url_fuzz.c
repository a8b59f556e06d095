/* Laws: a path that is taken decodes to one without NUL, backslash, control bytes and dot segments, and to
 * the same number of segments; a query value is valid UTF-8 without NUL; an origin that is taken has no
 * upper-case letter, no white space and no path. */
#include "wire/url.h"

#include "base/hex.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(struct bytes path)
{
    struct buf decoded;
    struct bytes segment, rest;
    size_t slashes_before = 0, slashes_after = 0;
    buf_init(&decoded, SIZE_MAX);
    for (size_t i = 0; i < path.len; i++) {
        slashes_before += path.ptr[i] == '/';
        if (path.ptr[i] != '%') {
            buf_append_byte(&decoded, path.ptr[i]);
            continue;
        }
        if (path.len - i < 3) abort();
        buf_append_byte(&decoded, (uint8_t)(hex_digit(path.ptr[i + 1]) * 16 + hex_digit(path.ptr[i + 2])));
        i += 2;
    }
    rest = buf_bytes(&decoded);
    if (!utf8_is_valid(rest)) abort();
    for (size_t i = 0; i < rest.len; i++) {
        slashes_after += rest.ptr[i] == '/';
        if (rest.ptr[i] < 0x20 || rest.ptr[i] == '\\' || rest.ptr[i] == 0x7F) abort();
    }
    if (slashes_before != slashes_after) abort();
    for (bool has_more = true; has_more;) {
        has_more = bytes_split(&segment, &rest, rest, '/');
        if (bytes_equal(segment, BYTES(".")) || bytes_equal(segment, BYTES(".."))) abort();
    }
    buf_release(&decoded);
}

static void check_origin(struct bytes origin)
{
    unsigned slashes = 0;
    if (!url_is_origin(origin)) return;
    for (size_t i = 0; i < origin.len; i++) {
        uint8_t c = origin.ptr[i];
        slashes += c == '/';
        if (c <= 0x20 || c >= 0x7F || (c >= 'A' && c <= 'Z') || strchr("?#@\\,*%", c) != NULL) abort();
    }
    if (slashes != (bytes_equal(origin, BYTES("null")) ? 0u : 2u)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size), value;
    struct url_target target;
    struct arena arena;
    check_origin(input);
    if (url_target_read(&target, input) == ERR_OK)
        check_path(target.path);
    else if (!bytes_is_absent(target.path))
        abort();
    arena_init(&arena, 1 << 20);
    if (url_query_value(&value, &arena, input, BYTES("a")) != ERR_OK) {
        if (!bytes_is_absent(value)) abort();
    } else if (!bytes_is_absent(value) && (!utf8_is_valid(value) || bytes_have(value, 0))) {
        abort();
    }
    arena_release(&arena);
    return 0;
}
