#include "server/tls.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vault.h"
#include "token/crypto_memory.h"

#define RECORD_PLAIN_MAX 16384 /* RFC 8446 §5.1 */
#define KEY_FILE_MAX     32768 /* a PEM of 16384 RSA bits has half of that */

struct tls {
    SSL_CTX *context;
    BIO_METHOD *pipe; /* reads and writes the session's own buffers */
};

struct tls_session {
    SSL *ssl;
    struct bytes in; /* cipher bytes that OpenSSL has not taken yet; only within a call */
    struct buf *out; /* where it puts its own; only within a call */
    bool is_broken;  /* after a fatal error nothing may be called but SSL_free (SSL_get_error(3)) */
};

/* ---- the pipe: OpenSSL's view of our buffers, so that an idle session holds none of them ---- */

static int pipe_read(BIO *bio, char *out, size_t len, size_t *got)
{
    struct tls_session *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *got = session->in.len < len ? session->in.len : len;
    if (!*got) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(out, session->in.ptr, *got);
    session->in = bytes_from(session->in, *got);
    return 1;
}

static int pipe_write(BIO *bio, const char *in, size_t len, size_t *sent)
{
    struct tls_session *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *sent = 0;
    if (!session->out) return 0;
    buf_append(session->out, bytes_of(in, len));
    if (buf_error(session->out) != ERR_OK) return 0; /* no retry: OpenSSL takes it as broken */
    *sent = len;
    return 1;
}

static long pipe_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH; /* nothing is ever held back */
}

static BIO_METHOD *pipe_new(void)
{
    int type = BIO_get_new_index();
    BIO_METHOD *pipe = type == -1 ? NULL : BIO_meth_new(type | BIO_TYPE_SOURCE_SINK, "buffers");
    if (pipe && BIO_meth_set_read_ex(pipe, pipe_read) && BIO_meth_set_write_ex(pipe, pipe_write) &&
        BIO_meth_set_ctrl(pipe, pipe_control))
        return pipe;
    BIO_meth_free(pipe);
    return NULL;
}

/* ---- the certificate and the rules ---- */

/* RFC 7301: we speak HTTP/1.1 alone. A client that does not offer it goes on without: it may not know
 * of ALPN's names. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned offered_len, void *unused)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;
    (void)ssl;
    (void)unused;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_rules(SSL_CTX *context)
{
    /* RFC 9325 §3.3, §3.4, §4.2: no compression, no renegotiation, no tickets under a key that is never
     * changed; with TLS 1.2 only forward secrecy and AEAD. A handshake is cheap (P-256) and sockets live
     * long: no resumption at all. */
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS); /* an idle session gives its record buffers back */
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    return SSL_CTX_set_num_tickets(context, 0) && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) &&
           SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") &&
           SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384");
}

/* A key under a password would make a server wait at a terminal for somebody to type it. */
static int no_password(char *out, int size, int is_writing, void *unused)
{
    (void)out;
    (void)size;
    (void)is_writing;
    (void)unused;
    return -1;
}

/* Read by ourselves: the library would leave the file's text behind in a buffer of the C library's. */
static bool use_key(SSL_CTX *context, const char *path)
{
    char *text = vault_take(KEY_FILE_MAX);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = text && file >= 0 ? read(file, text, KEY_FILE_MAX) : -1;
    EVP_PKEY *key = NULL;
    BIO *bio;
    bool ok;

    crypto_secrets_begin();
    bio = len > 0 ? BIO_new_mem_buf(text, (int)len) : NULL;
    if (bio) key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    ok = key && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key); /* the context holds it now */
    BIO_free(bio);
    crypto_secrets_end();
    if (file >= 0) (void)close(file);
    vault_release(text);
    return ok;
}

