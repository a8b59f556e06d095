/* What a neighbour told a loop comes before what its peer says afterwards. */
#include "server/stream.h"

#include <stdatomic.h>

#include "harness/peer.h"
#include "server/listener.h"

static struct clock test_clock;

struct letter {
    struct mail mail; /* first member */
    _Atomic bool is_open;
};

static struct letter letter;
static struct stream *stream; /* on the loop's thread only */
static _Atomic bool was_open;
static sem_t heard, held, gone;

static void open_letter(struct mail *mail)
{
    ((struct letter *)mail)->is_open = true;
}

static void hold_bytes(void *owner, uint8_t *bytes, size_t len)
{
    (void)owner;
    (void)bytes;
    (void)len;
    was_open = letter.is_open;
    sem_post(&heard); /* it goes on when the test has done its next step */
    CHECK(bell_wait(&held));
}

static void on_end(void *owner)
{
    (void)owner;
    stream_close(stream);
}

static void on_sent(void *owner)
{
    (void)owner;
}

static void on_gone(void *owner)
{
    (void)owner;
    sem_post(&gone);
}

static const struct stream_user holding = {hold_bytes, on_end, on_sent, on_gone};

static void on_accept(void *state, struct stream *accepted)
{
    stream = accepted;
    stream_attach(stream, &holding, state);
}

/* The connection is in epoll's list of ready ones for longer than the wake-up, so it is told of first. */
static void opens_earlier_mail_before_it_gives_bytes(void)
{
    struct loop *loop;
    struct listener *listener;
    const char *why;
    struct listener_options options = {.host = "127.0.0.1", .streams_max = 1, .accept = on_accept};
    sem_init(&heard, 0, 0);
    sem_init(&held, 0, 0);
    sem_init(&gone, 0, 0);
    letter.mail.open = open_letter;
    clock_start(&test_clock, host_machine(), 0);
    CHECK(loop_new(&loop, 0, &test_clock) == ERR_OK);
    CHECK(listener_open(&listener, loop, &options, &why) == ERR_OK);
    CHECK(loop_start(loop) == ERR_OK);
    int fd = peer_connect(listener_port(listener));
    CHECK(peer_send(fd, BYTES("first")));
    CHECK(bell_wait(&heard));
    CHECK(!was_open);
    loop_post(loop, &letter.mail);
    CHECK(peer_send(fd, BYTES("second")));
    sem_post(&held);
    CHECK(bell_wait(&heard));
    CHECK(was_open);
    sem_post(&held);
    close(fd);
    CHECK(bell_wait(&gone));
    loop_stop(loop);
    loop_join(loop);
    loop_free(loop);
}

int main(void)
{
    CHECK_RUN(opens_earlier_mail_before_it_gives_bytes);
    return CHECK_END();
}
