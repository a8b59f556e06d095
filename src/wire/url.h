/* url.h — request targets (RFC 3986): path and query apart, percent-decoding, and origins. Strict: a bad
 * escape, an encoded slash, backslash or control byte in a path, or "." and ".." segments are refused, so one
 * resource has one path. */
#ifndef COATCHECK_WIRE_URL_H
#define COATCHECK_WIRE_URL_H

#include "base/arena.h"
#include "base/err.h"

struct url_target {
    struct bytes path;  /* as sent: begins with '/', validated, not decoded; routes contain no escapes */
    struct bytes query; /* without '?'; absent if there is none */
};
MUST_USE enum err url_target_read(struct url_target *out, struct bytes target); /* ERR_MALFORMED */

/* First query member of that name, percent-decoded ('+' is a space) into the arena; absent if there is none.
 * ERR_MALFORMED for a bad escape, invalid UTF-8 or a NUL; ERR_NO_MEMORY. */
MUST_USE enum err url_query_value(struct bytes *out, struct arena *arena, struct bytes query,
                                  struct bytes name);

/* An Origin header value (RFC 6454 §7): "null" or scheme "://" host [":" port], lower-case, no default port,
 * no path. False for anything else. Comparison of two valid origins is bytes_equal. */
bool url_is_origin(struct bytes origin);

#endif
