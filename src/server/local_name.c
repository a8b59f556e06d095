#include "server/local_name.h"

#include <string.h>

bool local_name(struct bytes host)
{
    static const struct bytes names[] = {
        {(const uint8_t *)"127.0.0.1", 9}, {(const uint8_t *)"localhost", 9}, {(const uint8_t *)"[::1]", 5}};
    const struct bytes suffix = BYTES(".localhost");
    size_t i, end = host.len;

    while (end && host.ptr[end - 1] >= '0' && host.ptr[end - 1] <= '9')
        end--;
    if (end && host.ptr[end - 1] == ':') host = bytes_part(host, 0, end - 1);
    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (bytes_equal_nocase(host, names[i])) return true;
    return host.len > suffix.len && bytes_equal_nocase(bytes_from(host, host.len - suffix.len), suffix);
}

bool local_peer(const char *peer)
{
    return strncmp(peer, "127.", 4) == 0 || strcmp(peer, "::1") == 0 || strncmp(peer, "::ffff:127.", 11) == 0;
}
