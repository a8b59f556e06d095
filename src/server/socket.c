/* socket.c — the life of a WebSocket: frames in, timers, sending, closing. */
#include "server/socket_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/age.h"
#include "server/seats.h"

struct dialect_session socket_session(const struct socket *socket)
{
    const struct node *node = socket->lane->node;

    return (struct dialect_session){.holder = &socket->holder,
                                    .name = bytes_of(socket->name, SESSION_NAME_LEN),
                                    .node = node->id,
                                    .dice = node->host->dice,
                                    .now_ms = loop_now_ms(socket->lane->loop)};
}

/* ---- sending ---- */

void socket_send_text(struct socket *socket, const struct buf *text)
{
    struct buf *out = lane_out(socket->lane);

    if (!socket->stream) return;
    ws_frame_write(out, WS_TEXT, buf_bytes(text));
    if (buf_error(text) || buf_error(out))
        stream_close(socket->stream); /* a message lost is a session lost */
    else
        stream_write(socket->stream, buf_bytes(out));
}

void socket_send_control(struct socket *socket, enum ws_opcode opcode, struct bytes payload)
{
    struct buf *out = lane_out(socket->lane);

    if (!socket->stream) return;
    ws_frame_write(out, opcode, payload);
    if (!buf_error(out)) stream_write(socket->stream, buf_bytes(out));
}

void socket_close(struct socket *socket, int code, const char *reason)
{
    struct buf *out = lane_out(socket->lane);

    if (!socket->stream) return;
    ws_frame_write_close(out, (uint16_t)code, bytes_of_text(reason));
    if (!buf_error(out)) stream_write(socket->stream, buf_bytes(out));
    stream_close_after_sending(socket->stream);
}

/* The error.data of a refusal: its id, and the slug that is all a client may learn. Absent without memory for
 * it: the answer is then without, but whole. */
static struct bytes write_data(struct buf *out, struct socket *socket, const struct rpc_message *call,
                               const struct finding *finding)
{
    struct json_writer w = json_writer_on(out);
    char error_id[LANE_ERROR_ID_LEN], peer[RECORD_PEER_MAX] = "", route[RECORD_ROUTE_MAX],
                                      method[FINDING_WORD_MAX];

    finding_word(method, call->method);
    (void)snprintf(route, sizeof route, "socket %s", method);
    if (socket->stream) stream_peer(socket->stream, peer);
    lane_refused(socket->lane, error_id, finding, 0, route, peer);
    json_object_begin(&w);
    json_key(&w, "error_id");
    json_put_string(&w, bytes_of(error_id, sizeof error_id));
    json_key(&w, "error_code");
    json_put_literal(&w, finding_slug(finding));
    json_object_end(&w);
    return buf_error(out) ? BYTES_NONE : buf_bytes(out);
}

void socket_refuse_call(struct socket *socket, const struct rpc_message *call, const struct finding *finding)
{
    struct refused refused = {finding->refusal, FIELD_NONE, NULL};
    struct buf *body = lane_body(socket->lane);
    struct bytes data = write_data(lane_fields(socket->lane), socket, call, finding);

    dialect_of_socket()->refuse_call(body, call->id, &refused, finding->error, data);
    socket_send_text(socket, body);
}

void socket_refuse_envelope(struct socket *socket, const struct rpc_message *call, int code, size_t len)
{
    struct finding finding = {.error = ERR_MALFORMED};
    struct buf *body = lane_body(socket->lane);

    finding_check(&finding, code == RPC_PARSE_ERROR ? "rpc.json" : "rpc.envelope");
    finding_expected(&finding, "one JSON-RPC 2.0 request or reply, its id a string of 1 to %d bytes",
                     RPC_ID_MAX);
    finding_seen(&finding, "%zu bytes that are %s", len, code == RPC_PARSE_ERROR ? "no strict JSON" : "none");
    rpc_error(body, call->id, code, code == RPC_PARSE_ERROR ? "Parse error" : "Invalid request",
              write_data(lane_fields(socket->lane), socket, call, &finding));
    socket_send_text(socket, body);
}

/* ---- timers ---- */

static void due(struct deadline *deadline);