enum err tls_open(struct tls **out, const char *certificate_file, const char *key_file, const char **why)
{
    enum err e = ERR_CRYPTO;
    struct tls *tls = calloc(1, sizeof *tls);
    *out = NULL;
    *why = "the TLS library cannot be set up";
    ERR_clear_error();
    if (!tls || !(tls->pipe = pipe_new()) || !(tls->context = SSL_CTX_new(TLS_server_method())) ||
        !set_rules(tls->context))
        goto done;
    e = ERR_CONFIG;
    if (SSL_CTX_use_certificate_chain_file(tls->context, certificate_file) != 1) {
        *why = "the certificate file cannot be read as PEM";
    } else if (!use_key(tls->context, key_file)) {
        *why = "the key file cannot be read as PEM, or does not belong to the certificate";
    } else if (SSL_CTX_check_private_key(tls->context) != 1) {
        *why = "the key does not belong to the certificate";
    } else {
        *why = "";
        *out = tls;
        return ERR_OK;
    }
done:
    ERR_clear_error();
    tls_free(tls);
    return e;
}

void tls_free(struct tls *tls)
{
    if (!tls) return;
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->pipe);
    free(tls);
}

/* ---- one connection ---- */

enum err tls_session_new(struct tls_session **out, struct tls *tls)
{
    BIO *bio = NULL;
    *out = NULL;
    struct tls_session *session = calloc(1, sizeof *session);
    if (!session) return ERR_NO_MEMORY;
    session->ssl = SSL_new(tls->context);
    bio = session->ssl ? BIO_new(tls->pipe) : NULL;
    if (!bio) {
        ERR_clear_error();
        tls_session_free(session);
        return ERR_NO_MEMORY;
    }
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    SSL_set_bio(session->ssl, bio, bio); /* the session owns it now */
    SSL_set_accept_state(session->ssl);
    *out = session;
    return ERR_OK;
}

void tls_session_free(struct tls_session *session)
{
    if (!session) return;
    SSL_free(session->ssl);
    free(session);
}

static enum tls_state read_all(struct tls_session *session, struct buf *plain)
{
    for (;;) {
        size_t got = 0, before = plain->len;
        uint8_t *room = buf_extend(plain, RECORD_PLAIN_MAX);
        if (!room) return TLS_BROKEN;
        int is_read = SSL_read_ex(session->ssl, room, RECORD_PLAIN_MAX, &got);
        buf_truncate(plain, before + got);
        if (is_read) continue;
        switch (SSL_get_error(session->ssl, 0)) {
        case SSL_ERROR_WANT_READ:
            return TLS_OPEN;
        case SSL_ERROR_ZERO_RETURN:
            return TLS_ENDED;
        default:
            return TLS_BROKEN;
        }
    }
}

enum tls_state tls_session_receive(struct tls_session *session, struct bytes cipher, struct buf *plain,
                                   struct buf *cipher_out)
{
    if (session->is_broken) return TLS_BROKEN;
    ERR_clear_error(); /* SSL_get_error looks at the thread's whole queue */
    session->in = cipher;
    session->out = cipher_out;
    enum tls_state state = read_all(session, plain);
    session->in = BYTES_NONE;
    session->out = NULL;
    session->is_broken = state == TLS_BROKEN;
    ERR_clear_error();
    return state;
}

enum err tls_session_send(struct tls_session *session, struct bytes plain, struct buf *cipher_out)
{
    size_t sent = 0;
    if (session->is_broken || !SSL_is_init_finished(session->ssl)) return ERR_IO;
    if (!plain.len) return ERR_OK;
    ERR_clear_error();
    session->out = cipher_out;
    int is_sent = SSL_write_ex(session->ssl, plain.ptr, plain.len, &sent); /* one record per 16 KiB */
    session->out = NULL;
    if (is_sent && sent == plain.len) return buf_error(cipher_out);
    session->is_broken = true;
    ERR_clear_error();
    return ERR_CRYPTO;
}

void tls_session_end(struct tls_session *session, struct buf *cipher_out)
{
    if (session->is_broken || !SSL_is_init_finished(session->ssl)) return;
    ERR_clear_error();
    session->out = cipher_out;
    (void)SSL_shutdown(session->ssl); /* whether the peer answers is of no matter */
    session->out = NULL;
    ERR_clear_error();
}
