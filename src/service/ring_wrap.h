/* ring_wrap.h — the private halves of the key ring on their way into the store and out of it: wrapped under
 * the master key, each bound to its id and use, so that no stored key can be passed off as another. */
#ifndef COATCHECK_SERVICE_RING_WRAP_H
#define COATCHECK_SERVICE_RING_WRAP_H

#include "base/arena.h"
#include "base/dice.h"
#include "engine/ring.h"
#include "token/crypto.h"

struct ring_wrap { /* one thread's, for a short while */
    struct crypto *crypto;
    struct crypto_siv *siv;
};
MUST_USE enum err ring_wrap_open(struct ring_wrap *out, const struct secret *master);
void ring_wrap_release(struct ring_wrap *wrap); /* harmless on a zeroed one */

/* wrapped lies in the arena. */
MUST_USE enum err ring_wrap_secret(struct bytes *wrapped, struct ring_wrap *wrap, const struct ring_key *key,
                                   const struct secret *secret, struct arena *arena);
/* ERR_CORRUPT: it is not wrapped under this master key, or not as this key. */
MUST_USE enum err ring_unwrap_secret(struct secret *out, struct ring_wrap *wrap, const struct ring_key *key);

/* A new key, wrapped, with an id that the ring does not have; strings in the arena. State and stamps are left
 * to ring_writes. */
MUST_USE enum err ring_key_make(struct ring_key *out, struct ring_wrap *wrap, struct ring_view ring,
                                enum ring_use use, enum alg alg, const struct dice *dice,
                                struct arena *arena);

#endif