/* The next moment something is due: the state's own end or, in a live session, a ping. */
static void set_deadline(struct socket *socket)
{
    struct loop *loop = socket->lane->loop;
    int64_t at_ms = socket->ends_ms;
    int64_t ping_ms = loop_tick_ms(loop) + socket->lane->node->config->ping_interval_s * 1000;

    if (socket->state == SESSION_LIVE && ping_ms < at_ms) at_ms = ping_ms;
    /* without memory for a timer the socket's life cannot be bounded, so it ends */
    if (deadline_set(loop, &socket->deadline, at_ms, due) && socket->stream) stream_close(socket->stream);
}

static void state_lasts(struct socket *socket, int64_t ms)
{
    socket->ends_ms = loop_tick_ms(socket->lane->loop) + ms;
    set_deadline(socket);
}

static void ping(struct socket *socket)
{
    struct dialect_session session = socket_session(socket);
    int64_t silent_ms = loop_tick_ms(socket->lane->loop) - socket->heard_ms;
    struct buf *body = lane_body(socket->lane);

    /* A peer that answers no JSON-RPC still answers the protocol's own ping, so only a dead one is ever
     * dropped. */
    if (2 * silent_ms > 3000 * socket->lane->node->config->ping_interval_s)
        socket_send_control(socket, WS_PING, BYTES_NONE);
    dialect_of_socket()->ping(body, &session);
    socket_send_text(socket, body);
    set_deadline(socket);
}

static void due(struct deadline *deadline)
{
    struct socket *socket = (struct socket *)(void *)((char *)deadline - offsetof(struct socket, deadline));
    int64_t tick_ms = loop_tick_ms(socket->lane->loop);

    /* The wall clock too: it runs on while a machine sleeps, and the other one does not. */
    if (tick_ms >= socket->ends_ms ||
        (socket->state == SESSION_LIVE && socket_left_ms(socket, &socket->holder) <= 0))
        socket_apply(socket, SESSION_TIME_UP);
    else if (socket->state != SESSION_LIVE)
        set_deadline(socket);
    else if (tick_ms - socket->heard_ms >= socket->lane->node->config->ping_timeout_s * 1000)
        socket_apply(socket, SESSION_SILENT);
    else
        ping(socket);
}

/* ---- life ---- */

void socket_set_registered(struct socket *socket, bool is_registered)
{
    if (socket->is_registered == is_registered) return;
    socket->is_registered = is_registered;
    lane_count(socket->lane, COUNT_SESSIONS_REGISTERED, is_registered ? 1 : -1);
}

int64_t socket_left_ms(const struct socket *socket, const struct holder *holder)
{
    const struct fact_project *project =
        facts_project(service_facts(socket->lane->service), &holder->project);
    int64_t age_ms = project ? project->age_ms : holder->age_ms;

    return holder->exp_s * 1000 - age_now_ms(loop_now_ms(socket->lane->loop), age_ms, holder->age_ms);
}

static int64_t age_of_project(const struct socket *socket)
{
    const struct fact_project *project =
        facts_project(service_facts(socket->lane->service), &socket->holder.project);

    return project ? project->age_ms : socket->age_ms;
}

/* By the lane's facts of now: the ask may have begun under older ones. */
void socket_lives_until_expiry(struct socket *socket)
{
    int64_t now_ms = loop_now_ms(socket->lane->loop);

    socket->age_ms = age_of_project(socket);
    state_lasts(socket,
                socket->holder.exp_s * 1000 - age_now_ms(now_ms, socket->age_ms, socket->holder.age_ms));
}

static void leave_state(struct socket *socket)
{
    if (socket->state == SESSION_PARKED && socket->has_parking)
        lane_unpark(socket->lane, socket->parking_slot);
    if (socket->state != SESSION_LIVE) return;
    session_index_take(&socket->lane->index, &socket->links);
    socket_set_registered(socket, false);
    lane_count(socket->lane, COUNT_SESSIONS_LIVE, -1);
    log_info("session_ended", log_bytes("session", bytes_of(socket->name, 8)));
}

enum err socket_take_seat(bool *out, void *lane, struct run *run, const struct uuid *of, int64_t most)
{
    struct socket *socket = ((struct connecting *)run->owner)->socket;
    struct seat *seat = NULL;
    enum err e = ERR_LIMIT;
    size_t i;

    (void)lane; /* the socket's */
    *out = false;
    for (i = 0; socket && i < SOCKET_SEATS; i++) {
        if (socket->seats[i]) continue;
        e = seats_take(&seat, socket->lane->node->seats, of, most);
        socket->seats[i] = seat;
        break;
    }
    *out = seat != NULL;
    return e;
}

