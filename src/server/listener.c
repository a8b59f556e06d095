#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/loop_inside.h"

#define PAUSE_MS    100
#define BACKLOG     4096 /* the kernel cuts it to net.core.somaxconn */
#define ACCEPTS_MAX 64   /* per turn; streams that are open already must not wait for a flood of new ones */

/* The socket is watched by uv_poll and accepted from here, not by uv_listen: libuv 1.44 answers
 * EMFILE by closing every waiting connection, and we want them to wait in the kernel's queue until
 * there is room again. */
struct listener {
    uv_poll_t poll; /* first member */
    int fd;
    int port;
    struct tls *tls;
    struct deadline pause; /* always set, so that moving it cannot fail; DEADLINE_NEVER when accepting */
    unsigned streams, streams_max;
    bool is_watching, is_closed;
    listener_accept_fn *accept;
    void *state;
};

static struct loop *loop_of_listener(const struct listener *listener)
{
    return loop_of((const uv_handle_t *)&listener->poll);
}

/* ---- accepting ---- */

static void on_pause_over(struct deadline *deadline);
static void on_connections(uv_poll_t *poll, int status, int events);

static void pause_until(struct listener *listener, int64_t at_ms)
{
    enum err e = deadline_set(loop_of_listener(listener), &listener->pause, at_ms, on_pause_over);
    (void)e; /* its slot in the heap is there since listener_open */
}

static void watch(struct listener *listener)
{
    bool is_pausing = listener->pause.at_ms != DEADLINE_NEVER;
    bool wanted = !listener->is_closed && !is_pausing && listener->streams < listener->streams_max;
    if (wanted == listener->is_watching) return;
    listener->is_watching = wanted;
    if (wanted)
        (void)uv_poll_start(&listener->poll, UV_READABLE, on_connections); /* cannot fail while open */
    else if (!listener->is_closed)
        (void)uv_poll_stop(&listener->poll);
}

static void on_pause_over(struct deadline *deadline)
{
    struct listener *listener = (struct listener *)((char *)deadline - offsetof(struct listener, pause));
    pause_until(listener, DEADLINE_NEVER);
    watch(listener);
}

static void pause_accepting(struct listener *listener)
{
    pause_until(listener, loop_tick_ms(loop_of_listener(listener)) + PAUSE_MS);
}

static bool is_about_one_connection(int error)
{
    /* accept(2): Linux passes on errors of the new connection; the next one in the queue may be fine. */
    return error == EINTR || error == ECONNABORTED || error == EPROTO || error == ENETDOWN ||
           error == EHOSTDOWN || error == ENONET || error == EHOSTUNREACH || error == ENETUNREACH ||
           error == ENOPROTOOPT || error == EOPNOTSUPP;
}

static bool accept_one(struct listener *listener) /* false: enough for this turn */
{
    struct stream *stream;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (is_about_one_connection(errno)) return true;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            pause_accepting(listener); /* no descriptors, no memory */
        return false;
    }
    if (stream_new(&stream, listener, loop_of_listener(listener), listener->tls, fd) != ERR_OK) {
        pause_accepting(listener);
        return false;
    }
    listener->streams++;
    listener->accept(listener->state, stream);
    stream_begin(stream);
    return true;
}

static void on_connections(uv_poll_t *poll, int status, int events)
{
    struct listener *listener = (struct listener *)poll;
    (void)events;
    if (status < 0) { /* a listening socket in trouble: rest and look again */
        pause_accepting(listener);
        watch(listener);
        return;
    }
    for (int n = 0; n < ACCEPTS_MAX; n++)
        if (listener->is_closed || listener->streams >= listener->streams_max || !accept_one(listener)) break;
    watch(listener);
}

/* ---- life ---- */

static const char *explain(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "the port is in use";
    case EACCES:
    case EPERM:
        return "this port needs more rights";
    case EADDRNOTAVAIL:
        return "this machine does not have the address";
    case EAFNOSUPPORT:
        return "this machine does not speak this kind of address";
    case EMFILE:
    case ENFILE:
        return "no file descriptors are left";
    default:
        return "the system refused a listening socket";
    }
}

static bool read_address(struct sockaddr_storage *out, const char *host, int port)
{
    memset(out, 0, sizeof *out);
    return uv_ip4_addr(host, port, (struct sockaddr_in *)out) == 0 ||
           uv_ip6_addr(host, port, (struct sockaddr_in6 *)out) == 0;
}

static int port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {.v6 = {.sin6_port = 0}};
    socklen_t len = sizeof address;
    if (getsockname(fd, &address.any, &len) != 0) return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* A socket that listens, or -1 with errno. */
