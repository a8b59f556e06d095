/* crypto_openssl_memory.c — the library's allocator, replaced by one that knows the vault. */
#include "token/crypto_memory.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/vault.h"

static _Thread_local unsigned depth;

void crypto_secrets_begin(void)
{
    depth++;
}

void crypto_secrets_end(void)
{
    depth--;
}

/* What is larger than any block of the vault is a table of the library's, not a key. */
static void *take(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    if (len == 0) return NULL;
    return depth && len <= VAULT_BLOCK_MAX ? vault_take(len) : malloc(len);
}

static void give_back(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    if (vault_holds(block))
        vault_release(block);
    else
        free(block);
}

/* What began in the vault stays in it, whoever makes it grow. */
static void *move(void *block, size_t len)
{
    size_t room = vault_room(block);
    void *moved;

    if (len <= room) return block;
    if (!(moved = vault_take(len))) return NULL;
    memcpy(moved, block, room);
    vault_release(block);
    return moved;
}

static void *resize(void *block, size_t len, const char *file, int line)
{
    if (!block) return take(len, file, line);
    if (len == 0) {
        give_back(block, file, line);
        return NULL;
    }
    return vault_holds(block) ? move(block, len) : realloc(block, len);
}

enum err crypto_memory_guard(void)
{
    return CRYPTO_set_mem_functions(take, resize, give_back) == 1 ? ERR_OK : ERR_CRYPTO;
}
