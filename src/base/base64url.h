/* base64url.h — RFC 4648 §5 without padding, as JOSE uses it, and strict: no padding, no other alphabet, no
 * whitespace, no length ≡ 1 (mod 4), no non-zero unused bits. One byte string has exactly one text. */
#ifndef COATCHECK_BASE_BASE64URL_H
#define COATCHECK_BASE_BASE64URL_H

#include "base/buf.h"

#define BASE64URL_LEN(n) (((n)*4 + 2) / 3) /* characters for n bytes */

void base64url_append(struct buf *out, struct bytes b);
/* out holds BASE64URL_LEN(len) chars; no NUL; returns the count */
size_t base64url_write(char *out, struct bytes b);

/* Into out, which holds cap bytes. ERR_MALFORMED, or ERR_TOO_LARGE if it does not fit; *len is 0 then. */
MUST_USE enum err base64url_read(uint8_t *out, size_t cap, size_t *len, struct bytes text);

/* The classic alphabet with padding (RFC 4648 §4): for HTTP Basic and Sec-WebSocket-Key only.
 * Just as strict. */
MUST_USE enum err base64_read(uint8_t *out, size_t cap, size_t *len, struct bytes text);
void base64_append(struct buf *out, struct bytes b);

#endif