static void give_back_seats(struct socket *socket)
{
    size_t i;

    for (i = 0; i < SOCKET_SEATS; i++) {
        seats_give_back(socket->lane->node->seats, socket->seats[i]);
        socket->seats[i] = NULL;
    }
}

static void enter_state(struct socket *socket, enum session_state state)
{
    const struct config *config = socket->lane->node->config;
    char peer[46] = "";

    if (state == socket->state) return;
    leave_state(socket);
    socket->state = state;
    if (state != SESSION_DECIDING && state != SESSION_LIVE) give_back_seats(socket);
    switch (state) {
    case SESSION_NONE:
        return;
    case SESSION_OPENING:
        state_lasts(socket, config->connect_timeout_s * 1000);
        return;
    case SESSION_DECIDING:
        return; /* the time to connect runs on */
    case SESSION_LIVE:
        lane_count(socket->lane, COUNT_SESSIONS_LIVE, 1);
        return; /* how long it lasts is known once the holder is: socket_lives_until_expiry */
    case SESSION_PARKED:
        if (socket->stream) stream_peer(socket->stream, peer);
        socket->has_parking = lane_park(&socket->parking_slot, socket->lane, peer);
        state_lasts(socket, socket->has_parking ? config->park_s * 1000 : 0);
        return;
    case SESSION_CLOSED:
        deadline_clear(socket->lane->loop, &socket->deadline);
        return;
    case SESSION_STATES:
        return;
    }
}

void socket_apply(struct socket *socket, enum session_event event)
{
    struct session_step step = session_step(socket->state, event);

    enter_state(socket, step.state);
    switch (step.effect) {
    case SESSION_REFUSE:
        break; /* an empty cell; calls that meet one are answered where they are read */
    case SESSION_IGNORE:
        break;
    case SESSION_DECIDE:
        socket_decide(socket);
        break;
    case SESSION_WELCOME:
        socket_welcome(socket);
        break;
    case SESSION_TELL_REFUSAL_AND_PARK:
        socket_tell_refusal(socket);
        break;
    case SESSION_TELL_FAILURE_AND_CLOSE:
        socket_tell_failure(socket);
        break;
    case SESSION_RUN_CALL:
        break; /* answered where the call is read */
    case SESSION_CLOSE_NO_CONNECT:
        socket_close(socket, 4408, "no connect in time");
        break;
    case SESSION_CLOSE_EXPIRED:
        socket_close(socket, 4401, "grant expired");
        break;
    case SESSION_CLOSE_PARKED:
        if (socket->has_parking)
            socket_close(socket, 4401, "not authenticated");
        else
            socket_close(socket, 4429, "too many were refused; come back in 30 s");
        break;
    case SESSION_CLOSE_SILENT:
        socket_close(socket, 1001, "no answer to ping");
        break;
    case SESSION_CLOSE_REVOKED:
        socket_close(socket, 4403, "revoked");
        break;
    case SESSION_CLOSE_RESTARTING:
        socket_close(socket, 1012, "restarting; come back in 1 s");
        break;
    case SESSION_FORGET:
        break;
    }
}

static void socket_free(struct socket *socket)
{
    struct lane *lane = socket->lane;

    deadline_clear(lane->loop, &socket->deadline);
    socket_end_connecting(socket);
    free(socket->origin);
    ws_message_release(&socket->message);
    for (struct socket_walk *walk = lane->walks; walk; walk = walk->next)
        if (walk->at == socket) walk->at = socket->next;
    if (socket->next) socket->next->prev = socket->prev;
    if (socket->prev)
        socket->prev->next = socket->next;
    else
        lane->sockets = socket->next;
    free(socket);
    lane_stopped_if_idle(lane);
}

/* ---- frames ---- */

static void peer_closed(struct socket *socket, int code)
{
    socket_apply(socket, SESSION_PEER_GONE);
    socket_close(socket, code, "");
}

/* False: read no further. */
static bool take(struct socket *socket, const struct ws_message_step *step)
{
    switch (step->event) {
    case WS_MESSAGE_MORE:
        return false;
    case WS_MESSAGE_TEXT:
        socket_message(socket, step->payload);
        break;
    case WS_MESSAGE_PING:
        socket_send_control(socket, WS_PONG, step->payload);
        break;              /* RFC 6455 §5.5.2: also when parked */
    case WS_MESSAGE_BINARY: /* never: sessions take none, so that one closes with 1003 */
    case WS_MESSAGE_PONG:
        break;
    case WS_MESSAGE_CLOSE:
    case WS_MESSAGE_BROKEN:
        peer_closed(socket, step->close_code);
        return false;
    }
    return socket->stream && socket->state != SESSION_CLOSED;
}

