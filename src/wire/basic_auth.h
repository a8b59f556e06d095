/* basic_auth.h — the Authorization field: RFC 7617 Basic, RFC 6750 Bearer, RFC 9449 §7.1 DPoP. The scheme's
 * case is free, exactly one space follows it; everything else is strict. What is malformed is refused
 * without saying where. */
#ifndef COATCHECK_WIRE_BASIC_AUTH_H
#define COATCHECK_WIRE_BASIC_AUTH_H

#include "base/arena.h"
#include "base/err.h"

#define BASIC_AUTH_MAX 1024 /* bytes of the encoded credentials */

struct basic_auth {
    struct bytes user;     /* no colon inside; may be empty */
    struct bytes password; /* may hold colons; may be empty: the caller never accepts an empty one */
};
MUST_USE enum err basic_auth_read(struct basic_auth *out, struct arena *arena, struct bytes authorization);

/* The token68 after "Bearer "; ERR_MALFORMED if it is another scheme, empty, longer than max, or
 * has other bytes. */
MUST_USE enum err bearer_read(struct bytes *out, struct bytes authorization, size_t max);
/* The same after "DPoP ". */
MUST_USE enum err dpop_auth_read(struct bytes *out, struct bytes authorization, size_t max);

#endif
