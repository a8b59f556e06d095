/* stream_scene.h — one loop with one listener, plain or TLS, on a clock that a test moves, and clients that
 * talk to it. For the tests of streams; each includes it once. */
#ifndef COATCHECK_TESTS_STREAM_SCENE_H
#define COATCHECK_TESTS_STREAM_SCENE_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/dice.h"
#include "harness/peer.h"
#include "server/listener.h"
#include "server/stream.h"

static struct clock test_clock;

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

/* Time stands still, but for what a test lets pass: so a machine that stops for a while changes nothing. */
static _Atomic int64_t ahead_ms = 1000000;

static inline int64_t wall_ms(void *state)
{
    (void)state;
    return host_machine()->wall_ms(NULL);
}

static inline int64_t monotonic_ms(void *state)
{
    (void)state;
    return ahead_ms;
}

static const struct host shifted = {wall_ms, monotonic_ms, monotonic_ms, {NULL, NULL}, NULL};

static inline void on_accept(void *state, struct stream *stream)
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

static inline void count_bytes(struct conn *conn, size_t len)
{
    conn->scene->bytes_calls++;
    conn->scene->received += len;
    conn->scene->after_close += conn->is_closed;
}

static inline void on_end_close(void *owner)
{
    struct conn *conn = owner;
    conn->scene->ends++;
    conn->scene->after_close += conn->is_closed;
    sem_post(&conn->scene->ended);
    stream_close(conn->stream);
    conn->is_closed = true;
}

static inline void on_sent_count(void *owner)
{
    struct conn *conn = owner;
    conn->scene->sents++;
    conn->scene->after_close += conn->is_closed;
}

static inline void on_gone(void *owner)
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

static inline void scene_open(struct scene *scene, const struct stream_user *user, bool with_tls)
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

static inline void scene_close(struct scene *scene)
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

static inline bool client_open(struct client *client, const struct scene *scene)
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

static inline void client_close(struct client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    close(client->fd);
    ERR_clear_error();
}

static inline size_t client_write(struct client *client, struct bytes b)
{
    size_t sent = 0;
    if (client->ssl) return SSL_write_ex(client->ssl, b.ptr, b.len, &sent) ? sent : 0;
    ssize_t n = send(client->fd, b.ptr, b.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n > 0 ? (size_t)n : 0;
}

static inline size_t client_read(struct client *client, uint8_t *out, size_t len)
{
    size_t got = 0;
    if (client->ssl) return SSL_read_ex(client->ssl, out, len, &got) ? got : 0;
    ssize_t n = recv(client->fd, out, len, MSG_DONTWAIT);
    return n > 0 ? (size_t)n : 0;
}

static inline void remove_dev_files(void)
{
    (void)unlink(dev_file("ca.pem"));
    (void)unlink(dev_file("tls.pem"));
    (void)unlink(dev_file("tls.key"));
    (void)rmdir(dev_dir());
}

#endif
