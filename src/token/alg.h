/* alg.h — signature algorithms (table: alg.def). For our own tokens the algorithm comes from the key
 * record and the token's header must agree; for proofs the header's name must have a row and fit the
 * key sent along. */
#ifndef COATCHECK_TOKEN_ALG_H
#define COATCHECK_TOKEN_ALG_H

#include "base/bytes.h"

enum alg {
    ALG_NONE = 0, /* no algorithm: never accepted */
#define ALG_ROW(name, jose, signs, len) ALG_##name,
#include "token/alg.def"
#undef ALG_ROW
    ALG_COUNT
};

const char *alg_jose(enum alg alg); /* "ES256" */
bool alg_may_sign(enum alg alg);
size_t alg_signature_len(enum alg alg);  /* 0: as long as the key's modulus */
enum alg alg_of_jose(struct bytes name); /* ALG_NONE if there is no row; case matters (RFC 7515 §4.1.1) */

#endif
