/* session_seats.h — the places that one session takes where something bounds how many are open at once: of
 * its token, and of the button that the token came from.
 *
 * Taken while its connect is decided, they go over to the session and stay with it as long as its client may
 * come back to it by itself; a client that said goodbye, or whose grant has ended, leaves them to others and
 * has to find them free again when it returns. Any lane. */
#ifndef COATCHECK_SERVER_SESSION_SEATS_H
#define COATCHECK_SERVER_SESSION_SEATS_H

#include "engine/outcome.h"
#include "server/seats.h"

struct session_seats { /* zeroed: none */
    struct seats *among;
    struct {
        struct uuid of;
        struct seat *taken;
    } place[CONNECT_PLACES_MAX];
    unsigned count;
    bool has_left; /* its client may not come back to it by itself: it holds none */
};

/* One more. *out false: as many as may be are open. */
MUST_USE enum err session_seats_take(bool *out, struct session_seats *own, struct seats *among,
                                     const struct uuid *of, int64_t most);
void session_seats_leave(struct session_seats *own);
/* One that has left takes these, all or none, and holds none if it cannot; one that has not keeps what it
 * has. *out as above. */
MUST_USE enum err session_seats_return(bool *out, struct session_seats *own, struct seats *among,
                                       const struct connect_place *places, unsigned count);

#endif
