/* socket.h — one WebSocket: frames in, JSON-RPC calls out of them, and the life of the session on it.
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

void sockets_stop(struct lane *lane); /* closes all with 1012 */

#define SOCKETS_PER_TURN 500 /* looked through or closed at once, before others get their turn */
/* Closes the live sessions that the cutoff voids, at most *room of them, and lowers it; returns how many. */
size_t sockets_cut(struct lane *lane, const struct cutoff *cutoff, unsigned *room);

/* After clocks of projects were moved: the deadlines of their live sessions follow, some each turn. A walk
 * outlives the sockets that go meanwhile, and may meet others under way: each leaves what is right already.
 */
struct socket_walk { /* zeroed: nothing to do */
    struct socket *at;
    struct socket_walk *next;
};
void sockets_age_begin(struct lane *lane, struct socket_walk *walk);
bool sockets_age_some(struct lane *lane,
                      struct socket_walk *walk); /* true: done, and the walk is forgotten */

#endif
