/* socket_calls.c — JSON-RPC on a socket: the connect call, calls of a live session, and answers to ours. What
 * has to be decided first is asked of the service, and nothing behind it is read meanwhile. */
#include "server/phone.h"
#include "server/showroom.h"
#include "server/socket_inside.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_MAX (WS_MESSAGE_MAX + 131072) /* one read of the loop and a message */

void asking_free(struct asking *asking)
{
    if (!asking) return;
    rpc_message_release(&asking->call);
    arena_release(&asking->arena);
    buf_release(&asking->kept);
    session_seats_leave(&asking->seats);
    free(asking);
}

void socket_end_asking(struct socket *socket)
{
    asking_free(socket->asking);
    socket->asking = NULL;
}

static struct asking *asking_new(struct socket *socket, const struct socket_call *row,
                                 const struct rpc_message *call)
{
    struct asking *asking = calloc(1, sizeof *asking);

    if (!asking) return NULL;
    asking->socket = socket;
    asking->row = row;
    asking->call = *call; /* takes over the document */
    arena_init(&asking->arena, RUN_ARENA_MAX);
    buf_init(&asking->kept, KEPT_MAX);
    return asking;
}

static void begin_asking(struct socket *socket, const struct socket_call *row, struct rpc_message *call)
{
    socket->asking = asking_new(socket, row, call);
    if (!socket->asking) {
        socket_give_up(socket, err_close_code(ERR_NO_MEMORY));
        return;
    }
    *call = (struct rpc_message){0};
    socket_apply(socket, row ? SESSION_ASKS : SESSION_CONNECT_ASKED);
}

/* ---- connect ---- */

static enum session_event event_of(struct asking *asking, struct run *run)
{
    switch (run->outcome.kind) {
    case OUTCOME_CONNECTED:
        return socket_grant(asking, NULL);
    case OUTCOME_REFUSED:
        return SESSION_CONNECT_REFUSED;
    case OUTCOME_REAUTHENTICATED:
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
    case OUTCOME_DIALLED:
        break;
    }
    return SESSION_CONNECT_FAILED;
}

void socket_go_on(struct socket *socket)
{
    struct buf kept = socket->asking->kept;
    bool has_waited = socket->asking->is_waiting;

    buf_init(&socket->asking->kept, KEPT_MAX);
    socket_end_asking(socket);
    if (has_waited) {
        socket->heard_ms = loop_tick_ms(socket->lane->loop); /* we did not listen */
        if (socket->stream) stream_start_reading(socket->stream);
        if (kept.len && socket->stream) socket_bytes(socket, kept.ptr, kept.len);
    }
    buf_release(&kept);
}

static void decided(struct run *run)
{
    struct asking *asking = run->owner;
    struct socket *socket = asking->socket;

    if (!socket) { /* the peer did not wait */
        asking_free(asking);
        return;
    }
    if (socket->state == SESSION_DECIDING && run->outcome.kind == OUTCOME_CONNECTED &&
        run->outcome.connected.state) {
        socket_fetch_session(asking);
        return;
    }
    if (socket->state == SESSION_DECIDING)
        socket_apply(socket, event_of(asking, run));
    else if (socket->state == SESSION_ASKING)
        socket_apply(socket, SESSION_ANSWERED);
    if (asking->is_waiting) socket_go_on(socket);
}

static void decode(struct asking *asking)
{
    struct dialect_request request = {.body = asking->call.params, .arena = &asking->arena};
    ask_decode_fn *decode_ask = asking->row ? asking->row->decode : dialect_of_socket()->connect_decode;
    struct run *run = &asking->run;

    run->unreadable = decode_ask(&run->ask, &run->refused, &request);
    if (run->ask.kind == ASK_CONNECT) asking->socket->takes_slots = run->ask.connect.takes_slots;
    run->ask.origin = bytes_of(asking->socket->origin, asking->socket->origin_len);
    if (run->ask.kind == ASK_REAUTHENTICATE)
        run->ask.reauthenticate.present = &asking->socket->session->holder;
}

/* By the times of now, however long it has waited. */
static void start(struct asking *asking)
{
    struct socket *socket = asking->socket;
    struct run *run = &asking->run;

    run->proof_method = asking->call.method;
    run->now_ms = loop_now_ms(socket->lane->loop);
    run->wall_ms = loop_wall_ms(socket->lane->loop);
    run->step_ms = loop_step_ms(socket->lane->loop);
    run->arena = &asking->arena;
    run->done = decided;
    run->owner = asking;
    service_start(socket->lane->service, run);
}

void socket_ask_later(struct asking *asking)
{
    if (asking->socket->state == SESSION_DECIDING)
        start(asking);
    else
        socket_go_on(asking->socket);
}

void socket_ask(struct socket *socket)
{
    struct asking *asking = socket->asking;

    decode(asking);
    asking->is_waiting = !asking->row && socket_waits_in_wave(asking);
    if (asking->is_waiting) return;
    start(asking);
    if (socket->state == SESSION_DECIDING || socket->state == SESSION_ASKING)
        asking->is_waiting = true;
    else
        socket_end_asking(socket);
}

/* A session without calls is one, too. */
static struct bytes ice_servers(struct session *session)
{
    struct lane *lane = session->lane;
    struct buf *out = lane_fields(lane);

    ice_servers_write(out, lane->service, bytes_of(session->name, 8), loop_wall_ms(lane->loop));
    return buf_error(out) ? BYTES("[]") : buf_bytes(out);
}

static void add_slots(struct dialect_session *words, struct slots *slots, const struct socket *socket)
{
    if (!socket->takes_slots) return;
    *slots = socket_slots(socket);
    words->slots = slots;
}

