/* Aims at admin_ask_read. Law: what is taken has a command, and an id of its form exactly if it is "why";
 * a number only if it is "clock"; what is refused leaves nothing behind. */
#include <stdlib.h>
#include <string.h>

#include "server/admin_ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct admin_ask ask;
    static const struct admin_ask nothing;
    enum err e = admin_ask_read(&ask, bytes_of(data, size));
    size_t i;

    if (e) {
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): both were filled with zeros, gaps and all */
        if (memcmp(&ask, &nothing, sizeof ask) != 0) abort();
        return 0;
    }
    if (ask.command == ADMIN_NONE || ask.command > ADMIN_KEYRING) abort();
    if (ask.command != ADMIN_CLOCK && ask.by_ms) abort();
    if (ask.command != ADMIN_KEYRING && (ask.ring.want || ask.ring.is_emergency)) abort();
    if ((ask.ring.use != 0) != (ask.ring.want == RING_WANT_ROTATE)) abort();
    if ((ask.ring.id[0] != 0) && ask.ring.want <= RING_WANT_ROTATE) abort();
    if (ask.command != ADMIN_KEYS && ask.command != ADMIN_CLOCK && ask.command != ADMIN_REVOKE &&
        !uuid_is_zero(&ask.project))
        abort();
    for (i = 0; i < RECORD_ID_LEN; i++)
        if ((ask.error_id[i] != 0) != (ask.command == ADMIN_WHY)) abort();
    if (size >= ADMIN_LINE_MAX) abort();
    return 0;
}
