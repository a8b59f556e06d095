/* routes.c — the rows of this dialect: what exists, who may ask, how much it may send. */
#include "dialect/dialogue/dialogue.h"

/* An external id, each byte escaped to six at worst: 6 * 255 + names. */
#define BOOTSTRAP_BODY_MAX 2048
#define SESSION_BODY_MAX   2048 /* a bootstrap token of 1 KiB, or a study and a key */
#define BEGIN_BODY_MAX     1024
/* An answer and a question, escaped likewise: 6 * (8192 + 255) + names = 51 KiB. */
#define ANSWER_BODY_MAX 53248
#define EMPTY_BODY_MAX  1024 /* consent and completion need none; members of theirs are ignored */

/* clang-format off: a table is read by columns */
static const struct dialect_route routes[] = {
    /* method     path                          credential    body                 body_max            bound
       as bearer */
    {{HTTP_POST, "/sdk/bootstrap-tokens", ROUTE_KEY, ROUTE_JSON_OPTIONAL, BOOTSTRAP_BODY_MAX, false},
     dialogue_decode_bootstrap,
     dialogue_encode_bootstrap,
     KEY_BIT(KEY_SECRET),
     LIMIT_NONE},
    {{HTTP_POST, "/sdk/sessions", ROUTE_OPEN, ROUTE_JSON, SESSION_BODY_MAX, false},
     dialogue_decode_redeem,
     dialogue_encode_session,
     0,
     LIMIT_NONE},
    {{HTTP_POST, "/sessions", ROUTE_OPEN, ROUTE_JSON_OPTIONAL, SESSION_BODY_MAX, false},
     dialogue_decode_visit,
     dialogue_encode_session,
     0,
     LIMIT_VISIT_ADDRESS},
    {{HTTP_GET, "/participants/me", ROUTE_BEARER, ROUTE_NO_BODY, 0, false},
     dialogue_decode_me,
     dialogue_encode_me,
     0,
     LIMIT_NONE},
    {{HTTP_GET, "/studies/{id}", ROUTE_BEARER, ROUTE_NO_BODY, 0, false},
     dialogue_decode_study,
     dialogue_encode_study,
     0,
     LIMIT_NONE},
    {{HTTP_POST, "/interviews", ROUTE_BEARER, ROUTE_JSON, BEGIN_BODY_MAX, false},
     dialogue_decode_begin,
     dialogue_encode_begun,
     0,
     LIMIT_NONE},
    {{HTTP_GET, "/interviews/{id}", ROUTE_BEARER, ROUTE_NO_BODY, 0, false},
     dialogue_decode_read,
     dialogue_encode_interview,
     0,
     LIMIT_NONE},
    {{HTTP_POST, "/interviews/{id}/consent", ROUTE_BEARER, ROUTE_JSON_OPTIONAL, EMPTY_BODY_MAX, false},
     dialogue_decode_consent,
     dialogue_encode_interview,
     0,
     LIMIT_NONE},
    {{HTTP_POST, "/interviews/{id}/answers", ROUTE_BEARER, ROUTE_JSON, ANSWER_BODY_MAX, false},
     dialogue_decode_answer,
     dialogue_encode_interview,
     0,
     LIMIT_NONE},
    {{HTTP_POST, "/interviews/{id}/complete", ROUTE_BEARER, ROUTE_JSON_OPTIONAL, EMPTY_BODY_MAX, false},
     dialogue_decode_complete,
     dialogue_encode_interview,
     0,
     LIMIT_NONE},
};
/* clang-format on */

static bool is_below(struct bytes path, struct bytes root)
{
    struct bytes rest = bytes_from(path, root.len);

    return bytes_start_with(path, root) && (!rest.len || rest.ptr[0] == '/');
}

static bool owns_path(struct bytes path)
{
    return is_below(path, BYTES("/sdk")) || is_below(path, BYTES("/sessions")) ||
           is_below(path, BYTES("/studies")) || is_below(path, BYTES("/interviews")) ||
           is_below(path, BYTES("/participants"));
}

const struct dialect dialogue_dialect = {
    .name = "dialogue",
    .takes_dpop = true,
    .routes = routes,
    .route_count = sizeof routes / sizeof routes[0],
    .refuse = dialogue_encode_refused,
    .owns_path = owns_path,
};
