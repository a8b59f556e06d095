/* Aims at stun_read. Law: what is answered begins as a Binding request whose length is its own; the answer is
 * a whole STUN message of the same transaction, no longer than STUN_ANSWER_MAX, and is itself never answered:
 * two answerers cannot keep each other busy. */
#include <stdlib.h>
#include <string.h>

#include "wire/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stun_address from = {.ip = {127, 0, 0, 1}, .ip_len = size & 1 ? 16 : 4, .port = 40000};
    struct stun_request request, again;
    uint8_t *copy = malloc(size + 1);
    struct buf out;

    if (!copy) abort();
    if (size > 0) memcpy(copy, data, size);
    buf_init(&out, STUN_ANSWER_MAX);
    if (stun_read(&request, bytes_of(copy, size))) {
        if (size < 20 || copy[0] != 0 || copy[1] != 1 || memcmp(request.transaction, copy + 8, 12) != 0)
            abort();
        stun_write(&out, &request, &from);
        if (buf_error(&out) != ERR_OK || out.len % 4 || out.len < 20) abort();
        if ((size_t)(out.ptr[2] << 8 | out.ptr[3]) + 20 != out.len) abort();
        if (memcmp(out.ptr + 4, copy + 4, 16) != 0) abort(); /* cookie and transaction */
        if (stun_read(&again, buf_bytes(&out))) abort();
    }
    buf_release(&out);
    free(copy);
    return 0;
}
