/* socket.c — the life of a WebSocket: frames in, timers, sending, closing. */
#include "server/showroom.h"
#include "server/socket_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct slot_return socket_soon = {.earliest_ms = 1000, .window_ms = 1000};

#define RESTART_MS 1000 /* from the last close of a stop to the first answer of what comes behind it */

/* ---- sending ---- */

void socket_send_bytes(struct socket *socket, struct bytes text)
{
    struct buf *out = lane_out(socket->lane);

    if (!socket->stream) return;
    ws_frame_write(out, WS_TEXT, text);
    if (buf_error(out))
        stream_close(socket->stream); /* a message lost is a socket lost */
    else
        stream_write(socket->stream, buf_bytes(out));
}

void socket_send_text(struct socket *socket, const struct buf *text)
{
    if (!buf_error(text))
        socket_send_bytes(socket, buf_bytes(text));
    else if (socket->stream)
        stream_close(socket->stream);
}

size_t socket_unsent(const struct socket *socket)
{
    return socket->stream ? stream_unsent(socket->stream) : 0;
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
    stream_end_with(socket->stream, buf_error(out) ? BYTES_NONE : buf_bytes(out));
}

void socket_close_until(struct socket *socket, int code, const char *why, const struct slot_return *slot)
{
    char reason[96]; /* RFC 6455 §5.5: a close frame holds 123 */

    if (socket->takes_slots)
        (void)snprintf(reason, sizeof reason, "%s; come back in %lld ms", why,
                       (long long)slot_return_ms(slot, &socket->lane->node->host->dice));
    else
        (void)snprintf(reason, sizeof reason, "%s; come back in %lld s", why,
                       (long long)slot->earliest_ms / 1000);
    socket_close(socket, code, reason);
}

/* Loops share the connections evenly: what is here is elsewhere, too. */
static int64_t return_window_ms(const struct lane *lane, int64_t here)
{
    return slot_window_ms(here * lane->node->lane_count, lane->node->config->returns_per_s);
}

struct slots socket_slots(const struct socket *socket)
{
    const struct lane *lane = socket->lane;
    const struct holder *holder = &socket->session->holder;
    int64_t live = atomic_load_explicit(&lane->counters[COUNT_SESSIONS_LIVE], memory_order_relaxed);

    return (struct slots){.refresh_in_ms = slot_refresh_ms(session_left_ms(lane, holder),
                                                           (holder->exp_s - holder->iat_s) * 1000,
                                                           &lane->node->host->dice),
                          .return_within_ms = return_window_ms(lane, live)};
}

struct bytes socket_refusal_data(struct lane *lane, const struct socket *socket, struct bytes method_name,
                                 const struct finding *finding)
{
    struct buf *out = lane_fields(lane);
    struct json_writer w = json_writer_on(out);
    char error_id[LANE_ERROR_ID_LEN], peer[RECORD_PEER_MAX] = "", route[RECORD_ROUTE_MAX],
                                      method[FINDING_WORD_MAX];

    finding_word(method, method_name);
    (void)snprintf(route, sizeof route, "socket %s", method);
    if (socket && socket->stream) stream_peer(socket->stream, peer);
    lane_refused(lane, error_id, finding, 0, route, peer);
    if (lane->flow) showroom_socket_refused(lane, finding, route, error_id);
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
    struct bytes data = socket_refusal_data(socket->lane, socket, call->method, finding);

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
              socket_refusal_data(socket->lane, socket, call->method, &finding));
    socket_send_text(socket, body);
}

/* ---- timers ---- */

static void due(struct deadline *deadline);

static void set_deadline(struct socket *socket, int64_t at_ms)
{
    /* without memory for a timer the socket's life cannot be bounded, so it ends */
    if (deadline_set(socket->lane->loop, &socket->deadline, at_ms, due) && socket->stream)
        stream_close(socket->stream);
}

static void state_lasts(struct socket *socket, int64_t ms)
{
    socket->ends_ms = loop_tick_ms(socket->lane->loop) + ms;
    set_deadline(socket, socket->ends_ms);
}

void socket_watch_peer(struct socket *socket)
{
    set_deadline(socket,
                 loop_tick_ms(socket->lane->loop) + socket->lane->node->config->ping_interval_s * 1000);
}

static void ping(struct socket *socket)
{
    struct dialect_session words = session_words(socket->session);
    int64_t silent_ms = loop_tick_ms(socket->lane->loop) - socket->heard_ms;
    struct buf *body = lane_body(socket->lane);

    /* A peer that answers no JSON-RPC still answers the protocol's own ping, so only a dead one
     * is ever dropped. */
    if (2 * silent_ms > 3000 * socket->lane->node->config->ping_interval_s)
        socket_send_control(socket, WS_PING, BYTES_NONE);
    dialect_of_socket()->ping(body, &words);
    socket_send_text(socket, body);
    socket_watch_peer(socket);
}

