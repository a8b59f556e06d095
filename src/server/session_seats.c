#include "server/session_seats.h"

enum err session_seats_take(bool *out, struct session_seats *own, struct seats *among, const struct uuid *of,
                            int64_t most)
{
    struct seat *seat;
    enum err e;

    *out = false;
    if (own->count == CONNECT_PLACES_MAX) return ERR_LIMIT;
    e = seats_take(&seat, among, of, most);
    if (!seat) return e;
    own->among = among;
    own->place[own->count].of = *of;
    own->place[own->count].taken = seat;
    own->count++;
    *out = true;
    return ERR_OK;
}

void session_seats_leave(struct session_seats *own)
{
    unsigned i;

    for (i = 0; i < own->count; i++)
        seats_give_back(own->among, own->place[i].taken);
    own->count = 0;
    own->has_left = true;
}

enum err session_seats_return(bool *out, struct session_seats *own, struct seats *among,
                              const struct connect_place *places, unsigned count)
{
    enum err e = ERR_OK;
    unsigned i;

    *out = true;
    if (!own->has_left) return ERR_OK;
    for (i = 0; *out && !e && i < count; i++)
        e = session_seats_take(out, own, among, &places[i].of, places[i].most);
    own->has_left = false;
    if (e || !*out) session_seats_leave(own);
    return e;
}
