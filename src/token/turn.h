/* turn.h — a password for a TURN server, good for a while: what coturn calls use-auth-secret. User name
 * "<seconds since 1970 at which it ends>:<whom>", password base64(HMAC-SHA-1(shared secret, user name))
 * (draft-uberti-behave-turn-rest-00 §2.2). The TURN server needs no list of users; a name that has ended it
 * refuses by itself. */
#ifndef COATCHECK_TOKEN_TURN_H
#define COATCHECK_TOKEN_TURN_H

#include "token/crypto.h"

#define TURN_TEXT_MAX 64 /* characters of either */

/* whom: for the TURN server's log, at most 32 characters. Into buffers of the caller's. */
MUST_USE enum err turn_credential(struct buf *user, struct buf *password, struct crypto *crypto,
                                  struct bytes secret, int64_t end_s, struct bytes whom);

#endif
