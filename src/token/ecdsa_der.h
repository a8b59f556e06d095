/* ecdsa_der.h — P-256 signatures: r‖s as JOSE writes them (RFC 7518 §3.4), DER as crypto libraries do
 * (RFC 3279 §2.2.3).
 *
 * Reading is strict: one SEQUENCE of two minimal, non-negative INTEGERs and not a byte more, so that one pair
 * has one form. Whether r and s lie in 1..n-1 is the verifier's question. */
#ifndef COATCHECK_TOKEN_ECDSA_DER_H
#define COATCHECK_TOKEN_ECDSA_DER_H

#include "base/bytes.h"

#define ECDSA_RS_LEN  64
#define ECDSA_DER_MAX 72 /* SEQUENCE of two 33-byte INTEGERs: 2 + 2 × (2 + 33) */

/* false: not such a signature; rs is zero then */
bool ecdsa_der_read(uint8_t rs[ECDSA_RS_LEN], struct bytes der);
size_t ecdsa_der_write(uint8_t der[ECDSA_DER_MAX], const uint8_t rs[ECDSA_RS_LEN]); /* returns the length */

#endif
