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

struct resume_state;

enum outcome_kind {
    OUTCOME_FAILED,
    OUTCOME_REFUSED,
    OUTCOME_MINTED,          /* minted */
    OUTCOME_TICKET,          /* ticket */
    OUTCOME_WHO,             /* who; of a token, or of a key's asking for one user */
    OUTCOME_USERS,           /* users */
    OUTCOME_ADDRESSES,       /* addresses */
    OUTCOME_CONNECTED,       /* connected */
    OUTCOME_DIALLED,         /* dialled */
    OUTCOME_REAUTHENTICATED, /* the holder says it all */
    OUTCOME_RESOURCE,        /* resource */
    OUTCOME_RESOURCES,       /* resources */
    OUTCOME_GONE,            /* removed, or it was not there any more */
    OUTCOME_KEY_MADE,        /* key_made */
    OUTCOME_REVOKED,         /* revoked */
    OUTCOME_STUDY,           /* study */
    OUTCOME_INTERVIEW,       /* interview */
    OUTCOME_INTROSPECTED,    /* introspected */
    OUTCOME_REVOCATIONS,     /* revocations */
    OUTCOME_DESCRIBED        /* issuer says it all */
};

/* One page of a list. */
struct list_page {
    uint32_t size, number;
    struct bytes cursor, next; /* as asked; of the next page, absent if this is the last */
};

enum interview_state { INTERVIEW_OPEN = 1, INTERVIEW_AGREED, INTERVIEW_DONE };

struct interview { /* one participant's run through one study */
    struct uuid id, project, study, user;
    enum interview_state state;
    uint32_t answer_count;
    int64_t created_ms, completed_ms;
};

/* The verified holder of an access token. */
struct holder {
    struct uuid project, user, application, family;
    enum user_kind user_kind;
    enum token_kind kind;
    bool is_full_subscriber; /* may register and be called; others dial out only */
    bool may_self_refresh;
    struct bytes jti, jkt;                /* jkt absent: not bound */
    struct bytes parent_key;              /* public id of the key that minted its root; absent: none did */
    struct uuid addresses[ADDRESSES_MAX]; /* all it may reach; none: what its kind may reach anyway */
    size_t address_count;
    struct uuid resource; /* of an embed token: all it may reach; else zero */
    struct uuid inviter;  /* of an invite: the user whose cutoffs apply too; else zero */
    int64_t iat_s, exp_s, gt_ms;
    int64_t age_ms;         /* of the project, when the token was minted */
    int64_t absolute_end_s; /* of its family; 0: the token does not say */
};

struct slots { /* when a client that asked shall refresh, and come back once its connection breaks: slot.h */
    int64_t refresh_in_ms, return_within_ms;
};

/* Where sessions that are open at once are counted: of a token, and of the button that it came from. */
#define CONNECT_PLACES_MAX 2
struct connect_place {
    struct uuid of;
    int64_t most; /* > 0 */
};

struct outcome {
    enum outcome_kind kind;
    enum err error;         /* FAILED */
    struct refused refused; /* REFUSED */
    int64_t retry_after_ms; /* REFUSED with status 429 */
    struct holder holder;   /* WHO, ADDRESSES, CONNECTED, INTROSPECTED */
    int64_t now_s;
    struct bytes issuer; /* who we are to clients: the configured public URL */
    struct bytes nonce;  /* the next proof shall carry it (RFC 9449 §8.2); absent: no matter */
    union {
        struct {
            enum token_kind kind;
            struct uuid user;
            struct bytes token, refresh_token; /* refresh_token absent: none comes with this kind */
            int64_t iat_s, exp_s, refresh_exp_s;
            int64_t absolute_end_s; /* whatever descends from this mint ends by then */
            bool is_bound;          /* the access token goes with a proof */
            struct bytes external_id;
        } minted;
        struct {
            struct bytes text;
            struct uuid user;
            int64_t iat_s, exp_s;
        } ticket;
        struct user who;
        struct {
            const struct user *list;
            size_t count;
            struct list_page page;
        } users;
        struct {
            const struct address *list;
            size_t count;
            struct uuid owner; /* the resource whose list it is; zero: no one's */
            struct list_page page;
        } addresses;
        struct resource resource;
        struct {
            const struct resource *list;
            size_t count;
            const struct user *users; /* subscribers count as resources: they follow the list */
            size_t user_count;
            struct list_page page;
        } resources;
        struct {
            const struct fact_key *key;
            struct bytes secret; /* shown this once */
        } key_made;
        struct {
            size_t sessions_closed;
            int64_t t_ms; /* of the cutoff */
        } revoked;
        const struct study *study;
        struct interview interview;
        struct {
            bool is_active; /* false: nothing else is told (RFC 7662 §2.2); the holder otherwise */
            bool is_refresh;
        } introspected;
        struct bytes revocations; /* a signed list */
        struct {
            struct bytes session;             /* the session's public name: 128 random bits */
            const struct resume_state *state; /* of the session to go on with; NULL: a new one */
            bool is_upgrade;                  /* a new one, in the place of the state's */
            struct bytes former;              /* the name of that one */
            struct bytes proved;              /* the key that a proof was seen by; absent: none was needed */
            bool is_last;                     /* the token has expired: only until the state's deadline */
            struct connect_place place[CONNECT_PLACES_MAX]; /* that it takes; a session that comes back: anew,
                                                             * if it had left them */
            unsigned place_count;
        } connected;
        struct {
            struct uuid callee;            /* whose sessions ring; zero: nobody's */
            struct uuid address, resource; /* what was dialled; and the resource behind it, or zero */
            struct bytes caller_name, caller_number, callee_name, callee_number;
        } dialled;
    };
};

#endif
