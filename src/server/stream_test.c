#include "server/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/dice.h"
#include "harness/peer.h"
#include "server/listener.h"

static struct clock test_clock;

#define MIB        1048576
#define LATE_BYTES (32 * MIB) /* more than the socket buffers of both ways take */

/* ---- a scene: one loop, one listener, and what its connections do ---- */

struct scene {
    struct loop *loop;
    struct listener *listener;
    struct tls *tls;
    const struct stream_user *user;
    int port;
    sem_t accepted, ended, held, gone;
    _Atomic unsigned accepts, bytes_calls, ends, sents, gones, after_close;
    _Atomic size_t received, unsent_most;
    char peer[46];
    struct stream *stream; /* the last one; on the loop's thread only */
};

struct conn {
    struct scene *scene;
    struct stream *stream;
    bool is_closed;
};

static _Atomic int64_t ahead_ms; /* of the real clock */

static int64_t wall_ms(void *state)
{
    (void)state;
    return host_machine()->wall_ms(NULL);
}

static int64_t monotonic_ms(void *state)
{
    (void)state;
    return host_machine()->monotonic_ms(NULL) + ahead_ms;
}

static const struct host shifted = {wall_ms, monotonic_ms, monotonic_ms, {NULL, NULL}, NULL};

static void on_accept(void *state, struct stream *stream)
{
    struct scene *scene = state;
    struct conn *conn = calloc(1, sizeof *conn);
    conn->scene = scene;
    conn->stream = stream;
    scene->stream = stream;
    scene->accepts++;
    stream_peer(stream, scene->peer);
    CHECK(stream_loop(stream) == scene->loop);
    CHECK(stream_is_tls(stream) == (scene->tls != NULL));
    stream_attach(stream, scene->user, conn);
    sem_post(&scene->accepted);
}

static void count_bytes(struct conn *conn, size_t len)
{
    conn->scene->bytes_calls++;
    conn->scene->received += len;
    conn->scene->after_close += conn->is_closed;
}

static void on_end_close(void *owner)
{
    struct conn *conn = owner;
    conn->scene->ends++;
    conn->scene->after_close += conn->is_closed;
    sem_post(&conn->scene->ended);
    stream_close(conn->stream);
    conn->is_closed = true;
}

static void on_sent_count(void *owner)
{
    struct conn *conn = owner;
    conn->scene->sents++;
    conn->scene->after_close += conn->is_closed;
}

static void on_gone(void *owner)
{
    struct conn *conn = owner;
    struct scene *scene = conn->scene;
    if (scene->stream == conn->stream) scene->stream = NULL;
    free(conn);
    scene->gones++;
    sem_post(&scene->gone);
}

static const char *dev_dir(void) /* certificates for all TLS scenes */
{
    static char dir[] = "/tmp/coatcheck-stream-XXXXXX";
    static bool is_made;
    const char *why;
    if (!is_made) CHECK(mkdtemp(dir) && tls_make_dev_files(dir, &why) == ERR_OK);
    is_made = true;
    return dir;
}

static const char *dev_file(const char *name)
{
    static char path[3][128];
    static int turn;
    turn = (turn + 1) % 3;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", dev_dir(), name);
    return path[turn];
}

static void scene_open(struct scene *scene, const struct stream_user *user, bool with_tls)
{
    const char *why = "";
    *scene = (struct scene){.user = user};
    sem_init(&scene->accepted, 0, 0);
    sem_init(&scene->ended, 0, 0);
    sem_init(&scene->held, 0, 0);
    sem_init(&scene->gone, 0, 0);
    clock_start(&test_clock, &shifted, 0);
    CHECK(loop_new(&scene->loop, 0, &test_clock) == ERR_OK);
    if (with_tls) CHECK(tls_open(&scene->tls, dev_file("tls.pem"), dev_file("tls.key"), &why) == ERR_OK);
    struct listener_options options = {
        .host = "127.0.0.1", .tls = scene->tls, .streams_max = 100, .accept = on_accept, .state = scene};
    CHECK(listener_open(&scene->listener, scene->loop, &options, &why) == ERR_OK);
    scene->port = listener_port(scene->listener);
    CHECK(loop_start(scene->loop) == ERR_OK);
}

