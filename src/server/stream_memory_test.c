/* Each allocation of a loop's thread fails in turn while a connection is accepted, by plain TCP and by TLS,
 * says something, hears more back than the kernel takes at once, and ends: ours, the TLS library's and
 * libuv's. The peer hears all or sees a close, never a wrong byte; the loop goes on, and the next
 * connection is served. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <uv.h>

#include "harness/peer.h"

#include "harness/failing_memory.h"
#include "server/listener.h"
#include "token/crypto_memory.h"

#define EACH_MAX   20000 /* more than a connection asks for */
#define BACK_BYTES 200000
#define SAID_MAX   ((size_t)64 << 20) /* more than the socket buffers of both ways take */

static char dir[] = "/tmp/coatcheck-streammem-XXXXXX";
static uint8_t back[BACK_BYTES]; /* what a connection says when it has heard a byte */
static SSL_CTX *context;
static struct clock test_clock;

static const char *path_of(const char *name)
{
    static char path[4][128];
    static int turn;
    turn = (turn + 1) % 4;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
    return path[turn];
}

/* ---- the server: answers a byte with many; in plain, with more than the kernel takes ---- */

struct scene {
    struct loop *loop;
    struct listener *listener;
    struct tls *tls;
    int port;
    sem_t said_all, gone;
    _Atomic unsigned accepts, gones;
    _Atomic size_t said; /* to the last connection */
};

struct conn {
    struct scene *scene;
    struct stream *stream;
};

static void on_bytes(void *owner, uint8_t *bytes, size_t len)
{
    struct conn *conn = owner;
    struct scene *scene = conn->scene;
    (void)bytes;
    (void)len;
    do {
        stream_write(conn->stream, bytes_of(back, sizeof back));
        scene->said += sizeof back;
    } while (!scene->tls && !stream_unsent(conn->stream) && scene->said < SAID_MAX);
    sem_post(&scene->said_all);
}

static void on_end(void *owner)
{
    stream_close_after_sending(((struct conn *)owner)->stream);
}

static void on_sent(void *owner)
{
    (void)owner;
}

static void on_gone(void *owner)
{
    struct conn *conn = owner;
    struct scene *scene = conn->scene;
    free(conn);
    scene->gones++;
    sem_post(&scene->gone);
}

static const struct stream_user user = {on_bytes, on_end, on_sent, on_gone};

static void on_accept(void *state, struct stream *stream)
{
    struct conn *conn = calloc(1, sizeof *conn);
    if (!conn) return; /* nobody attached: it is closed */
    conn->scene = state;
    conn->stream = stream;
    conn->scene->accepts++;
    stream_attach(stream, &user, conn);
}

static void scene_open(struct scene *scene, bool with_tls)
{
    struct listener_options options = {
        .host = "127.0.0.1", .streams_max = 100, .accept = on_accept, .state = scene};
    const char *why = "";
    *scene = (struct scene){0};
    sem_init(&scene->said_all, 0, 0);
    sem_init(&scene->gone, 0, 0);
    clock_start(&test_clock, host_machine(), 0);
    CHECK(loop_new(&scene->loop, 0, &test_clock) == ERR_OK);
    if (with_tls) CHECK(tls_open(&scene->tls, path_of("tls.pem"), path_of("tls.key"), &why) == ERR_OK);
    options.tls = scene->tls;
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
}

/* ---- the client ---- */

static size_t read_some(SSL *ssl, int fd, uint8_t *out, size_t len)
{
    size_t got = 0;
    ssize_t n;
    if (ssl) return SSL_read_ex(ssl, out, len, &got) ? got : 0;
    n = recv(fd, out, len, 0);
    return n > 0 ? (size_t)n : 0;
}

static bool say_one_byte(SSL *ssl, int fd)
{
    size_t sent;
    if (!ssl) return peer_send(fd, BYTES("x"));
    return SSL_connect(ssl) == 1 && SSL_write_ex(ssl, "x", 1, &sent);
}

