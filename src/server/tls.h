/* tls.h — server certificates. The only header of ours that stands for libssl; stream.c moves the bytes.
 * TLS 1.2 and 1.3, no renegotiation, no compression, session tickets off. */
#ifndef COATCHECK_SERVER_TLS_H
#define COATCHECK_SERVER_TLS_H

#include "base/buf.h"

struct tls; /* shared by all loops; immutable after opening */

MUST_USE enum err tls_open(struct tls **out, const char *certificate_file, const char *key_file,
                           const char **why);
void tls_free(struct tls *tls);

/* For coatcheck dev: makes (or reuses while valid) a throw-away CA and a certificate for localhost,
 * coatcheck.localhost, *.coatcheck.localhost, 127.0.0.1 and ::1 in dir: ca.pem, tls.pem, tls.key (0600). The
 * CA's key is not kept. */
MUST_USE enum err tls_make_dev_files(const char *dir, const char **why);

/* One connection's TLS, between two memory buffers. */
struct tls_session;
MUST_USE enum err tls_session_new(struct tls_session **out, struct tls *tls);
void tls_session_free(struct tls_session *session);
enum tls_state { TLS_OPEN, TLS_ENDED, TLS_BROKEN }; /* ENDED: close_notify came */
/* Takes all of cipher; plain and cipher_out are appended to. */
enum tls_state tls_session_receive(struct tls_session *session, struct bytes cipher, struct buf *plain,
                                   struct buf *cipher_out);
MUST_USE enum err tls_session_send(struct tls_session *session, struct bytes plain, struct buf *cipher_out);
void tls_session_end(struct tls_session *session, struct buf *cipher_out); /* close_notify */

#endif
