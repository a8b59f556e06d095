/* dialect.h — what every dialect brings: REST rows, socket calls, and the words of its answers. No policy.
 *
 * A dialect turns a vendor's request into a struct ask and a struct outcome into the vendor's reply; it
 * decides nothing. To add one: a folder with routes and a const struct dialect, and a line in registry.c. */
#ifndef COATCHECK_DIALECT_DIALECT_H
#define COATCHECK_DIALECT_DIALECT_H

#include "engine/call.h"
#include "engine/limit.h"
#include "engine/outcome.h"
#include "route/route.h"
#include "wire/json_read.h"
#include "wire/rpc.h"

struct dialect_request {
    struct bytes query; /* absent if there is none */
    struct json body;   /* absent unless the route takes JSON and there was some; lives as long as the ask */
    struct bytes form;  /* the body of a route that takes a form; absent otherwise */
    struct bytes proof; /* the DPoP field (RFC 9449 §4.1); absent if there is none */
    bool has_more_proofs;       /* several such fields: none of them counts */
    struct route_params params; /* of the path; borrowed: copied by a decoder that keeps one */
    struct arena *arena;        /* for what the ask keeps */
};

/* What a reply carries besides its body. */
struct dialect_reply {
    int status;
    struct buf *body;  /* JSON; empty: no body */
    const char *type;  /* NULL: application/json */
    unsigned public_s; /* anybody may read it, and keep it so long; 0: nobody keeps it */
};

/* Fills kind and the kind's own part of the ask; credential and origin are there already. ERR_OK with a
 * refusal in *refused when a member is missing or of the wrong type. Strings of the ask live in the
 * arena or the body. */
typedef enum err ask_decode_fn(struct ask *ask, struct refused *refused,
                               const struct dialect_request *request);
/* Cannot fail: what does not fit shows in the buffer's sticky error. */
typedef void outcome_encode_fn(struct dialect_reply *reply, const struct outcome *outcome);

struct dialect_route {
    struct route route; /* first: see route_find */
    ask_decode_fn *decode;
    outcome_encode_fn *encode;
    uint32_t takes_keys; /* KEY_BIT(kind) of each; routes that take a project's secret */
    enum limit limit;    /* by address, before anything is looked at; LIMIT_NONE: none */
};

/* What a session is to its dialect when it must speak of it. */
struct dialect_session {
    const struct holder *holder;
    struct bytes name;        /* the session's public name */
    struct bytes first_jti;   /* of the token that it began with */
    struct bytes node;        /* this node's name */
    struct bytes ice_servers; /* JSON array, verbatim */
    struct dice dice;         /* for the ids of what we send */
    int64_t now_ms;
    const struct slots *slots; /* NULL: its client takes none */
};

/* A session has taken the place of another, whose client has become more: of whom, and of both, the names. */
struct dialect_upgrade {
    struct bytes from_name, from_first_jti, to_name, to_first_jti; /* as in struct dialect_session */
    struct uuid from_user, to_user;
};

enum presence { PRESENCE_OFFLINE, PRESENCE_UNDISTURBED, PRESENCE_ONLINE }; /* of a user, over all sessions */

/* What the live socket shall do after a call. */
enum after_call {
    AFTER_NOTHING,
    AFTER_REGISTER,
    AFTER_REGISTER_QUIETLY, /* present, but not to be rung */
    AFTER_UNREGISTER
};

struct socket_call { /* one row per method of a live session */
    const char *method;
    ask_decode_fn *decode; /* has to be decided first; NULL: it is answered at once */
    /* Appends one whole JSON-RPC reply to out; after a decision, if it was granted. */
    enum after_call (*answer)(struct buf *out, const struct dialect_session *session,
                              const struct rpc_message *call);
};

/* What a client wants of its calls. A call has two ends, and each client has a name of its own for
 * its end: a leg. */
