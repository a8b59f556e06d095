/* The rules behind the shape of this file:
 * - OpenSSL 3 pays dearly for fetching and for parsing keys, so both happen once per thread or per key.
 * - A failed operation leaves entries in the thread's error queue, and SSL_get_error() of the TLS code reads
 * that queue: every failure here clears it, or a bad signature would look like a broken connection. */
#include "token/crypto.h"
#include "token/ecdsa_der.h"
#include "token/ed25519_point.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#define P256_LEN   32
#define P256_POINT 65 /* 04 ‖ x ‖ y */
#define P256_GROUP OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"prime256v1", 0)
#define RSA_MIN    256 /* bytes of n: 2048 bits */
#define RSA_MAX    512 /* 4096 bits: what a stranger may make us compute with */

struct crypto {
    EVP_MD *sha256;
    EVP_MD_CTX *hash;
    EVP_MAC *hmac;
    EVP_KDF *hkdf;
    EVP_CIPHER *siv;
    EVP_PKEY *p256;             /* the curve without a point: a template for public keys */
    struct crypto_check *spare; /* the last freed ES256 key: a new point costs it an eighth of a new key */
};

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

struct crypto_mac {
    EVP_MAC_CTX *keyed;
};

struct crypto_siv {
    EVP_CIPHER_CTX *sealing, *opening; /* only copied: the key schedule costs more than a message */
    EVP_CIPHER_CTX *work;
};

static bool passed(int result)
{
    if (result > 0) return true;
    ERR_clear_error();
    return false;
}

/* What a failed call was about: memory, or else what the caller takes it for. */
static enum err library_error(enum err otherwise)
{
    bool is_memory = ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;

    ERR_clear_error();
    return is_memory ? ERR_NO_MEMORY : otherwise;
}

static enum err done_or_failed(bool ok)
{
    return ok ? ERR_OK : library_error(ERR_CRYPTO);
}

/* ---- the workbench ---- */

/* NULL on failure, which stays in the error queue for the caller to read. */
static EVP_PKEY *key_from_params(const char *type, int selection, OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    if (!make || EVP_PKEY_fromdata_init(make) != 1 || EVP_PKEY_fromdata(make, &key, selection, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(make);
    return key;
}

static EVP_PKEY *p256_template(void)
{
    OSSL_PARAM params[] = {P256_GROUP, OSSL_PARAM_construct_end()};

    return key_from_params("EC", EVP_PKEY_KEY_PARAMETERS, params);
}

enum err crypto_new(struct crypto **out)
{
    struct crypto *crypto = calloc(1, sizeof *crypto);

    *out = NULL;
    if (!crypto) return ERR_NO_MEMORY;
    crypto->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    crypto->hash = EVP_MD_CTX_new();
    crypto->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    crypto->hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    crypto->siv = EVP_CIPHER_fetch(NULL, "AES-256-SIV", NULL);
    crypto->p256 = p256_template();
    if (!crypto->sha256 || !crypto->hash || !crypto->hmac || !crypto->hkdf || !crypto->siv || !crypto->p256) {
        crypto_free(crypto);
        return done_or_failed(false);
    }
    *out = crypto;
    return ERR_OK;
}

static void check_destroy(struct crypto_check *key)
{
    if (!key) return;
    EVP_PKEY_CTX_free(key->over_hash);
    EVP_MD_CTX_free(key->over_data);
    EVP_PKEY_free(key->key);
    free(key);
}

void crypto_free(struct crypto *crypto)
{
    if (!crypto) return;
    check_destroy(crypto->spare);
    EVP_PKEY_free(crypto->p256);
    EVP_CIPHER_free(crypto->siv);
    EVP_KDF_free(crypto->hkdf);
    EVP_MAC_free(crypto->hmac);
    EVP_MD_CTX_free(crypto->hash);
    EVP_MD_free(crypto->sha256);
    free(crypto);
}

enum err crypto_sha256(struct crypto *crypto, uint8_t out[SHA256_LEN], struct bytes data)
{
    bool ok = EVP_DigestInit_ex2(crypto->hash, crypto->sha256, NULL) == 1 &&
              EVP_DigestUpdate(crypto->hash, data.ptr, data.len) == 1 &&
              EVP_DigestFinal_ex(crypto->hash, out, NULL) == 1;

    if (!ok) memset(out, 0, SHA256_LEN);
    return done_or_failed(ok);
}

enum err crypto_derive(struct crypto *crypto, struct secret *out, size_t len, const struct secret *root,
                       struct bytes info)
{
    EVP_KDF_CTX *kdf;
    bool ok;
    /* The library takes its parameters without const; it only reads them. */
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)root->data, root->len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info.ptr, info.len),
        OSSL_PARAM_construct_end(),
    };

    memset(out, 0, sizeof *out);
    if (len == 0 || len > SECRET_MAX) return ERR_TOO_LARGE;
    kdf = EVP_KDF_CTX_new(crypto->hkdf);
    ok = kdf && EVP_KDF_derive(kdf, out->data, len, params) == 1;
    EVP_KDF_CTX_free(kdf);
    if (ok)
        out->len = len;
    else
        secret_release(out);
    return done_or_failed(ok);
}

