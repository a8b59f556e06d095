/* routes.c — the rows of this dialect: what exists, who may ask, how much it may send. */
#include "dialect/tortus/tortus.h"

/* The largest launch is a payload, a label and a user id, each byte escaped to six at worst:
 * 6 * (2048 + 255 + 39) + names = 14 KiB. */
#define LAUNCH_BODY_MAX 16384
/* A launch token of 4 KiB, a publishable key, names; escapes are not needed in either. */
#define EXCHANGE_BODY_MAX 8192

/* clang-format off: a table is read by columns */
static const struct dialect_route routes[] = {
    /* method     path                         credential  body                 body_max           bound as
       bearer */
    {{HTTP_POST, "/v1/oauth/launch", ROUTE_KEY, ROUTE_JSON_OPTIONAL, LAUNCH_BODY_MAX, false},
     tortus_decode_launch,
     tortus_encode_launch,
     KEY_BIT(KEY_CLIENT),
     LIMIT_NONE},
    {{HTTP_POST, "/v1/oauth/launch/exchange", ROUTE_OPEN, ROUTE_JSON, EXCHANGE_BODY_MAX, false},
     tortus_decode_exchange,
     tortus_encode_exchange,
     0,
     LIMIT_NONE},
};
/* clang-format on */

static bool owns_path(struct bytes path)
{
    return bytes_start_with(path, BYTES("/v1/oauth/"));
}

const struct dialect tortus_dialect = {
    .name = "tortus",
    .routes = routes,
    .route_count = sizeof routes / sizeof routes[0],
    .refuse = tortus_encode_refused,
    .owns_path = owns_path,
};