static void scene_close(struct scene *scene)
{
    loop_stop(scene->loop);
    loop_join(scene->loop);
    loop_free(scene->loop);
    tls_free(scene->tls);
    CHECK_INT(scene->gones, scene->accepts);
    CHECK_INT(scene->after_close, 0);
}

/* ---- a client that reads while it writes, plain or by libssl ---- */

struct client {
    int fd;
    SSL_CTX *context;
    SSL *ssl;
};

static bool client_open(struct client *client, const struct scene *scene)
{
    *client = (struct client){.fd = peer_connect(scene->port)};
    if (!CHECK(client->fd >= 0) || !scene->tls) return client->fd >= 0;
    client->context = SSL_CTX_new(TLS_client_method());
    CHECK(SSL_CTX_load_verify_file(client->context, dev_file("ca.pem")) == 1);
    SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, NULL);
    client->ssl = SSL_new(client->context);
    SSL_set_mode(client->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    CHECK(SSL_set1_host(client->ssl, "coatcheck.localhost") == 1);
    SSL_set_tlsext_host_name(client->ssl, "coatcheck.localhost");
    SSL_set_fd(client->ssl, client->fd);
    return CHECK(SSL_connect(client->ssl) == 1);
}

static void client_close(struct client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    close(client->fd);
    ERR_clear_error();
}

static size_t client_write(struct client *client, struct bytes b)
{
    size_t sent = 0;
    if (client->ssl) return SSL_write_ex(client->ssl, b.ptr, b.len, &sent) ? sent : 0;
    ssize_t n = send(client->fd, b.ptr, b.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n > 0 ? (size_t)n : 0;
}

static size_t client_read(struct client *client, uint8_t *out, size_t len)
{
    size_t got = 0;
    if (client->ssl) return SSL_read_ex(client->ssl, out, len, &got) ? got : 0;
    ssize_t n = recv(client->fd, out, len, MSG_DONTWAIT);
    return n > 0 ? (size_t)n : 0;
}

/* Sends all of out in odd pieces and reads as much back; false if the peer stops talking. */
static bool client_exchange(struct client *client, struct bytes out, uint8_t *back)
{
    struct dice_seeded seed;
    struct dice dice = dice_from_seed(&seed, 5);
    size_t sent = 0, have = 0;
    struct pollfd wait = {.fd = client->fd};
    if (client->ssl) BIO_socket_nbio(client->fd, 1);
    while (have < out.len) {
        size_t piece = 1 + dice_below(&dice, dice_below(&dice, 8) ? 3000 : 70000), wrote = 0, got;
        if (sent < out.len) wrote = client_write(client, bytes_part(out, sent, piece));
        sent += wrote;
        got = client_read(client, back + have, out.len - have);
        have += got;
        if (wrote || got) continue;
        wait.events = (short)(POLLIN | (sent < out.len ? POLLOUT : 0));
        if (poll(&wait, 1, PEER_GUARD_S * 1000) <= 0 || (wait.revents & (POLLERR | POLLHUP))) return false;
    }
    return true;
}

/* ---- echo, with back-pressure as a protocol would do it ---- */

static void echo_bytes(void *owner, uint8_t *bytes, size_t len)
{
    struct conn *conn = owner;
    count_bytes(conn, len);
    stream_write(conn->stream, bytes_of(bytes, len));
    size_t unsent = stream_unsent(conn->stream);
    if (unsent > conn->scene->unsent_most) conn->scene->unsent_most = unsent;
    if (!unsent) return;
    stream_stop_reading(conn->stream);
    sem_post(&conn->scene->held);
}

static void echo_sent(void *owner)
{
    struct conn *conn = owner;
    on_sent_count(owner);
    CHECK_INT(stream_unsent(conn->stream), 0);
    stream_start_reading(conn->stream);
}

static const struct stream_user echo = {echo_bytes, on_end_close, echo_sent, on_gone};

static void echo_a_mebibyte(bool with_tls)
{
    static uint8_t out[MIB], back[MIB];
    struct dice_seeded seed;
    struct dice dice = dice_from_seed(&seed, 9);
    struct scene scene;
    struct client client;
    dice_fill(&dice, out, sizeof out);
    memset(back, 0, sizeof back);
    scene_open(&scene, &echo, with_tls);
    if (client_open(&client, &scene)) {
        CHECK(client_exchange(&client, bytes_of(out, sizeof out), back));
        CHECK(memcmp(out, back, sizeof out) == 0);
        CHECK(strcmp(scene.peer, "127.0.0.1") == 0);
    }
    client_close(&client);
    CHECK(bell_wait(&scene.gone));
    scene_close(&scene);
    CHECK_INT(scene.received, MIB);
}

static void echoes_plain(void)
{
    echo_a_mebibyte(false);
}

static void echoes_by_tls(void)
{
    echo_a_mebibyte(true);
}

/* The client writes everything before it reads anything: the server must stop reading, and lose nothing. */
static void *write_all(void *argument)
{
    static uint8_t out[LATE_BYTES];
    int fd = *(int *)argument;
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i * 31 >> 3);
    return peer_send(fd, bytes_of(out, sizeof out)) ? argument : NULL;
}

