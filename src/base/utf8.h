/* utf8.h — UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
 * The incremental form remembers at most one unfinished character, so a text may arrive in any pieces. */
#ifndef COATCHECK_BASE_UTF8_H
#define COATCHECK_BASE_UTF8_H

#include "base/bytes.h"

struct utf8 {          /* zeroed: at the start of a character */
    uint8_t left;      /* continuation bytes still due */
    uint8_t low, high; /* range of the next one; means nothing while left is 0 */
};

bool utf8_feed(struct utf8 *state, struct bytes b); /* false: invalid at some byte of b, the text is lost */
bool utf8_is_complete(const struct utf8 *state);    /* between characters */
bool utf8_is_valid(struct bytes b);                 /* a whole text at once */

#endif
