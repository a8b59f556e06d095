/* socket_calls.c — JSON-RPC on a socket: the connect call, calls of a live session, and answers to ours. */
#include "server/socket_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define KEPT_MAX (WS_MESSAGE_MAX + 131072) /* one read of the loop and a message */

void socket_end_connecting(struct socket *socket)
{
    struct connecting *connecting = socket->connecting;

    if (!connecting) return;
    rpc_message_release(&connecting->call);
    arena_release(&connecting->arena);
    buf_release(&connecting->kept);
    free(connecting);
    socket->connecting = NULL;
}

static struct connecting *connecting_new(struct socket *socket, const struct rpc_message *call)
{
    struct connecting *connecting = calloc(1, sizeof *connecting);

    if (!connecting) return NULL;
    connecting->socket = socket;
    connecting->call = *call; /* takes over the document */
    arena_init(&connecting->arena, RUN_ARENA_MAX);
    buf_init(&connecting->kept, KEPT_MAX);
    return connecting;
}

/* ---- connect ---- */

/* A proof waits for the store, and the token's time runs on: whether it still lives is asked last. */
static enum session_event event_of(const struct socket *socket, struct run *run)
{
    const struct holder *holder = &run->outcome.holder;

    switch (run->outcome.kind) {
    case OUTCOME_CONNECTED:
        if (socket_left_ms(socket, holder) > 0) return SESSION_CONNECT_GRANTED;
        finding_clear(&run->finding);
        run->finding.refusal = REFUSAL_TOKEN_EXPIRED;
        run->finding.project = holder->project;
        run->finding.user = holder->user;
        run->finding.family = holder->family;
        finding_check(&run->finding, "token.exp");
        finding_expected(&run->finding, "exp after the answer of the store");
        finding_seen(&run->finding, "exp %lld, %lld ms ago", (long long)holder->exp_s,
                     -(long long)socket_left_ms(socket, holder));
        return SESSION_CONNECT_REFUSED;
    case OUTCOME_REFUSED:
        return SESSION_CONNECT_REFUSED;
    case OUTCOME_FAILED:
    case OUTCOME_MINTED:
    case OUTCOME_TICKET:
    case OUTCOME_WHO:
    case OUTCOME_USERS:
    case OUTCOME_ADDRESSES:
    case OUTCOME_RESOURCE:
    case OUTCOME_RESOURCES:
    case OUTCOME_GONE:
    case OUTCOME_KEY_MADE:
    case OUTCOME_REVOKED:
    case OUTCOME_STUDY:
    case OUTCOME_INTERVIEW:
    case OUTCOME_INTROSPECTED:
    case OUTCOME_REVOCATIONS:
    case OUTCOME_DESCRIBED:
        break;
    }
    return SESSION_CONNECT_FAILED;
}

static void decided(struct run *run)
{
    struct connecting *connecting = run->owner;
    struct socket *socket = connecting->socket;
    struct buf kept;

    if (!socket) { /* the peer did not wait */
        struct socket orphan = {.connecting = connecting};
        socket_end_connecting(&orphan);
        return;
    }
    socket_apply(socket, event_of(socket, run));
    kept = connecting->kept;
    buf_init(&connecting->kept, KEPT_MAX);
    if (connecting->is_waiting) {
        socket_end_connecting(socket);
        if (socket->stream) stream_start_reading(socket->stream);
        if (kept.len && socket->stream) socket_bytes(socket, kept.ptr, kept.len);
    }
    buf_release(&kept);
}

void socket_decide(struct socket *socket)
{
    struct connecting *connecting = socket->connecting;
    struct dialect_request request = {.body = connecting->call.params, .arena = &connecting->arena};
    struct run *run = &connecting->run;

    run->unreadable = dialect_of_socket()->connect_decode(&run->ask, &run->refused, &request);
    run->ask.origin = bytes_of(socket->origin, socket->origin_len);
    run->proof_method = connecting->call.method;
    run->now_ms = loop_now_ms(socket->lane->loop);
    run->wall_ms = loop_wall_ms(socket->lane->loop);
    run->step_ms = loop_step_ms(socket->lane->loop);
    run->arena = &connecting->arena;
    run->done = decided;
    run->owner = connecting;
    service_start(socket->lane->service, run);
    if (socket->state == SESSION_DECIDING)
        connecting->is_waiting = true;
    else
        socket_end_connecting(socket);
}

static void keep_text(struct bytes *kept, char *room, size_t size, struct bytes text)
{
    *kept = BYTES_NONE;
    if (bytes_is_absent(text) || text.len > size) return;
    memcpy(room, text.ptr, text.len);
    *kept = bytes_of(room, text.len);
}

static void keep_holder(struct socket *socket, const struct outcome *outcome)
{
    socket->holder = outcome->holder;
    keep_text(&socket->holder.jti, socket->jti, sizeof socket->jti, outcome->holder.jti);
    keep_text(&socket->holder.jkt, socket->jkt, sizeof socket->jkt, outcome->holder.jkt);
    keep_text(&socket->holder.parent_key, socket->parent_key, sizeof socket->parent_key,
              outcome->holder.parent_key);
    memcpy(socket->name, outcome->connected.session.ptr, SESSION_NAME_LEN);
    free(socket->origin);
    socket->origin = NULL;
    socket->origin_len = 0;
}

