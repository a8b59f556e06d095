#include "sim/sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/session.h"
#include "server/socket_inside.h"
#include "sim/answer.h"
#include "sim/link.h"
#include "sim/loop_sim.h"
#include "sim/memory.h"
#include "sim/node.h"
#include "sim/world.h"

#define WORDS_MAX 2048 /* of what a session must hear, letters aside */

static struct {
    struct sim_session list[SIM_SESSIONS_MAX];
    size_t count;
    int64_t rotated_us;
    struct item mailman;
} sessions;

void sessions_reset(void)
{
    memset(&sessions, 0, sizeof sessions);
    sessions.rotated_us = INT64_MIN / 2;
}

void sessions_rotated(void)
{
    sessions.rotated_us = world.mono_us;
}

bool sessions_may_not_open(void)
{
    return world.mono_us - sessions.rotated_us < 10000000;
}

struct sim_session *sessions_pick(void)
{
    unsigned tries;

    for (tries = 0; sessions.count && tries < 8; tries++) {
        struct sim_session *session = &sessions.list[roll(sessions.count)];
        if (session->life == node_life() && session->state_count) return session;
    }
    return sessions.count && chance(20) && sessions.list[0].state_count ? &sessions.list[0] : NULL;
}

struct sim_session *sessions_of_guest(void)
{
    size_t i;

    for (i = sessions.count; i; i--) {
        struct sim_session *session = &sessions.list[i - 1];
        if (session->life == node_life() && session->state_count && model_is_guest(session->token))
            return session;
    }
    return NULL;
}

unsigned sessions_followed(void)
{
    unsigned count = 0;
    size_t i;

    for (i = 0; i < sessions.count; i++)
        count += sessions.list[i].is_followed;
    return count;
}

struct sim_session *sessions_known(const struct sim_session *session)
{
    return &sessions.list[session - sessions.list];
}

const struct sim_state *sessions_pick_state(const struct sim_session *session)
{
    unsigned back = chance(70) ? 0 : chance(60) ? 1 : (unsigned)roll(SIM_STATES);

    if (back >= session->state_count) back = 0;
    return &session->states[(session->state_count - 1 - back) % SIM_STATES];
}

bool sessions_carried(const struct sim_session *session)
{
    const struct link *link = session->link;

    return session->life == node_life() && link && link->tap.held == session &&
           link->tap.session == TAP_LIVE && link->stream && link->stream->phase == STREAM_LIVE;
}

bool sessions_is_recent(const struct sim_session *session, const struct sim_state *state)
{
    return state->number + 1 >= session->state_count;
}

bool sessions_may_be_old(const struct sim_session *session, const struct sim_state *state)
{
    return state->number + state->unseen + 1 < session->state_count + session->unseen;
}

struct sim_session *sessions_wanted(const struct call *call)
{
    struct sim_session *session = call->resumes;

    return call->is_upgrade && session->follower ? session->follower : session;
}

void sessions_renewed(struct sim_session *session)
{
    session->is_owed = true;
}

bool sessions_may_be_over(const struct sim_session *session)
{
    int64_t waited_us = session->free_us < 0 ? 0 : world.mono_us - session->free_us;

    return session->life != node_life() || session->is_lost || session->is_followed ||
           world.trouble > session->trouble || node_is_stopping() || voided_reaches(&session->token->line) ||
           waited_us > node_config()->session_lapse_s * 1000000 - 2000000;
}

/* ---- the server's words ---- */

static unsigned lane_of(const struct link *link)
{
    return link->stream->loop->index;
}

struct sim_session *sessions_new(struct link *link, struct bytes protocol, const struct token *token)
{
    struct sim_session *session;
    size_t i;

    for (i = 0; i < sessions.count; i++)
        if (bytes_equal(bytes_of_text(sessions.list[i].protocol), protocol))
            world_fail("a new session has a new name", "link %u", link->number);
    if (sessions.count == SIM_SESSIONS_MAX || protocol.len >= sizeof session->protocol) return NULL;
    session = &sessions.list[sessions.count++];
    *session = (struct sim_session){.life = node_life(),
                                    .project = token->project,
                                    .user = token->user,
                                    .trouble = world.trouble,
                                    .browser = token->browser,
                                    .token = token,
                                    .ends_s = token->exp_s,
                                    .link = link,
                                    .free_us = -1,
                                    .lane = lane_of(link)};
    memcpy(session->protocol, protocol.ptr, protocol.len);
    link->tap.held = session;
    session->is_owed = true;
    return session;
}

