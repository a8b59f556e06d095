/* standard.h — the standard door: the same credentials for clients that know nothing of any vendor, by the
 * RFCs of OAuth alone.
 *
 * Forms come in, JSON goes out; refusals are those of RFC 6749 §5.2 where that has a word for them, and
 * problems of RFC 9457 elsewhere. Where each rule comes from is in README.md beside this file; the rows
 * are in routes.c. */
#ifndef COATCHECK_DIALECT_STANDARD_STANDARD_H
#define COATCHECK_DIALECT_STANDARD_STANDARD_H

#include "dialect/dialect.h"

extern const struct dialect standard_dialect;

#define GRANT_EXCHANGE "urn:ietf:params:oauth:grant-type:token-exchange"
#define TYPE_ACCESS    "urn:ietf:params:oauth:token-type:access_token"
#define TYPE_JWT       "urn:ietf:params:oauth:token-type:jwt"
#define TYPE_LAUNCH    "urn:coatcheck:token-type:launch"
#define TYPE_BOOTSTRAP "urn:coatcheck:token-type:bootstrap"

#define STANDARD_METADATA    "/.well-known/oauth-authorization-server"
#define STANDARD_TOKEN       "/oauth/token"
#define STANDARD_INTROSPECT  "/oauth/introspect"
#define STANDARD_REVOKE      "/oauth/revoke"
#define STANDARD_REVOCATIONS "/oauth/revocations"

ask_decode_fn standard_decode_describe, standard_decode_token, standard_decode_introspect,
    standard_decode_revoke, standard_decode_revocations;
outcome_encode_fn standard_encode_metadata, standard_encode_token, standard_encode_introspected,
    standard_encode_revoked, standard_encode_revocations, standard_encode_refused;

#endif
