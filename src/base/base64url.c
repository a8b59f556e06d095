#include "base/base64url.h"

#include <string.h>

static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char classic_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* A character's six bits, with bit 6 set to tell them from "no character of ours" (0). */
#define IS_DIGIT 0x40u
/* clang-format off */
#define COMMON_DIGITS \
    ['A'] = 64, ['B'] = 65, ['C'] = 66, ['D'] = 67, ['E'] = 68, ['F'] = 69, ['G'] = 70,                   \
    ['H'] = 71, ['I'] = 72, ['J'] = 73, ['K'] = 74, ['L'] = 75, ['M'] = 76, ['N'] = 77,                   \
    ['O'] = 78, ['P'] = 79, ['Q'] = 80, ['R'] = 81, ['S'] = 82, ['T'] = 83, ['U'] = 84,                   \
    ['V'] = 85, ['W'] = 86, ['X'] = 87, ['Y'] = 88, ['Z'] = 89, ['a'] = 90, ['b'] = 91,                   \
    ['c'] = 92, ['d'] = 93, ['e'] = 94, ['f'] = 95, ['g'] = 96, ['h'] = 97, ['i'] = 98,                   \
    ['j'] = 99, ['k'] = 100, ['l'] = 101, ['m'] = 102, ['n'] = 103, ['o'] = 104, ['p'] = 105,             \
    ['q'] = 106, ['r'] = 107, ['s'] = 108, ['t'] = 109, ['u'] = 110, ['v'] = 111, ['w'] = 112,            \
    ['x'] = 113, ['y'] = 114, ['z'] = 115, ['0'] = 116, ['1'] = 117, ['2'] = 118, ['3'] = 119,            \
    ['4'] = 120, ['5'] = 121, ['6'] = 122, ['7'] = 123, ['8'] = 124, ['9'] = 125
static const uint8_t url_digits[256] = {COMMON_DIGITS, ['-'] = 126, ['_'] = 127};
static const uint8_t classic_digits[256] = {COMMON_DIGITS, ['+'] = 126, ['/'] = 127};
/* clang-format on */

static size_t encode(char *out, struct bytes b, const char *alphabet)
{
    char *const start = out;
    const uint8_t *in = b.ptr;
    for (; b.len >= 3; b.len -= 3, in += 3, out += 4) {
        uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        out[0] = alphabet[bits >> 18];
        out[1] = alphabet[bits >> 12 & 63];
        out[2] = alphabet[bits >> 6 & 63];
        out[3] = alphabet[bits & 63];
    }
    if (b.len > 0) {
        uint32_t bits = (uint32_t)in[0] << 16 | (b.len == 2 ? (uint32_t)in[1] << 8 : 0);
        *out++ = alphabet[bits >> 18];
        *out++ = alphabet[bits >> 12 & 63];
        if (b.len == 2) *out++ = alphabet[bits >> 6 & 63];
    }
    return (size_t)(out - start);
}

size_t base64url_write(char *out, struct bytes b)
{
    return encode(out, b, url_alphabet);
}

void base64url_append(struct buf *out, struct bytes b)
{
    uint8_t *room = buf_extend(out, BASE64URL_LEN(b.len));
    if (room != NULL) (void)encode((char *)room, b, url_alphabet); /* its length is known */
}

void base64_append(struct buf *out, struct bytes b)
{
    size_t padded = (b.len + 2) / 3 * 4;
    uint8_t *room = buf_extend(out, padded);
    if (room == NULL) return;
    size_t len = encode((char *)room, b, classic_alphabet);
    memset(room + len, '=', padded - len);
}

/* The last two or three characters; false if one is foreign or a bit that belongs to no byte is set: RFC 4648
 * §3.5 lets a decoder refuse that, and only so has each byte string one text. */
static bool decode_tail(uint8_t *out, const uint8_t *in, size_t len, const uint8_t digits[256])
{
    uint32_t first = digits[in[0]], second = digits[in[1]], third = len == 3 ? digits[in[2]] : IS_DIGIT;
    uint32_t bits = (first & 63) << 12 | (second & 63) << 6 | (third & 63);
    if ((first & second & third & IS_DIGIT) == 0) return false;
    if ((bits & (len == 3 ? 0x3u : 0x3FFu)) != 0) return false;
    out[0] = (uint8_t)(bits >> 10);
    if (len == 3) out[1] = (uint8_t)(bits >> 2);
    return true;
}

static bool decode(uint8_t *out, struct bytes text, const uint8_t digits[256])
{
    const uint8_t *in = text.ptr;
    uint32_t all = IS_DIGIT;
    for (; text.len >= 4; text.len -= 4, in += 4, out += 3) {
        uint32_t a = digits[in[0]], b = digits[in[1]], c = digits[in[2]], d = digits[in[3]];
        uint32_t bits = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);
        all &= a & b & c & d; /* asked once at the end: no branch in the loop */
        out[0] = (uint8_t)(bits >> 16);
        out[1] = (uint8_t)(bits >> 8);
        out[2] = (uint8_t)bits;
    }
    return all != 0 && (text.len == 0 || decode_tail(out, in, text.len, digits));
}

static enum err read_digits(uint8_t *out, size_t cap, size_t *len, struct bytes text,
                            const uint8_t digits[256])
{
    *len = 0;
    if (text.len % 4 == 1) return ERR_MALFORMED; /* six bits make no byte */
    size_t needed = text.len / 4 * 3 + (text.len % 4 == 0 ? 0 : text.len % 4 - 1);
    if (needed > cap) return ERR_TOO_LARGE;
    if (!decode(out, text, digits)) {
        if (needed > 0) memset(out, 0, needed);
        return ERR_MALFORMED;
    }
    *len = needed;
    return ERR_OK;
}

enum err base64url_read(uint8_t *out, size_t cap, size_t *len, struct bytes text)
{
    return read_digits(out, cap, len, text, url_digits);
}

enum err base64_read(uint8_t *out, size_t cap, size_t *len, struct bytes text)
{
    *len = 0;
    if (text.len % 4 != 0) return ERR_MALFORMED;
    /* At most two; a third would be met, and refused, as a foreign character. */
    for (int i = 0; i < 2 && text.len > 0 && text.ptr[text.len - 1] == '='; i++)
        text.len--;
    return read_digits(out, cap, len, text, classic_digits);
}