static void look_after_peer(struct socket *socket)
{
    int64_t silent_ms = loop_tick_ms(socket->lane->loop) - socket->heard_ms;

    /* By the wall clock: it runs on while a machine sleeps, and the one of the session's
     * deadline does not. */
    if (session_left_ms(socket->lane, &socket->session->holder) <= 0)
        socket_apply(socket, SESSION_TIME_UP);
    else if (socket->state == SESSION_LIVE && silent_ms >= socket->lane->node->config->ping_timeout_s * 1000)
        socket_apply(socket, SESSION_SILENT);
    else
        ping(socket);
}

static void due(struct deadline *deadline)
{
    struct socket *socket = (struct socket *)(void *)((char *)deadline - offsetof(struct socket, deadline));

    if (socket->session)
        look_after_peer(socket);
    else
        socket_apply(socket, SESSION_TIME_UP);
}

/* ---- from the session ---- */

void socket_session_due(struct socket *socket)
{
    socket_apply(socket, SESSION_TIME_UP);
}

void socket_session_revoked(struct socket *socket)
{
    socket_apply(socket, SESSION_REVOKED);
}

void socket_session_taken(struct socket *socket, bool is_upgrade)
{
    socket_apply(socket, is_upgrade ? SESSION_FOLLOWED : SESSION_TAKEN);
}

uint64_t socket_probe(struct socket *socket)
{
    socket->probed = ++socket->lane->probes;
    socket_send_control(socket, WS_PING, bytes_of(&socket->probed, sizeof socket->probed));
    return socket->probed;
}

bool socket_has_answered(const struct socket *socket, uint64_t probe)
{
    return socket->asking || socket->answered >= probe;
}

/* RFC 6455 §5.5.3: a pong carries what the ping did; one that nobody asked for says nothing. */
static void hear_pong(struct socket *socket, struct bytes payload)
{
    uint64_t probe;

    if (payload.len != sizeof probe) return;
    memcpy(&probe, payload.ptr, sizeof probe);
    if (probe > socket->answered && probe <= socket->probed) socket->answered = probe;
}

void socket_lost_session(struct socket *socket)
{
    socket->session = NULL;
}

/* ---- life ---- */

/* What the start page of a test project is told of it. */
static const char *parting(enum session_event event)
{
    return event == SESSION_REVOKED ? "revoked" : event == SESSION_TIME_UP ? "expired" : "left";
}

/* What becomes of the session when its socket closes. */
static void part(struct socket *socket, enum session_event event)
{
    struct session *session = socket->session;

    if (!session) return;
    if (session->lane->flow) showroom_parted(session->lane, &session->holder, parting(event));
    if (event == SESSION_REVOKED || event == SESSION_STOP) {
        session_end(session);
        return;
    }
    socket->session = NULL;
    session_detach(session, event == SESSION_TIME_UP ? SESSION_LEFT_EXPIRED
                            : socket->said_goodbye   ? SESSION_LEFT_AWAY
                                                     : SESSION_LEFT_LOST);
}