void socket_welcome(struct socket *socket)
{
    const struct dialect *dialect = dialect_of_socket();
    struct buf *body = lane_body(socket->lane), *ice = lane_fields(socket->lane);
    struct dialect_session session;
    unsigned i;

    keep_holder(socket, &socket->connecting->run.outcome);
    session_index_put(&socket->lane->index, &socket->links, &socket->holder);
    log_info("session_began", log_bytes("session", bytes_of(socket->name, 8)));
    socket_lives_until_expiry(socket);
    lane_count(socket->lane, COUNT_CONNECTS_GRANTED, 1);
    session = socket_session(socket);
    ice_servers_write(ice, socket->lane->service, bytes_of(socket->name, 8),
                      loop_wall_ms(socket->lane->loop));
    session.ice_servers = buf_error(ice) ? BYTES("[]") : buf_bytes(ice); /* a session without calls is one */
    dialect->welcome(body, &session, socket->connecting->call.id);
    socket_send_text(socket, body);
    for (i = 0; dialect->event_after_welcome(lane_body(socket->lane), &session, i); i++)
        socket_send_text(socket, &socket->lane->body);
}

void socket_tell_refusal(struct socket *socket)
{
    lane_count(socket->lane, COUNT_CONNECTS_REFUSED, 1);
    socket_refuse_call(socket, &socket->connecting->call, &socket->connecting->run.finding);
}

void socket_tell_failure(struct socket *socket)
{
    enum err error = socket->connecting->run.outcome.error;

    socket_refuse_call(socket, &socket->connecting->call, &socket->connecting->run.finding);
    socket_close(socket, err_close_code(error), "could not decide; come back in 1 s");
}

/* ---- calls ---- */

static const struct socket_call *call_of(struct bytes method)
{
    const struct dialect *dialect = dialect_of_socket();
    size_t i;

    for (i = 0; i < dialect->call_count; i++)
        if (bytes_equal(method, bytes_of_text(dialect->calls[i].method))) return &dialect->calls[i];
    return NULL;
}

static void refuse_call(struct socket *socket, const struct rpc_message *call, enum refusal refusal,
                        const char *check, const char *expected)
{
    struct finding finding = {.refusal = refusal};
    char method[FINDING_WORD_MAX];

    finding_check(&finding, check);
    finding_expected(&finding, "%s", expected);
    finding_word(method, call->method);
    finding_seen(&finding, "a call of %s in state %s", method, session_state_name(socket->state));
    if (socket->state == SESSION_LIVE) {
        finding.project = socket->holder.project;
        finding.user = socket->holder.user;
        finding.family = socket->holder.family;
    }
    socket_refuse_call(socket, call, &finding);
}

static void run_call(struct socket *socket, const struct rpc_message *call)
{
    const struct socket_call *row = call_of(call->method);
    struct dialect_session session = socket_session(socket);
    struct buf *body;
    enum call_effect effect;

    if (!row) {
        refuse_call(socket, call, REFUSAL_NOT_FOUND, "rpc.method", "a method of this server");
        return;
    }
    body = lane_body(socket->lane);
    effect = row->answer(body, &session, call);
    if (effect != CALL_NOTHING) socket_set_registered(socket, effect == CALL_REGISTER);
    socket_send_text(socket, body);
}

static void ask_to_connect(struct socket *socket, struct rpc_message *call)
{
    if (socket->state == SESSION_PARKED) return;
    if (socket->state != SESSION_OPENING) {
        /* an identity never changes in place: another one needs another socket */
        refuse_call(socket, call, REFUSAL_ALREADY_CONNECTED, "session.none", "one connect a socket");
        return;
    }
    socket->connecting = connecting_new(socket, call);
    if (!socket->connecting) {
        socket_close(socket, err_close_code(ERR_NO_MEMORY), "try again in 1 s");
        return;
    }
    *call = (struct rpc_message){0};
    socket_apply(socket, SESSION_CONNECT_ASKED);
}

static void take_call(struct socket *socket, struct rpc_message *call)
{
    if (bytes_equal(call->method, bytes_of_text(dialect_of_socket()->connect_method)))
        ask_to_connect(socket, call);
    else if (session_step(socket->state, SESSION_CALL).effect == SESSION_RUN_CALL)
        run_call(socket, call);
    else if (socket->state != SESSION_PARKED)
        refuse_call(socket, call, REFUSAL_NOT_CONNECTED, "session.live", "a call on a live session");
}

void socket_message(struct socket *socket, struct bytes text)
{
    struct rpc_message call;
    int code;
    enum err e;

    if (socket->state == SESSION_PARKED) return; /* deaf */
    e = rpc_read(&call, &code, text);
    if (e == ERR_NO_MEMORY)
        socket_close(socket, err_close_code(e), "try again in 1 s");
    else if (e)
        socket_refuse_envelope(socket, &call, code, text.len);
    else if (call.kind == RPC_REQUEST)
        take_call(socket, &call);
    /* a reply acknowledges an event or ping of ours: that something came was noted already */
    rpc_message_release(&call);
}
