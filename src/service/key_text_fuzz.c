/* Laws: at most one kind takes a text; the public id is the front of it, in the same memory, and short
 * enough to be looked up; a digit more, a digit less or another letter in place of the last digit is
 * no key any more. */
#include "service/key_text.h"

#include <stdlib.h>
#include <string.h>

static const enum key_kind kinds[] = {KEY_API_TOKEN, KEY_CLIENT, KEY_SECRET, KEY_PUBLISHABLE,
                                      KEY_CLICK_TO_CALL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_neighbours(enum key_kind kind, struct bytes text)
{
    uint8_t near[KEY_TEXT_MAX + 1];

    memcpy(near, text.ptr, text.len);
    near[text.len] = '0';
    if (!bytes_is_absent(key_text_public_id(kind, bytes_of(near, text.len + 1)))) abort();
    if (!bytes_is_absent(key_text_public_id(kind, bytes_of(near, text.len - 1)))) abort();
    near[text.len - 1] = 'g';
    if (!bytes_is_absent(key_text_public_id(kind, bytes_of(near, text.len)))) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size);
    size_t i, taken = 0;

    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct bytes id = key_text_public_id(kinds[i], text);
        if (bytes_is_absent(id)) continue;
        taken++;
        if (id.ptr != data || id.len > size || id.len > KEY_PUBLIC_ID_MAX || size > KEY_TEXT_MAX) abort();
        check_neighbours(kinds[i], text);
    }
    if (taken > 1) abort();
    return 0;
}
