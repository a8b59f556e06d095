/* loop_inside.h — what loop, listener and stream know of each other, and nobody else does: the libuv side.
 *
 * Every handle's `data` points to a struct loop_part, so that a stopping loop can close whatever it
 * finds. The three buffers are shared by all streams of a loop: each is filled and emptied within one
 * call, so none is ever in use when another stream gets its turn; only the bytes given to on_bytes stay
 * valid until that returns. */
#ifndef COATCHECK_SERVER_LOOP_INSIDE_H
#define COATCHECK_SERVER_LOOP_INSIDE_H

#include <uv.h>

#include "base/buf.h"
#include "server/deadline.h"
#include "server/listener.h"

#define LOOP_READ_BYTES 65536 /* one read of a socket */
#define LOOP_SCRATCH_BYTES                                                                                   \
    262144 /* a read's plain or cipher bytes: at most LOOP_READ_BYTES and one TLS record kept before */

struct loop_part {
    void (*close)(uv_handle_t *handle); /* the loop stops */
};

struct loop_time { /* behind a pointer, as asking a const loop for the time may read the clock */
    int64_t now_ms, wall_ms, step_ms, tick_ms;
    uint64_t uv_ms; /* libuv's time when they were read: it moves whenever epoll has come back */
    bool is_fresh;
};

struct loop {
    uv_loop_t uv; /* its data is the loop */
    uv_async_t wake;
    uv_timer_t timer;
    uv_prepare_t turn;
    uv_thread_t thread;
    struct clock *clock;
    struct loop_time *time;
    struct loop_time time_read;
    struct deadline_heap deadlines;
    int64_t timer_at_ms; /* on the monotonic clock; DEADLINE_NEVER: not armed */
    bool is_late;        /* deadlines are, and the sockets have the turn */
    struct buf plain;    /* what a TLS stream has just received */
    struct buf cipher;   /* what it is about to send */
    unsigned index;
    unsigned errands;     /* on their way */
    bool has_thread;      /* started and not yet joined */
    bool is_winding_down; /* all is being closed; nothing may be opened */
    struct mailbox later; /* the loop's own letters to itself */
    uint8_t read_bytes[LOOP_READ_BYTES];
    /* Touched by other threads, therefore behind the 64 KiB: no cache line of the loop's own is
     * shared with them. */
    uint8_t apart[64];
    struct mailbox mailbox;
    _Atomic bool must_stop;
};

static inline struct loop *loop_of(const uv_handle_t *handle)
{
    return handle->loop->data;
}

/* Opens what is in the mailbox now. Streams do so before they give bytes: what a neighbour had told this loop
 * before it answered its peer must count for what that peer then asks here, and epoll promises no order. */
void loop_open_mail(struct loop *loop);

/* A stream for an accepted socket. It owns fd afterwards, also on failure. It counts as one of the listener's
 * until listener_stream_gone. */
MUST_USE enum err stream_new(struct stream **out, struct listener *listener, struct loop *loop,
                             struct tls *tls, int fd);
/* the accept function has returned: reads, or closes if nobody attached */
void stream_begin(struct stream *stream);
void listener_stream_gone(struct listener *listener);

#endif