static int listen_at(const struct sockaddr_storage *address)
{
    const int on = 1, off = 0;
    bool is_ip6 = address->ss_family == AF_INET6;
    socklen_t len = is_ip6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    /* REUSEADDR: a restart must not wait for TIME_WAIT. REUSEPORT: one socket per loop. NODELAY: we write
     * whole messages; Linux hands it down to accepted sockets, which saves a call for each. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
        (!is_ip6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) &&
        bind(fd, (const struct sockaddr *)address, len) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* SO_REUSEPORT would let two servers share a port without a word and split its clients between them. So
 * whoever comes first binds without it once: that fails while anybody listens there. */
static bool is_free(const struct sockaddr_storage *address)
{
    const int on = 1, off = 0;
    bool is_ip6 = address->ss_family == AF_INET6, is_free;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), error;

    if (fd < 0) return false;
    is_free = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              (!is_ip6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) &&
              bind(fd, (const struct sockaddr *)address,
                   is_ip6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)) == 0;
    error = errno;
    close(fd);
    errno = error;
    return is_free;
}

/* A socket file in a folder that only its owner may enter, and itself for the owner only: mode 0600 stands
 * before listen, until when nobody can connect. The path goes by the folder's descriptor, because a socket's
 * own may have no more than 107 bytes. */
static int listen_in(const char *folder, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = -1, error, dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) return -1;
    (void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir, name);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && ((unlink(address.sun_path) != 0 && errno != ENOENT) ||
                    bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
                    chmod(address.sun_path, 0600) != 0 || listen(fd, BACKLOG) != 0)) {
        error = errno;
        close(fd);
        errno = error;
        fd = -1;
    }
    error = errno;
    close(dir);
    errno = error;
    return fd;
}

static void listener_part_close(uv_handle_t *handle)
{
    listener_close((struct listener *)handle);
}

static struct loop_part listener_part = {listener_part_close};

static enum err attach_to_loop(struct listener *listener, struct loop *loop)
{
    enum err e = ERR_OK;
    TRY(e = deadline_set(loop, &listener->pause, DEADLINE_NEVER, on_pause_over), done);
    if (uv_poll_init(&loop->uv, &listener->poll, listener->fd) != 0) {
        deadline_clear(loop, &listener->pause);
        e = ERR_IO;
        goto done;
    }
    listener->poll.data = &listener_part;
    watch(listener);
done:
    return e;
}

enum err listener_open(struct listener **out, struct loop *loop, const struct listener_options *options,
                       const char **why)
{
    struct sockaddr_storage address;
    struct listener *listener = NULL;
    enum err e = ERR_OK;
    *out = NULL;
    *why = "";
    if (loop->is_winding_down) return ERR_STOPPING;
    if (!options->folder && !read_address(&address, options->host, options->port)) {
        *why = "host must be an IP address such as 127.0.0.1 or ::1";
        return ERR_CONFIG;
    }
    int fd = -1;
    if (options->folder)
        fd = listen_in(options->folder, options->name);
    else if (!options->must_be_free || is_free(&address))
        fd = listen_at(&address);
    if (fd < 0) {
        *why = explain(errno);
        return ERR_IO;
    }
    listener = calloc(1, sizeof *listener);
    if (!listener) {
        *why = "no memory is left";
        e = ERR_NO_MEMORY;
        goto done;
    }
    *listener = (struct listener){.fd = fd,
                                  .port = options->folder ? 0 : port_of(fd),
                                  .tls = options->tls,
                                  .streams_max = options->streams_max,
                                  .accept = options->accept,
                                  .state = options->state};
    TRY(e = attach_to_loop(listener, loop), done);
    *out = listener;
    return ERR_OK;
done:
    if (!*why[0]) *why = "the event loop refused the socket";
    free(listener);
    close(fd);
    return e;
}

int listener_port(const struct listener *listener)
{
    return listener->port;
}

/* The listener lives on, unseen, until the last of its streams has gone. */
static void free_if_unused(struct listener *listener)
{
    if (listener->is_closed && listener->fd < 0 && !listener->streams) free(listener);
}

static void on_closed(uv_handle_t *handle)
{
    struct listener *listener = (struct listener *)handle;
    listener->fd = -1; /* only now may it be freed */
    free_if_unused(listener);
}

void listener_close(struct listener *listener)
{
    if (listener->is_closed) return;
    listener->is_closed = true;
    listener->is_watching = false;
    deadline_clear(loop_of_listener(listener), &listener->pause);
    uv_close((uv_handle_t *)&listener->poll, on_closed);
    close(listener->fd); /* libuv has let go of it; the port is free at once */
}

void listener_stream_gone(struct listener *listener)
{
    listener->streams--;
    if (!listener->is_closed) watch(listener);
    free_if_unused(listener);
}
