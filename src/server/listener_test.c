#include "server/listener.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "harness/peer.h"

static struct clock test_clock;

struct door { /* one loop and its listener */
    struct loop *loop;
    struct listener *listener;
    struct listener_options options;
    sem_t accepted, gone;
    _Atomic unsigned accepts, open_now, open_most;
};

struct guest {
    struct door *door;
    struct stream *stream;
};

static void echo_bytes(void *owner, uint8_t *bytes, size_t len)
{
    stream_write(((struct guest *)owner)->stream, bytes_of(bytes, len));
}

static void on_end(void *owner)
{
    stream_close(((struct guest *)owner)->stream);
}

static void on_sent(void *owner)
{
    (void)owner;
}

static void on_gone(void *owner)
{
    struct guest *guest = owner;
    guest->door->open_now--;
    sem_post(&guest->door->gone);
    free(guest);
}

static const struct stream_user echo = {echo_bytes, on_end, on_sent, on_gone};

static void on_accept(void *state, struct stream *stream)
{
    struct door *door = state;
    struct guest *guest = malloc(sizeof *guest);
    *guest = (struct guest){door, stream};
    door->accepts++;
    if (++door->open_now > door->open_most) door->open_most = door->open_now;
    stream_attach(stream, &echo, guest);
    sem_post(&door->accepted);
}

static void on_accept_unwanted(void *state, struct stream *stream)
{
    struct door *door = state;
    door->accepts++;
    if (door->accepts % 2) stream_close(stream); /* the others are simply not attached */
}

static enum err door_open(struct door *door, const char *host, int port, unsigned streams_max,
                          const char **why)
{
    *door = (struct door){
        .options = {
            .host = host, .port = port, .streams_max = streams_max, .accept = on_accept, .state = door}};
    sem_init(&door->accepted, 0, 0);
    sem_init(&door->gone, 0, 0);
    clock_start(&test_clock, host_machine(), 0);
    CHECK(loop_new(&door->loop, 0, &test_clock) == ERR_OK);
    return listener_open(&door->listener, door->loop, &door->options, why);
}

static void door_close(struct door *door)
{
    loop_stop(door->loop);
    loop_join(door->loop);
    loop_free(door->loop);
    CHECK_INT(door->open_now, 0);
}

/* A byte there and back: the server has accepted. */
static bool is_served(int fd)
{
    char back = 0;
    return peer_send(fd, BYTES("x")) && peer_read(fd, &back, 1) == 1 && back == 'x';
}

static void refuses_what_is_no_address(void)
{
    static const char *const hosts[] = {"",      "localhost",    "127.0.0", "256.0.0.1",
                                        "::1::", "127.0.0.1:80", "[::1]"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct door door;
        const char *why = NULL;
        CHECK_NOTE("%s", hosts[i]);
        CHECK(door_open(&door, hosts[i], 0, 1, &why) == ERR_CONFIG);
        CHECK(why && *why && !door.listener);
        door_close(&door);
    }
}

static void refuses_a_port_in_use(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    struct door door;
    const char *why = NULL;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 1) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    CHECK(door_open(&door, "127.0.0.1", ntohs(at.sin_port), 1, &why) == ERR_IO);
    CHECK(why && strcmp(why, "the port is in use") == 0);
    CHECK(!door.listener);
    close(fd);
    door_close(&door);
}

static void refuses_an_address_of_another_machine(void)
{
    struct door door;
    const char *why = NULL;
    CHECK(door_open(&door, "192.0.2.1", 0, 1, &why) == ERR_IO); /* RFC 5737: nobody has it */
    CHECK(why && *why);
    door_close(&door);
}

static void closes_streams_nobody_wants(void)
{
    struct door door;
    const char *why;
    char back;
    CHECK(door_open(&door, "127.0.0.1", 0, 1, &why) == ERR_OK);
    listener_close(door.listener);
    door.options.accept = on_accept_unwanted;
    CHECK(listener_open(&door.listener, door.loop, &door.options, &why) == ERR_OK);
    CHECK(loop_start(door.loop) == ERR_OK);
    for (int i = 0; i < 4; i++) {
        int fd = peer_connect(listener_port(door.listener));
        CHECK_INT(peer_read(fd, &back, 1), 0);
        CHECK_INT(errno, 0);
        close(fd);
    }
    door_close(&door);
    CHECK_INT(door.accepts, 4);
}

static void lets_loops_share_a_port(void)
{
    struct door doors[2];
    const char *why;
    CHECK(door_open(&doors[0], "127.0.0.1", 0, 100, &why) == ERR_OK);
    int port = listener_port(doors[0].listener);
    CHECK(port > 0);
    CHECK(door_open(&doors[1], "127.0.0.1", port, 100, &why) == ERR_OK);
    CHECK_INT(listener_port(doors[1].listener), port);
    for (int i = 0; i < 2; i++)
        CHECK(loop_start(doors[i].loop) == ERR_OK);
    unsigned served = 0;
    for (; served < 1000 && !(doors[0].accepts && doors[1].accepts);
         served++) { /* the kernel throws a coin */
        int fd = peer_connect(port);
        CHECK(is_served(fd));
        close(fd);
    }
    CHECK(doors[0].accepts && doors[1].accepts);
    for (int i = 0; i < 2; i++)
        door_close(&doors[i]);
    CHECK_INT(doors[0].accepts + doors[1].accepts, served);
}

