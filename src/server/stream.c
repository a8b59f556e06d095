#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/loop_inside.h"

#define TLS_PIECE_BYTES 65536 /* plain bytes encrypted at once: bounds the loop's cipher buffer */
#define PATIENCE_MS     2000  /* for a peer that we have said goodbye to; see stream_close_after_sending */
#define PATIENCE_ROUNDS 15    /* so often is a peer waited for that reads, but slowly */

enum stream_phase {
    STREAM_LIVE,
    STREAM_LEAVING,   /* close_after_sending: what is kept goes out, what comes is thrown away */
    STREAM_LINGERING, /* all is sent and our side shut; waiting for the peer's end */
    STREAM_CLOSED     /* only on_gone is left */
};

/* What only a stream with unsent bytes, or on its way out, needs. */
struct stream_rest {
    uv_write_t request;
    struct buf sending; /* libuv reads from it while is_writing */
    struct buf waiting; /* comes next */
    bool is_writing;
    struct stream *stream;
    struct deadline patience; /* with a peer that takes nothing, or does not go */
    size_t kept;              /* bytes that had to wait, in all */
    size_t taken_before;      /* of those, when patience was last renewed */
    int rounds_left;
};

struct stream {
    uv_tcp_t tcp; /* first member */
    const struct stream_user *user;
    void *owner;
    struct listener *listener;
    struct tls_session *tls;  /* NULL: plain */
    struct stream_rest *rest; /* NULL while idle */
    uint8_t phase;            /* enum stream_phase */
    bool may_read, has_begun;
    bool has_ended; /* the peer will send nothing more */
};

static struct loop *loop_of_stream(const struct stream *stream)
{
    return loop_of((const uv_handle_t *)&stream->tcp);
}

static uv_stream_t *uv_of(struct stream *stream)
{
    return (uv_stream_t *)&stream->tcp;
}

/* ---- going ---- */

static void rest_free(struct stream_rest *rest)
{
    if (!rest) return;
    deadline_clear(loop_of_stream(rest->stream), &rest->patience);
    buf_wipe(&rest->sending); /* replies carry credentials */
    buf_wipe(&rest->waiting);
    free(rest);
}

static void on_closed(uv_handle_t *handle)
{
    struct stream *stream = (struct stream *)handle;
    struct listener *listener = stream->listener;
    if (stream->user) stream->user->on_gone(stream->owner);
    tls_session_free(stream->tls);
    rest_free(stream->rest);
    free(stream);
    listener_stream_gone(listener);
}

/* A TLS peer may believe close_notify only if it has everything that was written before. */
static void say_goodbye(struct stream *stream)
{
    struct buf *cipher = &loop_of_stream(stream)->cipher;
    if (!stream->tls || stream->phase != STREAM_LIVE || stream_unsent(stream)) return;
    buf_reset(cipher);
    tls_session_end(stream->tls, cipher);
    struct bytes b = buf_bytes(cipher);
    uv_buf_t piece = {.base = (char *)(uintptr_t)b.ptr, .len = b.len};
    if (b.len) (void)uv_try_write(uv_of(stream), &piece, 1); /* best effort: we close whatever it says */
}

static void drop(struct stream *stream)
{
    if (stream->phase == STREAM_CLOSED) return;
    stream->phase = STREAM_CLOSED;
    if (stream->rest) deadline_clear(loop_of_stream(stream), &stream->rest->patience);
    uv_close((uv_handle_t *)&stream->tcp, on_closed);
}

void stream_close(struct stream *stream)
{
    say_goodbye(stream);
    drop(stream);
}

static void stream_part_close(uv_handle_t *handle)
{
    stream_close((struct stream *)handle);
}

static struct loop_part stream_part = {stream_part_close};

/* ---- sending ---- */

static struct stream_rest *rest_of(struct stream *stream) /* NULL: no memory */
{
    if (stream->rest) return stream->rest;
    struct stream_rest *rest = calloc(1, sizeof *rest);
    if (!rest) return NULL;
    buf_init(&rest->sending, STREAM_UNSENT_MAX);
    buf_init(&rest->waiting, STREAM_UNSENT_MAX);
    rest->stream = stream;
    return stream->rest = rest;
}