enum err crypto_scrypt(uint8_t out[32], struct bytes password, struct bytes salt)
{
    /* N × r × 128 bytes are 32 MiB; the library counts a little more and refuses above the limit given. */
    bool ok = EVP_PBE_scrypt((const char *)password.ptr, password.len, salt.ptr, salt.len, UINT64_C(1) << 15,
                             8, 1, UINT64_C(64) << 20, out, 32) == 1;

    if (!ok) memset(out, 0, 32);
    return done_or_failed(ok);
}

/* ---- HMAC ---- */

enum err crypto_mac_new(struct crypto_mac **out, struct crypto *crypto, const struct secret *key)
{
    struct crypto_mac *mac = calloc(1, sizeof *mac);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };

    *out = NULL;
    if (!mac) return ERR_NO_MEMORY;
    mac->keyed = EVP_MAC_CTX_new(crypto->hmac);
    if (!mac->keyed || EVP_MAC_init(mac->keyed, key->data, key->len, params) != 1) {
        crypto_mac_free(mac);
        return done_or_failed(false);
    }
    *out = mac;
    return ERR_OK;
}

void crypto_mac_free(struct crypto_mac *mac)
{
    if (!mac) return;
    EVP_MAC_CTX_free(mac->keyed); /* wipes the key */
    free(mac);
}

enum err crypto_mac(struct crypto_mac *mac, uint8_t out[SHA256_LEN], struct bytes data)
{
    size_t len = 0;
    /* Without a key, init goes back to the state just after keying. */
    bool ok = EVP_MAC_init(mac->keyed, NULL, 0, NULL) == 1 &&
              EVP_MAC_update(mac->keyed, data.ptr, data.len) == 1 &&
              EVP_MAC_final(mac->keyed, out, &len, SHA256_LEN) == 1 && len == SHA256_LEN;

    if (!ok) memset(out, 0, SHA256_LEN);
    return done_or_failed(ok);
}

/* ---- AES-256-SIV ---- */

enum err crypto_siv_new(struct crypto_siv **out, struct crypto *crypto, const struct secret *key)
{
    struct crypto_siv *siv;

    *out = NULL;
    if (key->len != 64) return ERR_MALFORMED;
    if (!(siv = calloc(1, sizeof *siv))) return ERR_NO_MEMORY;
    siv->sealing = EVP_CIPHER_CTX_new();
    siv->opening = EVP_CIPHER_CTX_new();
    siv->work = EVP_CIPHER_CTX_new();
    if (!siv->sealing || !siv->opening || !siv->work ||
        EVP_EncryptInit_ex2(siv->sealing, crypto->siv, key->data, NULL, NULL) != 1 ||
        EVP_DecryptInit_ex2(siv->opening, crypto->siv, key->data, NULL, NULL) != 1) {
        crypto_siv_free(siv);
        return done_or_failed(false);
    }
    *out = siv;
    return ERR_OK;
}

void crypto_siv_free(struct crypto_siv *siv)
{
    if (!siv) return;
    EVP_CIPHER_CTX_free(siv->sealing);
    EVP_CIPHER_CTX_free(siv->opening);
    EVP_CIPHER_CTX_free(siv->work);
    free(siv);
}

/* A fresh copy of the keyed context with the associated strings fed in, one update each (RFC 5297 §2.6). An
 * empty string is refused: the library skips it silently, so that two different lists would authenticate
 * alike. */
static bool siv_begin(struct crypto_siv *siv, const EVP_CIPHER_CTX *keyed, const struct bytes *ad,
                      size_t ad_count)
{
    int len;

    if (ad_count > CRYPTO_SIV_AD_MAX || EVP_CIPHER_CTX_copy(siv->work, keyed) != 1) return false;
    for (size_t i = 0; i < ad_count; i++) {
        if (ad[i].len == 0 || ad[i].len > INT32_MAX) return false;
        if (EVP_CipherUpdate(siv->work, NULL, &len, ad[i].ptr, (int)ad[i].len) != 1) return false;
    }
    return true;
}

