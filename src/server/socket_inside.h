/* socket_inside.h — what socket.c (life, timers, sending) and socket_calls.c (messages) share. Not for other
 * files. */
#ifndef COATCHECK_SERVER_SOCKET_INSIDE_H
#define COATCHECK_SERVER_SOCKET_INSIDE_H

#include "dialect/dialect.h"
#include "engine/session.h"
#include "server/node.h"
#include "server/session_index.h"
#include "server/socket.h"
#include "wire/ws_message.h"

#define SESSION_NAME_LEN 32 /* hex of 128 random bits */
#define SOCKET_SEATS     2  /* of its token, and of the button that the token came from */

struct connecting { /* exists from the connect call to its decision */
    struct socket *socket;
    struct rpc_message call;
    struct arena arena;
    struct run run;
    struct buf kept; /* bytes behind the connect, read meanwhile */
    bool is_waiting; /* the store was asked: the answer comes by mail */
};

struct socket {
    struct lane *lane;
    struct stream *stream; /* NULL once it is gone */
    struct socket *next, *prev;
    struct connecting *connecting;
    uint8_t *origin; /* until the connect is decided; owned; NULL: not a browser */
    size_t origin_len;
    struct deadline deadline;
    int64_t heard_ms; /* monotonic: when the peer last sent anything */
    int64_t ends_ms;  /* monotonic: when the state's own time is up */
    struct ws_message message;
    enum session_state state;
    bool is_registered;
    bool has_parking; /* a refused socket without a place in the park is closed after its answer */
    uint16_t parking_slot;
    struct seat *seats[SOCKET_SEATS]; /* NULL: none. While its connect is decided, and while it is live */
    char name[SESSION_NAME_LEN];
    char jti[UUID_TEXT_LEN], jkt[43], parent_key[KEY_PUBLIC_ID_MAX];
    struct holder holder;       /* its strings are the three above */
    struct session_links links; /* in the lane's index while it is live */
    int64_t age_ms;             /* of its project, as the deadline knows it */
};

/* socket.c */
void socket_apply(struct socket *socket, enum session_event event); /* the engine's table, carried out */
void socket_send_text(struct socket *socket, const struct buf *text);
void socket_send_control(struct socket *socket, enum ws_opcode opcode, struct bytes payload);
void socket_close(struct socket *socket, int code, const char *reason); /* close frame, then the stream */
/* Remembers the finding and answers the call with it. */
void socket_refuse_call(struct socket *socket, const struct rpc_message *call, const struct finding *finding);
void socket_refuse_envelope(struct socket *socket, const struct rpc_message *call, int code, size_t len);
void socket_set_registered(struct socket *socket, bool is_registered);
struct dialect_session socket_session(const struct socket *socket);
int64_t socket_left_ms(const struct socket *socket,
                       const struct holder *holder);   /* until the holder's token ends; <= 0: it has */
void socket_lives_until_expiry(struct socket *socket); /* once the holder is known, or time was moved */

/* socket_calls.c */
void socket_message(struct socket *socket, struct bytes text);
void socket_end_connecting(struct socket *socket); /* frees what a connect needed */
void socket_welcome(struct socket *socket);        /* effects of the table that speak */
void socket_tell_refusal(struct socket *socket);
void socket_tell_failure(struct socket *socket);
void socket_decide(struct socket *socket);

#endif
