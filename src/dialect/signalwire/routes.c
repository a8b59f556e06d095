/* routes.c — the rows of this dialect: what exists, who may ask, how much it may send. */
#include "dialect/signalwire/signalwire.h"

/* The largest mint is a reference, eight profile values and a password, each escaped to six bytes a byte at
 * worst: 6 * (255 + 8 * 255 + 72) + names = 15 KiB. */
#define MINT_BODY_MAX 16384
/* One refresh token, or whatever else was sent in its place: the largest access token is 8 KiB. */
#define REFRESH_BODY_MAX 16384
#define OBJECT_BODY_MAX  4096 /* a room or a key: two names, and a list of words */

/* clang-format off: a table is read by columns */
static const struct dialect_route routes[] = {
    /* method     path                              credential    body           body_max       bound as
       bearer */
    {{HTTP_POST, "/api/fabric/subscribers/tokens", ROUTE_KEY, ROUTE_JSON, MINT_BODY_MAX, false},
     signalwire_decode_mint,
     signalwire_encode_minted,
     KEY_BIT(KEY_API_TOKEN),
     LIMIT_NONE},
    {{HTTP_POST, "/api/fabric/subscribers/tokens/refresh", ROUTE_KEY, ROUTE_JSON, REFRESH_BODY_MAX, false},
     signalwire_decode_refresh,
     signalwire_encode_refreshed,
     KEY_BIT(KEY_API_TOKEN),
     LIMIT_NONE},
    {{HTTP_GET, "/api/fabric/subscriber/info", ROUTE_BEARER, ROUTE_NO_BODY, 0, true},
     signalwire_decode_who,
     signalwire_encode_who,
     0,
     LIMIT_NONE},
    {{HTTP_GET, "/api/fabric/addresses", ROUTE_BEARER, ROUTE_NO_BODY, 0, true},
     signalwire_decode_addresses,
     signalwire_encode_addresses,
     0,
     LIMIT_NONE},
    {{HTTP_POST, "/api/fabric/resources/subscribers", ROUTE_KEY, ROUTE_JSON, MINT_BODY_MAX, false},
     signalwire_decode_subscriber_create,
     signalwire_encode_subscriber_made,
     KEY_BIT(KEY_API_TOKEN),
     LIMIT_NONE},
    {{HTTP_GET, "/api/fabric/resources/subscribers", ROUTE_KEY, ROUTE_NO_BODY, 0, false},
     signalwire_decode_subscribers,
     signalwire_encode_subscribers,
     KEY_BIT(KEY_API_TOKEN),
     LIMIT_NONE},
    {{HTTP_GET, "/api/fabric/resources/subscribers/{id}", ROUTE_KEY, ROUTE_NO_BODY, 0, false},
     signalwire_decode_subscriber_read,
     signalwire_encode_subscriber,
     KEY_BIT(KEY_API_TOKEN),
     LIMIT_NONE},
    {{HTTP_PUT, "/api/fabric/resources/subscribers/{id}", ROUTE_KEY, ROUTE_JSON, MINT_BODY_MAX, false},
     signalwire_decode_subscriber_update,
     signalwire_encode_subscriber,
     KEY_BIT(KEY_API_TOKEN),
     LIMIT_NONE},
    {{HTTP_DELETE, "/api/fabric/resources/subscribers/{id}", ROUTE_KEY, ROUTE_NO_BODY, 0, false},
     signalwire_decode_subscriber_delete,
     signalwire_encode_gone,
     KEY_BIT(KEY_API_TOKEN),
     LIMIT_NONE},
    {{HTTP_GET, "/api/fabric/resources/subscribers/{id}/addresses", ROUTE_KEY, ROUTE_NO_BODY, 0, false},
     signalwire_decode_subscriber_addresses,
     signalwire_encode_owned_addresses,
     KEY_BIT(KEY_API_TOKEN),
     LIMIT_NONE},
    {{HTTP_POST, "/api/fabric/resources/conference_rooms", ROUTE_KEY, ROUTE_JSON, OBJECT_BODY_MAX, false},
     signalwire_decode_room_create,
     signalwire_encode_resource,
     KEY_BIT(KEY_API_TOKEN),
     LIMIT_NONE},
    {{HTTP_GET, "/api/fabric/resources", ROUTE_KEY, ROUTE_NO_BODY, 0, false},
     signalwire_decode_resources,
     signalwire_encode_resources,
     KEY_BIT(KEY_API_TOKEN),
     LIMIT_NONE},
    {{HTTP_GET, "/api/fabric/resources/{id}", ROUTE_KEY, ROUTE_NO_BODY, 0, false},
     signalwire_decode_resource_read,
     signalwire_encode_resource,
     KEY_BIT(KEY_API_TOKEN),
     LIMIT_NONE},
    {{HTTP_DELETE, "/api/fabric/resources/{id}", ROUTE_KEY, ROUTE_NO_BODY, 0, false},
     signalwire_decode_resource_delete,
     signalwire_encode_gone,
     KEY_BIT(KEY_API_TOKEN),
     LIMIT_NONE},
    {{HTTP_GET, "/api/fabric/resources/{id}/addresses", ROUTE_KEY, ROUTE_NO_BODY, 0, false},
     signalwire_decode_resource_addresses,
     signalwire_encode_owned_addresses,
     KEY_BIT(KEY_API_TOKEN),
     LIMIT_NONE},
    {{HTTP_POST, "/api/project/tokens", ROUTE_KEY, ROUTE_JSON, OBJECT_BODY_MAX, false},
     signalwire_decode_make_key,
     signalwire_encode_key_made,
     KEY_BIT(KEY_API_TOKEN),
     LIMIT_NONE},
};
/* clang-format on */

static bool owns_path(struct bytes path)
{
    return bytes_start_with(path, BYTES("/api/"));
}

const struct dialect signalwire_dialect = {
    .name = "signalwire",
    .routes = routes,
    .route_count = sizeof routes / sizeof routes[0],
    .refuse = signalwire_encode_refused,
    .owns_path = owns_path,
    .connect_method = "signalwire.connect",
    .connect_decode = signalwire_decode_connect,
    .welcome = signalwire_welcome,
    .refuse_call = signalwire_refuse_call,
    .event_after_welcome = signalwire_event_after_welcome,
    .ping = signalwire_ping,
    .calls = signalwire_calls,
    .call_count = SIGNALWIRE_CALLS,
};
