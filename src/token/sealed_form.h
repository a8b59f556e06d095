/* sealed_form.h — the bytes inside a sealed credential: struct sealed and back.
 *
 * A version byte, then a tag byte and a value for each field that is not zero, tags rising. Numbers are
 * base-128, lowest group first, and as short as can be. Every struct has one form, and reading refuses every
 * other: a tag unknown, repeated or out of order, a zero value, a number too long, bytes left over. */
#ifndef COATCHECK_TOKEN_SEALED_FORM_H
#define COATCHECK_TOKEN_SEALED_FORM_H

#include "token/seal.h"

#define SEALED_FORM_VERSION 1

void sealed_form_write(struct buf *out, const struct sealed *sealed);
/* Strings are copied into the arena. */
MUST_USE enum err sealed_form_read(struct sealed *out, struct arena *arena, struct bytes form);

#endif
