/* wsecho.c — a WebSocket peer that sends every message back: `wsecho <port>`, 0 for any free one.
 *
 * It is the server's own code from the socket up: loop, listener, stream, http_request, ws_handshake,
 * ws_frame and ws_message; only what is done with a message is this file's. So what a driver of the protocol
 * finds out about it is true of the server. Two rules are widened, because such drivers need it: binary
 * messages are taken, and one message may hold 16 MiB in any number of fragments. The first line on stdout
 * names the port; it ends at SIGTERM or SIGINT. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/listener.h"
#include "wire/http_reply.h"
#include "wire/ws_handshake.h"
#include "wire/ws_message.h"

static struct clock test_clock;

#define MESSAGE_MAX (16u << 20)
#define UNSENT_MAX  (64u << 20) /* two of the longest messages and what is under way beside them */
#define PIECE_BYTES 65536       /* given to the stream at once; the next when it has gone out */
#define STREAMS_MAX 256

struct echo {
    struct stream *stream;
    struct http_request request;
    struct buf head; /* the upgrade's bytes until it is whole */
    struct ws_message message;
    struct buf out; /* what the peer has not read yet; while there is any, nothing more is read from it */
    size_t sent;    /* bytes of out that the stream has */
    bool is_open;   /* after the upgrade */
    bool closes;    /* once out is empty */
};

/* ---- sending: a stream keeps little for a slow peer, so a long message goes out in pieces ---- */

static void flush(struct echo *echo)
{
    if (buf_error(&echo->out) != ERR_OK) {
        stream_close(echo->stream);
        return;
    }
    while (echo->sent < echo->out.len && stream_unsent(echo->stream) == 0) {
        struct bytes piece = bytes_part(buf_bytes(&echo->out), echo->sent, PIECE_BYTES);
        echo->sent += piece.len;
        stream_write(echo->stream, piece);
    }
    if (echo->sent < echo->out.len) {
        stream_stop_reading(echo->stream);
        return;
    }
    echo->sent = 0;
    buf_release(&echo->out);
    if (echo->closes)
        stream_close_after_sending(echo->stream);
    else
        stream_start_reading(echo->stream);
}

/* ---- receiving ---- */

static void answer(struct echo *echo, const struct ws_message_step *step)
{
    switch (step->event) {
    case WS_MESSAGE_MORE:
    case WS_MESSAGE_PONG:
        return;
    case WS_MESSAGE_TEXT:
        ws_frame_write(&echo->out, WS_TEXT, step->payload);
        return;
    case WS_MESSAGE_BINARY:
        ws_frame_write(&echo->out, WS_BINARY, step->payload);
        return;
    case WS_MESSAGE_PING:
        ws_frame_write(&echo->out, WS_PONG, step->payload);
        return;
    case WS_MESSAGE_CLOSE:
        ws_frame_write_close(&echo->out, step->close_code, step->payload);
        echo->closes = true;
        return;
    case WS_MESSAGE_BROKEN:
        ws_frame_write_close(&echo->out, step->close_code, BYTES(""));
        echo->closes = true;
        return;
    }
}

static void take_frames(struct echo *echo, uint8_t *bytes, size_t len)
{
    struct ws_message_step step;

    do {
        step = ws_message_feed(&echo->message, bytes, len);
        bytes += step.used;
        len -= step.used;
        answer(echo, &step);
    } while (step.event != WS_MESSAGE_MORE && !echo->closes);
}

static void refuse(struct echo *echo, int status)
{
    http_reply_begin(&echo->out, status);
    http_reply_end(&echo->out, BYTES(""), false);
    echo->closes = true;
}

static void upgrade(struct echo *echo)
{
    struct ws_handshake handshake;

    ws_handshake_read(&handshake, &echo->request, echo->head.ptr);
    if (handshake.status != 101) {
        refuse(echo, handshake.status);
        return;
    }
    ws_handshake_reply(&echo->out, &handshake);
    echo->is_open = true;
    take_frames(echo, echo->head.ptr + echo->request.used, echo->head.len - echo->request.used);
    buf_release(&echo->head);
}

static void take_head(struct echo *echo, struct bytes bytes)
{
    buf_append(&echo->head, bytes);
    if (buf_error(&echo->head) != ERR_OK) {
        refuse(echo, 431);
        return;
    }
    for (;;) {
        switch (http_request_feed(&echo->request, echo->head.ptr, echo->head.len)) {
        case HTTP_MORE:
            return;
        case HTTP_HEAD:
            continue;
        case HTTP_REFUSED:
            refuse(echo, echo->request.status);
            return;
        case HTTP_DONE:
            upgrade(echo);
            return;
        }
    }
}

static void on_bytes(void *owner, uint8_t *bytes, size_t len)
{
    struct echo *echo = owner;

    if (echo->closes) return;
    if (echo->is_open)
        take_frames(echo, bytes, len);
    else
        take_head(echo, bytes_of(bytes, len));
    flush(echo);
}

static void on_end(void *owner)
{
    struct echo *echo = owner;

    echo->closes = true;
    flush(echo);
}

static void on_sent(void *owner)
{
    flush(owner);
}

static void on_gone(void *owner)
{
    struct echo *echo = owner;

    ws_message_release(&echo->message);
    buf_release(&echo->head);
    buf_release(&echo->out);
    free(echo);
}

static const struct stream_user user = {on_bytes, on_end, on_sent, on_gone};

static void on_accept(void *state, struct stream *stream)
{
    struct echo *echo = calloc(1, sizeof *echo);

    (void)state; /* one listener, nothing to tell apart */
    if (!echo) {
        stream_close(stream);
        return;
    }
    echo->stream = stream;
    http_request_init(&echo->request);
    buf_init(&echo->head, HTTP_HEAD_MAX + HTTP_BODY_MAX);
    ws_message_init(&echo->message);
    echo->message.message_max = MESSAGE_MAX;
    echo->message.fragments_max = UINT32_MAX;
    echo->message.takes_binary = true;
    buf_init(&echo->out, UNSENT_MAX);
    stream_attach(stream, &user, echo);
}

/* ---- life ---- */

/* Serves until a signal that asks to end. */
static int serve(struct loop *loop, const sigset_t *ending)
{
    int signal;

    if (loop_start(loop) != ERR_OK) return EXIT_FAILURE;
    (void)sigwait(ending, &signal); /* fails for a bad set only */
    loop_stop(loop);
    loop_join(loop);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    char *end = NULL;
    long port = argc == 2 ? strtol(argv[1], &end, 10) : -1;
    struct listener_options options = {.host = "127.0.0.1", .streams_max = STREAMS_MAX, .accept = on_accept};
    struct listener *listener;
    struct loop *loop;
    const char *why = "no memory is left";
    sigset_t ending;
    int status = EXIT_FAILURE;

    if (port < 0 || port > 65535 || *end) {
        fprintf(stderr, "usage: wsecho <port>\n");
        return 2;
    }
    options.port = (int)port;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &ending, NULL); /* before there are threads, so that all inherit it */
    clock_start(&test_clock, host_machine(), 0);
    if (loop_new(&loop, 0, &test_clock) != ERR_OK) return EXIT_FAILURE;
    if (listener_open(&listener, loop, &options, &why) == ERR_OK) {
        printf("ws://127.0.0.1:%d/\n", listener_port(listener));
        fflush(stdout);
        status = serve(loop, &ending);
    } else {
        fprintf(stderr, "wsecho: %s\n", why);
    }
    loop_free(loop);
    return status;
}
