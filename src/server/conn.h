/* conn.h — one HTTP connection: requests in, one at a time and in order, replies out; or an upgrade
 * to a WebSocket.
 *
 * An idle connection holds no buffers: request, arena and leftovers are in an exchange, which is taken from
 * the lane when the first byte of a request comes and given back when nothing of one is left. While an answer
 * waits for the store nothing more is looked at: what comes is kept, the first time, and then the connection
 * stops reading. So replies can never be out of order, and a peer that waits for its answer costs no calls to
 * stop and start. */
#ifndef COATCHECK_SERVER_CONN_H
#define COATCHECK_SERVER_CONN_H

#include "server/lane.h"

void conn_accept(void *lane, struct stream *stream);       /* a listener_accept_fn: the public site */
void conn_accept_admin(void *lane, struct stream *stream); /* the admin site */
void conns_stop(struct lane *lane); /* closes idle connections; busy ones close after their answer */
void exchange_free_spare(struct lane *lane);

#endif
