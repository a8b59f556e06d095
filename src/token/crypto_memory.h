/* crypto_memory.h — where the crypto library keeps private keys and what it derives from them: in the vault.
 *
 * The library has a "secure heap" of its own, but puts only big numbers and a few raw keys there, not cipher
 * key schedules, takes a lock for each block, and fails when it is full. So its allocator is replaced: what
 * it takes between crypto_secrets_begin and _end, on this thread, comes from the vault, all else from the
 * heap. A block goes back to where it came from, whenever that is. */
#ifndef COATCHECK_TOKEN_CRYPTO_MEMORY_H
#define COATCHECK_TOKEN_CRYPTO_MEMORY_H

#include "base/err.h"

/* Once a process, before anything else of the library. Without it all works, on the heap. */
MUST_USE enum err crypto_memory_guard(void);

void crypto_secrets_begin(void); /* nests */
void crypto_secrets_end(void);

#endif
