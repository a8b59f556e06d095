/* crypto_openssl_keys.c — private keys that sign, public keys that verify: the half of crypto.h that is
 * about signatures. */
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "token/crypto_inside.h"
#include "token/ecdsa_der.h"
#include "token/ed25519_point.h"

#define P256_LEN   32
#define P256_POINT 65  /* 04 ‖ x ‖ y */
#define RSA_MIN    256 /* bytes of n: 2048 bits */
#define RSA_MAX    512 /* 4096 bits: what a stranger may make us compute with */

struct crypto_sign {
    struct crypto *crypto;
    enum alg alg;
    EVP_PKEY *key;
    EVP_PKEY_CTX *over_hash; /* ES256 */
    EVP_MD_CTX *over_data;   /* EdDSA */
};

struct crypto_check {
    struct crypto *crypto;
    enum alg alg;
    EVP_PKEY *key;
    EVP_PKEY_CTX *over_hash; /* ES256, RS256 */
    EVP_MD_CTX *over_data;   /* EdDSA */
    size_t signature_len;
};

/* ---- signing keys ---- */

/* The public point of a private scalar; false unless 1 <= scalar < n. */
static bool p256_point_of(uint8_t point[P256_POINT], const BIGNUM *scalar)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *public = group ? EC_POINT_new(group) : NULL;
    bool ok = public && !BN_is_zero(scalar) && BN_cmp(scalar, EC_GROUP_get0_order(group)) < 0 &&
              EC_POINT_mul(group, public, scalar, NULL, NULL, NULL) == 1 &&
              EC_POINT_point2oct(group, public, POINT_CONVERSION_UNCOMPRESSED, point, P256_POINT, NULL) ==
                  P256_POINT;

    EC_POINT_free(public);
    EC_GROUP_free(group);
    return ok;
}

static EVP_PKEY *p256_private(const struct secret *private_key)
{
    uint8_t point[P256_POINT], native[P256_LEN] = {0};
    EVP_PKEY *key = NULL;
    BIGNUM *scalar = BN_secure_new();

    if (scalar && BN_bin2bn(private_key->data, P256_LEN, scalar)) BN_set_flags(scalar, BN_FLG_CONSTTIME);
    if (scalar && p256_point_of(point, scalar) &&
        BN_bn2nativepad(scalar, native, sizeof native) == P256_LEN) {
        OSSL_PARAM params[] = {
            P256_GROUP,
            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
            OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native, sizeof native),
            OSSL_PARAM_construct_end(),
        };
        key = crypto_key_from("EC", EVP_PKEY_KEYPAIR, params);
    }
    OPENSSL_cleanse(native, sizeof native);
    BN_clear_free(scalar);
    return key;
}

enum err crypto_key_generate(struct crypto *crypto, enum alg alg, struct secret *private_key)
{
    EVP_PKEY *key = NULL;
    BIGNUM *scalar = NULL;
    size_t len = ED25519_LEN;
    bool ok = false;

    (void)crypto; /* key generation is rare and fetches for itself */
    memset(private_key, 0, sizeof *private_key);
    crypto_secrets_begin();
    switch (alg) {
    case ALG_ES256:
        key = EVP_EC_gen("P-256");
        ok = key && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1 &&
             BN_bn2binpad(scalar, private_key->data, P256_LEN) == P256_LEN;
        break;
    case ALG_EDDSA:
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        ok = key && EVP_PKEY_get_raw_private_key(key, private_key->data, &len) == 1 && len == ED25519_LEN;
        break;
    case ALG_RS256:
    case ALG_NONE:
    case ALG_COUNT:
        break;
    }
    BN_clear_free(scalar);
    EVP_PKEY_free(key);
    crypto_secrets_end();
    if (ok)
        private_key->len = 32;
    else
        secret_release(private_key);
    return crypto_done(ok);
}

static bool sign_ready(struct crypto_sign *key, const struct secret *private_key)
{
    if (private_key->len != 32) return false;
    if (key->alg == ALG_ES256) {
        key->key = p256_private(private_key);
        key->over_hash = key->key ? EVP_PKEY_CTX_new_from_pkey(NULL, key->key, NULL) : NULL;
        return key->over_hash && EVP_PKEY_sign_init(key->over_hash) == 1;
    }
    if (key->alg == ALG_EDDSA) {
        key->key = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, private_key->data, ED25519_LEN);
        key->over_data = EVP_MD_CTX_new();
        return key->key && key->over_data &&
               EVP_DigestSignInit_ex(key->over_data, NULL, NULL, NULL, NULL, key->key, NULL) == 1;
    }
    return false;
}

