/* jws.h — compact JWS (RFC 7515 §7.1): taken apart strictly, and signed.
 *
 * jws_split checks form only: three strict base64url parts (only the payload may be empty), header a JSON
 * object without duplicate members, no crit, no b64, no zip, alg, typ and kid strings without NUL. It decides
 * nothing about keys: the caller picks the key by kid, and the algorithm comes from that key's record (RFC
 * 8725 §3.1). jku, x5u, x5c and jwk are never followed here. */
#ifndef COATCHECK_TOKEN_JWS_H
#define COATCHECK_TOKEN_JWS_H

#include "base/arena.h"
#include "token/crypto.h"
#include "wire/json_read.h"

#define JWS_MAX 8192 /* bytes of a whole compact token; longer ones are refused before any other work */

struct jws {
    struct json header;         /* owned: jws_release */
    struct bytes alg, typ, kid; /* from the header; typ and kid may be absent */
    struct bytes signing_input; /* header.payload as it came */
    struct bytes payload;       /* decoded, in the arena */
    struct bytes signature;     /* decoded, in the arena */
};

/* ERR_MALFORMED, ERR_TOO_LARGE, ERR_NO_MEMORY */
MUST_USE enum err jws_split(struct jws *out, struct arena *arena, struct bytes token);
void jws_release(struct jws *jws);

/* out gets header_b64 "." b64(payload) "." b64(signature). header_b64 is base64url text made once per key and
 * kind by jws_header, because it never changes while the key lives. */
MUST_USE enum err jws_sign(struct buf *out, struct crypto_sign *key, struct bytes header_b64,
                           struct bytes payload);
/* ch may be absent */
void jws_header(struct buf *out, enum alg alg, struct bytes typ, struct bytes kid, struct bytes ch);

#endif
