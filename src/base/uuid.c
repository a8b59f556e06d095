#include "base/uuid.h"

#include "base/hex.h"

#include <string.h>

/* RFC 9562 §4: where the groups begin, in bytes and in characters. */
static const struct {
    uint8_t byte, text, len;
} groups[] = {{0, 0, 4}, {4, 9, 2}, {6, 14, 2}, {8, 19, 2}, {10, 24, 6}};
#define GROUPS (sizeof groups / sizeof groups[0])

void uuid_draw(struct uuid *out, const struct dice *dice)
{
    dice_fill(dice, out->byte, sizeof out->byte);
    out->byte[6] = (uint8_t)((out->byte[6] & 0x0F) | 0x40); /* RFC 9562 §5.4: version 4 */
    out->byte[8] = (uint8_t)((out->byte[8] & 0x3F) | 0x80); /* §4.1: variant 10 */
}

void uuid_write(char out[UUID_TEXT_LEN], const struct uuid *id)
{
    memset(out, '-', UUID_TEXT_LEN);
    for (size_t i = 0; i < GROUPS; i++)
        hex_write(out + groups[i].text, bytes_of(id->byte + groups[i].byte, groups[i].len));
}

void uuid_append(struct buf *out, const struct uuid *id)
{
    uint8_t *room = buf_extend(out, UUID_TEXT_LEN);
    if (room != NULL) uuid_write((char *)room, id);
}

enum err uuid_read(struct uuid *out, struct bytes text)
{
    enum err e = ERR_MALFORMED;
    *out = (struct uuid){0};
    if (text.len != UUID_TEXT_LEN) return e;
    for (size_t i = 0; i < GROUPS; i++) {
        if (i > 0 && text.ptr[groups[i].text - 1] != '-') goto malformed;
        struct bytes digits = bytes_part(text, groups[i].text, 2u * groups[i].len);
        TRY(e = hex_read(out->byte + groups[i].byte, groups[i].len, digits), malformed);
    }
    return ERR_OK;
malformed:
    *out = (struct uuid){0};
    return ERR_MALFORMED;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->byte, b->byte, sizeof a->byte) == 0;
}

bool uuid_is_zero(const struct uuid *id)
{
    return uuid_equal(id, &(struct uuid){0});
}

struct bytes uuid_bytes(const struct uuid *id)
{
    return bytes_of(id->byte, sizeof id->byte);
}
