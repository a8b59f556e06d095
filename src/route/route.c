#include "route/route.h"

#include <string.h>

static const struct route *row_at(const void *rows, size_t i, size_t row_size)
{
    return (const struct route *)(const void *)((const uint8_t *)rows + i * row_size);
}

/* Both from "/" on; what comes before the next "/", and the rest with it. */
static struct bytes next_segment(struct bytes *left)
{
    struct bytes inside = bytes_from(*left, 1), segment = bytes_part(inside, 0, bytes_index(inside, '/'));

    *left = bytes_from(inside, segment.len);
    return segment;
}

static bool path_is(const struct route *route, struct route_params *params, struct bytes path)
{
    struct bytes pattern = bytes_of_text(route->path);

    params->count = 0;
    while (pattern.len && path.len && path.ptr[0] == '/') {
        struct bytes wanted = next_segment(&pattern), segment = next_segment(&path);

        if (wanted.len && wanted.ptr[0] == '{' && segment.len && params->count < ROUTE_PARAMS_MAX)
            params->value[params->count++] = segment;
        else if (!bytes_equal(wanted, segment))
            return false;
    }
    return !pattern.len && !path.len;
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
