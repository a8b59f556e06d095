/* Laws: the verdict agrees with a plain decoder written from the definition, and no split of the
 * text changes it. */
#include "base/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 3629 §3, decoding to numbers: another road to the same answer. */
static bool is_valid_by_value(const uint8_t *at, size_t left)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    while (left > 0) {
        uint8_t first = *at;
        size_t more = first < 0x80       ? 0
                      : first >> 5 == 6  ? 1
                      : first >> 4 == 14 ? 2
                      : first >> 3 == 30 ? 3
                                         : 9;
        if (more >= left || more == 9) return false;
        uint32_t value = more == 0 ? first : first & (0x3Fu >> more);
        for (size_t i = 1; i <= more; i++) {
            if ((at[i] & 0xC0) != 0x80) return false;
            value = value << 6 | (at[i] & 0x3Fu);
        }
        if (value < least[more] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
        at += more + 1;
        left -= more + 1;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size);
    bool wanted = is_valid_by_value(data, size);
    if (utf8_is_valid(text) != wanted) abort();
    for (size_t at = 0; at <= size; at += 1 + size / 64) {
        struct utf8 state = {0};
        bool is_valid = utf8_feed(&state, bytes_part(text, 0, at)) && utf8_feed(&state, bytes_from(text, at));
        if ((is_valid && utf8_is_complete(&state)) != wanted) abort();
    }
    return 0;
}
