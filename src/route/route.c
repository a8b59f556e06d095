#include "route/route.h"

#include <string.h>

static const struct route *row_at(const void *rows, size_t i, size_t row_size)
{
    return (const struct route *)(const void *)((const uint8_t *)rows + i * row_size);
}

/* Character by character, as every request passes here, and most rows part from its path in
 * their first words. */
static bool path_is(const struct route *route, struct route_params *params, struct bytes path)
{
    const char *at = route->path;

    params->count = 0;
    for (; *at; at++) {
        if (*at == '{') {
            struct bytes segment = bytes_part(path, 0, bytes_index(path, '/'));
            if (!segment.len || params->count == ROUTE_PARAMS_MAX) return false;
            params->value[params->count++] = segment;
            path = bytes_from(path, segment.len);
            at += strcspn(at, "}");
        } else {
            if (!path.len || *path.ptr != (uint8_t)*at) return false;
            path.ptr++;
            path.len--;
        }
    }
    return !path.len;
}

enum route_match route_find(const void **row, struct route_params *params, const void *rows, size_t count,
                            size_t row_size, enum http_method method, struct bytes path)
{
    enum route_match match = ROUTE_UNKNOWN;
    size_t i;

    *row = NULL;
    for (i = 0; i < count; i++) {
        const struct route *route = row_at(rows, i, row_size);
        if (!path_is(route, params, path)) continue;
        match = ROUTE_OTHER_METHOD;
        if (route->method != method) continue;
        *row = route;
        return ROUTE_FOUND;
    }
    params->count = 0;
    return match;
}

void route_methods(char out[64], const void *rows, size_t count, size_t row_size, struct bytes path)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET, ", [HTTP_POST] = "POST, ", [HTTP_PUT] = "PUT, ", [HTTP_DELETE] = "DELETE, "};
    struct route_params params;
    size_t i, len = 0;

    for (i = 0; i < count; i++) {
        const struct route *route = row_at(rows, i, row_size);
        const char *name = route->method <= HTTP_DELETE ? names[route->method] : NULL;
        if (!name || !path_is(route, &params, path)) continue;
        memcpy(out + len, name, strlen(name)); /* at most 4 methods: 25 bytes */
        len += strlen(name);
    }
    memcpy(out + len, "OPTIONS", sizeof "OPTIONS");
}