enum phone_verb {
    PHONE_OTHER, /* nothing that we would do: answered, so that the client goes on without */
    PHONE_DIAL,
    PHONE_ANSWER,
    PHONE_HANG_UP
};

#define PHONE_LEG_MAX         64 /* bytes of a leg's name */
#define PHONE_DESTINATION_MAX 512

struct phone_ask { /* borrowed from the request */
    enum phone_verb verb;
    struct bytes id, inner_id; /* of the request, and of the message that it wraps (absent: none) */
    struct bytes leg;
    struct bytes destination; /* DIAL: with the query, if any */
    struct bytes sdp;         /* DIAL, ANSWER: checked (wire/sdp.h) */
    bool is_again;            /* DIAL: of a call that its client had before it was reloaded */
    enum call_cause cause;    /* HANG_UP */
};

enum phone_news_kind { PHONE_RINGS, PHONE_ANSWERED, PHONE_ENDED };

struct phone_news { /* what a client is told of a leg */
    enum phone_news_kind kind;
    struct bytes leg;
    struct bytes sdp;                                                    /* RINGS, ANSWERED */
    enum call_cause cause;                                               /* ENDED */
    struct bytes caller_name, caller_number, callee_name, callee_number; /* RINGS */
};

struct dialect {
    const char *name;
    const struct dialect_route *routes;
    size_t route_count;
    bool form_encodes_credentials; /* user and password of Basic, as RFC 6749 §2.3.1 has it */
    bool takes_dpop;               /* a bound access token with a strict proof beside it (RFC 9449 §7.1) */
    outcome_encode_fn *refuse; /* refusals and failures on paths of this dialect that no row could answer */
    bool (*owns_path)(struct bytes path);

    /* the socket; absent in dialects that have none */
    const char *connect_method;
    ask_decode_fn *connect_decode; /* request->body is the call's params */
    void (*welcome)(struct buf *out, const struct dialect_session *session, struct bytes id);
    /* JSON to stand as error.data; absent: none */
    void (*refuse_call)(struct buf *out, struct bytes id, const struct refused *refused, enum err error,
                        struct bytes data);
    /* An event, a whole message: what the client has to present when it wants its session back; absent: it
     * cannot have it back. */
    void (*give_state)(struct buf *out, const struct dialect_session *session, struct bytes state);
    void (*ping)(struct buf *out, const struct dialect_session *session);
    /* Events to the sessions of one user, each a whole message. */
    void (*tell_upgrade)(struct buf *out, const struct dialect_session *session,
                         const struct dialect_upgrade *upgrade);
    void (*tell_presence)(struct buf *out, const struct dialect_session *session, enum presence presence);
    /* The grant ends then, unless it is renewed. */
    void (*tell_expiry)(struct buf *out, const struct dialect_session *session);
    const struct socket_call *calls;
    size_t call_count;

    /* calls of a live session; absent in dialects that have none */
    const char *phone_method;
    /* A request that wants what cannot be is refused; its ids and verb are there all the same. */
    void (*phone_decode)(struct phone_ask *ask, struct refused *refused, const struct rpc_message *call);
    void (*phone_answer)(struct buf *out, const struct dialect_session *session, const struct phone_ask *ask);
    /* Tells the client that this call of its will not be. */
    void (*phone_refuse)(struct buf *out, const struct phone_ask *ask, const struct refused *refused,
                         enum err error, struct bytes data);
    void (*phone_tell)(struct buf *out, const struct dialect_session *session, const struct phone_news *news);
};

extern const struct dialect *const dialects[];
extern const size_t dialect_count;

/* The row for a method and path over all dialects, and whose it is; *owner is set whenever some dialect
 * owns the path. */
enum route_match dialect_find(const struct dialect **owner, const struct dialect_route **row,
                              struct route_params *params, enum http_method method, struct bytes path);
/* The dialect that speaks on the socket. */
const struct dialect *dialect_of_socket(void);

#endif
