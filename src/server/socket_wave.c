/* socket_wave.c — a crowd that connects at once: so many connects are decided in one turn of a loop, the
 * others wait in order, their bytes unread, until later ones. Whoever calls on a live session meanwhile is
 * answered in between. */
#include "server/socket_inside.h"

static void next_turn(struct mail *mail);

static void enter(struct asking *asking)
{
    struct lane *lane = asking->socket->lane;

    asking->next = NULL;
    asking->at = lane->wave_end;
    *lane->wave_end = asking;
    lane->wave_end = &asking->next;
}

void socket_leave_wave(struct asking *asking)
{
    struct lane *lane = asking->socket->lane;

    if (!asking->at) return;
    *asking->at = asking->next;
    if (asking->next)
        asking->next->at = asking->at;
    else
        lane->wave_end = asking->at;
    asking->at = NULL;
}

/* One more in this turn. Nobody waits before the turn is full, and then its letter is under way. */
static void count(struct lane *lane)
{
    if (++lane->wave_decided < lane->wave_most) return;
    lane->wave_turn.open = next_turn;
    loop_post_later(lane->loop, &lane->wave_turn);
}

static void next_turn(struct mail *mail)
{
    struct lane *lane = (struct lane *)(void *)((char *)mail - offsetof(struct lane, wave_turn));

    lane->wave_decided = 0;
    while (lane->wave && lane->wave_decided < lane->wave_most) {
        struct asking *asking = lane->wave;
        socket_leave_wave(asking);
        count(lane);
        socket_ask_later(asking);
    }
}

bool socket_waits_in_wave(struct asking *asking)
{
    struct lane *lane = asking->socket->lane;

    if (lane->wave_decided >= lane->wave_most) {
        enter(asking);
        return true;
    }
    count(lane);
    return false;
}
