/* session_seats.h — the places that one session takes where something bounds how many are open at once: of
 * its token, and of the button that the token came from.
 *
 * Taken while its connect is decided, they go over to the session and stay with it as long as its client may
 * come back to it by itself; a client that said goodbye, or whose grant has ended, leaves them to others and
 * has to find them free again when it returns. Any lane. */
#ifndef COATCHECK_SERVER_SESSION_SEATS_H
#define COATCHECK_SERVER_SESSION_SEATS_H

#include "server/seats.h"

#define SESSION_SEATS 2

struct session_seats { /* zeroed: none */
    struct seats *among;
    struct {
        struct uuid of;
        int64_t most;
        struct seat *taken; /* NULL: left to others */
    } place[SESSION_SEATS];
    unsigned count;
};

/* One more. *out false: as many as may be are open. */
MUST_USE enum err session_seats_take(bool *out, struct session_seats *own, struct seats *among,
                                     const struct uuid *of, int64_t most);
void session_seats_leave(struct session_seats *own); /* it remembers which they were */
/* Those that it left, all or none. *out as above. */
MUST_USE enum err session_seats_return(bool *out, struct session_seats *own);

#endif
