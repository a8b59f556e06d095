/* presence.h — whether a user can be reached, over all their sessions, and who is told.
 *
 * A user is online while one session at least is registered and may be rung; undisturbed while those that are
 * registered all asked not to be; else offline. So the first registration and the last one's end are news,
 * and what lies between is none. Told are the user's own live sessions, each when that is something else than
 * it knows: by what it was told before, or by what it did itself. One that is away learns it when it comes
 * back, and one that was told by the socket it lost is told once more.
 *
 * Nothing is counted along: a change asks for a round, in which one letter goes through all lanes to count
 * and once more to tell, SESSIONS_PER_TURN sessions in a turn. A user has one round at a time; what changes
 * while it waits is in it, what changes while it is under way asks for the next. So a client that comes and
 * goes without end costs a few rounds a second, and a round that want of memory has prevented is made good by
 * the next change. */
#ifndef COATCHECK_SERVER_PRESENCE_H
#define COATCHECK_SERVER_PRESENCE_H

#include "dialect/dialect.h"

#define PRESENCE_WAIT_MS 200 /* from a change to its round */

struct lane;
struct session;

enum presence presence_of(const struct session *session); /* what this one says of its user */
/* It may say something else of its user than before, or does not know what the others say. */
void presence_changed(struct session *session);

/* A session takes the place of another: tells it, and the others of its user. */
void presence_tell_upgrade(struct session *session, const struct session *old);

void presence_free(struct lane *lane); /* rounds that wait, when no loop runs any more */

#endif
