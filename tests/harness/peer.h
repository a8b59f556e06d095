/* peer.h — the other end of a socket in a test: blocking calls on loopback, plain or TLS, and a bell to
 * wait for events.
 *
 * Every wait has a guard of PEER_GUARD_S seconds; it only turns a hang into a failed check, nothing is
 * measured by it. */
#ifndef COATCHECK_TESTS_PEER_H
#define COATCHECK_TESTS_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "harness/check.h"

#define PEER_GUARD_S 60

static inline bool bell_wait(sem_t *bell)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PEER_GUARD_S;
    int refused;
    do
        refused = sem_timedwait(bell, &until);
    while (refused && errno == EINTR);
    return refused == 0;
}

static inline int peer_connect(int port) /* -1 on failure */
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval guard = {.tv_sec = PEER_GUARD_S};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &guard, sizeof guard);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &guard, sizeof guard);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) return fd;
    close(fd);
    return -1;
}

static inline bool peer_send(int fd, struct bytes b)
{
    while (b.len) {
        ssize_t sent = send(fd, b.ptr, b.len, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        b = bytes_from(b, (size_t)sent);
    }
    return true;
}

/* Up to len bytes, fewer only at the end of the stream or on an error (errno; 0 at the end). */
static inline size_t peer_read(int fd, void *out, size_t len)
{
    size_t have = 0;
    errno = 0;
    while (have < len) {
        ssize_t got = recv(fd, (char *)out + have, len - have, 0);
        if (got <= 0) break;
        have += (size_t)got;
    }
    return have;
}

#endif
