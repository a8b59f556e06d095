/* dpop.h — a proof of possession taken apart and verified by the key it carries (RFC 9449 §4.3, checks 2-7).
 *
 * The result is facts, not policy: which key signed, what the proof names, when it was made. Which of the two
 * profiles applies, whether the key is the token's, the time window and replay are the engine's questions
 * (engine/proof.h). */
#ifndef COATCHECK_TOKEN_DPOP_H
#define COATCHECK_TOKEN_DPOP_H

#include "token/jwk.h"
#include "token/jws.h"

#define DPOP_MAX     4096 /* bytes of a whole proof */
#define DPOP_JTI_MAX 256

struct dpop { /* strings live in the arena; absent if the proof has no such member */
    char jkt[JWK_THUMBPRINT_LEN];
    struct bytes jti;
    int64_t iat_s;
    struct bytes htm, htu; /* HTTP form */
    struct bytes rpc, mth; /* socket form */
    struct bytes ath, nonce;
};

/* ERR_MALFORMED for anything wrong, signature included: a client cannot act on finer words here. Exactly one
 * of the pairs {htm, htu} and {rpc, mth} must be there, whole. */
MUST_USE enum err dpop_read(struct dpop *out, struct arena *arena, struct crypto *crypto, struct bytes proof);

#endif
