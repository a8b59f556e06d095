#include "base/secret.h"

#include <string.h>

#include "base/vault.h"

enum err secret_set(struct secret *out, struct bytes b)
{
    secret_release(out);
    if (b.len > SECRET_MAX) return ERR_TOO_LARGE;
    if (b.len > 0) memcpy(out->data, b.ptr, b.len);
    out->len = b.len;
    return ERR_OK;
}

void secret_copy(struct secret *out, const struct secret *from)
{
    *out = *from;
}

void secret_release(struct secret *secret)
{
    secret_wipe(secret, sizeof *secret);
}

struct secret *secret_new(void)
{
    return vault_take(sizeof(struct secret));
}

void secret_free(struct secret *secret)
{
    vault_release(secret);
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
    return secret_equal_bytes(bytes_of(a->data, a->len), bytes_of(b->data, b->len));
}

bool secret_equal_bytes(struct bytes a, struct bytes b)
{
    if (a.len != b.len) return false;
    /* volatile: the compiler may not notice that the result is settled early, and leave the loop. */
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < a.len; i++)
        difference = (uint8_t)(difference | (a.ptr[i] ^ b.ptr[i]));
    return difference == 0;
}

void secret_wipe(void *memory, size_t len)
{
    if (len > 0) explicit_bzero(memory, len);
}
