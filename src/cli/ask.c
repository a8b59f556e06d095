#include "cli/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/folder.h"
#include "config/config.h"
#include "server/admin_ask.h"

#define PATIENCE_S 10

static const struct config *environment(void)
{
    static struct config config; /* large; the same whenever it is read */
    struct config_error error;

    config_defaults(&config);
    if (config_read_environment(&config, &error)) config_defaults(&config);
    return &config;
}

const char *ask_folder(const char *given)
{
    const struct config *config = given ? NULL : environment();

    if (given) return given;
    return *config->data ? config->data : FOLDER_DEFAULT;
}

struct bytes ask_public_url(void)
{
    const char *url = environment()->public_url;

    return *url ? bytes_of_text(url) : BYTES_NONE;
}

const char *ask_end_text(enum ask_end end)
{
    static const char *const texts[] = {
        [ASK_ANSWERED] = "",
        [ASK_NO_FOLDER] = "there is no such data folder: name the server's with --data",
        [ASK_NO_SERVER] = "no server is running on this data folder: start it, or name another with --data",
        [ASK_NO_RIGHT] = "this data folder belongs to another user: ask as the one who runs the server",
        [ASK_BROKEN] = "the server took the question and gave no answer: look into its log",
    };

    return texts[end];
}

static enum ask_end end_of_errno(int error)
{
    if (error == EACCES || error == EPERM) return ASK_NO_RIGHT;
    return error == ENOENT || error == ECONNREFUSED || error == ENOTDIR ? ASK_NO_SERVER : ASK_BROKEN;
}

/* By the folder's descriptor: a socket's own path may have no more than 107 bytes. */
static enum ask_end connect_to(int *out, const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    enum ask_end end = ASK_BROKEN;
    int fd, dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

    *out = -1;
    if (dir < 0) return errno == EACCES ? ASK_NO_RIGHT : ASK_NO_FOLDER;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" ADMIN_SOCKET, dir);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0) {
        if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
            *out = fd;
            end = ASK_ANSWERED;
        } else
            end = end_of_errno(errno);
    }
    if (*out < 0 && fd >= 0) close(fd);
    close(dir);
    return end;
}

static bool send_all(int fd, struct bytes b)
{
    while (b.len) {
        ssize_t sent = send(fd, b.ptr, b.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        b = bytes_from(b, (size_t)sent);
    }
    return true;
}

static bool receive_line(int fd, struct buf *out)
{
    for (;;) {
        uint8_t part[4096];
        ssize_t len = recv(fd, part, sizeof part, 0);
        if (len < 0 && errno == EINTR) continue;
        if (len <= 0) return false;
        buf_append(out, bytes_of(part, (size_t)len));
        if (buf_error(out)) return false;
        if (out->ptr[out->len - 1] != '\n') continue;
        buf_truncate(out, out->len - 1);
        return true;
    }
}

enum ask_end ask_server(struct json *answer, const char *folder, struct bytes line)
{
    struct buf text;
    int fd;
    enum ask_end end = connect_to(&fd, folder);

    answer->node = NULL;
    if (end) return end;
    end = ASK_BROKEN;
    buf_init(&text, ASK_ANSWER_MAX);
    if (send_all(fd, line) && send_all(fd, BYTES("\n")) && receive_line(fd, &text) &&
        json_read(answer, buf_bytes(&text)) == ERR_OK) {
        end = ASK_ANSWERED;
        if (json_type_of(json_member(*answer, "error")) != JSON_IS_ABSENT) end = ASK_BROKEN;
    }
    if (end) {
        json_free(*answer);
        answer->node = NULL;
    }
    buf_release(&text);
    close(fd);
    return end;
}