static void holds_back_a_peer_that_reads_late(void)
{
    static uint8_t back[LATE_BYTES];
    struct scene scene;
    pthread_t writer;
    void *is_written;
    size_t wrong = 0;
    scene_open(&scene, &echo, false);
    int fd = peer_connect(scene.port);
    CHECK(pthread_create(&writer, NULL, write_all, &fd) == 0);
    CHECK(bell_wait(&scene.held)); /* the server has stopped reading */
    CHECK_INT(peer_read(fd, back, sizeof back), sizeof back);
    pthread_join(writer, &is_written);
    CHECK(is_written != NULL);
    for (size_t i = 0; i < sizeof back; i++)
        wrong += back[i] != (uint8_t)(i * 31 >> 3);
    CHECK_INT(wrong, 0);
    close(fd);
    CHECK(bell_wait(&scene.gone));
    CHECK(scene.unsent_most <= STREAM_UNSENT_MAX);
    scene_close(&scene);
}

/* ---- closing ---- */

static void flood_bytes(void *owner, uint8_t *bytes, size_t len)
{
    static const uint8_t block[32768];
    struct conn *conn = owner;
    (void)bytes;
    count_bytes(conn, len);
    for (int i = 0; i < 2000;
         i++) { /* 64 MB: more than any socket takes; the rest is ignored once it is closed */
        stream_write(conn->stream, bytes_of(block, sizeof block));
        size_t unsent = stream_unsent(conn->stream);
        if (unsent > conn->scene->unsent_most) conn->scene->unsent_most = unsent;
    }
    conn->is_closed = true; /* by the stream itself */
}
static const struct stream_user flood = {flood_bytes, on_end_close, on_sent_count, on_gone};

static void closes_on_a_peer_that_does_not_read(bool with_tls)
{
    struct scene scene;
    struct client client;
    scene_open(&scene, &flood, with_tls);
    CHECK(client_open(&client, &scene));
    CHECK_INT(client_write(&client, BYTES("x")), 1);
    CHECK(bell_wait(&scene.gone));
    CHECK(scene.unsent_most > STREAM_UNSENT_MAX / 2 && scene.unsent_most <= STREAM_UNSENT_MAX);
    client_close(&client);
    scene_close(&scene);
    CHECK_INT(scene.gones, 1);
}

static void closes_on_a_slow_reader(void)
{
    closes_on_a_peer_that_does_not_read(false);
    closes_on_a_peer_that_does_not_read(true);
}

static void quit_bytes(void *owner, uint8_t *bytes, size_t len)
{
    struct conn *conn = owner;
    count_bytes(conn, len);
    stream_write(conn->stream, BYTES("bye"));
    stream_close(conn->stream);
    conn->is_closed = true;
    unsigned gones = conn->scene->gones;
    stream_write(conn->stream, bytes_of(bytes, len));
    stream_stop_reading(conn->stream);
    stream_start_reading(conn->stream);
    stream_close_after_sending(conn->stream);
    stream_close(conn->stream);
    CHECK_INT(conn->scene->gones, gones); /* on_gone comes from a later turn */
}
static const struct stream_user quit = {quit_bytes, on_end_close, on_sent_count, on_gone};