size_t stream_unsent(const struct stream *stream)
{
    if (!stream->rest) return 0;
    return uv_stream_get_write_queue_size((const uv_stream_t *)&stream->tcp) + stream->rest->waiting.len;
}

static void on_patience_over(struct deadline *deadline);
static void shut_our_side(struct stream *stream);
static void on_written(uv_write_t *request, int status);

static void send_waiting(struct stream *stream)
{
    struct stream_rest *rest = stream->rest;
    struct buf empty = rest->sending;
    rest->sending = rest->waiting;
    rest->waiting = empty;
    uv_buf_t piece = {.base = (char *)rest->sending.ptr, .len = rest->sending.len};
    rest->is_writing = true;
    if (uv_write(&rest->request, uv_of(stream), &piece, 1, on_written) == 0) return;
    rest->is_writing = false;
    drop(stream);
}

static void on_written(uv_write_t *request, int status)
{
    struct stream *stream = (struct stream *)request->handle;
    struct stream_rest *rest = stream->rest;
    rest->is_writing = false;
    buf_reset(&rest->sending);
    if (stream->phase == STREAM_CLOSED) return;
    if (status < 0) {
        drop(stream);
    } else if (rest->waiting.len) {
        send_waiting(stream);
    } else if (stream->phase == STREAM_LEAVING) {
        shut_our_side(stream);
    } else {
        stream->rest = NULL; /* an idle stream owns no buffers */
        rest_free(rest);
        stream->user->on_sent(stream->owner);
    }
}

static size_t taken(const struct stream *stream)
{
    return stream->rest->kept - stream_unsent(stream);
}

/* The time of a peer that takes nothing begins with the first byte that waits for it. */
static bool may_stall(struct stream *stream)
{
    struct loop *loop = loop_of_stream(stream);
    struct deadline *patience = &stream->rest->patience;
    return patience->place ||
           deadline_set(loop, patience, loop_tick_ms(loop) + STREAM_STALL_MS, on_patience_over) == ERR_OK;
}

static void keep(struct stream *stream, struct bytes b)
{
    struct stream_rest *rest = rest_of(stream);
    if (!rest || stream_unsent(stream) + b.len > STREAM_UNSENT_MAX) {
        drop(stream);
        return;
    }
    buf_append(&rest->waiting, b);
    rest->kept += b.len;
    if (buf_error(&rest->waiting) != ERR_OK || !may_stall(stream))
        drop(stream);
    else if (!rest->is_writing)
        send_waiting(stream);
}

static void send_raw(struct stream *stream, struct bytes b)
{
    bool is_behind = stream->rest && stream->rest->is_writing;
    if (!is_behind) {
        uv_buf_t piece = {.base = (char *)(uintptr_t)b.ptr, .len = b.len};
        int sent = uv_try_write(uv_of(stream), &piece, 1);
        if (sent < 0 && sent != UV_EAGAIN) {
            drop(stream);
            return;
        }
        if (sent > 0) b = bytes_from(b, (size_t)sent);
    }
    if (b.len) keep(stream, b);
}

static void send_by_tls(struct stream *stream, struct bytes b)
{
    struct buf *cipher = &loop_of_stream(stream)->cipher;
    while (b.len && stream->phase == STREAM_LIVE) {
        struct bytes piece = bytes_part(b, 0, TLS_PIECE_BYTES);
        b = bytes_from(b, piece.len);
        buf_reset(cipher);
        if (tls_session_send(stream->tls, piece, cipher) == ERR_OK)
            send_raw(stream, buf_bytes(cipher));
        else
            drop(stream);
    }
}

void stream_write(struct stream *stream, struct bytes b)
{
    if (stream->phase != STREAM_LIVE || !b.len) return;
    if (stream->tls)
        send_by_tls(stream, b);
    else
        send_raw(stream, b);
}

/* ---- receiving ---- */

static void end_of_peer(struct stream *stream)
{
    if (stream->has_ended) return;
    stream->has_ended = true;
    (void)uv_read_stop(uv_of(stream)); /* always 0 */
    switch ((enum stream_phase)stream->phase) {
    case STREAM_LIVE:
        stream->user->on_end(stream->owner);
        break;
    case STREAM_LINGERING:
        drop(stream);
        break;
    case STREAM_LEAVING:
        break; /* it may still read what is kept for it */
    case STREAM_CLOSED:
        break;
    }
}

