/* uuid.h — RFC 9562 identifiers: 16 bytes inside, 36 lower-case characters outside. */
#ifndef COATCHECK_BASE_UUID_H
#define COATCHECK_BASE_UUID_H

#include "base/buf.h"
#include "base/dice.h"

#define UUID_TEXT_LEN 36

struct uuid {
    uint8_t byte[16];
};

void uuid_draw(struct uuid *out, const struct dice *dice);       /* version 4: 122 random bits */
void uuid_write(char out[UUID_TEXT_LEN], const struct uuid *id); /* no NUL */
void uuid_append(struct buf *out, const struct uuid *id);
MUST_USE enum err uuid_read(struct uuid *out, struct bytes text); /* 8-4-4-4-12 hex, either case */
bool uuid_equal(const struct uuid *a, const struct uuid *b);
bool uuid_is_zero(const struct uuid *id);
struct bytes uuid_bytes(const struct uuid *id); /* borrows id */

#endif