static void may_be_closed_while_it_gives_bytes(bool with_tls)
{
    struct scene scene;
    struct client client;
    char back[8];
    size_t got = 0;
    scene_open(&scene, &quit, with_tls);
    CHECK(client_open(&client, &scene));
    CHECK_INT(client_write(&client, BYTES("hello")), 5);
    if (with_tls) {
        CHECK(SSL_read_ex(client.ssl, back, sizeof back, &got) && got == 3);
        CHECK(!SSL_read_ex(client.ssl, back, sizeof back, &got));
        CHECK_INT(SSL_get_error(client.ssl, 0), SSL_ERROR_ZERO_RETURN); /* close_notify */
    } else {
        CHECK_INT(peer_read(client.fd, back, sizeof back), 3);
        CHECK_INT(errno, 0);
    }
    CHECK(bell_wait(&scene.gone));
    client_close(&client);
    scene_close(&scene);
    CHECK_INT(scene.gones, 1);
    CHECK_INT(scene.bytes_calls, 1);
}

static void closes_within_on_bytes(void)
{
    may_be_closed_while_it_gives_bytes(false);
    may_be_closed_while_it_gives_bytes(true);
}

static void keep_bytes(void *owner, uint8_t *bytes, size_t len)
{
    (void)bytes;
    count_bytes(owner, len);
}

static void reply_at_end(void *owner)
{
    struct conn *conn = owner;
    conn->scene->ends++;
    stream_write(conn->stream, BYTES("all received"));
    stream_close_after_sending(conn->stream);
    conn->is_closed = true;
}
static const struct stream_user reply = {keep_bytes, reply_at_end, on_sent_count, on_gone};

static void still_answers_a_peer_that_has_ended(bool with_tls)
{
    struct scene scene;
    struct client client;
    char back[32];
    size_t got = 0;
    scene_open(&scene, &reply, with_tls);
    CHECK(client_open(&client, &scene));
    CHECK_INT(client_write(&client, BYTES("question")), 8);
    if (with_tls) {
        CHECK_INT(SSL_shutdown(client.ssl), 0); /* our close_notify is out, the server's not in */
        CHECK(SSL_read_ex(client.ssl, back, sizeof back, &got) && got == 12);
        CHECK(!SSL_read_ex(client.ssl, back, sizeof back, &got));
        CHECK_INT(SSL_get_error(client.ssl, 0), SSL_ERROR_ZERO_RETURN);
    } else {
        CHECK(shutdown(client.fd, SHUT_WR) == 0);
        CHECK_INT(peer_read(client.fd, back, sizeof back), 12);
        CHECK_INT(errno, 0);
    }
    CHECK(bell_wait(&scene.gone));
    client_close(&client);
    scene_close(&scene);
    CHECK_INT(scene.ends, 1);
    CHECK_INT(scene.received, 8);
}

static void half_closes(void)
{
    still_answers_a_peer_that_has_ended(false);
    still_answers_a_peer_that_has_ended(true);
}

static void refuse_bytes(void *owner, uint8_t *bytes, size_t len)
{
    static uint8_t reply_bytes[100000];
    struct conn *conn = owner;
    (void)bytes;
    count_bytes(conn, len);
    stream_write(conn->stream, bytes_of(reply_bytes, sizeof reply_bytes));
    stream_close_after_sending(conn->stream);
    stream_write(conn->stream, BYTES("ignored"));
    conn->is_closed = true;
}
static const struct stream_user refuse = {refuse_bytes, on_end_close, on_sent_count, on_gone};

/* The client goes on sending megabytes that nobody wants; it must get the whole reply and an end, not a
 * reset. */
static void refuses_without_losing_the_reply(void)
{
    static uint8_t back[200000], out[MIB];
    struct scene scene;
    scene_open(&scene, &refuse, false);
    int fd = peer_connect(scene.port);
    for (int i = 0; i < 4; i++)
        CHECK(peer_send(fd, bytes_of(out, sizeof out)));
    CHECK_INT(peer_read(fd, back, sizeof back), 100000);
    CHECK_INT(errno, 0);
    CHECK(peer_send(fd, bytes_of(out, sizeof out))); /* it is still there, as we have not ended */
    CHECK_INT(scene.gones, 0);
    close(fd);
    CHECK(bell_wait(&scene.gone));
    scene_close(&scene);
    CHECK_INT(scene.bytes_calls, 1);
}

