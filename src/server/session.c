/* session.c — the life of a session: beginning, deadline, what is sent to it, end. */
#include "server/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/log.h"
#include "engine/age.h"
#include "server/node.h"
#include "server/phone.h"
#include "server/presence.h"
#include "server/session_inside.h"
#include "server/socket.h"
#include "server/stream.h"

struct dialect_session session_words(const struct session *session)
{
    const struct node *node = session->lane->node;

    return (struct dialect_session){.holder = &session->holder,
                                    .name = bytes_of(session->name, SESSION_NAME_LEN),
                                    .first_jti = bytes_of(session->first_jti, UUID_TEXT_LEN),
                                    .node = node->id,
                                    .dice = node->host->dice,
                                    .now_ms = loop_now_ms(session->lane->loop)};
}

/* ---- time ---- */

static int64_t age_of_project(const struct lane *lane, const struct holder *holder, int64_t otherwise_ms)
{
    const struct fact_project *project = facts_project(service_facts(lane->service), &holder->project);

    return project ? project->age_ms : otherwise_ms;
}

int64_t session_left_ms(const struct lane *lane, const struct holder *holder)
{
    int64_t age_ms = age_of_project(lane, holder, holder->age_ms);

    return holder->exp_s * 1000 - age_now_ms(loop_now_ms(lane->loop), age_ms, holder->age_ms);
}

bool session_is_over(const struct session *session)
{
    return loop_tick_ms(session->lane->loop) >= session->over_tick_ms;
}

static int64_t warning_ms(const struct session *session)
{
    return session->lane->node->config->expiry_warning_s * 1000;
}

static int64_t lapse_ms(const struct session *session)
{
    return session->lane->node->config->session_lapse_s * 1000;
}

static void due(struct deadline *deadline);
static void free_session(struct session *session);

/* By the lane's facts of now: what brought the holder may have begun under older ones. */
static enum err set_deadline(struct session *session)
{
    struct loop *loop = session->lane->loop;
    const struct holder *holder = &session->holder;
    int64_t ends_ms = session->detached_ms + lapse_ms(session), left_ms, at_ms;

    session->age_ms = age_of_project(session->lane, holder, session->age_ms);
    left_ms = holder->exp_s * 1000 - age_now_ms(loop_now_ms(loop), session->age_ms, holder->age_ms);
    session->over_tick_ms = loop_tick_ms(loop) + left_ms;
    at_ms = session->over_tick_ms - (session->socket && !session->is_warned ? warning_ms(session) : 0);
    if (session->detached_ms && (session->is_expired || ends_ms < at_ms)) at_ms = ends_ms;
    if (session->is_lost) at_ms = loop_tick_ms(loop);
    return deadline_set(loop, &session->deadline, at_ms, due);
}

/* Told by a welcome or an answer that names the end: so near to it that is warning enough. */
static void expect_warning(struct session *session)
{
    session->is_warned =
        session_left_ms(session->lane, &session->holder) <= warning_ms(session) || !warning_ms(session);
}

/* The place in the heap is there from session_new on, so that this cannot fail. */
static void follow_deadline(struct session *session)
{
    enum err e = set_deadline(session);
    (void)e;
}

static void warn(struct session *session)
{
    struct dialect_session words = session_words(session);
    struct buf *body = lane_body(session->lane);

    session->is_warned = true;
    follow_deadline(session);
    dialect_of_socket()->tell_expiry(body, &words);
    if (session_has_room(session, body)) session_send(session, body);
}

static void due(struct deadline *deadline)
{
    struct session *session =
        (struct session *)(void *)((char *)deadline - offsetof(struct session, deadline));
    int64_t tick_ms = loop_tick_ms(session->lane->loop);

    if (session->socket && !session->is_warned && session_left_ms(session->lane, &session->holder) > 0)
        warn(session);
    else if (session->socket)
        socket_session_due(session->socket);
    else if (session->is_lost || tick_ms >= session->detached_ms + lapse_ms(session))
        session_end(session);
    else { /* the grant has ended; only a fresh token brings it back */
        session->is_expired = true;
        session_seats_leave(&session->seats);
        phone_session_ended(session);
        presence_changed(session);
        follow_deadline(session);
    }
}

