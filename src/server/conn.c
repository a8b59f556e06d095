#include "server/conn.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "server/exchange.h"
#include "server/socket.h"

#define SPARE_MAX 256 /* exchanges a lane keeps for later: about 6 KiB each */
#define KEPT_MAX                                                                                             \
    (HTTP_HEAD_MAX + 2 * HTTP_BODY_MAX + 65536) /* a chunked request at its worst and one more read */

static struct exchange *exchange_take(struct conn *conn)
{
    struct lane *lane = conn->lane;
    struct exchange *x = lane->spare;

    if (x) {
        lane->spare = x->next;
        lane->spare_count--;
    } else {
        x = malloc(sizeof *x);
        if (!x) return NULL;
        /* Not the run, which is large and filled in by each ask; all around it, because bytes may be refused
         * before they have a head that sets it. */
        memset(x, 0, offsetof(struct exchange, run));
        memset(&x->state, 0, sizeof *x - offsetof(struct exchange, state));
        buf_init(&x->kept, KEPT_MAX);
        arena_init(&x->arena, RUN_ARENA_MAX);
    }
    x->conn = conn;
    x->state = EXCHANGE_READING;
    x->clock = CLOCK_NONE;
    http_request_init(&x->request);
    return x;
}

static void exchange_clear(struct exchange *x)
{
    json_free(x->body);
    x->body = (struct json){NULL};
    arena_reset(&x->arena);
    x->row = NULL;
    x->dialect = NULL;
    x->origin = BYTES_NONE;
    x->may_read_reply = x->closes = false;
    x->clock = CLOCK_NONE;
}

static void exchange_free(struct exchange *x)
{
    buf_release(&x->kept);
    arena_release(&x->arena);
    free(x);
}

static void exchange_give_back(struct lane *lane, struct exchange *x)
{
    exchange_clear(x);
    buf_release(&x->kept);
    if (lane->spare_count >= SPARE_MAX) {
        exchange_free(x);
        return;
    }
    x->next = lane->spare;
    lane->spare = x;
    lane->spare_count++;
}

void exchange_free_spare(struct lane *lane)
{
    while (lane->spare) {
        struct exchange *x = lane->spare;
        lane->spare = x->next;
        exchange_free(x);
    }
}

static void conn_free(struct conn *conn)
{
    struct lane *lane = conn->lane;

    deadline_clear(lane->loop, &conn->deadline);
    if (conn->exchange) exchange_give_back(lane, conn->exchange);
    if (conn->next) conn->next->prev = conn->prev;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        lane->conns = conn->next;
    lane_count(lane, COUNT_CONNECTIONS, -1);
    free(conn);
    lane_stopped_if_idle(lane);
}

static void time_up(struct deadline *deadline)
{
    struct conn *conn = (struct conn *)(void *)((char *)deadline - offsetof(struct conn, deadline));

    if (!conn->stream || conn->is_closing) return;
    if (conn->exchange && conn->exchange->state == EXCHANGE_READING) {
        conn->is_closing = true;
        pipeline_refuse_slow(conn->exchange);
        stream_close_after_sending(conn->stream);
    } else
        stream_close(conn->stream);
}

static void wait_at_most(struct conn *conn, int64_t seconds)
{
    struct loop *loop = conn->lane->loop;

    /* without memory for a timer the connection cannot be bounded, so it is not kept */
    if (deadline_set(loop, &conn->deadline, loop_tick_ms(loop) + seconds * 1000, time_up))
        stream_close(conn->stream);
}

/* The upgraded stream gets a new owner, and the bytes that came right behind the upgrade; the
 * connection goes. */
static void become_socket(struct conn *conn, uint8_t *rest, size_t len)
{
    struct socket *socket = socket_take_over(conn->lane, conn->stream, conn->exchange->origin);

    if (!socket) {
        stream_close(conn->stream);
        return;
    }
    conn->stream = NULL;
    if (len) socket_bytes(socket, rest, len);
    conn_free(conn);
}

static void close_after_reply(struct conn *conn)
{
    conn->is_closing = true;
    deadline_clear(conn->lane->loop, &conn->deadline);
    stream_close_after_sending(conn->stream);
}

/* The bytes from data on are not used yet: they must outlive this turn. False: no room, the
 * connection is closed. */
static bool keep(struct exchange *x, const uint8_t *data, size_t len)
{
    if (x->kept.len && data >= x->kept.ptr && data <= x->kept.ptr + x->kept.len)
        buf_drop_front(&x->kept, (size_t)(data - x->kept.ptr));
    else {
        buf_reset(&x->kept);
        buf_append(&x->kept, bytes_of(data, len));
    }
    if (buf_error(&x->kept) == ERR_OK) return true;
    stream_close(x->conn->stream);
    return false;
}

static void await_more(struct exchange *x, const uint8_t *data, size_t len)
{
    const struct config *config = x->conn->lane->node->config;
    enum exchange_clock clock = x->request.head_len ? CLOCK_BODY : CLOCK_HEAD;

    if (x->conn->has_ended) {
        close_after_reply(x->conn); /* the rest will never come */
        return;
    }
    if (!keep(x, data, len) || x->clock == clock)
        return; /* the time once given is not extended by more bytes */
    x->clock = clock;
    wait_at_most(x->conn, clock == CLOCK_BODY ? config->body_timeout_s : config->head_timeout_s);
}