enum err crypto_sign_new(struct crypto_sign **out, struct crypto *crypto, enum alg alg,
                         const struct secret *private_key)
{
    struct crypto_sign *key = calloc(1, sizeof *key);
    bool ok;

    *out = NULL;
    if (!key) return ERR_NO_MEMORY;
    *key = (struct crypto_sign){.crypto = crypto, .alg = alg};
    crypto_secrets_begin();
    ok = alg_may_sign(alg) && sign_ready(key, private_key);
    crypto_secrets_end();
    if (!ok) {
        crypto_sign_free(key);
        return crypto_done(false);
    }
    *out = key;
    return ERR_OK;
}

void crypto_sign_free(struct crypto_sign *key)
{
    if (!key) return;
    EVP_PKEY_CTX_free(key->over_hash);
    EVP_MD_CTX_free(key->over_data);
    EVP_PKEY_free(key->key); /* wipes the private part */
    free(key);
}

static bool sign_es256(struct crypto_sign *key, uint8_t out[64], struct bytes data)
{
    uint8_t hash[SHA256_LEN], der[ECDSA_DER_MAX];
    size_t len = sizeof der;

    return crypto_sha256(key->crypto, hash, data) == ERR_OK &&
           EVP_PKEY_sign(key->over_hash, der, &len, hash, sizeof hash) == 1 &&
           ecdsa_der_read(out, bytes_of(der, len));
}

enum err crypto_sign(struct crypto_sign *key, uint8_t out[64], struct bytes data)
{
    size_t len = 64;
    bool ok = key->alg == ALG_ES256
                  ? sign_es256(key, out, data)
                  : EVP_DigestSign(key->over_data, out, &len, data.ptr, data.len) == 1 && len == 64;

    if (!ok) memset(out, 0, 64);
    return crypto_done(ok);
}

enum err crypto_public_of(struct crypto_sign *key, uint8_t x[32], uint8_t y[32])
{
    uint8_t point[P256_POINT];
    size_t len = 32;
    bool ok;

    memset(x, 0, 32);
    memset(y, 0, 32);
    if (key->alg == ALG_EDDSA) {
        return crypto_done(EVP_PKEY_get_raw_public_key(key->key, x, &len) == 1 && len == 32);
    }
    ok = EVP_PKEY_get_octet_string_param(key->key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len) == 1 &&
         len == sizeof point && point[0] == 4;
    if (!ok) return crypto_done(false);
    memcpy(x, point + 1, P256_LEN);
    memcpy(y, point + 1 + P256_LEN, P256_LEN);
    return ERR_OK;
}

/* ---- public keys ---- */

void crypto_check_destroy(struct crypto_check *key)
{
    if (!key) return;
    EVP_PKEY_CTX_free(key->over_hash);
    EVP_MD_CTX_free(key->over_data);
    EVP_PKEY_free(key->key);
    free(key);
}

static bool check_prepare_hash(struct crypto_check *key)
{
    key->over_hash = key->key ? EVP_PKEY_CTX_new_from_pkey(NULL, key->key, NULL) : NULL;
    return key->over_hash && EVP_PKEY_verify_init(key->over_hash) == 1;
}

static bool check_set_point(struct crypto_check *key, const struct crypto_public *public)
{
    uint8_t point[P256_POINT] = {4};

    if (public->x.len != P256_LEN || public->y.len != P256_LEN) return false;
    memcpy(point + 1, public->x.ptr, P256_LEN);
    memcpy(point + 1 + P256_LEN, public->y.ptr, P256_LEN);
    /* refuses points off the curve */
    return EVP_PKEY_set1_encoded_public_key(key->key, point, sizeof point) == 1;
}

static bool check_prepare_es256(struct crypto_check *key, const struct crypto_public *public)
{
    if (key->over_hash) return check_set_point(key, public);
    key->key = EVP_PKEY_dup(key->crypto->p256);
    /* The point comes before the context, which refuses a key that has none. */
    return key->key && check_set_point(key, public) && check_prepare_hash(key);
}

