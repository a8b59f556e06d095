/* socket_inside.h — what socket.c (life, timers, sending) and socket_calls.c (messages) share. Not
 * for other files. */
#ifndef COATCHECK_SERVER_SOCKET_INSIDE_H
#define COATCHECK_SERVER_SOCKET_INSIDE_H

#include "dialect/dialect.h"
#include "engine/session.h"
#include "engine/slot.h"
#include "server/node.h"
#include "server/session.h"
#include "server/socket.h"
#include "wire/ws_message.h"

struct asking {                    /* one call that is being decided; nothing behind it is read meanwhile */
    struct socket *socket;         /* NULL: it has gone, and nobody waits for the answer */
    const struct socket_call *row; /* what is called; NULL: the connect */
    struct rpc_message call;
    struct arena arena;
    struct run run;
    struct session_seats seats; /* of a connect, until its session has them */
    struct session *session;    /* of a connect that is granted: made, not begun yet; or come back to */
    struct session_fetch fetch; /* of a connect that wants its session back, or to have its place */
    struct buf kept;            /* bytes behind the call, read meanwhile */
    bool is_waiting;            /* for its turn, or the store was asked: the answer comes by mail */
    struct asking *next, **at;  /* of the connects that wait for a turn; at NULL: not one of them */
};

struct socket {
    struct lane *lane;
    struct stream *stream; /* NULL once it is gone */
    struct socket *next, *prev;
    struct asking *asking;   /* NULL: no call is being decided */
    struct session *session; /* whose rights it has; NULL: none */
    uint8_t *origin;         /* until the connect is decided; owned; NULL: not a browser */
    size_t origin_len;
    struct deadline deadline;
    int64_t heard_ms;          /* monotonic: when the peer last sent anything */
    uint64_t probed, answered; /* the probe that was sent last, and the last that the peer answered */
    int64_t ends_ms;           /* monotonic: when the state's own time is up */
    struct ws_message message;
    enum session_state state;
    bool said_goodbye; /* the peer closed it on purpose */
    bool takes_slots;  /* its client does things when it is told to */
    bool has_parking;  /* a refused socket without a place in the park is closed after its answer */
    uint16_t parking_slot;
};

/* socket.c */
void socket_apply(struct socket *socket, enum session_event event); /* the engine's table, carried out */
void socket_send_control(struct socket *socket, enum ws_opcode opcode, struct bytes payload);
void socket_close(struct socket *socket, int code, const char *reason); /* close frame, then the stream */
/* The same, for what the peer sent: nothing behind it is read, and its session waits for another socket. */
void socket_give_up(struct socket *socket, int code);
/* The same, and says when to come back: in its own slot to who takes them, the earliest time
 * to all others. */
extern const struct slot_return socket_soon; /* for what passes by itself */
void socket_close_until(struct socket *socket, int code, const char *why, const struct slot_return *slot);
struct slots socket_slots(const struct socket *socket); /* of a client that takes them */
/* Remembers the finding and answers the call with it. */
void socket_refuse_call(struct socket *socket, const struct rpc_message *call, const struct finding *finding);
void socket_refuse_envelope(struct socket *socket, const struct rpc_message *call, int code, size_t len);
void socket_watch_peer(struct socket *socket); /* from its welcome on: pings */

/* socket_resume.c */
/* What the service has granted, against the time by now. back: the session that its client comes back to,
 * NULL: it gets a new one. asking->session is set if it is granted. */
enum session_event socket_grant(struct asking *asking, struct session *back);
void socket_fetch_session(struct asking *asking); /* then goes on by itself */
void socket_found_expired(struct finding *finding, const struct holder *holder, int64_t left_ms);

/* socket_calls.c */
void asking_free(struct asking *asking);
void socket_go_on(struct socket *socket); /* with what came while a call was decided */
void socket_message(struct socket *socket, struct bytes text);
void socket_end_asking(struct socket *socket); /* frees what a call that was decided needed */
void socket_welcome(struct socket *socket);    /* effects of the table that speak */
void socket_tell_refusal(struct socket *socket);
void socket_tell_failure(struct socket *socket);
void socket_ask(struct socket *socket);         /* the service, what `asking` says */
void socket_ask_later(struct asking *asking);   /* a connect that had to wait for its turn */
void socket_tell_answer(struct socket *socket); /* to a call that was decided */

/* socket_wave.c */

/* False: decide it now; else socket_ask_later will be called. */
bool socket_waits_in_wave(struct asking *asking);
void socket_leave_wave(struct asking *asking); /* its peer has gone; harmless if it does not wait */

#endif