/* One request is answered; is there more of the next one in the bytes at hand? */
static void next_request(struct exchange *x)
{
    exchange_clear(x);
    x->state = EXCHANGE_READING;
    http_request_init(&x->request);
}

static bool step(struct exchange *x, uint8_t **data, size_t *len)
{
    struct conn *conn = x->conn;

    x->bytes = *data;
    switch (http_request_feed(&x->request, *data, *len)) {
    case HTTP_MORE:
        await_more(x, *data, *len);
        return false;
    case HTTP_HEAD:
        pipeline_head(x);
        return true;
    case HTTP_REFUSED:
        pipeline_refuse_bytes(x);
        close_after_reply(conn);
        return false;
    case HTTP_DONE:
        break;
    }
    x->closes = !x->request.keep_alive || conn->lane->is_stopping;
    *data += x->request.used;
    *len -= x->request.used;
    pipeline_run(x);
    return true;
}

/* Works through the bytes at hand until they are used up, an answer has to be waited for, or the
 * connection ends. */
static void consume(struct conn *conn, uint8_t *data, size_t len)
{
    while (len) {
        struct exchange *x = conn->exchange;

        if (!x) x = conn->exchange = exchange_take(conn);
        if (!x) {
            stream_close(conn->stream);
            return;
        }
        if (!step(x, &data, &len)) return;
        if (x->state == EXCHANGE_UPGRADED) {
            become_socket(conn, data, len);
            return;
        }
        if (x->state == EXCHANGE_WAITING) {
            if (keep(x, data, len) && len) stream_stop_reading(conn->stream);
            deadline_clear(conn->lane->loop, &conn->deadline);
            return;
        }
        if (x->state != EXCHANGE_ANSWERED) continue; /* only the head was read */
        if (x->closes) {
            close_after_reply(conn);
            return;
        }
        next_request(x);
    }
    if (conn->exchange) {
        exchange_give_back(conn->lane, conn->exchange);
        conn->exchange = NULL;
    }
    if (conn->has_ended) {
        close_after_reply(conn);
        return;
    }
    wait_at_most(conn, conn->lane->node->config->idle_timeout_s);
}

static void on_bytes(void *owner, uint8_t *bytes, size_t len)
{
    struct conn *conn = owner;
    struct exchange *x = conn->exchange;
    bool is_waiting = x && x->state == EXCHANGE_WAITING;

    if (conn->is_closing) return;
    /* not before something comes: to stop and start again costs two system calls, and most clients wait */
    if (is_waiting) stream_stop_reading(conn->stream);
    if (!x || !x->kept.len) {
        if (is_waiting)
            (void)keep(x, bytes, len); /* false: the connection is closed already */
        else
            consume(conn, bytes, len);
        return;
    }
    buf_append(&x->kept, bytes_of(bytes, len));
    if (buf_error(&x->kept))
        stream_close(conn->stream);
    else if (!is_waiting)
        consume(conn, x->kept.ptr, x->kept.len);
}

void conn_answered(struct exchange *x)
{
    struct conn *conn = x->conn;

    if (!conn->stream) { /* the peer did not wait */
        conn_free(conn);
        return;
    }
    if (x->closes || conn->lane->is_stopping) {
        close_after_reply(conn);
        return;
    }
    next_request(x);
    stream_start_reading(conn->stream);
    consume(conn, x->kept.ptr, x->kept.len);
}

static void on_end(void *owner)
{
    struct conn *conn = owner;

    /* a peer that has sent its last request still gets its answers */
    conn->has_ended = true;
    if (conn->exchange && conn->exchange->state == EXCHANGE_WAITING) return;
    if (stream_unsent(conn->stream))
        close_after_reply(conn);
    else
        stream_close(conn->stream);
}

static void on_sent(void *owner)
{
    (void)owner; /* replies are bounded by the stream's own limit; nothing waits for this */
}

static void on_gone(void *owner)
{
    struct conn *conn = owner;

    conn->stream = NULL;
    if (conn->exchange && conn->exchange->state == EXCHANGE_WAITING) return; /* conn_answered frees it */
    conn_free(conn);
}

static const struct stream_user conn_user = {on_bytes, on_end, on_sent, on_gone};

static void accept_on(struct lane *lane, struct stream *stream, bool is_admin)
{
    struct conn *conn = calloc(1, sizeof *conn);

    if (!conn || lane->is_stopping) {
        free(conn);
        stream_close(stream);
        return;
    }
    conn->lane = lane;
    conn->stream = stream;
    conn->is_admin = is_admin;
    conn->next = lane->conns;
    if (conn->next) conn->next->prev = conn;
    lane->conns = conn;
    lane_count(lane, COUNT_CONNECTIONS, 1);
    stream_attach(stream, &conn_user, conn);
    wait_at_most(conn, lane->node->config->head_timeout_s);
}

void conn_accept(void *lane, struct stream *stream)
{
    accept_on(lane, stream, false);
}

void conn_accept_admin(void *lane, struct stream *stream)
{
    accept_on(lane, stream, true);
}

void conns_stop(struct lane *lane)
{
    struct conn *conn, *next;

    for (conn = lane->conns; conn; conn = next) {
        next = conn->next;
        if (!conn->stream || conn->is_closing) continue;
        if (conn->exchange && conn->exchange->state == EXCHANGE_WAITING)
            conn->exchange->closes = true;
        else
            stream_close(conn->stream);
    }
}