void socket_bytes(struct socket *socket, uint8_t *bytes, size_t len)
{
    bool more = true;

    socket->heard_ms = loop_tick_ms(socket->lane->loop);
    if (socket->state == SESSION_CLOSED) return;
    while (more) {
        struct ws_message_step step;
        if (socket->state == SESSION_DECIDING) { /* nothing is read while a connect is decided */
            buf_append(&socket->connecting->kept, bytes_of(bytes, len));
            if (buf_error(&socket->connecting->kept))
                peer_closed(socket, 1009);
            else
                stream_stop_reading(socket->stream);
            return;
        }
        step = ws_message_feed(&socket->message, bytes, len);
        more = take(socket, &step);
        bytes += step.used;
        len -= step.used;
    }
}

static void on_bytes(void *owner, uint8_t *bytes, size_t len)
{
    socket_bytes(owner, bytes, len);
}

static void on_end(void *owner)
{
    struct socket *socket = owner;

    socket_apply(socket, SESSION_PEER_GONE);
    if (socket->stream) stream_close(socket->stream);
}

static void on_sent(void *owner)
{
    (void)owner; /* what a session may owe its peer is bounded by the stream */
}

static void on_gone(void *owner)
{
    struct socket *socket = owner;

    socket->stream = NULL;
    socket_apply(socket, SESSION_PEER_GONE);
    if (socket->connecting && socket->connecting->is_waiting) {
        socket->connecting->socket = NULL; /* the answer will find nobody and free itself */
        socket->connecting = NULL;
    }
    socket_free(socket);
}

static const struct stream_user socket_user = {on_bytes, on_end, on_sent, on_gone};

struct socket *socket_take_over(struct lane *lane, struct stream *stream, struct bytes origin)
{
    struct socket *socket = calloc(1, sizeof *socket);

    if (!socket) return NULL;
    if (!bytes_is_absent(origin)) {
        socket->origin = malloc(origin.len + 1);
        if (!socket->origin) {
            free(socket);
            return NULL;
        }
        memcpy(socket->origin, origin.ptr, origin.len);
        socket->origin_len = origin.len;
    }
    socket->lane = lane;
    socket->stream = stream;
    ws_message_init(&socket->message);
    socket->next = lane->sockets;
    if (socket->next) socket->next->prev = socket;
    lane->sockets = socket;
    stream_attach(stream, &socket_user, socket);
    enter_state(socket, SESSION_OPENING);
    return socket;
}

void sockets_stop(struct lane *lane)
{
    struct socket *socket, *next;

    for (socket = lane->sockets; socket; socket = next) {
        next = socket->next;
        socket_apply(socket, SESSION_STOP);
    }
}

size_t sockets_cut(struct lane *lane, const struct cutoff *cutoff, unsigned *room)
{
    struct session_links *links;
    size_t closed = 0;

    while (*room && (links = session_index_find(&lane->index, cutoff))) {
        struct socket *socket = (struct socket *)(void *)((char *)links - offsetof(struct socket, links));
        socket_apply(socket, SESSION_REVOKED); /* which takes it out of the index */
        --*room;
        closed++;
    }
    return closed;
}

/* ---- moved clocks ---- */

/* Whatever comes from now on goes to the list's head and knows the newer facts. */
void sockets_age_begin(struct lane *lane, struct socket_walk *walk)
{
    walk->at = lane->sockets;
    walk->next = lane->walks;
    lane->walks = walk;
}

static void forget_walk(struct lane *lane, const struct socket_walk *walk)
{
    struct socket_walk **at = &lane->walks;

    while (*at && *at != walk)
        at = &(*at)->next;
    if (*at) *at = walk->next;
}

bool sockets_age_some(struct lane *lane, struct socket_walk *walk)
{
    for (unsigned n = 0; walk->at && n < SOCKETS_PER_TURN; n++) {
        struct socket *socket = walk->at;
        walk->at = socket->next;
        if (socket->state == SESSION_LIVE && age_of_project(socket) != socket->age_ms)
            socket_lives_until_expiry(socket); /* at the end of its time it closes by its timer, not here */
    }
    if (walk->at) return false;
    forget_walk(lane, walk);
    return true;
}