static void enter_state(struct socket *socket, enum session_state state)
{
    const struct config *config = socket->lane->node->config;
    char peer[46] = "";

    if (state == socket->state) return;
    if (socket->state == SESSION_PARKED && socket->has_parking)
        lane_unpark(socket->lane, socket->parking_slot);
    socket->state = state;
    switch (state) {
    case SESSION_NONE:
        return;
    case SESSION_OPENING:
        state_lasts(socket, config->connect_timeout_s * 1000);
        return;
    case SESSION_DECIDING:
        return; /* the time to connect runs on */
    case SESSION_ASKING:
        return; /* its session's time, and the pings */
    case SESSION_LIVE:
        return; /* it lasts as long as its session */
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

/* Whoever is closed first has longest to wait: nobody is served again before all are closed. */
static void close_restarting(struct socket *socket)
{
    struct lane *lane = socket->lane;
    int64_t left_ms = lane->drained_ms - loop_tick_ms(lane->loop);
    struct slot_return slot = {.earliest_ms = RESTART_MS + (left_ms > 0 ? left_ms : 0),
                               .window_ms = return_window_ms(lane, lane->drain_crowd),
                               .number = lane->drain_closed++,
                               .of = lane->drain_crowd};

    socket_close_until(socket, 1012, "restarting", &slot);
}

void socket_apply(struct socket *socket, enum session_event event)
{
    static const struct slot_return no_place = {.earliest_ms = 30000, .window_ms = 30000};
    struct session_step step = session_step(socket->state, event);

    if (step.state == SESSION_CLOSED) part(socket, event);
    enter_state(socket, step.state);
    switch (step.effect) {
    case SESSION_REFUSE:
        break; /* an empty cell; calls that meet one are answered where they are read */
    case SESSION_IGNORE:
        break;
    case SESSION_DECIDE:
    case SESSION_ASK:
        socket_ask(socket);
        break;
    case SESSION_TELL_ANSWER:
        socket_tell_answer(socket);
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
            socket_close_until(socket, 4429, "too many were refused", &no_place);
        break;
    case SESSION_CLOSE_SILENT:
        socket_close(socket, 1001, "no answer to ping");
        break;
    case SESSION_CLOSE_REVOKED:
        socket_close(socket, 4403, "revoked");
        break;
    case SESSION_CLOSE_TAKEN:
        socket_close(socket, 4409, "the session goes on on another socket");
        break;
    case SESSION_CLOSE_FOLLOWED:
        socket_close(socket, 4410, "another session has taken its place");
        break;
    case SESSION_CLOSE_RESTARTING:
        close_restarting(socket);
        break;
    case SESSION_FORGET:
        break;
    }
}

static void socket_free(struct socket *socket)
{
    struct lane *lane = socket->lane;

    deadline_clear(lane->loop, &socket->deadline);
    socket_end_asking(socket);
    free(socket->origin);
    ws_message_release(&socket->message);
    if (socket->next) socket->next->prev = socket->prev;
    if (socket->prev)
        socket->prev->next = socket->next;
    else
        lane->sockets = socket->next;
    free(socket);
    lane_stopped_if_idle(lane);
}

/* ---- frames ---- */

void socket_give_up(struct socket *socket, int code)
{
    socket_apply(socket, SESSION_PEER_GONE);
    if (code == err_close_code(ERR_NO_MEMORY)) /* ours, not the peer's */
        socket_close_until(socket, code, "no memory", &socket_soon);
    else
        socket_close(socket, code, "");
}

/* False: read no further. */
static bool take(struct socket *socket, const struct ws_message_step *step)
{
    bool is_word =
        step->event == WS_MESSAGE_TEXT || step->event == WS_MESSAGE_PING || step->event == WS_MESSAGE_PONG;

    if (is_word && socket->session) socket->session->is_heard = true;
    switch (step->event) {
    case WS_MESSAGE_MORE:
        return false;
    case WS_MESSAGE_TEXT:
        socket_message(socket, step->payload);
        break;
    case WS_MESSAGE_PING:
        socket_send_control(socket, WS_PONG, step->payload);
        break; /* RFC 6455 §5.5.2: also when parked */
    case WS_MESSAGE_PONG:
        hear_pong(socket, step->payload);
        break;
    case WS_MESSAGE_BINARY: /* never: sessions take none, so that one closes with 1003 */
        break;
    case WS_MESSAGE_CLOSE:
        socket->said_goodbye = step->close_code == 1000 || step->close_code == 1001; /* or no code at all */
        socket_give_up(socket, step->close_code);
        return false;
    case WS_MESSAGE_BROKEN:
        socket_give_up(socket, step->close_code);
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
        if (socket->asking) { /* nothing is read while a call is decided */
            buf_append(&socket->asking->kept, bytes_of(bytes, len));
            if (buf_error(&socket->asking->kept))
                socket_give_up(socket, 1009);
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
    if (socket->asking && socket->asking->at) { /* nobody was asked yet */
        socket_leave_wave(socket->asking);
        socket_end_asking(socket);
    }
    if (socket->asking && socket->asking->is_waiting) {
        socket->asking->socket = NULL; /* the answer will find nobody and free itself */
        socket->asking = NULL;
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

/* ---- stopping ---- */

static void drain(struct lane *lane);

static void drain_due(struct deadline *deadline)
{
    drain((struct lane *)(void *)((char *)deadline - offsetof(struct lane, drain_deadline)));
}

/* A slice now, and the time until the end shared among the others. */
static void drain(struct lane *lane)
{
    struct socket *socket, *next;
    size_t closed = 0, left = 0;
    int64_t wait_ms = lane->drained_ms - loop_tick_ms(lane->loop);

    for (socket = lane->sockets; socket; socket = next) {
        next = socket->next;
        if (socket->state == SESSION_CLOSED) continue;
        if (closed++ < SESSIONS_PER_TURN)
            socket_apply(socket, SESSION_STOP);
        else
            left++;
    }
    if (!left) return;
    wait_ms = wait_ms > 0 ? wait_ms / (int64_t)(left / SESSIONS_PER_TURN + 1) : 0;
    /* without memory for a timer nobody is waited for */
    if (deadline_set(lane->loop, &lane->drain_deadline, loop_tick_ms(lane->loop) + wait_ms, drain_due))
        drain(lane);
}

void sockets_stop(struct lane *lane)
{
    const struct socket *socket;

    lane->drained_ms = loop_tick_ms(lane->loop) + lane->node->config->drain_window_s * 1000;
    lane->drain_crowd = lane->drain_closed = 0;
    for (socket = lane->sockets; socket; socket = socket->next)
        if (socket->state != SESSION_CLOSED) lane->drain_crowd++;
    drain(lane);
}
