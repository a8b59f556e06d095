/* crypto_openssl.c — the half of crypto.h that needs no key pair: hashes, HMAC, HKDF, scrypt, AES-SIV. */
#include "token/crypto_inside.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <stdlib.h>
#include <string.h>

struct crypto_mac {
    EVP_MAC_CTX *keyed;
};

struct crypto_siv {
    EVP_CIPHER_CTX *sealing, *opening; /* only copied: the key schedule costs more than a message */
    EVP_CIPHER_CTX *work;
};

bool crypto_passed(int result)
{
    if (result > 0) return true;
    ERR_clear_error();
    return false;
}

enum err crypto_error(enum err otherwise)
{
    bool is_memory = ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;

    ERR_clear_error();
    return is_memory ? ERR_NO_MEMORY : otherwise;
}

enum err crypto_done(bool ok)
{
    return ok ? ERR_OK : crypto_error(ERR_CRYPTO);
}

/* ---- the workbench ---- */

EVP_PKEY *crypto_key_from(const char *type, int selection, OSSL_PARAM *params)
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

    return crypto_key_from("EC", EVP_PKEY_KEY_PARAMETERS, params);
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
        return crypto_done(false);
    }
    *out = crypto;
    return ERR_OK;
}

void crypto_rest(void)
{
    OPENSSL_thread_stop();
}

void crypto_free(struct crypto *crypto)
{
    if (!crypto) return;
    crypto_check_destroy(crypto->spare);
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
    return crypto_done(ok);
}

enum err crypto_hmac_sha1(struct crypto *crypto, uint8_t out[SHA1_LEN], struct bytes key, struct bytes data)
{
    char digest[] = "SHA1";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_construct_end()};
    EVP_MAC_CTX *mac = EVP_MAC_CTX_new(crypto->hmac);
    size_t len = 0;
    bool ok = mac && EVP_MAC_init(mac, key.ptr, key.len, params) == 1 &&
              EVP_MAC_update(mac, data.ptr, data.len) == 1 && EVP_MAC_final(mac, out, &len, SHA1_LEN) == 1 &&
              len == SHA1_LEN;

    EVP_MAC_CTX_free(mac);
    if (!ok) memset(out, 0, SHA1_LEN);
    return crypto_done(ok);
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
    crypto_secrets_begin();
    kdf = EVP_KDF_CTX_new(crypto->hkdf);
    ok = kdf && EVP_KDF_derive(kdf, out->data, len, params) == 1;
    EVP_KDF_CTX_free(kdf);
    crypto_secrets_end();
    if (ok)
        out->len = len;
    else
        secret_release(out);
    return crypto_done(ok);
}

enum err crypto_scrypt(uint8_t out[32], struct bytes password, struct bytes salt)
{
    /* N × r × 128 bytes are 32 MiB; the library counts a little more and refuses above the limit given. */
    bool ok = EVP_PBE_scrypt((const char *)password.ptr, password.len, salt.ptr, salt.len, UINT64_C(1) << 15,
                             8, 1, UINT64_C(64) << 20, out, 32) == 1;

    if (!ok) memset(out, 0, 32);
    return crypto_done(ok);
}

/* ---- HMAC ---- */

enum err crypto_mac_new(struct crypto_mac **out, struct crypto *crypto, const struct secret *key)
{
    struct crypto_mac *mac = calloc(1, sizeof *mac);
    bool ok;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };

    *out = NULL;
    if (!mac) return ERR_NO_MEMORY;
    crypto_secrets_begin();
    mac->keyed = EVP_MAC_CTX_new(crypto->hmac);
    ok = mac->keyed && EVP_MAC_init(mac->keyed, key->data, key->len, params) == 1;
    crypto_secrets_end();
    if (!ok) {
        crypto_mac_free(mac);
        return crypto_done(false);
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
    bool ok;

    crypto_secrets_begin(); /* it copies the keyed hash states */
    /* Without a key, init goes back to the state just after keying. */
    ok = EVP_MAC_init(mac->keyed, NULL, 0, NULL) == 1 &&
         EVP_MAC_update(mac->keyed, data.ptr, data.len) == 1 &&
         EVP_MAC_final(mac->keyed, out, &len, SHA256_LEN) == 1 && len == SHA256_LEN;
    crypto_secrets_end();
    if (!ok) memset(out, 0, SHA256_LEN);
    return crypto_done(ok);
}

/* ---- AES-256-SIV ---- */

enum err crypto_siv_new(struct crypto_siv **out, struct crypto *crypto, const struct secret *key)
{
    struct crypto_siv *siv;
    bool ok;

    *out = NULL;
    if (key->len != 64) return ERR_MALFORMED;
    if (!(siv = calloc(1, sizeof *siv))) return ERR_NO_MEMORY;
    crypto_secrets_begin();
    siv->sealing = EVP_CIPHER_CTX_new();
    siv->opening = EVP_CIPHER_CTX_new();
    siv->work = EVP_CIPHER_CTX_new();
    ok = siv->sealing && siv->opening && siv->work &&
         EVP_EncryptInit_ex2(siv->sealing, crypto->siv, key->data, NULL, NULL) == 1 &&
         EVP_DecryptInit_ex2(siv->opening, crypto->siv, key->data, NULL, NULL) == 1;
    crypto_secrets_end();
    if (!ok) {
        crypto_siv_free(siv);
        return crypto_done(false);
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

/* A fresh copy of the keyed context with the associated strings fed in, one update each (RFC 5297 §2.6).
 * An empty string is refused: the library skips it silently, so that two different lists would
 * authenticate alike. */
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
    crypto_secrets_begin(); /* each message has its own copy of the key schedules */
    ok = siv_begin(siv, siv->sealing, ad, ad_count) &&
         EVP_EncryptUpdate(siv->work, sealed + CRYPTO_SIV_TAG, &len, plain.ptr, (int)plain.len) == 1 &&
         (size_t)len == plain.len &&
         EVP_EncryptFinal_ex(siv->work, sealed + CRYPTO_SIV_TAG + len, &rest) == 1 &&
         EVP_CIPHER_CTX_ctrl(siv->work, EVP_CTRL_AEAD_GET_TAG, CRYPTO_SIV_TAG, sealed) == 1;
    crypto_secrets_end();
    if (!ok) buf_truncate(out, start);
    return crypto_done(ok);
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
    crypto_secrets_begin();
    ok = siv_begin(siv, siv->opening, ad, ad_count) &&
         EVP_CIPHER_CTX_ctrl(siv->work, EVP_CTRL_AEAD_SET_TAG, CRYPTO_SIV_TAG, tag) == 1 &&
         EVP_DecryptUpdate(siv->work, out, &len, sealed.ptr, (int)sealed.len) == 1 &&
         (size_t)len == sealed.len && EVP_DecryptFinal_ex(siv->work, out + len, &rest) == 1;
    crypto_secrets_end();
    if (!ok) memset(out, 0, sealed.len); /* nothing unauthenticated leaves this function */
    return crypto_passed(ok);
}

const char *crypto_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
