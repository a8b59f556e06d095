/* tls_dev.c — the throw-away CA of `coatcheck dev --tls` and the certificate by it (tls.h). */
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "server/host.h"
#include "server/tls.h"

#define VALID_S     (90 * 86400)
#define BACKDATED_S 300   /* a container's clock may be a little behind its host's */
#define RENEW_S     86400 /* made anew when less is left: `dev` runs for a working day */
#define PATH_MAX_   4096

static const char *const names[] = {"localhost", "coatcheck.localhost", "any.coatcheck.localhost"};
static const char *const addresses[] = {"127.0.0.1", "::1"};
static const char subject_alt_names[] =
    "DNS:localhost,DNS:coatcheck.localhost,DNS:*.coatcheck.localhost,IP:127.0.0.1,IP:::1";

struct files {
    char ca[PATH_MAX_], certificate[PATH_MAX_], key[PATH_MAX_];
};

static bool join(char out[PATH_MAX_], const char *dir, const char *name)
{
    int len = snprintf(out, PATH_MAX_, "%s/%s", dir, name);
    return len > 0 && len < PATH_MAX_ - 16; /* room for the temporary's suffix */
}

static int64_t now_s(void)
{
    const struct host *host = host_machine();
    return host->wall_ms(host->state) / 1000;
}

/* ---- reuse ---- */

static X509 *read_certificate(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) return NULL;
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    return certificate;
}

static EVP_PKEY *read_key(const char *path) /* NULL also if others may read it */
{
    struct stat about;
    EVP_PKEY *key = NULL;
    FILE *file = fopen(path, "re");
    if (!file) return NULL;
    if (fstat(fileno(file), &about) == 0 && (about.st_mode & 077) == 0)
        key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    return key;
}

static bool is_lasting(const X509 *certificate)
{
    time_t begin = (time_t)now_s(), end = begin + RENEW_S;
    return X509_cmp_time(X509_get0_notBefore(certificate), &begin) < 0 &&
           X509_cmp_time(X509_get0_notAfter(certificate), &end) > 0;
}

static bool has_all_names(X509 *certificate)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (X509_check_host(certificate, names[i], 0, 0, NULL) != 1) return false;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        if (X509_check_ip_asc(certificate, addresses[i], 0) != 1) return false;
    return true;
}

/* All three files are there, belong together and last: a crash between two renames is seen
 * here, and mended. */
static bool are_usable(const struct files *files)
{
    X509 *ca = read_certificate(files->ca), *certificate = read_certificate(files->certificate);
    EVP_PKEY *key = read_key(files->key);
    bool is_usable = ca && certificate && key && is_lasting(ca) && is_lasting(certificate) &&
                     X509_check_ca(ca) == 1 && X509_check_issued(ca, certificate) == X509_V_OK &&
                     X509_verify(certificate, X509_get0_pubkey(ca)) == 1 &&
                     X509_check_private_key(certificate, key) == 1 && has_all_names(certificate);
    X509_free(ca);
    X509_free(certificate);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return is_usable;
}

/* ---- making ---- */

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool is_added = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return is_added;
}

static bool set_serial(X509 *certificate)
{
    uint8_t serial[16]; /* RFC 5280 §4.1.2.2: positive, at most 20 bytes */
    dice_fill(&host_machine()->dice, serial, sizeof serial);
    serial[0] = (serial[0] & 0x7f) | 0x40;
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    bool is_set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return is_set;
}

/* Each authority has a name of its own: a trust store that still has an older one must not
 * take it for this. */
static bool name_authority(X509 *ca)
{
    uint8_t id[4];
    char text[64] = "Coatcheck dev CA ", digits[2 * sizeof id];
    dice_fill(&host_machine()->dice, id, sizeof id);
    hex_write(digits, bytes_of(id, sizeof id));
    memcpy(text + strlen(text), digits, sizeof digits); /* text is zeroed behind */
    return X509_NAME_add_entry_by_txt(X509_get_subject_name(ca), "CN", MBSTRING_ASC, (unsigned char *)text,
                                      -1, -1, 0) == 1;
}

