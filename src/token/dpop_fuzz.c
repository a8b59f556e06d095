/* Laws: the same proof gives the same facts twice; a proof that is read has a whole form, a jti and a
 * thumbprint, and with its last signed byte changed it is refused. The fuzzer cannot sign, so signed seeds
 * are in the corpus. */
#include "token/dpop.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct crypto *crypto;
    struct arena arena;
    struct dpop dpop, again;
    uint8_t copy[DPOP_MAX];
    enum err e;

    if (!crypto && crypto_new(&crypto) != ERR_OK) abort();
    arena_init(&arena, 64 * 1024);
    e = dpop_read(&dpop, &arena, crypto, bytes_of(data, size));
    if (dpop_read(&again, &arena, crypto, bytes_of(data, size)) != e) abort();
    if (e == ERR_OK) {
        if (memcmp(dpop.jkt, again.jkt, sizeof dpop.jkt) != 0 || !bytes_equal(dpop.jti, again.jti)) abort();
        if (!jwk_is_thumbprint(bytes_of(dpop.jkt, sizeof dpop.jkt)) || dpop.jti.len == 0 || dpop.iat_s < 0)
            abort();
        if (bytes_is_absent(dpop.htu) == bytes_is_absent(dpop.mth)) abort();
        memcpy(copy, data, size);
        copy[size - 1] ^= 1;
        if (dpop_read(&again, &arena, crypto, bytes_of(copy, size)) == ERR_OK) abort();
    }
    arena_release(&arena);
    return 0;
}