struct nudge {
    struct mail mail;
    struct scene *scene;
    struct deadline deadline;
};

static void on_nudge_due(struct deadline *deadline)
{
    (void)deadline;
}

static void nudge(struct mail *mail) /* makes the loop look at its deadlines now */
{
    struct nudge *it = (struct nudge *)mail;
    CHECK(deadline_set(it->scene->loop, &it->deadline, INT64_MIN, on_nudge_due) == ERR_OK);
}

static void gives_up_on_a_peer_that_never_ends(void)
{
    static uint8_t back[200000];
    struct scene scene;
    struct nudge it = {.mail.open = nudge, .scene = &scene};
    scene_open(&scene, &refuse, false);
    int fd = peer_connect(scene.port);
    CHECK(peer_send(fd, BYTES("x")));
    CHECK_INT(peer_read(fd, back, sizeof back), 100000);
    ahead_ms += 2000; /* patience is over */
    loop_post(scene.loop, &it.mail);
    CHECK(bell_wait(&scene.gone));
    close(fd);
    scene_close(&scene);
}

/* ---- a peer that stops reading, with less kept for it than the limit ---- */

static void stuff_bytes(void *owner, uint8_t *bytes, size_t len)
{
    static const uint8_t block[32768];
    struct conn *conn = owner;
    (void)bytes;
    count_bytes(conn, len);
    while (!stream_unsent(conn->stream)) /* until the kernels are full */
        stream_write(conn->stream, bytes_of(block, sizeof block));
    sem_post(&conn->scene->held);
}
static const struct stream_user stuff = {stuff_bytes, on_end_close, on_sent_count, on_gone};

struct passing {
    struct mail mail;
    struct scene *scene;
    struct deadline deadline;
    sem_t over;
    size_t unsent;
};

static void on_passed(struct deadline *deadline)
{
    struct passing *it = (struct passing *)(void *)((char *)deadline - offsetof(struct passing, deadline));
    it->unsent = it->scene->stream ? stream_unsent(it->scene->stream) : 0;
    sem_post(&it->over);
}

static void pass(struct mail *mail) /* what was due before is over when this is */
{
    struct passing *it = (struct passing *)mail;
    CHECK(deadline_set(it->scene->loop, &it->deadline, monotonic_ms(NULL), on_passed) == ERR_OK);
}

static size_t pass_time(struct scene *scene, int64_t ms) /* what is kept for the peer by then */
{
    struct passing it = {.mail.open = pass, .scene = scene};
    sem_init(&it.over, 0, 0);
    ahead_ms += ms;
    loop_post(scene->loop, &it.mail);
    CHECK(bell_wait(&it.over));
    return it.unsent;
}

static void cuts_a_peer_that_stops_reading(bool with_tls)
{
    struct scene scene;
    struct client client;
    scene_open(&scene, &stuff, with_tls);
    CHECK(client_open(&client, &scene));
    CHECK_INT(client_write(&client, BYTES("x")), 1);
    CHECK(bell_wait(&scene.held));
    CHECK(pass_time(&scene, STREAM_STALL_MS - 1000) > 0);
    CHECK_INT(scene.gones, 0);
    (void)pass_time(&scene, 1000);
    CHECK(bell_wait(&scene.gone));
    client_close(&client);
    scene_close(&scene);
    CHECK_INT(scene.gones, 1);
}

static void cuts_who_stops_reading(void)
{
    cuts_a_peer_that_stops_reading(false);
    cuts_a_peer_that_stops_reading(true);
}

