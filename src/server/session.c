/* session.c — the life of a session: beginning, deadline, what is sent to it, end. */
#include "server/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/age.h"
#include "server/node.h"
#include "server/session_inside.h"
#include "server/socket.h"

struct session *session_named(struct lane *lane, struct bytes name)
{
    struct name_link *link = session_names_find(&lane->names, name);

    return link && !link->moved_to ? session_of_name(link) : NULL;
}

struct dialect_session session_words(const struct session *session)
{
    const struct node *node = session->lane->node;

    return (struct dialect_session){.holder = &session->holder,
                                    .name = bytes_of(session->name, SESSION_NAME_LEN),
                                    .first_jti = bytes_of(session->first_jti, UUID_TEXT_LEN),
                                    .node = node->id,
                                    .ice_servers = bytes_of_text(node->config->ice_servers),
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

static void due(struct deadline *deadline)
{
    struct session *session =
        (struct session *)(void *)((char *)deadline - offsetof(struct session, deadline));

    socket_session_due(session->socket);
}

/* By the lane's facts of now: what brought the holder may have begun under older ones. */
static enum err set_deadline(struct session *session)
{
    struct loop *loop = session->lane->loop;
    const struct holder *holder = &session->holder;
    int64_t left_ms;

    session->age_ms = age_of_project(session->lane, holder, session->age_ms);
    left_ms = holder->exp_s * 1000 - age_now_ms(loop_now_ms(loop), session->age_ms, holder->age_ms);
    return deadline_set(loop, &session->deadline, loop_tick_ms(loop) + left_ms, due);
}

/* The place in the heap is there from session_new on, so that this cannot fail. */
static void follow_deadline(struct session *session)
{
    enum err e = set_deadline(session);
    (void)e;
}

/* ---- life ---- */

static void keep_text(struct bytes *kept, char *room, size_t size, struct bytes text)
{
    *kept = BYTES_NONE;
    if (bytes_is_absent(text) || text.len > size) return;
    memcpy(room, text.ptr, text.len);
    *kept = bytes_of(room, text.len);
}

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

void session_begin(struct session *session, struct socket *socket)
{
    struct lane *lane = session->lane;

    session->socket = socket;
    session_names_put(&lane->names, &session->named, session->name);
    session_index_put(&lane->index, &session->links, &session->holder);
    lane_count(lane, COUNT_SESSIONS_LIVE, 1);
    log_info("session_began", log_bytes("session", bytes_of(session->name, 8)));
}

void session_renew(struct session *session, const struct holder *holder)
{
    struct session_index *index = &session->lane->index;

    session_index_take(index, &session->links);
    keep_holder(session, holder);
    session_index_put(index, &session->links, &session->holder);
    session->age_ms = session->holder.age_ms;
    follow_deadline(session);
    log_debug("session_renewed", log_bytes("session", bytes_of(session->name, 8)));
}

void session_end(struct session *session)
{
    struct lane *lane = session->lane;

    session_set_registered(session, false);
    session_index_take(&lane->index, &session->links);
    session_names_take(&lane->names, &session->named);
    deadline_clear(lane->loop, &session->deadline);
    lane_count(lane, COUNT_SESSIONS_LIVE, -1);
    log_info("session_ended", log_bytes("session", bytes_of(session->name, 8)));
    session_drop_traces(session);
    if (session->socket) socket_lost_session(session->socket);
    buf_release(&session->kept);
    free(session);
}

void session_set_registered(struct session *session, bool is_registered)
{
    if (session->is_registered == is_registered) return;
    session->is_registered = is_registered;
    lane_count(session->lane, COUNT_SESSIONS_REGISTERED, is_registered ? 1 : -1);
}

bool session_is_reachable(const struct session *session)
{
    return session->is_registered && !session->is_undisturbed && !session->is_away && !session->is_expired;
}

/* ---- sending ---- */

void session_send(struct session *session, const struct buf *text)
{
    socket_send_text(session->socket, text);
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

static void visit_registered(void *arg, struct session_links *links)
{
    const struct visiting *visiting = arg;
    struct session *session = session_of_links(links);

    if (session->is_registered) visiting->visit(visiting->arg, session);
}

void sessions_of_user(struct lane *lane, const struct uuid *project, const struct uuid *user,
                      void (*visit)(void *arg, struct session *session), void *arg)
{
    struct visiting visiting = {visit, arg};

    session_index_of_user(&lane->index, project, user, visit_registered, &visiting);
}

size_t sessions_cut(struct lane *lane, const struct cutoff *cutoff, unsigned *room)
{
    struct session_links *links;
    size_t ended = 0;

    while (*room && (links = session_index_find(&lane->index, cutoff))) {
        socket_session_revoked(session_of_links(links)->socket); /* which takes it out of the index */
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
    for (; walk->bucket < names->bucket_count && n < SESSIONS_PER_TURN; walk->bucket++)
        for (struct name_link *link = names->buckets[walk->bucket]; link; link = link->next, n++)
            if (!link->moved_to) age_one(session_of_name(link));
    return walk->bucket == names->bucket_count;
}

void sessions_free(struct lane *lane)
{
    size_t i;

    for (i = 0; i < lane->names.bucket_count; i++)
        for (struct name_link *link = lane->names.buckets[i], *next; link; link = next) {
            next = link->next;
            if (link->moved_to)
                trace_free(link);
            else {
                buf_release(&session_of_name(link)->kept);
                free(session_of_name(link));
            }
        }
    session_names_release(&lane->names);
}
