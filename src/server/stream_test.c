#include "harness/stream_scene.h"

#define MIB        1048576
#define LATE_BYTES (32 * MIB) /* more than the socket buffers of both ways take */

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

/* The client goes on sending megabytes that nobody wants; it must get the whole reply and an
 * end, not a reset. */
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

/* On the loop, and so after whatever it did before the peer saw the end: patience is over, look at deadlines. */
static void nudge(struct mail *mail)
{
    struct nudge *it = (struct nudge *)mail;
    ahead_ms += 2000;
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
    loop_post(scene.loop, &it.mail);
    CHECK(bell_wait(&scene.gone));
    close(fd);
    scene_close(&scene);
}

static void end_bytes(void *owner, uint8_t *bytes, size_t len)
{
    static uint8_t before[200000];
    struct conn *conn = owner;
    size_t wanted = bytes[0] == 'm' ? sizeof before : 0; /* more than the peer's window, or nothing */
    count_bytes(conn, len);
    stream_write(conn->stream, bytes_of(before, wanted));
    stream_end_with(conn->stream, bytes[0] == '0' ? BYTES_NONE : BYTES("last words"));
    stream_end_with(conn->stream, BYTES("ignored"));
    conn->is_closed = true;
}
static const struct stream_user ender = {end_bytes, on_end_close, on_sent_count, on_gone};

/* Once, whole, behind all that was written before, and then the end. */
static void ends_with_its_last_words(void)
{
    static const struct {
        const char *said;
        size_t before, words;
    } rows[] = {{"0", 0, 0}, {"x", 0, 10}, {"m", 200000, 10}};
    static uint8_t back[300000];
    struct scene scene;
    scene_open(&scene, &ender, false);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = peer_connect(scene.port);
        CHECK_NOTE("%s", rows[i].said);
        CHECK(peer_send(fd, bytes_of_text(rows[i].said)));
        CHECK_INT(peer_read(fd, back, sizeof back), rows[i].before + rows[i].words);
        CHECK_INT(errno, 0);
        CHECK_BYTES(bytes_of(back + rows[i].before, rows[i].words),
                    bytes_part(BYTES("last words"), 0, rows[i].words));
        close(fd);
        CHECK(bell_wait(&scene.gone));
    }
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
    CHECK_RUN(ends_with_its_last_words);
    CHECK_RUN(closes_all_when_the_loop_stops);
    CHECK_RUN(echoes_plain);
    CHECK_RUN(echoes_by_tls);
    CHECK_RUN(holds_back_a_peer_that_reads_late);
    remove_dev_files();
    return CHECK_END();
}