static void receive_by_tls(struct stream *stream, struct bytes cipher_in)
{
    struct loop *loop = loop_of_stream(stream);
    buf_reset(&loop->plain);
    buf_reset(&loop->cipher);
    enum tls_state state = tls_session_receive(stream->tls, cipher_in, &loop->plain, &loop->cipher);
    bool has_answer = loop->cipher.len > 0; /* handshake, or an alert that says what was wrong */
    if (has_answer) send_raw(stream, buf_bytes(&loop->cipher));
    if (stream->phase == STREAM_LIVE && loop->plain.len)
        stream->user->on_bytes(stream->owner, loop->plain.ptr, loop->plain.len);
    if (stream->phase != STREAM_LIVE) return;
    switch (state) {
    case TLS_OPEN:
        break;
    case TLS_ENDED:
        end_of_peer(stream);
        break;
    case TLS_BROKEN:
        if (has_answer)
            stream_close_after_sending(stream); /* a reset would overtake the alert */
        else
            drop(stream);
        break;
    }
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    struct loop *loop = loop_of(handle);
    (void)wanted;
    *out = (uv_buf_t){.base = (char *)loop->read_bytes, .len = sizeof loop->read_bytes};
}

static void on_read(uv_stream_t *handle, ssize_t got, const uv_buf_t *in)
{
    struct stream *stream = (struct stream *)handle;
    if (got > 0) loop_open_mail(loop_of_stream(stream)); /* it may close this very stream */
    if (got == UV_EOF) {
        end_of_peer(stream);
    } else if (got < 0) {
        drop(stream); /* reset, timed out: nothing can be sent either */
    } else if (got > 0 && stream->phase == STREAM_LIVE) {
        if (stream->tls)
            receive_by_tls(stream, bytes_of(in->base, (size_t)got));
        else
            stream->user->on_bytes(stream->owner, (uint8_t *)in->base, (size_t)got);
    }
}

static void read_if_due(struct stream *stream)
{
    if (!stream->has_begun || !stream->may_read || stream->has_ended || stream->phase == STREAM_CLOSED)
        return;
    int refused = uv_read_start(uv_of(stream), on_alloc, on_read);
    if (refused && refused != UV_EALREADY) drop(stream);
}

void stream_stop_reading(struct stream *stream)
{
    if (stream->phase != STREAM_LIVE) return;
    stream->may_read = false;
    (void)uv_read_stop(uv_of(stream)); /* always 0 */
}

void stream_start_reading(struct stream *stream)
{
    if (stream->phase != STREAM_LIVE) return;
    stream->may_read = true;
    read_if_due(stream);
}

/* ---- leaving politely ---- */

/* Closing a socket while the peer still sends makes the kernel reset the connection, and the reset may
 * overtake our last reply (RFC 9112 §9.6). So: send, shut our side, throw away what comes until the peer ends
 * or time is up. */
static void on_patience_over(struct deadline *deadline)
{
    struct stream_rest *rest =
        (struct stream_rest *)((char *)deadline - offsetof(struct stream_rest, patience));
    struct stream *stream = rest->stream;
    struct loop *loop = loop_of_stream(stream);
    bool is_live = stream->phase == STREAM_LIVE;
    size_t now = taken(stream);
    if (now > rest->taken_before &&
        (is_live || (stream->phase == STREAM_LEAVING && rest->rounds_left-- > 0))) {
        int64_t again_ms = is_live ? STREAM_STALL_MS : PATIENCE_MS;
        rest->taken_before = now;
        if (deadline_set(loop, deadline, loop_tick_ms(loop) + again_ms, on_patience_over) == ERR_OK) return;
    }
    drop(stream);
}

static void be_patient(struct stream *stream)
{
    struct loop *loop = loop_of_stream(stream);
    struct stream_rest *rest = stream->rest;
    rest->taken_before = taken(stream);
    rest->rounds_left = PATIENCE_ROUNDS;
    if (deadline_set(loop, &rest->patience, loop_tick_ms(loop) + PATIENCE_MS, on_patience_over) != ERR_OK)
        drop(stream);
}

static void shut_our_side(struct stream *stream)
{
    int fd = -1;
    stream->phase = STREAM_LINGERING;
    /* libuv's own uv_shutdown would need a request; nothing is queued here, so the call itself will do. */
    bool is_shut = uv_fileno((uv_handle_t *)&stream->tcp, &fd) == 0 && shutdown(fd, SHUT_WR) == 0;
    if (!is_shut || stream->has_ended)
        drop(stream);
    else
        be_patient(stream);
}

