/* Laws: what is read writes back as the same text in lower case; no other length than twice the
 * wanted one is read. */
#include "base/hex.h"

#include <ctype.h>
#include <stdlib.h>

#define LEN_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t read[LEN_MAX + 1];
    char written[2 * LEN_MAX];
    size_t len = size / 2;

    if (size > 2 * LEN_MAX) return 0;
    if (hex_read(read, len, bytes_of(data, size)) != ERR_OK) return 0;
    if (size % 2 != 0) abort();
    hex_write(written, bytes_of(read, len));
    for (size_t i = 0; i < size; i++)
        if (written[i] != tolower(data[i])) abort();
    if (hex_read(read, len + 1, bytes_of(data, size)) == ERR_OK) abort();
    if (len > 0 && hex_read(read, len - 1, bytes_of(data, size)) == ERR_OK) abort();
    return 0;
}