/* ---- life ---- */

static void keep_text(struct bytes *kept, char *room, size_t size, struct bytes text)
{
    *kept = BYTES_NONE;
    if (bytes_is_absent(text) || text.len > size) return;
    memmove(room, text.ptr, text.len);
    *kept = bytes_of(room, text.len);
}

/* The strings may be the session's own already. */
static void keep_holder(struct session *session, const struct holder *holder)
{
    session->holder = *holder;
    keep_text(&session->holder.jti, session->jti, sizeof session->jti, holder->jti);
    keep_text(&session->holder.jkt, session->jkt, sizeof session->jkt, holder->jkt);
    keep_text(&session->holder.parent_key, session->parent_key, sizeof session->parent_key,
              holder->parent_key);
}

enum err session_new(struct session **out, struct lane *lane, const struct holder *holder, struct bytes name)
{
    struct session *session = calloc(1, sizeof *session);
    enum err e = ERR_NO_MEMORY;

    *out = NULL;
    if (!session) return e;
    session->lane = lane;
    session->named.session = session;
    memcpy(session->name, name.ptr, SESSION_NAME_LEN);
    keep_holder(session, holder);
    memcpy(session->first_jti, session->jti, sizeof session->first_jti);
    buf_init(&session->kept, SESSION_KEPT_MAX);
    e = set_deadline(session);
    if (e)
        free(session);
    else
        *out = session;
    return e;
}

void session_discard(struct session *session)
{
    deadline_clear(session->lane->loop, &session->deadline);
    free_session(session);
}

void session_begin(struct session *session, struct socket *socket)
{
    struct lane *lane = session->lane;

    session->socket = socket;
    session_names_put(&lane->names, &session->named, session->name);
    session_index_put(&lane->index, &session->links, &session->holder);
    lane_count(lane, COUNT_SESSIONS_LIVE, 1);
    expect_warning(session);
    follow_deadline(session);
    presence_changed(session);
    log_info("session_began", log_bytes("session", bytes_of(session->name, 8)));
}

void session_renew(struct session *session, const struct holder *holder)
{
    struct session_index *index = &session->lane->index;

    keep_holder(session, holder);
    session_index_put(index, &session->links, &session->holder);
    session->age_ms = session->holder.age_ms;
    expect_warning(session);
    follow_deadline(session);
    log_debug("session_renewed", log_bytes("session", bytes_of(session->name, 8)));
}

void session_detach(struct session *session, enum session_leave why)
{
    struct lane *lane = session->lane;

    session->socket = NULL;
    session->detached_ms = loop_tick_ms(lane->loop);
    session->is_away = why == SESSION_LEFT_AWAY;
    session->is_expired = why == SESSION_LEFT_EXPIRED;
    if (session->is_expired) phone_session_ended(session);
    if (session->is_away) phone_session_away(session);
    if (session->is_expired || session->is_away) session_seats_leave(&session->seats);
    lane_count(lane, COUNT_SESSIONS_LIVE, -1);
    lane_count(lane, COUNT_SESSIONS_DETACHED, 1);
    if (session->is_registered) presence_changed(session);
    follow_deadline(session);
    log_debug("session_detached", log_bytes("session", bytes_of(session->name, 8)));
}

void session_attach(struct session *session, struct socket *socket)
{
    struct lane *lane = session->lane;

    session->socket = socket;
    session->detached_ms = 0;
    session->is_away = session->is_expired = false;
    if (session->is_presence_sent) session->is_presence_unsure = true;
    session->is_presence_sent = false;
    lane_count(lane, COUNT_SESSIONS_LIVE, 1);
    lane_count(lane, COUNT_SESSIONS_DETACHED, -1);
    presence_changed(session);
    follow_deadline(session);
    log_debug("session_resumed", log_bytes("session", bytes_of(session->name, 8)));
}

