/* presented.h — what kind of thing a presented text looks like, going by its form alone: for explanations to
 * the operator, never for a decision. */
#ifndef COATCHECK_SERVICE_PRESENTED_H
#define COATCHECK_SERVICE_PRESENTED_H

#include "base/bytes.h"

enum presented {
    PRESENTED_NOTHING,     /* empty */
    PRESENTED_JWS,         /* three parts: an access token, or a proof */
    PRESENTED_REFRESH,     /* sealed: rt_… */
    PRESENTED_BOOTSTRAP,   /* sealed: bt_… */
    PRESENTED_LAUNCH,      /* sealed: lt_… */
    PRESENTED_RESUME,      /* sealed: rs_… */
    PRESENTED_API_TOKEN,   /* PT… */
    PRESENTED_CLIENT_ID,   /* cli_… */
    PRESENTED_CLIENT,      /* sec_… */
    PRESENTED_SECRET_KEY,  /* sk_live_… or sk_test_… */
    PRESENTED_PUBLISHABLE, /* pk_live_… or pk_test_… */
    PRESENTED_CLICK,       /* c2c_… */
    PRESENTED_UUID,        /* a project id or the like */
    PRESENTED_UNKNOWN
};

enum presented presented_kind(struct bytes text);
const char *presented_text(enum presented kind); /* "an api token (PT...)" */
bool presented_is_secret(enum presented kind);   /* whoever reads it can use it */
/* Whether the whole has the length and alphabet of its kind; false: cut, or mistyped. */
bool presented_is_whole(enum presented kind, struct bytes text);

#endif