void socket_welcome(struct socket *socket)
{
    const struct dialect *dialect = dialect_of_socket();
    struct buf *body = lane_body(socket->lane);
    struct dialect_session words;
    struct session *came = socket->asking->fetch.session; /* back, or to be followed */
    struct slots slots;
    bool is_told;

    socket->session = socket->asking->session;
    /* it has just spoken: that answers whoever still waits for the socket before it */
    socket->answered = socket->lane->probes;
    if (came == socket->session)
        session_attach(socket->session, socket);
    else
        session_begin(socket->session, socket);
    free(socket->origin);
    socket->origin = NULL;
    socket->origin_len = 0;
    socket_watch_peer(socket);
    lane_count(socket->lane, COUNT_CONNECTS_GRANTED, 1);
    words = session_words(socket->session);
    words.ice_servers = ice_servers(socket->session);
    add_slots(&words, &slots, socket);
    dialect->welcome(body, &words, socket->asking->call.id);
    is_told = !buf_error(body);
    socket_send_text(socket, body);
    session_give_state(socket->session);
    if (socket->lane->flow)
        showroom_session(socket->lane, &socket->session->holder,
                         came == socket->session ? "resume" : "connect",
                         FLOW_BIT(FLOW_TOKEN) | FLOW_BIT(FLOW_SESSION));
    if (came && came != socket->session)
        session_follow(socket->session, came, is_told);
    else
        session_send_kept(socket->session);
}

void socket_tell_refusal(struct socket *socket)
{
    session_seats_leave(&socket->asking->seats); /* before the client knows: it may come again at once */
    lane_count(socket->lane, COUNT_CONNECTS_REFUSED, 1);
    socket_refuse_call(socket, &socket->asking->call, &socket->asking->run.finding);
}

void socket_tell_failure(struct socket *socket)
{
    enum err error = socket->asking->run.outcome.error;

    session_seats_leave(&socket->asking->seats);
    socket_refuse_call(socket, &socket->asking->call, &socket->asking->run.finding);
    socket_close_until(socket, err_close_code(error), "could not decide", &socket_soon);
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
    if (socket->session) {
        finding.project = socket->session->holder.project;
        finding.user = socket->session->holder.user;
        finding.family = socket->session->holder.family;
    }
    socket_refuse_call(socket, call, &finding);
}

static void answer_call(struct socket *socket, const struct socket_call *row, const struct rpc_message *call)
{
    struct dialect_session words = session_words(socket->session);
    struct buf *body = lane_body(socket->lane);
    struct slots slots;
    enum after_call after;

    if (row->decode) add_slots(&words, &slots, socket); /* it has another token now */
    after = row->answer(body, &words, call);

    if (after != AFTER_NOTHING)
        session_set_registered(socket->session, after != AFTER_UNREGISTER, after == AFTER_REGISTER_QUIETLY);
    socket_send_text(socket, body);
    if (!socket->lane->flow || after == AFTER_NOTHING) return;
    if (after == AFTER_UNREGISTER)
        showroom_parted(socket->lane, &socket->session->holder, "unregister");
    else
        showroom_session(socket->lane, &socket->session->holder, "register", FLOW_BIT(FLOW_SESSION));
}

static void run_call(struct socket *socket, struct rpc_message *call)
{
    const struct socket_call *row = call_of(call->method);

    if (bytes_equal(call->method, bytes_of_text(dialect_of_socket()->phone_method)))
        phone_message(socket->session, call);
    else if (!row)
        refuse_call(socket, call, REFUSAL_NOT_FOUND, "rpc.method", "a method of this server");
    else if (row->decode)
        begin_asking(socket, row, call);
    else
        answer_call(socket, row, call);
}

/* The token's time runs on while the store is asked: whether it still lives is asked last. */
static void reauthenticated(struct socket *socket, struct asking *asking)
{
    const struct holder *holder = &asking->run.outcome.holder;
    int64_t left_ms = session_left_ms(socket->lane, holder);

    if (left_ms <= 0) {
        socket_found_expired(&asking->run.finding, holder, left_ms);
        socket_refuse_call(socket, &asking->call, &asking->run.finding);
        return;
    }
    session_renew(socket->session, holder);
    answer_call(socket, asking->row, &asking->call);
    session_give_state(socket->session);
}

void socket_tell_answer(struct socket *socket)
{
    struct asking *asking = socket->asking;

    if (asking->run.outcome.kind == OUTCOME_REAUTHENTICATED)
        reauthenticated(socket, asking);
    else /* refused or failed */
        socket_refuse_call(socket, &asking->call, &asking->run.finding);
}

static void ask_to_connect(struct socket *socket, struct rpc_message *call)
{
    if (socket->state == SESSION_PARKED) return;
    if (socket->lane->is_stopping && socket->state == SESSION_OPENING) {
        socket_apply(socket, SESSION_STOP); /* no new work */
        return;
    }
    if (socket->state != SESSION_OPENING) {
        /* an identity never changes in place: another one needs another socket */
        refuse_call(socket, call, REFUSAL_ALREADY_CONNECTED, "session.none", "one connect a socket");
        return;
    }
    begin_asking(socket, NULL, call);
}

/* After a stall, calls that waited are heard before the deadline that they are too late for. */
static void take_call(struct socket *socket, struct rpc_message *call)
{
    if (socket->session && session_is_over(socket->session))
        socket_session_due(socket);
    else if (bytes_equal(call->method, bytes_of_text(dialect_of_socket()->connect_method)))
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
        socket_give_up(socket, err_close_code(e));
    else if (e)
        socket_refuse_envelope(socket, &call, code, text.len);
    else if (call.kind == RPC_REQUEST)
        take_call(socket, &call);
    /* a reply acknowledges an event or ping of ours: that something came was noted already */
    rpc_message_release(&call);
}