static void refuses_a_port_that_somebody_listens_on(void)
{
    struct door door;
    struct listener *second = NULL;
    struct listener_options options;
    const char *why = NULL;
    CHECK(door_open(&door, "127.0.0.1", 0, 100, &why) == ERR_OK);
    options = door.options;
    options.port = listener_port(door.listener);
    options.must_be_free = true;
    CHECK(listener_open(&second, door.loop, &options, &why) == ERR_IO);
    CHECK(!second && why && strstr(why, "in use"));
    CHECK(loop_start(door.loop) == ERR_OK);
    door_close(&door);
}

static void lets_further_streams_wait(void)
{
    struct door door;
    const char *why;
    int fd[8];
    CHECK(door_open(&door, "127.0.0.1", 0, 2, &why) == ERR_OK);
    CHECK(loop_start(door.loop) == ERR_OK);
    for (int i = 0; i < 8; i++)
        CHECK((fd[i] = peer_connect(listener_port(door.listener))) >= 0);
    for (int i = 0; i < 8; i++) { /* the kernel's queue keeps their order */
        CHECK(is_served(fd[i]));
        close(fd[i]);
        CHECK(bell_wait(&door.gone));
    }
    door_close(&door);
    CHECK_INT(door.accepts, 8);
    CHECK_INT(door.open_most, 2);
}

struct order {
    struct mail mail;
    struct door *door;
};

static void close_door(struct mail *mail)
{
    struct door *door = ((struct order *)mail)->door;
    listener_close(door->listener);
    sem_post(&door->accepted);
}

static void keeps_its_streams_when_closed(void)
{
    struct door door;
    struct order order = {.mail.open = close_door, .door = &door};
    const char *why;
    CHECK(door_open(&door, "127.0.0.1", 0, 9, &why) == ERR_OK);
    CHECK(loop_start(door.loop) == ERR_OK);
    int port = listener_port(door.listener), fd = peer_connect(port);
    CHECK(is_served(fd));
    CHECK(bell_wait(&door.accepted));
    loop_post(door.loop, &order.mail);
    CHECK(bell_wait(&door.accepted));
    CHECK(is_served(fd));
    CHECK_INT(peer_connect(port), -1); /* refused at once: the port is free again */
    close(fd);
    CHECK(bell_wait(&door.gone));
    door_close(&door);
}

static void listens_on_ip6(void)
{
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct door door;
    const char *why;
    if (door_open(&door, "::", 0, 9, &why) == ERR_OK) {
        CHECK(loop_start(door.loop) == ERR_OK);
        int fd = socket(AF_INET6, SOCK_STREAM, 0);
        to.sin6_port = htons((uint16_t)listener_port(door.listener));
        CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && is_served(fd));
        close(fd);
        fd = peer_connect(listener_port(door.listener)); /* and IPv4 */
        CHECK(is_served(fd));
        close(fd);
    } else {
        printf("not found: IPv6 (%s)\n", why);
    }
    door_close(&door);
}

/* ---- without descriptors: in a process of its own, whose limit leaves room for two streams ---- */

static int serve_with_few_descriptors(int report, int until)
{
    struct door door;
    const char *why;
    char end;
    if (door_open(&door, "127.0.0.1", 0, 100, &why) != ERR_OK) return 1;
    int port = listener_port(door.listener), lowest = dup(report);
    struct rlimit limit = {(rlim_t)lowest + 2, (rlim_t)lowest + 2};
    close(lowest);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || loop_start(door.loop) != ERR_OK) return 2;
    if (write(report, &port, sizeof port) != sizeof port) return 3;
    while (read(until, &end, 1) < 0 && errno == EINTR) {
    }
    door_close(&door);
    /* A descriptor is free a moment before on_gone counts it: so three, but never all. */
    return door.accepts == 6 && door.open_most <= 3 && check_ok_ ? 0 : 4;
}

static void goes_on_when_descriptors_are_back(void)
{
    int report[2] = {-1, -1}, until[2] = {-1, -1}, port = 0, status = -1, fd[6];
    CHECK(pipe(report) == 0 && pipe(until) == 0);
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(until[1]);
        _exit(serve_with_few_descriptors(report[1], until[0]));
    }
    close(until[0]);
    close(report[1]); /* a child that fails early is an end here, not a wait */
    CHECK(read(report[0], &port, sizeof port) == sizeof port);
    for (int i = 0; port && i < 6; i++)
        CHECK((fd[i] = peer_connect(port)) >= 0);
    for (int i = 0; port && i < 6; i++) { /* from the third on, each waits until the ones before have gone */
        CHECK_NOTE("client %d", i);
        CHECK(is_served(fd[i]));
        close(fd[i]);
    }
    close(until[1]);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
    close(report[0]);
}

int main(void)
{
    CHECK_RUN(goes_on_when_descriptors_are_back); /* first: it forks, and no thread has run yet */
    CHECK_RUN(refuses_what_is_no_address);
    CHECK_RUN(refuses_a_port_in_use);
    CHECK_RUN(refuses_an_address_of_another_machine);
    CHECK_RUN(closes_streams_nobody_wants);
    CHECK_RUN(lets_further_streams_wait);
    CHECK_RUN(keeps_its_streams_when_closed);
    CHECK_RUN(lets_loops_share_a_port);
    CHECK_RUN(refuses_a_port_that_somebody_listens_on);
    CHECK_RUN(listens_on_ip6);
    return CHECK_END();
}
