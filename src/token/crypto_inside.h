/* crypto_inside.h — what crypto_openssl.c (hashes, seals) and crypto_openssl_keys.c (signatures) know of each
 * other, and nobody else does: the library's side.
 *
 * The rules behind the shape of both files:
 * - OpenSSL 3 pays dearly for fetching and for parsing keys, so both happen once per thread or per key.
 * - What is made from a private key is made between crypto_secrets_begin and _end, so that it lies in the
 * vault.
 * - A failed operation leaves entries in the thread's error queue, and SSL_get_error() of the TLS code reads
 * that queue: every failure here clears it, or a bad signature would look like a broken connection. */
#ifndef COATCHECK_TOKEN_CRYPTO_INSIDE_H
#define COATCHECK_TOKEN_CRYPTO_INSIDE_H

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "token/crypto.h"
#include "token/crypto_memory.h"

#define P256_GROUP OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"prime256v1", 0)

struct crypto {
    EVP_MD *sha256;
    EVP_MD_CTX *hash;
    EVP_MAC *hmac;
    EVP_KDF *hkdf;
    EVP_CIPHER *siv;
    EVP_PKEY *p256;             /* the curve without a point: a template for public keys */
    struct crypto_check *spare; /* the last freed ES256 key: a new point costs it an eighth of a new key */
};

bool crypto_passed(int result); /* as the library's functions return; clears the queue when it failed */
/* What a failed call was about: memory, or else what the caller takes it for. Both clear the queue. */
enum err crypto_error(enum err otherwise);
enum err crypto_done(bool ok);

/* NULL on failure, which stays in the error queue for the caller to read. */
EVP_PKEY *crypto_key_from(const char *type, int selection, OSSL_PARAM *params);
void crypto_check_destroy(struct crypto_check *key); /* for good: the bench does not keep it as a spare */

#endif
