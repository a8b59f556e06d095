#include "cli/log_out.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER; /* held for two system calls that do not wait */

/* pipe(7): a pipe that may be written takes PIPE_BUF bytes at least, 4096 on Linux, and a line is shorter. A
 * socket says so with a third of its room or less in use. A file always does. */
static bool has_room(void)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

    return poll(&out, 1, 0) == 1 && (out.revents & POLLOUT);
}

void log_out(void *state, enum log_level level, const char *line, size_t len)
{
    bool is_out = false;

    (void)state;
    (void)level;
    (void)pthread_mutex_lock(&turn); /* cannot fail: it is never held by the thread that asks */
    if (has_room()) is_out = write(STDERR_FILENO, line, len) > 0;
    (void)pthread_mutex_unlock(&turn);
    if (!is_out) log_lost(); /* a log that cannot be written is no reason to stop serving */
}
