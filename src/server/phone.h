/* phone.h — calls between sessions: who dials, who rings, who answered first.
 *
 * A call (phone_call.c) lives on the lane where it was dialled, from the dial to the moment when its last leg
 * is gone; that lane alone decides. A leg (phone.c) is a session's part of it: it lives and moves with the
 * session. The two know each other by letter. What says that a leg is gone, or shall go, is made together
 * with the leg, so that no call and no leg is ever left behind for want of memory; and a leg that goes says
 * so exactly once, so that a call knows when nobody points to it any more.
 *
 * Calls are counted in all, by caller and by click-to-call resource, over all lanes. */
#ifndef COATCHECK_SERVER_PHONE_H
#define COATCHECK_SERVER_PHONE_H

#include "wire/rpc.h"

struct lane;
struct session;

#define CALL_LEGS_MAX 16 /* telephones of one user that ring at once */

/* A live session's client speaks of its calls. */
void phone_message(struct session *session, const struct rpc_message *call);

void phone_session_ended(struct session *session); /* its legs go; also when its grant has ended */
/* Its client said goodbye and may be back: what rings goes, who talks may go on. */
void phone_session_away(struct session *session);
/* A session takes the place of another: so do its legs, as far as its holder may have them. */
void phone_session_follows(struct session *session, struct session *old);
void calls_free(struct lane *lane); /* whatever is left of them when no loop runs any more */

#endif
