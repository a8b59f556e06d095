/* authorization.h — the Authorization field of a request, and the WWW-Authenticate field of an answer that
 * misses a good one. Nothing is verified here. */
#ifndef COATCHECK_SERVER_AUTHORIZATION_H
#define COATCHECK_SERVER_AUTHORIZATION_H

#include "server/exchange.h"

MUST_USE enum err authorization_read(struct credential *out, struct exchange *x);

/* RFC 9110 §11.6.1: what would be accepted here. */
struct bytes authorization_challenge(const struct exchange *x, const struct outcome *outcome);

#endif
