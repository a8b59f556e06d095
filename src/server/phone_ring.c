/* phone_ring.c — ringing: one letter through each lane, where whoever can be rung rings, and home again with
 * the legs that this made. */
#include "server/phone_inside.h"

#include <stdlib.h>
#include <string.h>

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

static bool claim_leg(struct dial *dial)
{
    if (atomic_fetch_sub(&dial->room, 1) > 0) return true;
    atomic_fetch_add(&dial->room, 1);
    return false;
}

static void ring_session(void *arg, struct session *session)
{
    struct ring_letter *letter = arg;
    struct dial *dial = letter->dial;
    struct buf *body = lane_body(session->lane);
    char name[UUID_TEXT_LEN];
    struct uuid id;
    struct leg *leg;

    if (!session_is_reachable(session) || !memcmp(session->name, dial->caller, SESSION_NAME_LEN)) return;
    uuid_draw(&id, &session->lane->node->host->dice);
    uuid_write(name, &id);
    write_invite(body, session, dial, bytes_of(name, sizeof name));
    if (session->leg_count >= SESSION_LEGS_MAX || !session_has_room(session, body) || !claim_leg(dial)) {
        letter->is_busy = true;
        return;
    }
    leg = leg_new(dial->call, dial->call->home, session);
    if (!leg) return; /* this one does not ring */
    leg_enter(leg, session, bytes_of(name, sizeof name));
    leg->end->next = letter->rung;
    letter->rung = leg->end;
    session_send(session, body);
}

static void come_home(struct mail *mail)
{
    struct ring_letter *letter = (struct ring_letter *)(void *)mail;

    letter->dial->letters_out--;
    call_rang(letter->dial->call, letter);
}

/* The letter is on its way home before any leg of this lane can say anything to its call. */
static void ring_lane(struct mail *mail)
{
    struct ring_letter *letter = (struct ring_letter *)(void *)mail;
    const struct outcome *outcome = &letter->dial->run.outcome;

    sessions_of_user(letter->lane, &outcome->holder.project, &outcome->dialled.callee, ring_session, letter);
    mail->open = come_home;
    loop_post(letter->dial->call->home->loop, mail);
}

void ring_begin(struct dial *dial)
{
    const struct node *node = dial->call->home->node;
    unsigned i;

    atomic_init(&dial->room, CALL_LEGS_MAX);
    dial->letters_out = node->lane_count;
    for (i = 0; i < node->lane_count; i++) {
        dial->letters[i] = (struct ring_letter){.mail.open = ring_lane, .dial = dial, .lane = node->lanes[i]};
        loop_post(node->lanes[i]->loop, &dial->letters[i].mail);
    }
}
