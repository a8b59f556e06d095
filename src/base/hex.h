/* hex.h — lower-case hexadecimal; reading takes either case and nothing else. */
#ifndef COATCHECK_BASE_HEX_H
#define COATCHECK_BASE_HEX_H

#include "base/buf.h"

void hex_append(struct buf *out, struct bytes b);
void hex_write(char *out, struct bytes b); /* out holds 2 × len characters; no NUL */
/* exactly 2 × len digits, else ERR_MALFORMED */
MUST_USE enum err hex_read(uint8_t *out, size_t len, struct bytes text);
int hex_digit(uint8_t c); /* 0..15, or -1 */

#endif
