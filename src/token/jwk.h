/* jwk.h — public keys as JSON (RFC 7517), thumbprints (RFC 7638, RFC 8037), and our published key set.
 *
 * Reading is for keys that strangers send inside proofs: any private member (d, p, q, dp, dq, qi, k, oth)
 * refuses it, and coordinates must be canonical (right length, no padding, no leading zero in n or e), so
 * that one key has one thumbprint; e must be 65537. Other members (ext, kid) are ignored; alg, use and
 * key_ops, if present, must agree. */
#ifndef COATCHECK_TOKEN_JWK_H
#define COATCHECK_TOKEN_JWK_H

#include "token/crypto.h"
#include "wire/json_read.h"
#include "wire/json_write.h"

#define JWK_THUMBPRINT_LEN 43 /* base64url of SHA-256 */
#define JWK_RSA_BYTES_MAX  512

struct jwk {
    enum alg alg; /* by kty and crv: EC P-256 -> ES256, OKP Ed25519 -> EDDSA, RSA -> RS256 */
    uint8_t x[32], y[32];
    uint8_t n[JWK_RSA_BYTES_MAX], e[4];
    size_t n_len, e_len;
};

/* ERR_MALFORMED for anything we do not take */
MUST_USE enum err jwk_read(struct jwk *out, struct json object);
struct crypto_public jwk_public(const struct jwk *jwk); /* borrows jwk */
/* The key as RFC 7638 §3 writes it: its required members, in order, without spaces. */
#define JWK_TEXT_MAX 768 /* the longest: n of 683 characters, and e with the fixed parts around them */
struct bytes jwk_text(char out[JWK_TEXT_MAX], const struct jwk *jwk);
MUST_USE enum err jwk_thumbprint(char out[JWK_THUMBPRINT_LEN], struct crypto *crypto, const struct jwk *jwk);
/* of what jwk_text wrote */
MUST_USE enum err jwk_thumbprint_of(char out[JWK_THUMBPRINT_LEN], struct crypto *crypto, struct bytes text);
/* Of PEM (RFC 7468 §13, "PUBLIC KEY"), as an operator's tools write it: the parts of a key of one of our
 * algorithms, to be judged by jwk_read like any other. ERR_MALFORMED: it holds none. */
MUST_USE enum err jwk_read_pem(struct jwk *out, struct bytes pem);

/* One member object of our JWKS: kty, crv, x (y), kid, alg, use. Only ES256 and EdDSA keys are published. */
void jwk_write_public(struct json_writer *w, enum alg alg, const uint8_t x[32], const uint8_t y[32],
                      struct bytes kid);

/* Is text 43 base64url characters whose last has no unused bits set? (RFC 7638 thumbprint as a
 * client sends it) */
bool jwk_is_thumbprint(struct bytes text);

#endif