void session_leave(struct session *session)
{
    struct lane *lane = session->lane;

    lane_count(lane, session->socket ? COUNT_SESSIONS_LIVE : COUNT_SESSIONS_DETACHED, -1);
    if (session->is_registered) lane_count(lane, COUNT_SESSIONS_REGISTERED, -1);
    session_index_take(&lane->index, &session->links);
    session_names_take(&lane->names, &session->named);
    session_take_formers(session);
    deadline_clear(lane->loop, &session->deadline);
}

enum err session_arrive(struct session *session, struct lane *lane)
{
    enum err e;

    session->lane = lane;
    session_take_up_traces(session);
    session_names_put(&lane->names, &session->named, session->name);
    session_put_formers(session);
    session_index_put(&lane->index, &session->links, &session->holder);
    lane_count(lane, COUNT_SESSIONS_DETACHED, 1);
    if (session->is_registered) lane_count(lane, COUNT_SESSIONS_REGISTERED, 1);
    session->is_presence_noted = false; /* on its way nobody could count it */
    if (session->is_registered) presence_changed(session);
    e = set_deadline(session);
    if (e) session_end(session);
    return e;
}

static void free_session(struct session *session)
{
    session_seats_leave(&session->seats);
    session_free_formers(session);
    buf_release(&session->kept);
    free(session);
}

void session_end(struct session *session)
{
    if (session->is_registered) presence_changed(session);
    session_leave(session);
    log_info("session_ended", log_bytes("session", bytes_of(session->name, 8)));
    session_drop_traces(session);
    phone_session_ended(session);
    if (session->socket) socket_lost_session(session->socket);
    free_session(session);
}

void session_set_registered(struct session *session, bool is_registered, bool is_undisturbed)
{
    enum presence before = presence_of(session);

    if (session->is_registered != is_registered)
        lane_count(session->lane, COUNT_SESSIONS_REGISTERED, is_registered ? 1 : -1);
    session->is_registered = is_registered;
    session->is_undisturbed = is_undisturbed;
    if (presence_of(session) == before) return;
    session->presence_told = presence_of(session); /* so much it knows by itself */
    session->is_presence_unsure = false;
    presence_changed(session);
}

bool session_is_reachable(const struct session *session)
{
    return session->is_registered && !session->is_undisturbed && !session->is_away && !session->is_expired;
}

/* ---- sending ---- */

#define SPARE 16384 /* left free for what a client must hear next */

bool session_has_room(const struct session *session, const struct buf *text)
{
    size_t most = session->socket ? STREAM_UNSENT_MAX : SESSION_KEPT_MAX;
    size_t waiting = session->socket ? socket_unsent(session->socket) : session->kept.len;

    return buf_error(text) == ERR_OK && waiting + text->len + SPARE <= most;
}

/* A session that cannot keep a message ends by its timer: whoever sends may be in the middle of many. */
static void keep(struct session *session, const struct buf *text)
{
    uint32_t len = (uint32_t)text->len;

    buf_append(&session->kept, bytes_of(&len, sizeof len));
    buf_append(&session->kept, buf_bytes(text));
    if (!buf_error(text) && !buf_error(&session->kept)) return;
    session->is_lost = true;
    follow_deadline(session);
    log_debug("session_lost", log_bytes("session", bytes_of(session->name, 8)),
              log_number("kept", (int64_t)session->kept.len));
}

void session_send(struct session *session, const struct buf *text)
{
    if (session->socket)
        socket_send_text(session->socket, text);
    else if (!session->is_lost)
        keep(session, text);
}

void session_send_kept(struct session *session)
{
    struct bytes left = buf_bytes(&session->kept);

    while (left.len) {
        uint32_t len;
        memcpy(&len, left.ptr, sizeof len);
        socket_send_bytes(session->socket, bytes_part(left, sizeof len, len));
        left = bytes_from(left, sizeof len + len);
    }
    buf_release(&session->kept);
    buf_init(&session->kept, SESSION_KEPT_MAX);
}

static enum err seal_state(struct buf *out, const struct session *session)
{
    const struct holder *holder = &session->holder;
    struct resume_state state = {.project = holder->project,
                                 .user = holder->user,
                                 .kind = holder->kind,
                                 .family = holder->family,
                                 .parent_key = holder->parent_key,
                                 .jkt = holder->jkt,
                                 .deadline_s = holder->exp_s,
                                 .gt_ms = holder->gt_ms,
                                 .age_ms = holder->age_ms,
                                 .sequence = session->sequence + 1,
                                 .lane = loop_index(session->lane->loop)};
    enum err e = hex_read(state.session.byte, sizeof state.session.byte,
                          bytes_of(session->name, sizeof session->name));

