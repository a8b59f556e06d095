/* socket.h — one WebSocket: frames in, JSON-RPC calls out of them, and a session that speaks through it.
 *
 * What may happen when is the engine's table (engine/session.h); this file carries it out: timers, sends,
 * closing. A socket is small on purpose: buffers, the ask and the arena of a connect exist only while it is
 * being decided. The dialect that speaks on sockets gives the words. */
#ifndef COATCHECK_SERVER_SOCKET_H
#define COATCHECK_SERVER_SOCKET_H

#include "server/lane.h"

/* Attaches to an upgraded stream. origin is copied; absent: not a browser. NULL: no memory. */
struct socket *socket_take_over(struct lane *lane, struct stream *stream, struct bytes origin);
void socket_bytes(struct socket *socket, uint8_t *bytes, size_t len); /* bytes that came behind the upgrade */

/* For its connect, which the run is: see struct service_options. */
MUST_USE enum err socket_take_seat(bool *out, void *lane, struct run *run, const struct uuid *of,
                                   int64_t most);

/* Closes all with 1012: some at once, and if there are many, the others bit by bit within drain_window_s. */
void sockets_stop(struct lane *lane);

/* From the session on it. */
void socket_send_text(struct socket *socket, const struct buf *text);
size_t socket_unsent(const struct socket *socket); /* what waits for a peer that reads too slowly */
void socket_send_bytes(struct socket *socket, struct bytes text);
void socket_session_due(struct socket *socket);     /* its grant has ended */
void socket_session_revoked(struct socket *socket); /* a cutoff voids it */
/* another socket takes it on, or a session its place */
void socket_session_taken(struct socket *socket, bool is_upgrade);
/* Asks the peer whether it is there; gives the question's number. Only its own answer counts: other bytes may
 * have been on their way when their sender fell silent. */
uint64_t socket_probe(struct socket *socket);
/* It answered, or we do not listen. */
bool socket_has_answered(const struct socket *socket, uint64_t probe);
void socket_lost_session(struct socket *socket); /* it has ended, or goes on without this socket */

/* Remembers a refusal, and gives what a client is told of it as error.data: its id, and the slug that is all
 * it may learn. Absent without memory for that: the answer is then without, but whole. socket NULL: the peer
 * has gone. In the lane's fields. */
struct bytes socket_refusal_data(struct lane *lane, const struct socket *socket, struct bytes method,
                                 const struct finding *finding);

#endif
