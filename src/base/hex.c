#include "base/hex.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

void hex_append(struct buf *out, struct bytes b)
{
    uint8_t *room = buf_extend(out, 2 * b.len);
    if (room != NULL) hex_write((char *)room, b);
}

void hex_write(char *out, struct bytes b)
{
    for (size_t i = 0; i < b.len; i++) {
        *out++ = digits[b.ptr[i] >> 4];
        *out++ = digits[b.ptr[i] & 15];
    }
}

enum err hex_read(uint8_t *out, size_t len, struct bytes text)
{
    if (text.len % 2 != 0 || text.len / 2 != len) goto malformed;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text.ptr[2 * i]), low = hex_digit(text.ptr[2 * i + 1]);
        if (high < 0 || low < 0) goto malformed;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return ERR_OK;
malformed:
    if (len > 0) memset(out, 0, len);
    return ERR_MALFORMED;
}

int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    uint8_t letter = c | 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}
