/* bare_sessions.c — the floor under live sessions: WebSockets on a raw epoll loop that are answered and
 * closed, and nothing else. It reads no header, unmasks nothing, knows nobody: the end of a head gets the
 * fixed words of an upgrade, and each read behind it, taken to be one text, a fixed reply of the size
 * that it was told. The line "close" on its input closes all sockets, as fast as a loop can: a close
 * frame, then close().
 *
 *     bench_bare_sessions REPLY_BYTES      prints {"port":N} and serves */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"

#define FDS_MAX   65536
#define READ_MAX  65536
#define REPLY_MAX 4096
#define CLOSE     "\x88\x09\x11\x33revoked" /* 4403 */

enum { LISTENER = -1, INPUT = -2 };

static uint8_t is_open[FDS_MAX]; /* by descriptor; 2: upgraded */
static char reply[REPLY_MAX + 4];
static size_t reply_len;
static int epoll, listener;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void write_reply(size_t len)
{
    static const char text[] = "{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"result\":{\"pad\":\"";
    size_t head = 2;
    if (len < sizeof text + 3 || len > REPLY_MAX) die("reply size");
    reply[0] = (char)0x81;
    reply[1] = (char)(len < 126 ? len : 126);
    if (len >= 126) {
        reply[head++] = (char)(len >> 8);
        reply[head++] = (char)len;
    }
    memset(reply + head, 'x', len);
    memcpy(reply + head, text, sizeof text - 1);
    memcpy(reply + head + len - 3, "\"}}", 3);
    reply_len = head + len;
}

static void watch(int fd, int64_t what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)what};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

static void drop(int fd)
{
    is_open[fd] = 0;
    (void)close(fd); /* which takes it out of the epoll set */
}

static void accept_all(void)
{
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= FDS_MAX) die("descriptors");
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* slower without, not wrong */
        is_open[fd] = 1;
        watch(fd, fd);
    }
}

static void answer(int fd)
{
    static const char upgraded[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n";
    static uint8_t in[READ_MAX];
    ssize_t got = recv(fd, in, sizeof in, 0);
    bool is_head = is_open[fd] == 1;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        drop(fd);
        return;
    }
    is_open[fd] = 2;
    if (send(fd, is_head ? upgraded : reply, is_head ? sizeof upgraded - 1 : reply_len, MSG_NOSIGNAL) < 0)
        drop(fd);
}

static void close_all(void)
{
    for (int fd = 0; fd < FDS_MAX; fd++) {
        if (!is_open[fd]) continue;
        (void)send(fd, CLOSE, sizeof CLOSE - 1, MSG_NOSIGNAL); /* whoever is gone needs none */
        drop(fd);
    }
}

/* False: the runner has gone. */
static bool take_order(void)
{
    char line[64];
    ssize_t got = read(0, line, sizeof line);
    if (got > 0 && memcmp(line, "close", 5) == 0) close_all();
    return got > 0;
}

static void serve(void)
{
    struct epoll_event ready[1024];
    bool is_wanted = true;
    while (is_wanted) {
        int count = epoll_wait(epoll, ready, 1024, -1);
        for (int i = 0; i < count; i++) {
            int64_t what = (int64_t)ready[i].data.u64;
            if (what == LISTENER)
                accept_all();
            else if (what == INPUT)
                is_wanted = take_order();
            else if (is_open[what])
                answer((int)what);
        }
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    uint64_t bytes = 0;
    if (argc != 2 || !bytes_to_u64(&bytes, bytes_of_text(argv[1]), REPLY_MAX)) return 2;
    write_reply((size_t)bytes);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (epoll < 0 || listener < 0 || bind(listener, (struct sockaddr *)&at, len) != 0 ||
        listen(listener, 4096) != 0 || getsockname(listener, (struct sockaddr *)&at, &len) != 0)
        die("listen");
    watch(listener, LISTENER);
    watch(0, INPUT);
    printf("{\"port\":%u}\n", ntohs(at.sin_port));
    (void)fflush(stdout); /* a reader that has gone is none of ours */
    serve();
    return 0;
}
