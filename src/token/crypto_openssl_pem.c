/* crypto_openssl_pem.c — public keys out of PEM files: for commands, which read what their operator made. */
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <string.h>

#include "token/crypto_inside.h"
#include "token/jwk.h"

static bool read_number(uint8_t *out, size_t cap, size_t *len, const EVP_PKEY *key, const char *name)
{
    BIGNUM *number = NULL;
    bool ok = EVP_PKEY_get_bn_param(key, name, &number) == 1 && !BN_is_negative(number) &&
              (size_t)BN_num_bytes(number) <= cap;

    if (ok) *len = (size_t)BN_bn2bin(number, out);
    BN_free(number);
    return ok;
}

static bool read_coordinate(uint8_t out[32], const EVP_PKEY *key, const char *name)
{
    BIGNUM *number = NULL;
    bool ok = EVP_PKEY_get_bn_param(key, name, &number) == 1 && BN_bn2binpad(number, out, 32) == 32;

    BN_free(number);
    return ok;
}

static bool is_p256(const EVP_PKEY *key)
{
    char group[32];
    size_t len = 0;

    return EVP_PKEY_is_a(key, "EC") &&
           EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &len) == 1 &&
           bytes_equal(bytes_of(group, len), BYTES("prime256v1"));
}

static bool read_key(struct jwk *out, const EVP_PKEY *key)
{
    size_t len = sizeof out->x;

    if (is_p256(key)) {
        out->alg = ALG_ES256;
        return read_coordinate(out->x, key, OSSL_PKEY_PARAM_EC_PUB_X) &&
               read_coordinate(out->y, key, OSSL_PKEY_PARAM_EC_PUB_Y);
    }
    if (EVP_PKEY_is_a(key, "ED25519")) {
        out->alg = ALG_EDDSA;
        return EVP_PKEY_get_raw_public_key(key, out->x, &len) == 1 && len == sizeof out->x;
    }
    out->alg = ALG_RS256;
    return EVP_PKEY_is_a(key, "RSA") &&
           read_number(out->n, sizeof out->n, &out->n_len, key, OSSL_PKEY_PARAM_RSA_N) &&
           read_number(out->e, sizeof out->e, &out->e_len, key, OSSL_PKEY_PARAM_RSA_E);
}

enum err jwk_read_pem(struct jwk *out, struct bytes pem)
{
    BIO *bio = pem.len > 0 && pem.len < INT_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    enum err e;

    memset(out, 0, sizeof *out);
    e = key && read_key(out, key) ? ERR_OK : crypto_error(ERR_MALFORMED);
    if (e != ERR_OK) memset(out, 0, sizeof *out);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return e;
}
