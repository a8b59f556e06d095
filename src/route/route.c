#include "route/route.h"

#include <string.h>

static const struct route *row_at(const void *rows, size_t i, size_t row_size)
{
    return (const struct route *)(const void *)((const uint8_t *)rows + i * row_size);
}

static bool path_is(const struct route *route, struct bytes path)
{
    size_t len = strlen(route->path);

    return len == path.len && memcmp(route->path, path.ptr, len) == 0;
}

enum route_match route_find(const void **row, const void *rows, size_t count, size_t row_size,
                            enum http_method method, struct bytes path)
{
    enum route_match match = ROUTE_UNKNOWN;
    size_t i;

    *row = NULL;
    for (i = 0; i < count; i++) {
        const struct route *route = row_at(rows, i, row_size);
        if (!path_is(route, path)) continue;
        match = ROUTE_OTHER_METHOD;
        if (route->method != method) continue;
        *row = route;
        return ROUTE_FOUND;
    }
    return match;
}

void route_methods(char out[64], const void *rows, size_t count, size_t row_size, struct bytes path)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET, ", [HTTP_POST] = "POST, ", [HTTP_PUT] = "PUT, ", [HTTP_DELETE] = "DELETE, "};
    size_t i, len = 0;

    for (i = 0; i < count; i++) {
        const struct route *route = row_at(rows, i, row_size);
        const char *name = route->method <= HTTP_DELETE ? names[route->method] : NULL;
        if (!name || !path_is(route, path)) continue;
        memcpy(out + len, name, strlen(name)); /* at most 4 methods: 25 bytes */
        len += strlen(name);
    }
    memcpy(out + len, "OPTIONS", sizeof "OPTIONS");
}