void stream_close_after_sending(struct stream *stream)
{
    struct buf *cipher = &loop_of_stream(stream)->cipher;
    if (stream->phase != STREAM_LIVE) return;
    if (!rest_of(stream)) {
        drop(stream);
        return;
    }
    if (stream->tls) {
        buf_reset(cipher);
        tls_session_end(stream->tls, cipher);
        if (cipher->len) send_raw(stream, buf_bytes(cipher));
        if (stream->phase == STREAM_CLOSED) return;
    }
    stream->phase = STREAM_LEAVING;
    stream->may_read = true; /* to see the peer's end; on_read throws the bytes away */
    if (stream_unsent(stream) == 0 && !stream->rest->is_writing)
        shut_our_side(stream);
    else
        be_patient(stream);
    read_if_due(stream);
}

/* Bytes that are known to be the last may wait for the end behind them and travel in one packet with it: half
 * the work, where thousands are sent away. False: nothing was sent, or there is more to it than that. */
static bool send_held_back(struct stream *stream, struct bytes *b)
{
    int fd = -1;
    ssize_t sent;
    if (stream->phase != STREAM_LIVE || stream->tls || stream->rest || !b->len) return false;
    if (uv_fileno((uv_handle_t *)&stream->tcp, &fd) != 0) return false;
    sent = send(fd, b->ptr, b->len, MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return false;
    *b = bytes_from(*b, (size_t)sent);
    return true;
}

void stream_end_with(struct stream *stream, struct bytes last)
{
    if (!send_held_back(stream, &last) || last.len) stream_write(stream, last);
    stream_close_after_sending(stream); /* whose shutdown sends what is held back */
}

/* ---- coming ---- */

enum err stream_new(struct stream **out, struct listener *listener, struct loop *loop, struct tls *tls,
                    int fd)
{
    enum err e = ERR_OK;
    *out = NULL;
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        close(fd);
        return ERR_NO_MEMORY;
    }
    stream->listener = listener;
    stream->may_read = true;
    if (tls) TRY(e = tls_session_new(&stream->tls, tls), done);
    /* Neither fails for a fresh socket and a loop that runs; if it did, closing would be a turn too
     * late to report. */
    if (uv_tcp_init(&loop->uv, &stream->tcp) != 0) {
        e = ERR_IO;
        goto done;
    }
    stream->tcp.data = &stream_part;
    if (uv_tcp_open(&stream->tcp, fd) != 0)
        close(fd); /* the first read or write then says so, and it closes */
    *out = stream;
    return ERR_OK;
done:
    tls_session_free(stream->tls);
    free(stream);
    close(fd);
    return e;
}

void stream_begin(struct stream *stream)
{
    stream->has_begun = true;
    if (!stream->user)
        drop(stream);
    else
        read_if_due(stream);
}

void stream_attach(struct stream *stream, const struct stream_user *user, void *owner)
{
    stream->user = user;
    stream->owner = owner;
}

struct loop *stream_loop(const struct stream *stream)
{
    return loop_of_stream(stream);
}

bool stream_is_tls(const struct stream *stream)
{
    return stream->tls != NULL;
}

void stream_peer(const struct stream *stream, char out[46])
{
    struct sockaddr_storage address = {0};
    int len = sizeof address;
    const char *mapped = "::ffff:"; /* RFC 4291 §2.5.5.2: an IPv4 peer of a socket that speaks both */
    out[0] = 0;
    if (uv_tcp_getpeername(&stream->tcp, (struct sockaddr *)&address, &len) != 0) return; /* gone already */
    if (address.ss_family == AF_INET) {
        (void)uv_ip4_name((struct sockaddr_in *)&address, out, 46); /* 46 bytes hold any */
        return;
    }
    if (address.ss_family != AF_INET6) return; /* a local socket */
    (void)uv_ip6_name((struct sockaddr_in6 *)&address, out, 46);
    if (strncmp(out, mapped, strlen(mapped)) == 0 && strchr(out, '.'))
        memmove(out, out + strlen(mapped), strlen(out) - strlen(mapped) + 1);
}
