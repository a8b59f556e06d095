/* proof.h — is this proof of possession good for this call? (RFC 9449 §4.3, checks 8-12)
 *
 * The proof's form and signature were verified before (token/dpop.h); here its facts meet the call. Two
 * profiles that never mix. Strict, for the standard endpoints: htu is an absolute URL, window -60/+5 s,
 * nonces where asked for. Vendor: htu is a path, or the socket form {rpc, mth}, window ±300 s. Whether the
 * proof was used before is the store's answer: the engine asks for its jti to be kept as long as
 * proof_keep_s says. Pure. */
#ifndef COATCHECK_ENGINE_PROOF_H
#define COATCHECK_ENGINE_PROOF_H

#include "base/bytes.h"
#include "base/refusal.h"

enum proof_profile { PROOF_STRICT, PROOF_VENDOR, PROOF_PROFILE_COUNT };

#define PROOF_NONCES 2 /* the present one and the one before */

struct proof_facts { /* borrowed; absent where the proof has no such member */
    struct bytes jkt, jti;
    int64_t iat_s;
    struct bytes htm, htu;
    struct bytes rpc, mth;
    struct bytes ath, nonce;
};

struct proof_policy { /* what this call needs; absent: not a matter here, unless said otherwise */
    enum proof_profile profile;
    int64_t now_s;
    struct bytes htm, htu; /* HTTP: the method, and the URL (strict) or path (vendor). Absent on a socket */
    struct bytes rpc, mth; /* socket: what the SDK calls a request, and the RPC method. Absent on HTTP */
    struct bytes ath;      /* base64url(SHA-256(access token)) */
    struct bytes jkt;      /* of the key the token is bound to */
    bool needs_nonce;
    struct bytes nonces[PROOF_NONCES];
};

/* REFUSAL_NONE, PROOF_NONCE or PROOF_INVALID. */
enum refusal proof_check(const struct proof_facts *facts, const struct proof_policy *policy);

int64_t proof_keep_s(enum proof_profile profile); /* a used proof is remembered this long after its iat */

/* Is a the same target as b? RFC 9449 §4.3 (9): query and fragment do not count; scheme and host ignore
 * case, a default port may be left out (RFC 3986 §6.2.2-3). The path counts byte by byte: no
 * percent-decoding, no dot segments. */
bool proof_same_target(struct bytes a, struct bytes b);

#endif