/* What is said to the old one goes on in the new one. */
void sessions_follow(struct link *link, struct bytes protocol, const struct token *token,
                     struct sim_session *old)
{
    struct sim_session *session = sessions_new(link, protocol, token);

    if (sessions_carried(old))
        world_fail("one socket a session", "link %u follows what link %u has", link->number,
                   old->link->number);
    old->is_followed = true;
    old->follower = session;
    if (!session) return;
    session->former = old;
    session->said = old->said;
    session->heard = old->heard;
    session->kept = old->kept;
    session->kept_to = old->kept_to;
    old->kept = 0;
}

static const struct sim_session *named(struct bytes protocol)
{
    size_t i;

    for (i = 0; i < sessions.count; i++)
        if (bytes_equal(bytes_of_text(sessions.list[i].protocol), protocol)) return &sessions.list[i];
    return NULL;
}

/* To the session itself, and to others of its user. */
void sessions_upgraded(const struct link *link, struct bytes from, struct bytes to)
{
    const struct sim_session *old = named(from), *session = named(to);

    if (!old || !session) return; /* too many for this list */
    if (old->follower != session) world_fail("an upgrade is told with both names", "link %u", link->number);
    if (session->project != link->tap.token->project || session->user != link->tap.token->user)
        world_fail("an upgrade is told to whom it concerns", "link %u", link->number);
}

void sessions_taken(struct sim_session *session, struct link *link)
{
    if (sessions_carried(session))
        world_fail("one socket a session", "link %u takes what link %u has", link->number,
                   session->link->number);
    session->link = link;
    session->free_us = -1;
    session->moves++;
    session->is_owed = true;
    link->tap.held = session;
}

void sessions_given_state(struct link *link, struct bytes text)
{
    struct sim_session *session = link->tap.held;
    struct sim_state *state;
    unsigned i;

    if (!session) return;
    session->is_owed = false;
    if (!text.len) {
        if (session->state_count || world.trouble == session->trouble)
            world_fail("a session can be resumed", "link %u was given no state", link->number);
        return;
    }
    for (i = 0; i < SIM_STATES; i++)
        if (bytes_equal(bytes_of(session->states[i].text, session->states[i].len), text))
            world_fail("each state is another one", "link %u", link->number);
    state = &session->states[session->state_count % SIM_STATES];
    if (text.len > sizeof state->text) world_fail("a state is short", "%zu bytes", text.len);
    *state = (struct sim_state){.len = text.len,
                                .number = ++session->state_count,
                                .unseen = session->unseen,
                                .browser = session->browser,
                                .exp_s = session->ends_s};
    memcpy(state->text, text.ptr, text.len);
}

void sessions_heard(struct link *link, unsigned serial)
{
    struct sim_session *session = link->tap.held;

    if (!session) return;
    if (serial <= session->heard)
        world_fail("a message comes once, in order", "link %u: %u behind %u", link->number, serial,
                   session->heard);
    if (session->kept && serial != session->kept)
        world_fail("what was kept comes first, in order", "link %u: %u, not %u", link->number, serial,
                   session->kept);
    if (session->kept) session->kept = serial == session->kept_to ? 0 : serial + 1;
    session->heard = serial;
}

static struct bytes name_of(const struct sim_session *known)
{
    return bytes_of(known->protocol + strlen(known->protocol) - SESSION_NAME_LEN, SESSION_NAME_LEN);
}

/* The server's own words were too much to be kept for its client: a farewell to a call is no letter of ours.
 */
static void look_if_lost(struct sim_session *known)
{
    const struct node *node = node_running();
    const struct session *session = NULL;
    const struct name_link *link;
    unsigned i;

    if (!node || known->life != node_life() || known->is_lost || known->is_followed) return;
    for (i = 0; i < node->lane_count && !session; i++)
        if ((link = session_names_find(&node->lanes[i]->names, name_of(known))) != NULL)
            session = link->session;
    if (!session || !session->is_lost) return;
    if (world.trouble == known->trouble && session->kept.len < SESSION_KEPT_MAX - WORDS_MAX)
        world_fail("a session is lost when too much waits for it", "%s: %zu bytes", known->protocol,
                   session->kept.len);
    known->is_lost = true;
}

