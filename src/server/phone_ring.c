/* phone_ring.c — ringing: one letter to each lane, where whoever can be rung rings, and home again with the
 * legs that this made; so many sessions a turn, and only until the call has as many legs as it may.
 *
 * A session that goes from a lane where the call has not been to one where it has would hear of nothing. So
 * if sessions went anywhere meanwhile, the lanes are gone through once more. Who left a lane before the
 * letter came there was counted, and is in the new lane's mail, before that letter is home again: a second
 * one comes behind it. */
#include "server/phone_inside.h"

#include <stdlib.h>
#include <string.h>

#define INVITATION_WEIGHS (SESSIONS_PER_TURN / CALL_LEGS_MAX) /* in sessions looked at */
#define WALKS_MAX         3                                   /* some session is always on its way */

static void write_invite(struct buf *body, const struct session *session, const struct dial *dial,
                         struct bytes name)
{
    struct dialect_session words = session_words(session);
    const struct outcome *outcome = &dial->run.outcome;
    struct phone_news news = {.kind = PHONE_RINGS,
                              .leg = name,
                              .sdp = buf_bytes(&dial->offer),
                              .caller_name = outcome->dialled.caller_name,
                              .caller_number = outcome->dialled.caller_number,
                              .callee_name = outcome->dialled.callee_name,
                              .callee_number = outcome->dialled.callee_number};

    dialect_of_socket()->phone_tell(body, &words, &news);
}

static bool has_room_for_leg(const struct dial *dial)
{
    return atomic_load(&dial->room) > 0;
}

static bool claim_leg(struct dial *dial)
{
    if (atomic_fetch_sub(&dial->room, 1) > 0) return true;
    atomic_fetch_add(&dial->room, 1);
    return false;
}

/* One that rang on another lane and has come here since would be met again; and who has dialled does not
 * ring, not under another name either. */
static bool has_part_in(const struct session *session, const struct call *call)
{
    const struct leg *leg = session->legs;

    while (leg && leg->end->call != call)
        leg = leg->next;
    return leg != NULL;
}

/* An invitation carries a whole offer: about as many as a call has legs are written in a turn. */
static void weigh_invitation(struct ring_letter *letter)
{
    letter->room -= letter->room < INVITATION_WEIGHS ? letter->room : INVITATION_WEIGHS;
}

/* False: it is busy. */
static bool ring(struct ring_letter *letter, struct session *session)
{
    struct dial *dial = letter->dial;
    struct buf *body = lane_body(session->lane);
    char name[UUID_TEXT_LEN];
    struct uuid id;
    struct leg *leg;

    if (session->leg_count >= SESSION_LEGS_MAX || !has_room_for_leg(dial)) return false;
    uuid_draw(&id, &session->lane->node->host->dice);
    uuid_write(name, &id);
    write_invite(body, session, dial, bytes_of(name, sizeof name));
    weigh_invitation(letter);
    if (!session_has_room(session, body) || !claim_leg(dial)) return false;
    leg = leg_new(dial->call, dial->call->home, session);
    if (!leg) return true; /* this one does not ring */
    leg_enter(leg, session, bytes_of(name, sizeof name));
    leg->end->next = letter->rung;
    letter->rung = leg->end;
    session_send(session, body);
    return true;
}

static void ring_session(void *arg, struct session *session)
{
    struct ring_letter *letter = arg;
    const struct dial *dial = letter->dial;

    if (!session_is_reachable(session) || !memcmp(session->name, dial->caller, SESSION_NAME_LEN)) return;
    if (has_part_in(session, dial->call)) return;
    if (!ring(letter, session)) letter->is_busy = true;
    if (!has_room_for_leg(dial)) letter->room = 0;
}

static void come_home(struct mail *mail);

/* A slice. The letter is on its way home before any leg that it made can say anything to its call, so that a
 * call knows whom it hears from, and whoever rings too late is told so. */
static void ring_some(struct mail *mail)
{
    struct ring_letter *letter = (struct ring_letter *)(void *)mail;
    const struct dial *dial = letter->dial;
    const struct outcome *outcome = &dial->run.outcome;
    struct lane *lane = letter->lane;

    letter->room = lane->looks_per_turn;
    letter->is_done = letter->is_enough || lane->is_stopping ||
                      sessions_some_of_user(lane, &letter->walk, &outcome->holder.project,
                                            &outcome->dialled.callee, ring_session, letter, &letter->room) ||
                      !has_room_for_leg(dial);
    if (letter->is_done) session_index_walk_end(&letter->walk);
    mail->open = come_home;
    loop_post(dial->call->home->loop, mail);
}

/* Back in the lane: its others come first. */
static void ring_later(struct mail *mail)
{
    mail->open = ring_some;
    loop_post_later(((struct ring_letter *)(void *)mail)->lane->loop, mail);
}

static bool may_have_missed_one(const struct dial *dial)
{
    return dial->walks < WALKS_MAX && has_room_for_leg(dial) &&
           dial->journeys != atomic_load(&dial->call->home->node->journeys);
}

static void walk(struct dial *dial);

static void come_home(struct mail *mail)
{
    struct ring_letter *letter = (struct ring_letter *)(void *)mail;
    struct dial *dial = letter->dial;

    letter->is_enough = !call_rang(dial->call, letter);
    if (!letter->is_done) {
        mail->open = letter->is_enough ? ring_some : ring_later;
        loop_post(letter->lane->loop, mail);
    } else if (!--dial->letters_out) {
        if (may_have_missed_one(dial) && !letter->is_enough)
            walk(dial);
        else
            call_all_rang(dial->call);
    }
}

static void walk(struct dial *dial)
{
    struct node *node = dial->call->home->node;
    unsigned i;

    dial->walks++;
    dial->journeys = atomic_load(&node->journeys);
    dial->letters_out = node->lane_count;
    for (i = 0; i < node->lane_count; i++) {
        dial->letters[i] = (struct ring_letter){.mail.open = ring_some, .dial = dial, .lane = node->lanes[i]};
        loop_post(node->lanes[i]->loop, &dial->letters[i].mail);
    }
}

void ring_begin(struct dial *dial)
{
    atomic_init(&dial->room, CALL_LEGS_MAX);
    walk(dial);
}
