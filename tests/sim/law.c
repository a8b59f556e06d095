#include "sim/law.h"

#include <inttypes.h>

#include "server/exchange.h"
#include "server/session_inside.h"
#include "server/socket_inside.h"
#include "sim/guests.h"
#include "sim/law_calls.h"
#include "sim/law_presence.h"
#include "sim/link.h"
#include "sim/loop_sim.h"
#include "sim/node.h"
#include "sim/sessions.h"
#include "sim/times.h"

struct tally { /* of one lane, counted by hand */
    int64_t live, detached, registered, parked, connections;
};

/* ---- one socket ---- */

static void check_agrees(const struct socket *socket, const struct tap *tap)
{
    unsigned number = socket->stream->link->number;
    bool is_live = socket->session != NULL, is_parked = socket->state == SESSION_PARKED;

    if (is_live != (tap->session == TAP_LIVE))
        world_fail("a session is live from its welcome to its end", "link %u: %s, told %d", number,
                   session_state_name(socket->state), (int)tap->session);
    if (is_parked != (tap->session == TAP_PARKED))
        world_fail("parked is refused", "link %u: %s, told %d", number, session_state_name(socket->state),
                   (int)tap->session);
    if (is_live && (!socket->session || socket->session->socket != socket))
        world_fail("a session and its socket know each other", "link %u", number);
    if (is_live && socket->session->is_registered != tap->is_registered)
        world_fail("registration follows the session's own calls", "link %u: registered %d, told %d", number,
                   socket->session->is_registered, tap->is_registered);
}

/* The loop has had its turn for every deadline that was due (loop_is_late). */
static void check_times(const struct socket *socket, const struct tap *tap)
{
    const struct loop *loop = socket->lane->loop;
    const struct config *config = socket->lane->node->config;
    unsigned number = socket->stream->link->number;
    int64_t since_ms = (world.mono_us - tap->since_us) / 1000, tick_ms = loop_tick_ms(loop);
    int64_t expired_ms = tap->token ? times_now_ms() - tap->ends_s * 1000 : 0;

    if (socket->state != SESSION_CLOSED && !socket->deadline.place)
        world_fail("a socket's life is bounded", "link %u has no deadline", number);
    if (socket->session && tick_ms >= tap->dies_tick_ms)
        world_fail("no session outlives its token", "link %u, %" PRId64 " ms", number,
                   tick_ms - tap->dies_tick_ms);
    /* when the wall clock was set forward, the next ping's turn sees it */
    if (socket->session && expired_ms > config->ping_interval_s * 1000 &&
        world.mono_us - world.clock_set_us > config->ping_interval_s * 1000000)
        world_fail("no session outlives its token", "link %u, %" PRId64 " ms by the wall clock", number,
                   expired_ms);
    if (socket->state == SESSION_LIVE &&
        tick_ms - socket->heard_ms > (config->ping_timeout_s + config->ping_interval_s) * 1000)
        world_fail("a silent peer is dropped", "link %u, %" PRId64 " ms", number, tick_ms - socket->heard_ms);
    if (socket->state == SESSION_PARKED && since_ms > config->park_s * 1000)
        world_fail("parking ends", "link %u, %" PRId64 " ms", number, since_ms);
    if ((socket->state == SESSION_OPENING || socket->state == SESSION_DECIDING) &&
        since_ms > config->connect_timeout_s * 1000)
        world_fail("connecting ends", "link %u, %" PRId64 " ms", number, since_ms);
}

/* Nothing is read while a call is decided: one that nobody decides would make it deaf. */
static void check_asking(const struct socket *socket)
{
    bool is_asking = socket->state == SESSION_DECIDING || socket->state == SESSION_ASKING;

    if (socket->state != SESSION_CLOSED && is_asking != (socket->asking != NULL))
        world_fail("a call is being decided or not", "link %u: %s",
                   socket->stream ? socket->stream->link->number : 0, session_state_name(socket->state));
}

/* Whoever revoked has been told that the session is closed, or it began since. */
static void check_void(const struct socket *socket, const struct tap *tap)
{
    if (socket->state == SESSION_LIVE && tap->token && voided_must(&tap->token->line, world.mono_us))
        world_fail("no revoked session lives", "link %u", socket->stream->link->number);
}

static void check_rights(const struct socket *socket)
{
    if (socket->state != SESSION_LIVE && socket->state != SESSION_ASKING && socket->session)
        world_fail("without a verified token there are no rights", "link %u: %s",
                   socket->stream ? socket->stream->link->number : 0, session_state_name(socket->state));
}

