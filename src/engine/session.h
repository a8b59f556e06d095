/* session.h — the life of one socket as a table: state × event -> state, effect.
 *
 *   OPENING   upgraded, no connect yet; 10 s to send one
 *   DECIDING  a connect is being decided (it may wait for the store); nothing else is read meanwhile
 *   LIVE      carries a session; ends at its deadline, when its peer goes silent, or on purpose
 *   ASKING    the same, while one of its calls is being decided; nothing else is read meanwhile, what is
 *             sent to it goes out
 *   PARKED    refused: answered once, then kept deaf and silent (but for the protocol's own pings) for a
 *             while, because the clients we serve reconnect at once after every close and would storm us
 *   CLOSED    a close code was sent or the peer is gone; nothing more happens
 *
 * An empty cell refuses: the event is answered as an error and changes nothing. Pure: who owns timers and
 * sockets carries out the effect. */
#ifndef COATCHECK_ENGINE_SESSION_H
#define COATCHECK_ENGINE_SESSION_H

#include "base/refusal.h"

enum session_state {
    SESSION_NONE,
    SESSION_OPENING,
    SESSION_DECIDING,
    SESSION_LIVE,
    SESSION_ASKING,
    SESSION_PARKED,
    SESSION_CLOSED,
    SESSION_STATES
};

enum session_event {
    SESSION_CONNECT_ASKED,
    SESSION_CONNECT_GRANTED,
    SESSION_CONNECT_REFUSED,
    SESSION_CONNECT_FAILED, /* we could not decide: not the client's fault */
    SESSION_CALL,           /* any other request */
    SESSION_ASKS,           /* one that has to be decided first */
    SESSION_ANSWERED,       /* that one is decided */
    SESSION_TIME_UP,        /* the state's own time: no connect, grant expired, parked long enough */
    SESSION_SILENT,         /* the peer answered no ping */
    SESSION_REVOKED,        /* a cutoff voids what it was granted by */
    SESSION_TAKEN,          /* its session goes on with another socket */
    SESSION_FOLLOWED,       /* another session takes the place of its own */
    SESSION_STOP,           /* the server is stopping */
    SESSION_PEER_GONE,      /* close frame, broken frame, or the end of the stream */
    SESSION_EVENTS
};

enum session_effect {
    SESSION_REFUSE, /* empty cell */
    SESSION_DECIDE,
    SESSION_WELCOME,
    SESSION_TELL_REFUSAL_AND_PARK,
    SESSION_TELL_FAILURE_AND_CLOSE,
    SESSION_RUN_CALL,
    SESSION_ASK,
    SESSION_TELL_ANSWER,
    SESSION_IGNORE,
    SESSION_CLOSE_NO_CONNECT,
    SESSION_CLOSE_EXPIRED,
    SESSION_CLOSE_PARKED,
    SESSION_CLOSE_SILENT,
    SESSION_CLOSE_REVOKED,
    SESSION_CLOSE_TAKEN,
    SESSION_CLOSE_FOLLOWED,
    SESSION_CLOSE_RESTARTING,
    SESSION_FORGET
};

struct session_step {
    enum session_state state;
    enum session_effect effect;
};
struct session_step session_step(enum session_state state, enum session_event event);

const char *session_state_name(enum session_state state);

#endif
