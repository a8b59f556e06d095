/* Law: every form that is read writes back the same bytes, so no struct has two forms. */
#include "token/sealed_form.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct sealed sealed;
    struct buf again;

    arena_init(&arena, 4096);
    buf_init(&again, 4096);
    if (sealed_form_read(&sealed, &arena, bytes_of(data, size)) == ERR_OK) {
        sealed_form_write(&again, &sealed);
        if (!bytes_equal(buf_bytes(&again), bytes_of(data, size))) abort();
    }
    buf_release(&again);
    arena_release(&arena);
    return 0;
}