void sessions_check(void)
{
    size_t i;

    for (i = 0; i < sessions.count; i++) {
        struct sim_session *session = &sessions.list[i];
        bool is_carried = sessions_carried(session);
        if (session->is_owed) { /* the socket broke behind the welcome */
            session->is_owed = false;
            session->unseen++;
            session->kept = 0; /* what waited went the same way */
        }
        if (is_carried && session->kept)
            world_fail("what was kept is sent", "%s: %u and on", session->protocol, session->kept);
        if (!is_carried && session->free_us < 0) session->free_us = world.mono_us;
        if (!is_carried && session->kept) look_if_lost(session);
    }
}

/* ---- letters ---- */

struct sim_letter { /* the node's memory: it goes with it */
    struct session_letter letter;
    struct sim_session *session;
    unsigned size;
};

static void note_kept(struct sim_session *known, const struct session *session)
{
    if (session->is_lost)
        known->is_lost = true;
    else if (!session->socket) {
        if (!known->kept) known->kept = known->said;
        known->kept_to = known->said;
    }
}

static bool is_named(const struct session *session, const struct sim_session *known)
{
    const char *name = known->protocol + strlen(known->protocol) - SESSION_NAME_LEN;

    return strncmp(session->name, name, SESSION_NAME_LEN) == 0;
}

static void open_letter(struct session_letter *letter, struct session *session)
{
    struct sim_letter *sent = (struct sim_letter *)(void *)letter;
    struct sim_session *known = sent->session;
    static uint8_t text[16384];
    struct buf buf = {.ptr = text, .max = sizeof text};
    int len;

    while (known->follower)
        known = known->follower;
    if (session && known->may_be_followed && world.trouble > known->trouble && !is_named(session, known))
        known->is_followed = true;          /* and no memory to tell it: no byte of that was sent */
    if (known->is_followed) session = NULL; /* by one that is not kept here */
    if (!session && (sessions_carried(known) || !sessions_may_be_over(known)))
        world_fail("a letter finds its session", "%s", known->protocol);
    if (session && !is_named(session, known))
        world_fail("a letter finds its session", "%.8s instead of %s", session->name, known->protocol);
    if (session && !session->is_lost) {
        len = snprintf(
            (char *)text, sizeof text,
            "{\"jsonrpc\":\"2.0\",\"id\":\"s\",\"method\":\"signalwire.event\",\"params\":{\"event_type\":"
            "\"sim\",\"serial\":%u,\"pad\":\"%0*d\"}}",
            ++known->said, (int)sent->size, 0);
        buf.len = (size_t)len;
        if (session->socket && !sessions_carried(known))
            known->said--; /* its socket is going: it may be lost */
        if (!session->socket || sessions_carried(known)) {
            session_send(session, &buf);
            note_kept(known, session);
        }
    }
    free(sent);
}

/* From any lane, to where the session was first: the traces lead on. */
static void on_mailman(struct item *item)
{
    struct node *node = node_running();
    struct sim_session *session = sessions_pick();
    enum memory_owner before;
    struct sim_letter *letter;

    agenda_put(item, between(0, 4000000), on_mailman);
    if (!node || !node_is_up() || !session || session->life != node_life()) return;
    before = memory_enter(MEMORY_NODE);
    letter = calloc(1, sizeof *letter);
    if (letter) {
        letter->session = session;
        letter->size = chance(60) ? 1 : (unsigned)roll(15000);
        letter->letter.to.lane = session->lane;
        memcpy(letter->letter.to.name, name_of(session).ptr, SESSION_NAME_LEN);
        letter->letter.open = open_letter;
        session_post(node->lanes[roll(node->lane_count)], &letter->letter);
    }
    memory_leave(before);
}

void sessions_begin(void)
{
    sessions.mailman = (struct item){0};
    agenda_put(&sessions.mailman, between(0, 5000000), on_mailman);
}

void sessions_end(void)
{
    agenda_remove(&sessions.mailman);
}