/* Whoever takes a little each time is slow, and no more: its bytes reach it, however long that takes. */
static void keeps_who_reads_slowly(void)
{
    static uint8_t back[65536];
    struct client client;
    struct scene scene;
    size_t kept;
    scene_open(&scene, &stuff, false);
    CHECK(client_open(&client, &scene));
    CHECK_INT(client_write(&client, BYTES("x")), 1);
    CHECK(bell_wait(&scene.held));
    while ((kept = pass_time(&scene, 0)) > 0) {
        while (pass_time(&scene, 0) == kept) /* until the kernels have room again */
            (void)client_read(&client, back, sizeof back);
        (void)pass_time(&scene, STREAM_STALL_MS);
    }
    CHECK_INT(scene.sents, 1);
    CHECK_INT(scene.gones, 0);
    (void)pass_time(&scene, 10 * STREAM_STALL_MS); /* with nothing kept there is no such time */
    CHECK_INT(scene.gones, 0);
    client_close(&client);
    CHECK(bell_wait(&scene.gone));
    scene_close(&scene);
}

static void closes_all_when_the_loop_stops(void)
{
    int fd[20];
    struct scene scene;
    scene_open(&scene, &echo, false);
    for (int i = 0; i < 20; i++) {
        fd[i] = peer_connect(scene.port);
        CHECK(bell_wait(&scene.accepted));
    }
    scene_close(&scene);
    CHECK_INT(scene.gones, 20);
    for (int i = 0; i < 20; i++)
        close(fd[i]);
}

/* ---- TLS gone wrong ---- */

static void closes_on_plain_bytes_where_tls_is_due(void)
{
    static const struct bytes rows[] = {BYTES("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                                        BYTES("\x16\x03\x01\xff\xff"), BYTES("\0\0\0\0\0\0\0\0"),
                                        BYTES("\x15\x03\x01\x00\x02\x02\x28")};
    char back[64];
    struct scene scene;
    scene_open(&scene, &echo, true);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_NOTE("row %zu", i);
        int fd = peer_connect(scene.port);
        CHECK(peer_send(fd, rows[i]));
        CHECK(peer_read(fd, back, sizeof back) < 16); /* an alert at most */
        close(fd);
        CHECK(bell_wait(&scene.gone));
    }
    scene_close(&scene);
    CHECK_INT(scene.bytes_calls, 0);
    CHECK_INT(scene.ends, 0);
}

static void says_what_was_wrong_with_a_record(void)
{
    static const uint8_t forged[] = "\x17\x03\x03\x00\x20 forged forged forged forged fo";
    struct scene scene;
    struct client client;
    char back[8];
    size_t got;
    scene_open(&scene, &echo, true);
    CHECK(client_open(&client, &scene));
    CHECK(peer_send(client.fd, bytes_of(forged, 5 + 32)));
    CHECK(!SSL_read_ex(client.ssl, back, sizeof back, &got));
    CHECK_INT(ERR_GET_REASON(ERR_peek_error()), SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
    client_close(&client);
    CHECK(bell_wait(&scene.gone));
    scene_close(&scene);
    CHECK_INT(scene.bytes_calls, 0);
}

static void tells_of_a_peer_that_left_without_a_handshake(void)
{
    struct scene scene;
    scene_open(&scene, &reply, true); /* its reply cannot be sent: closes, no more */
    int fd = peer_connect(scene.port);
    close(fd);
    CHECK(bell_wait(&scene.gone));
    scene_close(&scene);
    CHECK_INT(scene.ends, 1);
}

static void remove_dev_files(void)
{
    (void)unlink(dev_file("ca.pem"));
    (void)unlink(dev_file("tls.pem"));
    (void)unlink(dev_file("tls.key"));
    (void)rmdir(dev_dir());
}

int main(void)
{
    CHECK_RUN(closes_on_a_slow_reader);
    CHECK_RUN(closes_on_plain_bytes_where_tls_is_due);
    CHECK_RUN(says_what_was_wrong_with_a_record);
    CHECK_RUN(tells_of_a_peer_that_left_without_a_handshake);
    CHECK_RUN(closes_within_on_bytes);
    CHECK_RUN(half_closes);
    CHECK_RUN(refuses_without_losing_the_reply);
    CHECK_RUN(gives_up_on_a_peer_that_never_ends);
    CHECK_RUN(cuts_who_stops_reading);
    CHECK_RUN(keeps_who_reads_slowly);
    CHECK_RUN(closes_all_when_the_loop_stops);
    CHECK_RUN(echoes_plain);
    CHECK_RUN(echoes_by_tls);
    CHECK_RUN(holds_back_a_peer_that_reads_late);
    remove_dev_files();
    return CHECK_END();
}
