/* secret.h — key material: owned, wiped on release, compared in constant time, and without any
 * printing function.
 *
 * At most SECRET_MAX bytes, held inside the struct so that no copy hides on the heap. Copy it only by
 * secret_copy(); every copy has its own owner who calls secret_release(). One that outlives a function call
 * comes from secret_new(): its memory (vault.h) is in no core file, no swap and no fork. */
#ifndef COATCHECK_BASE_SECRET_H
#define COATCHECK_BASE_SECRET_H

#include "base/bytes.h"
#include "base/err.h"

#define SECRET_MAX 64

struct secret {
    uint8_t data[SECRET_MAX];
    size_t len;
};

MUST_USE enum err secret_set(struct secret *out, struct bytes b); /* ERR_TOO_LARGE past SECRET_MAX */
void secret_copy(struct secret *out, const struct secret *from);
void secret_release(struct secret *secret); /* wipes; harmless on a zeroed one */
struct secret *secret_new(void);            /* in the vault, empty; NULL: no memory */
void secret_free(struct secret *secret);    /* wipes; NULL is fine */
bool secret_equal(const struct secret *a, const struct secret *b);
bool secret_equal_bytes(struct bytes a, struct bytes b); /* constant time for equal lengths */
void secret_wipe(void *memory, size_t len);              /* never optimised away */

#endif
