/* Law: what is read writes back the same bytes; any r‖s survives writing and reading. */
#include "token/ecdsa_der.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t rs[ECDSA_RS_LEN], again[ECDSA_RS_LEN], der[ECDSA_DER_MAX];

    if (ecdsa_der_read(rs, bytes_of(data, size))) {
        size_t len = ecdsa_der_write(der, rs);
        if (len != size || memcmp(der, data, size) != 0) abort();
    }
    if (size < ECDSA_RS_LEN) return 0;
    memcpy(rs, data, sizeof rs);
    if (!ecdsa_der_read(again, bytes_of(der, ecdsa_der_write(der, rs)))) abort();
    if (memcmp(rs, again, sizeof rs) != 0) abort();
    return 0;
}
