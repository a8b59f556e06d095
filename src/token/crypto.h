/* crypto.h — what we need from a crypto library, and nothing else. crypto_openssl*.c are the only files
 * that know which.
 *
 * A struct crypto is a thread's own workbench: fetched algorithms and reusable contexts, so that no request
 * pays for setting them up. Keys are made once from their bytes and then used from one thread only; each
 * thread makes its own from the same bytes. Verification of anything malformed is simply false. ERR_CRYPTO
 * means the library failed. */
#ifndef COATCHECK_TOKEN_CRYPTO_H
#define COATCHECK_TOKEN_CRYPTO_H

#include "base/buf.h"
#include "base/secret.h"
#include "token/alg.h"

#define SHA256_LEN 32
#define SHA1_LEN   20

struct crypto;       /* per thread */
struct crypto_sign;  /* a private key ready to sign, per thread */
struct crypto_check; /* a public key ready to verify, per thread */
struct crypto_mac;   /* a keyed HMAC-SHA-256, per thread */
struct crypto_siv;   /* a keyed AES-256-SIV (RFC 5297), per thread */

MUST_USE enum err crypto_new(struct crypto **out);
void crypto_free(struct crypto *crypto);
/* Gives back what the library keeps for this thread: for pool threads, which are not ours to end. */
void crypto_rest(void);
const char *crypto_library(void); /* name and version of the library, for people */

MUST_USE enum err crypto_sha256(struct crypto *crypto, uint8_t out[SHA256_LEN], struct bytes data);
/* For what others have fixed and nobody forges by a collision: TURN passwords. Nothing of
 * ours rests on it. */
MUST_USE enum err crypto_hmac_sha1(struct crypto *crypto, uint8_t out[SHA1_LEN], struct bytes key,
                                   struct bytes data);

/* HKDF-SHA-256 (RFC 5869): info keeps one key's uses apart. */
MUST_USE enum err crypto_derive(struct crypto *crypto, struct secret *out, size_t len,
                                const struct secret *root, struct bytes info);

/* scrypt N=2^15 r=8 p=1, 32 bytes: slow on purpose, never on a loop. */
MUST_USE enum err crypto_scrypt(uint8_t out[32], struct bytes password, struct bytes salt);

MUST_USE enum err crypto_mac_new(struct crypto_mac **out, struct crypto *crypto, const struct secret *key);
void crypto_mac_free(struct crypto_mac *mac);
MUST_USE enum err crypto_mac(struct crypto_mac *mac, uint8_t out[SHA256_LEN], struct bytes data);

/* Key 64 bytes. Up to CRYPTO_SIV_AD_MAX associated strings. Output: 16-byte tag, then the ciphertext. */
#define CRYPTO_SIV_TAG    16
#define CRYPTO_SIV_AD_MAX 4
MUST_USE enum err crypto_siv_new(struct crypto_siv **out, struct crypto *crypto, const struct secret *key);
void crypto_siv_free(struct crypto_siv *siv);
MUST_USE enum err crypto_siv_seal(struct crypto_siv *siv, struct buf *out, struct bytes plain,
                                  const struct bytes *ad, size_t ad_count);
/* false: not sealed by this key under these associated data. out holds sealed.len - 16 bytes. */
bool crypto_siv_open(struct crypto_siv *siv, uint8_t *out, struct bytes sealed, const struct bytes *ad,
                     size_t ad_count);

/* Signing keys as bytes: ES256 a 32-byte scalar, EdDSA a 32-byte seed. RS256 cannot sign
 * here, only verify. */
MUST_USE enum err crypto_key_generate(struct crypto *crypto, enum alg alg, struct secret *private_key);
MUST_USE enum err crypto_sign_new(struct crypto_sign **out, struct crypto *crypto, enum alg alg,
                                  const struct secret *private_key);
void crypto_sign_free(struct crypto_sign *key);
/* JOSE form: r‖s, or Ed25519 */
MUST_USE enum err crypto_sign(struct crypto_sign *key, uint8_t out[64], struct bytes data);

/* A public key: ES256 x‖y, 32 + 32 bytes, on the curve; EdDSA 32 bytes; RS256 n then e. */
struct crypto_public {
    enum alg alg;
    struct bytes x, y; /* ES256: both; EdDSA: x */
    struct bytes n, e; /* RS256: no leading zero bytes; n 2048..4096 bits, e odd and 3 <= e < 2^32, here 65537
                          in practice */
};
/* y is zero for EdDSA */
MUST_USE enum err crypto_public_of(struct crypto_sign *key, uint8_t x[32], uint8_t y[32]);
MUST_USE enum err crypto_check_new(struct crypto_check **out, struct crypto *crypto,
                                   const struct crypto_public *key);
void crypto_check_free(struct crypto_check *key);
/* JOSE form, exact length */
bool crypto_check(struct crypto_check *key, struct bytes data, struct bytes signature);

#endif
