#include "base/utf8.h"

#include <string.h>

#define HIGH_BITS 0x8080808080808080u /* one per byte of a word: any set, and the word is not all ASCII */

static const uint8_t *skip_ascii(const uint8_t *at, const uint8_t *end)
{
    uint64_t word;
    while ((size_t)(end - at) >= sizeof word) {
        memcpy(&word, at, sizeof word);
        if ((word & HIGH_BITS) != 0) break;
        at += sizeof word;
    }
    while (at < end && *at < 0x80)
        at++;
    return at;
}

/* RFC 3629 §4: what may follow a first byte. The narrowed ranges of the second byte are what keeps out
 * overlong forms (E0, F0), surrogates (ED) and everything above U+10FFFF (F4). */
static bool begin_character(struct utf8 *state, uint8_t first)
{
    if (first < 0xC2 || first > 0xF4) return false;
    state->left = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    state->low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    state->high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return true;
}

bool utf8_feed(struct utf8 *state, struct bytes b)
{
    const uint8_t *at = b.ptr, *end = b.len == 0 ? at : at + b.len;
    while (at < end) {
        if (state->left == 0) {
            at = skip_ascii(at, end);
            if (at == end) break;
            if (!begin_character(state, *at++)) return false;
            continue;
        }
        if (*at < state->low || *at > state->high) return false;
        state->low = 0x80;
        state->high = 0xBF;
        state->left--;
        at++;
    }
    return true;
}

bool utf8_is_complete(const struct utf8 *state)
{
    return state->left == 0;
}

bool utf8_is_valid(struct bytes b)
{
    struct utf8 state = {0};
    return utf8_feed(&state, b) && utf8_is_complete(&state);
}