static X509 *certificate_new(EVP_PKEY *key)
{
    time_t begin = (time_t)now_s();
    X509 *certificate = X509_new();
    if (certificate && X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
        X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -BACKDATED_S, &begin) &&
        X509_time_adj_ex(X509_getm_notAfter(certificate), 0, VALID_S, &begin) &&
        X509_set_pubkey(certificate, key) == 1)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static X509 *make_authority(EVP_PKEY *key)
{
    X509 *ca = certificate_new(key);
    if (ca && name_authority(ca) && X509_set_issuer_name(ca, X509_get_subject_name(ca)) == 1 &&
        add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
        add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
        add_extension(ca, ca, NID_subject_key_identifier, "hash") && X509_sign(ca, key, EVP_sha256()))
        return ca;
    X509_free(ca);
    return NULL;
}

static X509 *make_leaf(EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key)
{
    X509 *leaf = certificate_new(key);
    if (leaf &&
        X509_NAME_add_entry_by_txt(X509_get_subject_name(leaf), "CN", MBSTRING_ASC,
                                   (const unsigned char *)"coatcheck.localhost", -1, -1, 0) == 1 &&
        X509_set_issuer_name(leaf, X509_get_subject_name(ca)) == 1 &&
        add_extension(leaf, ca, NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(leaf, ca, NID_key_usage, "critical,digitalSignature") &&
        add_extension(leaf, ca, NID_ext_key_usage, "serverAuth") &&
        add_extension(leaf, ca, NID_subject_alt_name, subject_alt_names) &&
        add_extension(leaf, ca, NID_subject_key_identifier, "hash") &&
        add_extension(leaf, ca, NID_authority_key_identifier, "keyid:always") &&
        X509_sign(leaf, ca_key, EVP_sha256()))
        return leaf;
    X509_free(leaf);
    return NULL;
}

/* Writes beside, then renames over: a reader sees the old file or the new one, never a part. */
static bool write_pem(const char *path, X509 *certificate, EVP_PKEY *key)
{
    char beside[PATH_MAX_];
    (void)snprintf(beside, sizeof beside, "%s.new", path); /* join left room for it */
    (void)unlink(beside);                                  /* left by a crash, perhaps with other rights */
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, key ? 0600 : 0644);
    if (fd < 0) return false;
    FILE *file = fdopen(fd, "w");
    if (!file) {
        close(fd);
        return false;
    }
    bool is_written = key ? PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1
                          : PEM_write_X509(file, certificate) == 1;
    is_written = fflush(file) == 0 && fsync(fd) == 0 && is_written;
    is_written = fclose(file) == 0 && is_written;
    if (is_written && rename(beside, path) == 0) return true;
    (void)unlink(beside);
    return false;
}

static enum err make(const struct files *files, const char **why)
{
    enum err e = ERR_CRYPTO;
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    X509 *ca = ca_key ? make_authority(ca_key) : NULL;
    X509 *leaf = ca && key ? make_leaf(key, ca, ca_key) : NULL;
    EVP_PKEY_free(ca_key); /* gone for good: this authority will never sign anything else */
    *why = "the crypto library cannot make a certificate";
    if (!leaf) goto done;
    e = ERR_IO;
    *why = "the certificate files cannot be written";
    if (!write_pem(files->key, NULL, key) || !write_pem(files->certificate, leaf, NULL) ||
        !write_pem(files->ca, ca, NULL))
        goto done;
    e = ERR_OK;
    *why = "";
done:
    X509_free(leaf);
    X509_free(ca);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return e;
}

enum err tls_make_dev_files(const char *dir, const char **why)
{
    struct files files;
    *why = "the folder's name is too long";
    if (!join(files.ca, dir, "ca.pem") || !join(files.certificate, dir, "tls.pem") ||
        !join(files.key, dir, "tls.key"))
        return ERR_CONFIG;
    *why = "";
    return are_usable(&files) ? ERR_OK : make(&files, why);
}