/* Reads nothing before the server has said all, so that some of it has to be kept. False: it was let go. */
static bool wait_until_said(struct scene *scene, int fd)
{
    uint8_t first;
    return recv(fd, &first, 1, MSG_PEEK) == 1 && bell_wait(&scene->said_all);
}

static bool is_of(const uint8_t *heard, size_t at, size_t len)
{
    size_t i;
    for (i = 0; i < len; i++)
        if (heard[i] != back[(at + i) % BACK_BYTES]) return false;
    return true;
}

/* True: everything came back, and then the end. */
static bool visit(struct scene *scene)
{
    static uint8_t heard[65536];
    int fd = peer_connect(scene->port);
    SSL *ssl = scene->tls ? SSL_new(context) : NULL;
    size_t have = 0, got;
    if (!CHECK(fd >= 0)) return false;
    scene->said = 0;
    if (ssl) (void)SSL_set_fd(ssl, fd);
    if (say_one_byte(ssl, fd) && (ssl || wait_until_said(scene, fd))) {
        if (!ssl) (void)shutdown(fd, SHUT_WR);
        while ((got = read_some(ssl, fd, heard, sizeof heard)) > 0) {
            CHECK(is_of(heard, have, got));
            have += got;
            if (ssl && have == BACK_BYTES) (void)SSL_shutdown(ssl);
        }
    }
    SSL_free(ssl);
    ERR_clear_error();
    close(fd);
    /* whether it was accepted is known by now; nothing of it is under way when the next one comes */
    while (scene->gones != scene->accepts && bell_wait(&scene->gone))
        continue;
    while (sem_trywait(&scene->said_all) == 0)
        continue;
    return have && have == scene->said;
}

static void fails_cleanly_at_each_allocation(bool with_tls)
{
    struct scene scene;
    bool has_failed = true;
    long n = 0;
    scene_open(&scene, with_tls);
    CHECK(visit(&scene)); /* the loop's own buffers and the library's are there */
    for (; has_failed && n < EACH_MAX; n++) {
        bool is_good;
        CHECK_NOTE("allocation %ld", n);
        memory_fail(n, 1);
        is_good = visit(&scene);
        has_failed = memory_relent();
        if (!has_failed) CHECK(is_good);
        if (n % 8 == 0) CHECK(visit(&scene));
    }
    CHECK(!has_failed);
    CHECK(visit(&scene));
    scene_close(&scene);
    printf("%ld allocations\n", n - 1);
}

static void plain_connections_fail_cleanly_at_each_allocation(void)
{
    fails_cleanly_at_each_allocation(false);
}

static void tls_connections_fail_cleanly_at_each_allocation(void)
{
    fails_cleanly_at_each_allocation(true);
}

/* ---- libuv asks here, too ---- */

static void *uv_wants(size_t size)
{
    return malloc(size);
}

static void *uv_wants_more(void *old, size_t size)
{
    return realloc(old, size);
}

static void *uv_wants_zeroes(size_t count, size_t size)
{
    return calloc(count, size);
}

static void uv_gives_back(void *block)
{
    free(block);
}

int main(void)
{
    static const char *const files[] = {"ca.pem", "tls.pem", "tls.key"};
    const char *why;
    size_t i;
    memory_is_spared = true; /* this thread is the peers' */
    for (i = 0; i < sizeof back; i++)
        back[i] = (uint8_t)(i * 7 + i / 251);
    if (uv_replace_allocator(uv_wants, uv_wants_more, uv_wants_zeroes, uv_gives_back) ||
        crypto_memory_guard() || !mkdtemp(dir) || tls_make_dev_files(dir, &why))
        return EXIT_FAILURE;
    context = SSL_CTX_new(TLS_client_method());
    CHECK(SSL_CTX_load_verify_file(context, path_of("ca.pem")) == 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    CHECK_RUN(plain_connections_fail_cleanly_at_each_allocation);
    CHECK_RUN(tls_connections_fail_cleanly_at_each_allocation);
    SSL_CTX_free(context);
    for (i = 0; i < 3; i++)
        (void)unlink(path_of(files[i]));
    (void)rmdir(dir);
    return CHECK_END();
}
