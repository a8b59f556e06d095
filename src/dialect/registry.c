/* registry.c — the dialects there are, and whose path it is. */
#include "dialect/dialect.h"

#include "dialect/dialogue/dialogue.h"
#include "dialect/signalwire/signalwire.h"
#include "dialect/standard/standard.h"
#include "dialect/tortus/tortus.h"

const struct dialect *const dialects[] = {&signalwire_dialect, &tortus_dialect, &dialogue_dialect,
                                          &standard_dialect};
const size_t dialect_count = sizeof dialects / sizeof dialects[0];

enum route_match dialect_find(const struct dialect **owner, const struct dialect_route **row,
                              struct route_params *params, enum http_method method, struct bytes path)
{
    enum route_match best = ROUTE_UNKNOWN;
    size_t i;

    *owner = NULL;
    *row = NULL;
    params->count = 0;
    for (i = 0; i < dialect_count; i++) {
        const void *found;
        enum route_match match;

        if (!dialects[i]->owns_path(path)) continue;
        *owner = dialects[i];
        match = route_find(&found, params, dialects[i]->routes, dialects[i]->route_count,
                           sizeof dialects[i]->routes[0], method, path);
        if (match < best) best = match;
        if (match != ROUTE_FOUND) continue;
        *row = found;
        return ROUTE_FOUND;
    }
    return best;
}

const struct dialect *dialect_of_socket(void)
{
    size_t i;

    for (i = 0; i < dialect_count; i++)
        if (dialects[i]->connect_method) return dialects[i];
    return NULL;
}