enum err crypto_siv_seal(struct crypto_siv *siv, struct buf *out, struct bytes plain, const struct bytes *ad,
                         size_t ad_count)
{
    size_t start = out->len;
    uint8_t *sealed;
    int len = 0, rest = 0;
    bool ok;

    /* The library makes no tag for an empty message, so there is none to seal. */
    if (plain.len == 0 || plain.len > INT32_MAX) return ERR_MALFORMED;
    if (!(sealed = buf_extend(out, CRYPTO_SIV_TAG + plain.len))) return buf_error(out);
    ok = siv_begin(siv, siv->sealing, ad, ad_count) &&
         EVP_EncryptUpdate(siv->work, sealed + CRYPTO_SIV_TAG, &len, plain.ptr, (int)plain.len) == 1 &&
         (size_t)len == plain.len &&
         EVP_EncryptFinal_ex(siv->work, sealed + CRYPTO_SIV_TAG + len, &rest) == 1 &&
         EVP_CIPHER_CTX_ctrl(siv->work, EVP_CTRL_AEAD_GET_TAG, CRYPTO_SIV_TAG, sealed) == 1;
    if (!ok) buf_truncate(out, start);
    return done_or_failed(ok);
}

bool crypto_siv_open(struct crypto_siv *siv, uint8_t *out, struct bytes sealed, const struct bytes *ad,
                     size_t ad_count)
{
    uint8_t tag[CRYPTO_SIV_TAG];
    int len = 0, rest = 0;
    bool ok;

    if (sealed.len <= CRYPTO_SIV_TAG || sealed.len > INT32_MAX) return false;
    memcpy(tag, sealed.ptr, sizeof tag);
    sealed = bytes_from(sealed, CRYPTO_SIV_TAG);
    ok = siv_begin(siv, siv->opening, ad, ad_count) &&
         EVP_CIPHER_CTX_ctrl(siv->work, EVP_CTRL_AEAD_SET_TAG, CRYPTO_SIV_TAG, tag) == 1 &&
         EVP_DecryptUpdate(siv->work, out, &len, sealed.ptr, (int)sealed.len) == 1 &&
         (size_t)len == sealed.len && EVP_DecryptFinal_ex(siv->work, out + len, &rest) == 1;
    if (!ok) memset(out, 0, sealed.len); /* nothing unauthenticated leaves this function */
    return passed(ok);
}

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
        key = key_from_params("EC", EVP_PKEY_KEYPAIR, params);
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
    if (ok)
        private_key->len = 32;
    else
        secret_release(private_key);
    return done_or_failed(ok);
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

    *out = NULL;
    if (!key) return ERR_NO_MEMORY;
    *key = (struct crypto_sign){.crypto = crypto, .alg = alg};
    if (!alg_may_sign(alg) || !sign_ready(key, private_key)) {
        crypto_sign_free(key);
        return done_or_failed(false);
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
    return done_or_failed(ok);
}

enum err crypto_public_of(struct crypto_sign *key, uint8_t x[32], uint8_t y[32])
{
    uint8_t point[P256_POINT];
    size_t len = 32;
    bool ok;

    memset(x, 0, 32);
    memset(y, 0, 32);
    if (key->alg == ALG_EDDSA) {
        return done_or_failed(EVP_PKEY_get_raw_public_key(key->key, x, &len) == 1 && len == 32);
    }
    ok = EVP_PKEY_get_octet_string_param(key->key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len) == 1 &&
         len == sizeof point && point[0] == 4;
    if (!ok) return done_or_failed(false);
    memcpy(x, point + 1, P256_LEN);
    memcpy(y, point + 1 + P256_LEN, P256_LEN);
    return ERR_OK;
}

/* ---- public keys ---- */

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
    return EVP_PKEY_set1_encoded_public_key(key->key, point, sizeof point) ==
           1; /* refuses points off the curve */
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
    params[0] =
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, public->n.len); /* little-endian, as the machine */
    params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, public->e.len);
    params[2] = OSSL_PARAM_construct_end();
    key->key = key_from_params("RSA", EVP_PKEY_PUBLIC_KEY, params);
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
        enum err e = library_error(ERR_MALFORMED);
        check_destroy(check);
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
        check_destroy(key);
}

static bool check_over_hash(struct crypto_check *key, struct bytes data, struct bytes signature)
{
    uint8_t hash[SHA256_LEN], der[ECDSA_DER_MAX];

    if (crypto_sha256(key->crypto, hash, data) != ERR_OK) return false;
    if (key->alg == ALG_ES256) signature = bytes_of(der, ecdsa_der_write(der, signature.ptr));
    return passed(EVP_PKEY_verify(key->over_hash, signature.ptr, signature.len, hash, sizeof hash));
}

bool crypto_check(struct crypto_check *key, struct bytes data, struct bytes signature)
{
    if (signature.len != key->signature_len) return false;
    if (key->alg != ALG_EDDSA) return check_over_hash(key, data, signature);
    if (!ed25519_point_is_sound(signature.ptr)) return false; /* R */
    return passed(EVP_DigestVerify(key->over_data, signature.ptr, signature.len, data.ptr, data.len));
}

const char *crypto_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
