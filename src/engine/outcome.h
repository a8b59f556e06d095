/* outcome.h — what the engine and the service answered, in nobody's dialect: granted, refused, or failed.
 * Strings live in the request's arena. */
#ifndef COATCHECK_ENGINE_OUTCOME_H
#define COATCHECK_ENGINE_OUTCOME_H

#include "base/err.h"
#include "base/refusal.h"
#include "engine/ask.h"

struct refused {
    enum refusal refusal; /* REFUSAL_NONE: not refused */
    enum ask_field field; /* what it points at, if anything */
    const char *because;  /* a short literal for the operator and, on parameter refusals, for the caller */
};

enum outcome_kind {
    OUTCOME_FAILED,
    OUTCOME_REFUSED,
    OUTCOME_MINTED,
    OUTCOME_WHO,
    OUTCOME_ADDRESSES,
    OUTCOME_CONNECTED
};

/* The verified holder of an access token. */
struct holder {
    struct uuid project, user, application, family;
    enum user_kind user_kind;
    bool is_full_subscriber; /* may register and be called; others dial out only */
    bool may_self_refresh;
    struct bytes jti, jkt; /* jkt absent: not bound */
    int64_t exp_s, gt_ms;
    int64_t age_ms; /* of the project, when the token was minted */
};

struct outcome {
    enum outcome_kind kind;
    enum err error;         /* FAILED */
    struct refused refused; /* REFUSED */
    struct holder holder;   /* WHO, ADDRESSES, CONNECTED */
    union {
        struct {
            struct uuid user;
            struct bytes token, refresh_token;
            int64_t exp_s;
        } minted;
        struct user who;
        struct {
            const struct address *list;
            size_t count;
        } addresses;
        struct {
            struct bytes session; /* the session's public name: 128 random bits */
        } connected;
    };
};

#endif
