/* Laws: only 36 characters are read; what is read writes back as the same text in lower case; a
 * refusal leaves zero. */
#include "base/uuid.h"

#include <ctype.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct uuid id;
    char written[UUID_TEXT_LEN];

    if (uuid_read(&id, bytes_of(data, size)) != ERR_OK) {
        if (!uuid_is_zero(&id)) abort();
        return 0;
    }
    if (size != UUID_TEXT_LEN) abort();
    uuid_write(written, &id);
    for (size_t i = 0; i < size; i++)
        if (written[i] != tolower(data[i])) abort();
    return 0;
}
