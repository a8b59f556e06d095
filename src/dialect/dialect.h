/* dialect.h — what every dialect brings: REST rows, socket calls, and the words of its answers. No policy.
 *
 * A dialect turns a vendor's request into a struct ask and a struct outcome into the vendor's reply; it
 * decides nothing. To add one: a folder with routes and a const struct dialect, and a line in registry.c. */
#ifndef COATCHECK_DIALECT_DIALECT_H
#define COATCHECK_DIALECT_DIALECT_H

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
 * refusal in *refused when a member is missing or of the wrong type. Strings of the ask live in the arena or
 * the body. */
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
    struct bytes node;        /* this node's name */
    struct bytes ice_servers; /* JSON array, verbatim */
    struct dice dice;         /* for the ids of what we send */
    int64_t now_ms;
};

/* What the live socket shall do after a call. */
enum call_effect { CALL_NOTHING, CALL_REGISTER, CALL_UNREGISTER };

struct socket_call { /* one row per method of a live session */
    const char *method;
    /* Appends one whole JSON-RPC reply to out. */
    enum call_effect (*answer)(struct buf *out, const struct dialect_session *session,
                               const struct rpc_message *call);
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
    void (*refuse_call)(struct buf *out, struct bytes id, const struct refused *refused, enum err error,
                        struct bytes data); /* JSON to stand as error.data; absent: none */
    /* Events to send right after the welcome, each a whole message: index 0, 1, ...; false when there are no
     * more. */
    bool (*event_after_welcome)(struct buf *out, const struct dialect_session *session, unsigned index);
    void (*ping)(struct buf *out, const struct dialect_session *session);
    const struct socket_call *calls;
    size_t call_count;
};

extern const struct dialect *const dialects[];
extern const size_t dialect_count;

/* The row for a method and path over all dialects, and whose it is; *owner is set whenever some dialect owns
 * the path. */
enum route_match dialect_find(const struct dialect **owner, const struct dialect_route **row,
                              struct route_params *params, enum http_method method, struct bytes path);
/* The dialect that speaks on the socket. */
const struct dialect *dialect_of_socket(void);

#endif