    return e ? e : service_seal_resume(session->lane->service, out, &state);
}

/* Without one, the client keeps the two that it has, or comes back without. */
void session_give_state(struct session *session)
{
    struct lane *lane = session->lane;
    struct buf *sealed = lane_fields(lane), *body = lane_body(lane);
    struct dialect_session words = session_words(session);
    bool is_sealed = seal_state(sealed, session) == ERR_OK;

    if (!is_sealed && session->sequence) return;
    if (is_sealed) session->sequence++;
    dialect_of_socket()->give_state(body, &words, is_sealed ? buf_bytes(sealed) : BYTES_NONE);
    session_send(session, body);
}

/* ---- many at once ---- */

static struct session *session_of_links(struct session_links *links)
{
    return (struct session *)(void *)((char *)links - offsetof(struct session, links));
}

struct visiting {
    void (*visit)(void *arg, struct session *session);
    void *arg;
};

static void visit_one(void *arg, struct session_links *links)
{
    const struct visiting *visiting = arg;

    visiting->visit(visiting->arg, session_of_links(links));
}

bool sessions_some_of_user(struct lane *lane, struct index_walk *walk, const struct uuid *project,
                           const struct uuid *user, void (*visit)(void *arg, struct session *session),
                           void *arg, unsigned *room)
{
    struct visiting visiting = {visit, arg};

    return session_index_some_of_user(&lane->index, walk, project, user, visit_one, &visiting, room);
}

size_t sessions_cut(struct lane *lane, const struct cutoff *cutoff, unsigned *room)
{
    struct session_links *links;
    size_t ended = 0;

    while (*room && (links = session_index_find(&lane->index, cutoff))) {
        struct session *session = session_of_links(links);
        if (session->socket)
            socket_session_revoked(session->socket); /* which ends the session */
        else
            session_end(session);
        --*room;
        ended++;
    }
    return ended;
}

/* ---- moved clocks ---- */

static void age_one(struct session *session)
{
    if (age_of_project(session->lane, &session->holder, session->age_ms) != session->age_ms)
        follow_deadline(session); /* at the end of its time it closes by its timer, not here */
}

bool sessions_age_some(struct lane *lane, struct session_walk *walk)
{
    const struct session_names *names = &lane->names;
    unsigned n = 0;

    if (walk->bucket_count != names->bucket_count) /* grown meanwhile: once more from the start */
        *walk = (struct session_walk){.bucket_count = names->bucket_count};
    for (; walk->bucket < names->bucket_count && n < lane->looks_per_turn; walk->bucket++)
        for (struct name_link *link = names->buckets[walk->bucket]; link; link = link->next, n++)
            if (session_owns_name(link)) age_one(link->session);
    return walk->bucket == names->bucket_count;
}

static struct session *waiting_in(struct name_link *link)
{
    for (; link; link = link->next)
        if (session_owns_name(link) && !link->session->socket) return link->session;
    return NULL;
}

/* From the head of the bucket each time: other names of the one that ended may have stood behind it. */
void sessions_stop(struct lane *lane)
{
    size_t i;

    session_fetches_stop(lane);
    for (i = 0; i < lane->names.bucket_count; i++)
        for (struct session *session; (session = waiting_in(lane->names.buckets[i])) != NULL;) {
            session_names_take(&lane->names, &session->named);
            session_end(session);
        }
}

void sessions_free(struct lane *lane)
{
    size_t i;

    for (i = 0; i < lane->names.bucket_count; i++)
        for (struct name_link *link; (link = lane->names.buckets[i]) != NULL;) {
            session_names_take(&lane->names, link);
            if (!link->session)
                trace_free(link);
            else if (session_owns_name(link)) {
                session_take_formers(link->session);
                phone_session_ended(link->session);
                free_session(link->session);
            }
        }
    session_names_release(&lane->names);
}