static bool check_prepare_eddsa(struct crypto_check *key, const struct crypto_public *public)
{
    if (public->x.len != ED25519_LEN || !ed25519_point_is_sound(public->x.ptr)) return false;
    key->key = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, public->x.ptr, ED25519_LEN);
    key->over_data = EVP_MD_CTX_new();
    return key->key && key->over_data &&
           EVP_DigestVerifyInit_ex(key->over_data, NULL, NULL, NULL, NULL, key->key, NULL) == 1;
}

static bool rsa_is_sane(const struct crypto_public *public)
{
    struct bytes n = public->n, e = public->e;

    if (n.len < RSA_MIN || n.len > RSA_MAX || e.len == 0 || e.len > 4) return false;
    if (n.ptr[0] == 0 || e.ptr[0] == 0) return false;
    if (n.len == RSA_MIN && n.ptr[0] < 0x80) return false; /* fewer than 2048 bits */
    if (!(n.ptr[n.len - 1] & 1) || !(e.ptr[e.len - 1] & 1)) return false;
    return e.len > 1 || e.ptr[0] >= 3; /* with e = 1 the padded hash is its own signature */
}

static bool check_prepare_rs256(struct crypto_check *key, const struct crypto_public *public)
{
    uint8_t n[RSA_MAX], e[4];
    OSSL_PARAM params[3];

    if (!rsa_is_sane(public)) return false;
    for (size_t i = 0; i < public->n.len; i++)
        n[i] = public->n.ptr[public->n.len - 1 - i];
    for (size_t i = 0; i < public->e.len; i++)
        e[i] = public->e.ptr[public->e.len - 1 - i];
    /* little-endian, as the machine */
    params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, public->n.len);
    params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, public->e.len);
    params[2] = OSSL_PARAM_construct_end();
    key->key = crypto_key_from("RSA", EVP_PKEY_PUBLIC_KEY, params);
    key->signature_len = public->n.len;
    return check_prepare_hash(key) && EVP_PKEY_CTX_set_rsa_padding(key->over_hash, RSA_PKCS1_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(key->over_hash, key->crypto->sha256) == 1;
}

static bool check_prepare(struct crypto_check *key, const struct crypto_public *public)
{
    switch (key->alg) {
    case ALG_ES256:
        return check_prepare_es256(key, public);
    case ALG_EDDSA:
        return check_prepare_eddsa(key, public);
    case ALG_RS256:
        return check_prepare_rs256(key, public);
    case ALG_NONE:
    case ALG_COUNT:
        break;
    }
    return false;
}

enum err crypto_check_new(struct crypto_check **out, struct crypto *crypto, const struct crypto_public *key)
{
    struct crypto_check *check = NULL;

    *out = NULL;
    if (key->alg == ALG_ES256 && crypto->spare) {
        check = crypto->spare;
        crypto->spare = NULL;
    } else if (!(check = calloc(1, sizeof *check))) {
        return ERR_NO_MEMORY;
    }
    check->crypto = crypto;
    check->alg = key->alg;
    check->signature_len = alg_signature_len(key->alg);
    if (!check_prepare(check, key)) {
        enum err e = crypto_error(ERR_MALFORMED);
        crypto_check_destroy(check);
        return e;
    }
    *out = check;
    return ERR_OK;
}

void crypto_check_free(struct crypto_check *key)
{
    if (key && key->alg == ALG_ES256 && !key->crypto->spare)
        key->crypto->spare = key;
    else
        crypto_check_destroy(key);
}

static bool check_over_hash(struct crypto_check *key, struct bytes data, struct bytes signature)
{
    uint8_t hash[SHA256_LEN], der[ECDSA_DER_MAX];

    if (crypto_sha256(key->crypto, hash, data) != ERR_OK) return false;
    if (key->alg == ALG_ES256) signature = bytes_of(der, ecdsa_der_write(der, signature.ptr));
    return crypto_passed(EVP_PKEY_verify(key->over_hash, signature.ptr, signature.len, hash, sizeof hash));
}

bool crypto_check(struct crypto_check *key, struct bytes data, struct bytes signature)
{
    if (signature.len != key->signature_len) return false;
    if (key->alg != ALG_EDDSA) return check_over_hash(key, data, signature);
    if (!ed25519_point_is_sound(signature.ptr)) return false; /* R */
    return crypto_passed(EVP_DigestVerify(key->over_data, signature.ptr, signature.len, data.ptr, data.len));
}
