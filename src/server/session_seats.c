#include "server/session_seats.h"

enum err session_seats_take(bool *out, struct session_seats *own, struct seats *among, const struct uuid *of,
                            int64_t most)
{
    struct seat *seat;
    enum err e;

    *out = false;
    if (own->count == SESSION_SEATS) return ERR_LIMIT;
    e = seats_take(&seat, among, of, most);
    if (!seat) return e;
    own->among = among;
    own->place[own->count].of = *of;
    own->place[own->count].most = most;
    own->place[own->count].taken = seat;
    own->count++;
    *out = true;
    return ERR_OK;
}

void session_seats_leave(struct session_seats *own)
{
    unsigned i;

    for (i = 0; i < own->count; i++) {
        seats_give_back(own->among, own->place[i].taken);
        own->place[i].taken = NULL;
    }
}

enum err session_seats_return(bool *out, struct session_seats *own)
{
    enum err e = ERR_OK;
    unsigned i;

    *out = true;
    for (i = 0; *out && !e && i < own->count; i++) {
        if (own->place[i].taken) continue;
        e = seats_take(&own->place[i].taken, own->among, &own->place[i].of, own->place[i].most);
        *out = own->place[i].taken != NULL;
    }
    if (!*out) session_seats_leave(own);
    return e;
}
