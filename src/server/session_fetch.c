/* session_fetch.c — a session goes to the socket that asks for it, if the one it has does not answer. */
#include <string.h>

#include "engine/upgrade.h"
#include "server/node.h"
#include "server/session_inside.h"
#include "server/socket.h"

#define LOOK_MS 50 /* so often we look whether the present socket has answered */

/* True: it lives here now. What voids it may have passed while it was on its way. */
static bool settle_in(struct session_fetch *fetch, struct session *session)
{
    struct lane *home = fetch->home;

    fetch->error = session_arrive(session, home);
    if (fetch->error) return false;
    if (!home->is_stopping && session->holder.gt_ms > service_cutoff_ms(home->service, &session->holder))
        return true;
    session_end(session);
    fetch->found = RESUME_FOUND_NONE;
    if (home->is_stopping) fetch->error = ERR_STOPPING;
    return false;
}

static void open_home(struct mail *mail)
{
    struct session_fetch *fetch = (struct session_fetch *)(void *)mail;

    if (fetch->session && !settle_in(fetch, fetch->session)) fetch->session = NULL;
    fetch->done(fetch);
}

/* From the same lane at once: letters to the session must not find it on its way. */
static void go_home(struct session_fetch *fetch, struct lane *from)
{
    bool is_journey = fetch->session && from != fetch->home;

    fetch->letter.mail.open = open_home;
    if (from == fetch->home)
        open_home(&fetch->letter.mail);
    else
        loop_post(fetch->home->loop, &fetch->letter.mail);
    if (is_journey) atomic_fetch_add(&from->node->journeys, 1); /* after it is in the mail: phone_ring.c */
}

/* ---- waiting for the present socket's answer ---- */

static void stop_waiting(struct session_fetch *fetch, struct lane *lane)
{
    deadline_clear(lane->loop, &fetch->deadline);
    if (!fetch->at) return;
    *fetch->at = fetch->next;
    if (fetch->next) fetch->next->at = fetch->at;
    fetch->at = NULL;
}

static void look_again(struct deadline *deadline)
{
    struct session_fetch *fetch =
        (struct session_fetch *)(void *)((char *)deadline - offsetof(struct session_fetch, deadline));
    struct lane *lane = fetch->letter.at;

    stop_waiting(fetch, lane);
    session_post(lane, &fetch->letter);
}

static void wait(struct session_fetch *fetch, struct lane *lane)
{
    fetch->error = deadline_set(lane->loop, &fetch->deadline, loop_tick_ms(lane->loop) + LOOK_MS, look_again);
    if (fetch->error || lane->is_stopping) {
        stop_waiting(fetch, lane);
        if (!fetch->error) fetch->error = ERR_STOPPING;
        go_home(fetch, lane);
        return;
    }
    fetch->next = lane->probing;
    fetch->at = &lane->probing;
    if (fetch->next) fetch->next->at = &fetch->next;
    lane->probing = fetch;
}

static void ask(struct session_fetch *fetch, struct session *session)
{
    struct lane *lane = session->lane;

    fetch->asked_on = lane;
    fetch->asked_ms = loop_tick_ms(lane->loop);
    fetch->probe = socket_probe(session->socket);
    fetch->letter.to = session_place(session);
    wait(fetch, lane);
}

void session_fetches_stop(struct lane *lane)
{
    while (lane->probing) {
        struct session_fetch *fetch = lane->probing;
        stop_waiting(fetch, lane);
        fetch->error = ERR_STOPPING;
        go_home(fetch, lane);
    }
}

/* ---- where the session is ---- */

static enum resume_found find(const struct session_fetch *fetch, const struct session *session)
{
    if (session->is_lost) return RESUME_FOUND_NONE;
    if (!session->socket) return RESUME_FOUND_DETACHED;
    if (fetch->asked_on != session->lane || socket_has_answered(session->socket, fetch->probe))
        return RESUME_FOUND_ATTACHED;
    return loop_tick_ms(session->lane->loop) - fetch->asked_ms < RESUME_ANSWER_MS ? RESUME_FOUND_ATTACHED
                                                                                  : RESUME_FOUND_SILENT;
}

static void take(struct session_fetch *fetch, struct session *session)
{
    struct lane *from = session->lane;
    struct trace *traces = NULL;

    if (from != fetch->home) fetch->error = traces_new(&traces, session);
    if (!fetch->error) {
        if (session->socket) socket_session_taken(session->socket, fetch->is_upgrade); /* which detaches it */
        session_leave(session);
        traces_leave(traces, session, fetch->home);
        fetch->session = session;
    }
    go_home(fetch, from);
}

static void settle(struct session_fetch *fetch, struct session *session)
{
    struct resume_session known = {.holder = &session->holder, .sequence = session->sequence};

    fetch->found = find(fetch, session);
    switch (resume_settle(&known, fetch->found, fetch->state, fetch->proved)) {
    case RESUME_REFUSE:
        go_home(fetch, session->lane);
        return;
    case RESUME_PROBE:
        if (fetch->asked_on != session->lane)
            ask(fetch, session);
        else if (socket_has_answered(session->socket, fetch->probe)) /* it lives: nobody is evicted */
            go_home(fetch, session->lane);
        else
            wait(fetch, session->lane);
        return;
    case RESUME_ATTACH:
    case RESUME_REPLACE:
        fetch->has_lapsed = session->socket && !fetch->stands(fetch, session->lane, session);
        if (fetch->has_lapsed) /* nobody loses a socket to one that is refused */
            go_home(fetch, session->lane);
        else
            take(fetch, session);
        return;
    }
}

/* Another has taken its place, and the welcome was lost: then it is that one which is wanted back. */
static bool asks_again(struct session_fetch *fetch, const struct session *session)
{
    const struct trace *former = session->formers; /* the one whose place it took itself */

    if (!fetch->is_upgrade || !former ||
        memcmp(former->name, fetch->letter.to.name, sizeof former->name) != 0)
        return false;
    if (!upgrade_asks_again(fetch->holder, fetch->state, former->sequence, &session->holder,
                            session->is_heard))
        return false;
    fetch->is_upgrade = false;
    fetch->is_again = true;
    fetch->again = *fetch->state;
    fetch->again.user = session->holder.user;
    fetch->again.kind = session->holder.kind;
    fetch->again.jkt = BYTES_NONE; /* that of the proof counts */
    fetch->again.sequence = session->sequence;
    fetch->state = &fetch->again;
    fetch->letter.to = session_place(session);
    return true;
}

/* And, of one that was asked for again, still without a word from its client. */
static bool is_wanted(struct session_fetch *fetch, const struct session *session)
{
    if (!session_is_named(session, &fetch->letter.to)) return asks_again(fetch, session);
    return !fetch->is_again || !session->is_heard;
}

static void found(struct session_letter *letter, struct session *session)
{
    struct session_fetch *fetch = (struct session_fetch *)(void *)letter;

    if (session && is_wanted(fetch, session)) {
        settle(fetch, session);
        return;
    }
    fetch->found = RESUME_FOUND_NONE;
    go_home(fetch, letter->at);
}

void session_fetch(struct lane *home, struct session_fetch *fetch)
{
    fetch->home = home;
    fetch->letter.open = found;
    session_post(home, &fetch->letter);
}
