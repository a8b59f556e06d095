/* client_jwt.h — a client's assertion taken apart: the JWT by which a backend says who it is instead of
 * sending a secret (RFC 7523 §2.2, §3).
 *
 * Form first, then the signature by a key that the caller has on record: the token's header is asked for its
 * algorithm only to refuse one that is not the key's (RFC 8725 §3.1). What the claims must say is the
 * engine's question (engine/assertion.h). */
#ifndef COATCHECK_TOKEN_CLIENT_JWT_H
#define COATCHECK_TOKEN_CLIENT_JWT_H

#include "token/jwk.h"
#include "token/jws.h"

#define CLIENT_JWT_MAX     4096 /* bytes of a whole assertion */
#define CLIENT_JWT_JTI_MAX 256

struct client_jwt { /* strings live in the arena; absent if there is no such member */
    struct bytes typ, iss, sub, jti;
    struct bytes aud;            /* the only one; absent too if there are none or several */
    int64_t exp_s, iat_s, nbf_s; /* -1: absent */
    struct bytes alg;            /* as the header names it: for people */
    struct bytes signed_text, signature;
};

/* ERR_MALFORMED: no strict JWS, or a claim of the wrong type. Nothing is verified yet. */
MUST_USE enum err client_jwt_read(struct client_jwt *out, struct arena *arena, struct bytes text);
bool client_jwt_names_alg(const struct client_jwt *jwt, enum alg alg); /* in its header */
/* True in *is_good: signed by this key, with this key's algorithm. */
MUST_USE enum err client_jwt_verify(bool *is_good, const struct client_jwt *jwt, struct crypto *crypto,
                                    const struct jwk *key);

#endif