static void check_socket(const struct socket *socket, struct tally *tally)
{
    tally->parked += socket->state == SESSION_PARKED && socket->has_parking;
    check_rights(socket);
    check_asking(socket);
    if (!socket->stream || socket->stream->phase != STREAM_LIVE) return;
    check_agrees(socket, &socket->stream->link->tap);
    check_void(socket, &socket->stream->link->tap);
    if (!loop_is_late(socket->lane->loop)) check_times(socket, &socket->stream->link->tap);
}

/* ---- one session ---- */

static void check_session(const struct session *session, const struct lane *lane, struct tally *tally)
{
    int64_t waited_ms = loop_tick_ms(lane->loop) - session->detached_ms;

    tally->live += session->socket != NULL;
    tally->detached += session->socket == NULL;
    tally->registered += session->is_registered;
    law_check_legs(session);
    if (session->lane != lane) world_fail("a session is on one lane", "%.8s", session->name);
    if (!session->deadline.place) world_fail("a session's life is bounded", "%.8s", session->name);
    if (!session->socket && !loop_is_late(lane->loop) &&
        waited_ms > lane->node->config->session_lapse_s * 1000)
        world_fail("a session never outlives its wait", "%.8s, %" PRId64 " ms", session->name, waited_ms);
    if (session->kept.len > SESSION_KEPT_MAX || (session->socket && session->kept.len))
        world_fail("what is kept is bounded, and sent", "%.8s, %zu bytes", session->name, session->kept.len);
    if (session->socket && session->socket->session != session)
        world_fail("a session and its socket know each other", "%.8s", session->name);
}

static void check_sessions(const struct lane *lane, struct tally *tally)
{
    size_t i;

    for (i = 0; i < lane->names.bucket_count; i++)
        for (struct name_link *link = lane->names.buckets[i]; link; link = link->next)
            if (session_owns_name(link)) check_session(link->session, lane, tally);
}

/* ---- one connection ---- */

static void check_conn(const struct conn *conn, struct tally *tally)
{
    bool waits = conn->exchange && conn->exchange->state == EXCHANGE_WAITING;

    tally->connections++;
    if (!conn->stream || conn->stream->phase != STREAM_LIVE) return;
    if (!waits && !conn->deadline.place)
        world_fail("a connection's patience is bounded", "link %u has no deadline",
                   conn->stream->link->number);
    if (waits && conn->exchange->conn != conn)
        world_fail("an exchange has one connection", "link %u", conn->stream->link->number);
}

/* ---- one lane ---- */

static void check_count(const struct lane *lane, enum lane_counter counter, int64_t wanted, const char *what)
{
    int64_t told = atomic_load(&lane->counters[counter]);

    if (told != wanted)
        world_fail("counters are right", "lane %u: %" PRId64 " %s, told %" PRId64, loop_index(lane->loop),
                   wanted, what, told);
}

static void check_parking(const struct node *node, int64_t parked)
{
    int64_t sum = 0;
    size_t i;

    for (i = 0; i < PARKING_SLOTS; i++) {
        int64_t here = atomic_load(&node->parked_by_address[i]);
        sum += here;
        if (here > node->config->parked_per_address_max)
            world_fail("parking is bounded", "%" PRId64 " sockets of one address", here);
    }
    if (sum != parked || atomic_load(&node->parked) != parked)
        world_fail("counters are right", "%" PRId64 " parking places for %" PRId64 " sockets", sum, parked);
    if (parked > node->config->parked_max)
        world_fail("parking is bounded", "%" PRId64 " of %" PRId64, parked, node->config->parked_max);
}

static int64_t check_lane(const struct lane *lane)
{
    struct tally tally = {0};
    const struct socket *socket;
    const struct conn *conn;

    for (socket = lane->sockets; socket; socket = socket->next)
        check_socket(socket, &tally);
    check_sessions(lane, &tally);
    law_check_calls(lane);
    for (conn = lane->conns; conn; conn = conn->next)
        check_conn(conn, &tally);
    check_count(lane, COUNT_SESSIONS_LIVE, tally.live, "live");
    check_count(lane, COUNT_SESSIONS_DETACHED, tally.detached, "detached");
    check_count(lane, COUNT_SESSIONS_REGISTERED, tally.registered, "registered");
    check_count(lane, COUNT_PARKED, tally.parked, "parked");
    check_count(lane, COUNT_CONNECTIONS, tally.connections, "connections");
    return tally.parked;
}

void law_check(void)
{
    const struct node *node = node_running();
    int64_t parked = 0;
    unsigned i;

    if (!node) return;
    for (i = 0; i < node->lane_count; i++)
        parked += check_lane(node->lanes[i]);
    check_parking(node, parked);
    sessions_check();
    law_check_all_calls(node);
    law_check_presence(node);
    guests_check();
}
