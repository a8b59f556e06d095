/* routes.c — the rows of this dialect: what exists, who may ask, how much it may send. */
#include "dialect/standard/standard.h"

/* A token of 8 KiB with every byte escaped, and what stands around it. */
#define FORM_MAX 32768

#define ANY_KEY (KEY_BIT(KEY_API_TOKEN) | KEY_BIT(KEY_CLIENT) | KEY_BIT(KEY_SECRET))

/* Tokens and revocations are open rows: a browser may come with a proof, or with the token alone. A key that
 * is sent along is checked all the same, and from a live project's page refused. */
static const struct dialect_route routes[] = {
    /* method    path                  credential     body           body_max  bound as bearer */
    {{HTTP_GET, STANDARD_METADATA, ROUTE_OPEN, ROUTE_NO_BODY, 0, false},
     standard_decode_describe,
     standard_encode_metadata,
     0,
     LIMIT_NONE},
    {{HTTP_POST, STANDARD_TOKEN, ROUTE_OPEN, ROUTE_FORM, FORM_MAX, false},
     standard_decode_token,
     standard_encode_token,
     ANY_KEY,
     LIMIT_NONE},
    {{HTTP_POST, STANDARD_INTROSPECT, ROUTE_KEY, ROUTE_FORM, FORM_MAX, false},
     standard_decode_introspect,
     standard_encode_introspected,
     ANY_KEY,
     LIMIT_NONE},
    {{HTTP_POST, STANDARD_REVOKE, ROUTE_OPEN, ROUTE_FORM, FORM_MAX, false},
     standard_decode_revoke,
     standard_encode_revoked,
     ANY_KEY,
     LIMIT_NONE},
    {{HTTP_GET, STANDARD_REVOCATIONS, ROUTE_KEY, ROUTE_NO_BODY, 0, false},
     standard_decode_revocations,
     standard_encode_revocations,
     ANY_KEY,
     LIMIT_NONE},
};

static bool owns_path(struct bytes path)
{
    return bytes_start_with(path, BYTES("/oauth/")) || bytes_equal(path, BYTES(STANDARD_METADATA));
}

const struct dialect standard_dialect = {
    .name = "standard",
    .routes = routes,
    .route_count = sizeof routes / sizeof routes[0],
    .form_encodes_credentials = true,
    .refuse = standard_encode_refused,
    .owns_path = owns_path,
};
