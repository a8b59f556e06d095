/* sessions.c — a crowd of live sessions for one server, told what to do by lines on its input. Each line is
 * answered by one line of JSON, once what it asks for is done or seen.
 *
 *     bench_sessions --port N [--pid N] [--tokens FILE] [--spin]
 *
 *     stage tcp|upgrade|connect|online COUNT AT_ONCE   brings so many that far, from where they are
 *     call COUNT AT_ONCE        that many calls, in turn over all sessions
 *     closes [again]            waits until the server has closed them all; again: each comes back at once
 *     drop                      closes all from this end
 *     watch                     calls on its first session every 2 ms until the next line comes
 *
 * A tokens file has a JSON object with "token" in each line; the sessions take them in turn. Connections come
 * from 250 addresses of the loopback net, as a crowd's do. Times are of the monotonic clock, which every
 * process of the machine shares; with --pid the server's CPU time comes along. One wrong reply ends the run.
 * With --spin it never sleeps while it measures calls, so that no reply has to wake it (see load.c). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

#define CONNS_MAX   20000
#define CALLS_MAX   2000000
#define ADDRESSES   250
#define TOKEN_BYTES 2048
#define IN_BYTES    4096    /* a welcome and the state behind it */
#define WATCH_NS    2000000 /* between two calls of a witness */
#define PATIENCE_MS 60000   /* whoever waits longer for a server has found a fault */
#define CALL        "{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"method\":\"subscriber.online\",\"params\":{}}"

enum stage { NOWHERE, TCP, UPGRADED, CONNECTED, ONLINE, STAGES };
static const char *const stage_names[STAGES] = {"nowhere", "tcp", "upgrade", "connect", "online"};

struct conn {
    int fd; /* -1: none */
    uint8_t stage;
    bool is_asking;  /* something was asked that has not been answered */
    bool comes_back; /* after it was closed: what it is answered is of no matter */
    int64_t asked_ns;
    const char *token;
    size_t got;
    uint8_t in[IN_BYTES];
};

static struct conn conns[CONNS_MAX];
static size_t conn_count; /* that anything was asked of */
static unsigned port;
static int pid, epoll;
static bool spins;
static char *tokens;
static size_t token_count;
static uint32_t took_ns[CALLS_MAX];
static struct buf scratch;

static struct { /* of the present line */
    enum stage to;
    size_t count, at_once, busy, begun, done, wanted;
    bool is_calling, is_closing, comes_back;
    size_t closed, refused, turned_away, cut;
    unsigned code;
    int64_t first_ns, last_ns;
} job;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void give_up(const char *why, const struct conn *conn)
{
    fprintf(stderr, "bench_sessions: %s; connection %td at %s, %zu done, %s: %.*s\n", why, conn - conns,
            stage_names[conn->stage], job.done, strerror(errno), (int)(conn->got < 400 ? conn->got : 400),
            (const char *)conn->in);
    exit(1);
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) die("clock_gettime");
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static int64_t server_ns(void)
{
    clockid_t clock;
    if (!pid) return 0;
    if (clock_getcpuclockid(pid, &clock) != 0) die("clock_getcpuclockid");
    return clock_ns(clock);
}

/* ---- what is said ---- */

static void send_all(struct conn *conn, struct bytes b)
{
    if (send(conn->fd, b.ptr, b.len, MSG_NOSIGNAL) == (ssize_t)b.len || job.is_closing) return;
    give_up("what was sent did not go out", conn);
}

/* RFC 6455 §5.3: a client masks; by zeros the text stays readable, and the server's work is the same. */
static void send_text(struct conn *conn, struct bytes text)
{
    uint8_t head[8] = {0x81, (uint8_t)(0x80 | (text.len < 126 ? text.len : 126))};
    size_t len = 2;
    if (text.len >= 126) {
        head[len++] = (uint8_t)(text.len >> 8);
        head[len++] = (uint8_t)text.len;
    }
    buf_reset(&scratch);
    buf_append(&scratch, bytes_of(head, len + 4));
    buf_append(&scratch, text);
    send_all(conn, buf_bytes(&scratch));
}

static void ask_upgrade(struct conn *conn)
{
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    send_all(conn, bytes_of(request, sizeof request - 1));
}

static void ask_connect(struct conn *conn)
{
    static char text[TOKEN_BYTES + 256];
    int len = snprintf(
        text, sizeof text,
        "{\"jsonrpc\":\"2.0\",\"id\":\"o\",\"method\":\"signalwire.connect\",\"params\":{\"version\":"
        "{\"major\":4,\"minor\":0,\"revision\":0},\"event_acks\":true,\"authentication\":"
        "{\"jwt_token\":\"%s\"},\"agent\":\"bench\",\"contexts\":[],\"eventing\":[],\"topics\":[]}}",
        conn->token);
    send_text(conn, bytes_of(text, (size_t)len));
}

static void answer_ping(struct conn *conn, const char *id)
{
    char text[128];
    int len = snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":\"%.36s\",\"result\":{}}", id);
    send_text(conn, bytes_of(text, (size_t)len));
}

static void begin_tcp(struct conn *conn)
{
    size_t number = (size_t)(conn - conns);
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(0x7f000101u + (uint32_t)(number % ADDRESSES))};
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = conn};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket");
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on); /* else ports run out sooner */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);            /* slower without, not wrong */
    if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0) die("bind");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) die("connect");
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
    conn->fd = fd;
    conn->got = 0;
    conn->token = token_count ? tokens + number % token_count * TOKEN_BYTES : "none";
}

static void ask_next(struct conn *conn)
{
    conn->is_asking = true;
    conn->asked_ns = now_ns();
    switch ((enum stage)conn->stage) {
    case NOWHERE:
        begin_tcp(conn);
        return;
    case TCP:
        ask_upgrade(conn);
        return;
    case UPGRADED:
        ask_connect(conn);
        return;
    case CONNECTED:
    case ONLINE:
        send_text(conn, BYTES(CALL));
        return;
    case STAGES:
        return;
    }
}

/* ---- what is asked of all ---- */

static void begin_more(void)
{
    while (job.busy < job.at_once && job.begun < job.wanted) {
        struct conn *conn = &conns[job.begun++ % job.count];
        if (!job.is_calling && conn->stage >= job.to) {
            job.done++;
            continue;
        }
        if (conn->is_asking) { /* as many calls at once as sessions, or more */
            job.begun--;
            return;
        }
        job.busy++;
        ask_next(conn);
    }
}

static void has_answered(struct conn *conn)
{
    int64_t took = now_ns() - conn->asked_ns;
    conn->is_asking = false;
    if (conn->stage < ONLINE) conn->stage++;
    if (conn->comes_back) {
        if (conn->stage < CONNECTED) ask_next(conn);
        return;
    }
    if (!job.is_calling && conn->stage < job.to) {
        ask_next(conn);
        return;
    }
    if (job.is_calling && job.done < CALLS_MAX)
        took_ns[job.done] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
    job.done++;
    job.busy--;
    begin_more();
}

/* ---- what is heard ---- */

/* Its wave is over: it was refused, not let in, or cut. */
static void is_answered_again(struct conn *conn, size_t *how)
{
    if (!conn->comes_back || !conn->is_asking) return;
    conn->is_asking = false;
    ++*how;
}

static void leave(struct conn *conn)
{
    (void)close(conn->fd); /* a socket that is only given back */
    conn->fd = -1;
    conn->stage = NOWHERE;
    conn->got = 0;
}

static void was_closed(struct conn *conn, unsigned code)
{
    if (!conn->comes_back && !job.is_closing) give_up("closed by the server", conn);
    leave(conn);
    if (conn->comes_back) {
        is_answered_again(conn, &job.cut);
        return;
    }
    job.last_ns = now_ns();
    if (!job.closed++) job.first_ns = job.last_ns;
    job.code = code;
    conn->is_asking = false;
    if (!job.comes_back) return;
    conn->comes_back = true;
    ask_next(conn);
}

static bool has(const struct conn *conn, size_t from, size_t len, const char *what)
{
    return memmem(conn->in + from, len, what, strlen(what)) != NULL;
}

/* A text of the server's: a reply to what was asked, a ping, or an event. */
static void hear_text(struct conn *conn, size_t from, size_t len)
{
    if (has(conn, from, len, "\"method\":\"signalwire.ping\"")) {
        const uint8_t *id = memmem(conn->in + from, len, "\"id\":\"", 6);
        if (id) answer_ping(conn, (const char *)id + 6);
    } else if (has(conn, from, len, "\"method\":"))
        return;
    else if (conn->comes_back)
        is_answered_again(conn, &job.refused);
    else if (conn->is_asking && has(conn, from, len, "\"result\":"))
        has_answered(conn);
    else
        give_up("a reply that is none", conn);
}

/* Uses up one frame; false: it is not whole, or the connection has gone. */
static bool hear_frame(struct conn *conn)
{
    size_t head = 2, len;
    if (conn->got < 2) return false;
    len = conn->in[1];
    if (len == 126) {
        if (conn->got < 4) return false;
        head = 4;
        len = (size_t)conn->in[2] << 8 | conn->in[3];
    }
    if (len + head > IN_BYTES) give_up("a message too long", conn);
    if (conn->got < head + len) return false;
    if ((conn->in[0] & 0xf) == 8) {
        was_closed(conn, len >= 2 ? (unsigned)(conn->in[head] << 8 | conn->in[head + 1]) : 0);
        return false;
    }
    if ((conn->in[0] & 0xf) == 1) hear_text(conn, head, len);
    if (conn->fd < 0) return false;
    conn->got -= head + len;
    memmove(conn->in, conn->in + head + len, conn->got);
    return true;
}

static void hear_head(struct conn *conn)
{
    const uint8_t *blank = memmem(conn->in, conn->got, "\r\n\r\n", 4);
    if (!blank) return;
    if (memcmp(conn->in, "HTTP/1.1 101", 12) != 0) {
        if (!conn->comes_back) give_up("no upgrade", conn);
        is_answered_again(conn, &job.turned_away);
        leave(conn);
        return;
    }
    conn->got -= (size_t)(blank + 4 - conn->in);
    memmove(conn->in, blank + 4, conn->got);
    has_answered(conn);
}

static void on_ready(struct conn *conn, uint32_t events)
{
    if (conn->fd < 0) return;
    if (conn->stage == NOWHERE && (events & EPOLLOUT) && !(events & (EPOLLERR | EPOLLHUP))) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = conn};
        (void)epoll_ctl(epoll, EPOLL_CTL_MOD, conn->fd, &event); /* it is in there */
        has_answered(conn);
    }
    while (conn->fd >= 0) {
        ssize_t got = recv(conn->fd, conn->in + conn->got, IN_BYTES - conn->got, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            was_closed(conn, 0);
            return;
        }
        conn->got += (size_t)got;
        if (conn->stage == TCP) hear_head(conn);
        while (conn->fd >= 0 && conn->stage > TCP && hear_frame(conn)) {
        }
        if (conn->fd >= 0 && conn->got == IN_BYTES) give_up("a message too long", conn);
    }
}

static int turn(int wait_ms)
{
    struct epoll_event ready[256];
    int count = epoll_wait(epoll, ready, 256, wait_ms);
    for (int i = 0; i < count; i++)
        if (ready[i].data.ptr) on_ready(ready[i].data.ptr, ready[i].events);
    return count;
}

/* ---- the lines ---- */

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void tell_times(size_t count)
{
    static const unsigned parts[] = {500, 990, 1000};
    static const char *const names[] = {"p50_us", "p99_us", "max_us"};
    qsort(took_ns, count, sizeof took_ns[0], by_size);
    for (size_t i = 0; i < 3 && count; i++) {
        size_t rank = (count - 1) * parts[i] / 1000;
        printf(",\"%s\":%.1f", names[i], took_ns[rank] / 1e3);
    }
}

static void run_job(const char *name, bool may_spin)
{
    int64_t began_ns = now_ns(), cpu_ns = server_ns();
    begin_more();
    while (job.done < job.wanted)
        if (turn(may_spin && spins ? 0 : PATIENCE_MS) == 0 && !spins) give_up("no reply", &conns[0]);
    cpu_ns = server_ns() - cpu_ns;
    began_ns = now_ns() - began_ns;
    printf("{\"did\":\"%s\",\"count\":%zu,\"wall_ms\":%.1f,\"cpu_us\":%.2f,\"per_second\":%.0f", name,
           job.wanted, (double)began_ns / 1e6, (double)cpu_ns / 1e3 / (double)job.wanted,
           (double)job.wanted * 1e9 / (double)began_ns);
    if (job.is_calling) tell_times(job.wanted);
    printf("}\n");
}

static uint64_t number_of(const char *text, uint64_t max)
{
    uint64_t number = 0;
    if (text && bytes_to_u64(&number, bytes_of_text(text), max) && number > 0) return number;
    fprintf(stderr, "bench_sessions: no number from 1 to %llu: %s\n", (unsigned long long)max,
            text ? text : "");
    exit(2);
}

static void run_stage(char *words[])
{
    memset(&job, 0, sizeof job);
    while (job.to < STAGES && (!words[1] || strcmp(words[1], stage_names[job.to]) != 0))
        job.to++;
    if (job.to == STAGES) die("no such stage");
    job.count = job.wanted = number_of(words[2], CONNS_MAX);
    job.at_once = number_of(words[3], CONNS_MAX);
    if (conn_count < job.count) conn_count = job.count;
    for (size_t i = 0; i < conn_count; i++)
        conns[i].comes_back = false;
    run_job("stage", false);
}

static void run_calls(char *words[])
{
    memset(&job, 0, sizeof job);
    job.is_calling = true;
    job.count = conn_count;
    job.wanted = number_of(words[1], CALLS_MAX);
    job.at_once = number_of(words[2], CONNS_MAX);
    run_job("call", true);
}

/* The answer comes in two lines: at once, and when all is over. */
static void run_closes(char *words[])
{
    int64_t cpu_ns = server_ns(), again_ns;
    size_t waiting = 1;
    memset(&job, 0, sizeof job);
    job.is_closing = true;
    job.comes_back = words[1] != NULL;
    printf("{\"did\":\"arm\"}\n");
    while (job.closed < conn_count)
        if (turn(PATIENCE_MS) == 0) give_up("not closed", &conns[0]);
    while (job.comes_back && waiting && turn(20000) > 0)
        for (size_t i = waiting = 0; i < conn_count; i++)
            waiting += conns[i].is_asking;
    again_ns = now_ns();
    printf("{\"did\":\"closes\",\"count\":%zu,\"code\":%u,\"first_ns\":%lld,\"last_ns\":%lld,\"cpu_us\":%.2f,"
           "\"refused\":%zu,\"turned_away\":%zu,\"cut\":%zu,\"left\":%zu,\"over_ns\":%lld}\n",
           job.closed, job.code, (long long)job.first_ns, (long long)job.last_ns,
           (double)(server_ns() - cpu_ns) / 1e3 / (double)conn_count, job.refused, job.turned_away, job.cut,
           job.comes_back ? waiting : 0, (long long)again_ns);
}

static void run_drop(void)
{
    for (size_t i = 0; i < conn_count; i++) {
        if (conns[i].fd >= 0) leave(&conns[i]);
        conns[i].stage = NOWHERE;
        conns[i].is_asking = conns[i].comes_back = false;
    }
    printf("{\"did\":\"drop\",\"count\":%zu}\n", conn_count);
}

static int ms_until(int64_t at_ns)
{
    int64_t left_ns = at_ns - now_ns();
    return left_ns > 0 ? (int)(left_ns / 1000000) + 1 : 0;
}

static void run_watch(void)
{
    struct epoll_event input = {.events = EPOLLIN};
    int64_t next_ns = now_ns();
    size_t done = 0;
    bool is_over = false;
    memset(&job, 0, sizeof job);
    job.is_calling = true;
    job.count = job.at_once = 1;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &input) != 0) die("epoll_ctl");
    printf("{\"did\":\"arm\"}\n");
    while (!is_over || job.done < job.wanted) {
        struct epoll_event ready[16];
        int count = epoll_wait(epoll, ready, 16, job.done < job.wanted ? PATIENCE_MS : ms_until(next_ns));
        for (int i = 0; i < count; i++)
            if (ready[i].data.ptr)
                on_ready(ready[i].data.ptr, ready[i].events);
            else
                is_over = true;
        if (job.done < job.wanted || is_over || now_ns() < next_ns || done == CALLS_MAX) continue;
        next_ns = now_ns() + WATCH_NS;
        job.wanted = ++done;
        begin_more();
    }
    (void)epoll_ctl(epoll, EPOLL_CTL_DEL, 0, NULL); /* it is in there */
    printf("{\"did\":\"watch\",\"count\":%zu", done);
    tell_times(done);
    printf("}\n");
}

static void run_line(char *line)
{
    char *words[4] = {NULL}, *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(line, " \n", &rest); word && count < 4; word = strtok_r(NULL, " \n", &rest))
        words[count++] = word;
    if (!count) return;
    if (strcmp(words[0], "stage") == 0) run_stage(words);
    if (strcmp(words[0], "call") == 0) run_calls(words);
    if (strcmp(words[0], "closes") == 0) run_closes(words);
    if (strcmp(words[0], "drop") == 0) run_drop();
    if (strcmp(words[0], "watch") == 0) run_watch();
}

/* Between two lines pings have to be answered. */
static void serve(void)
{
    static char line[256];
    size_t got = 0;
    if (fcntl(0, F_SETFL, O_NONBLOCK) != 0) die("fcntl");
    for (;;) {
        ssize_t one = read(0, line + got, 1);
        if (one == 0) return;
        if (one < 0) {
            (void)turn(5);
        } else if (line[got] == '\n' || got + 2 == sizeof line) {
            line[got] = '\0';
            got = 0;
            run_line(line);
        } else {
            got++;
        }
    }
}

static void read_tokens(const char *path)
{
    static char line[8192];
    FILE *file = fopen(path, "r");
    if (!file) die(path);
    tokens = calloc(CONNS_MAX, TOKEN_BYTES);
    if (!tokens) die("tokens");
    while (token_count < CONNS_MAX && fgets(line, sizeof line, file)) {
        const char *from = strstr(line, "\"token\":\"");
        size_t len = from ? strcspn(from + 9, "\"") : 0;
        if (!len || len >= TOKEN_BYTES) die("a line without a token");
        memcpy(tokens + token_count++ * TOKEN_BYTES, from + 9, len);
    }
    (void)fclose(file); /* only read from */
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"pid", required_argument, NULL, 'i'},
                                            {"tokens", required_argument, NULL, 't'},
                                            {"spin", no_argument, NULL, 'w'},
                                            {NULL, 0, NULL, 0}};
    int option;
    buf_init(&scratch, 65536);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p') port = (unsigned)number_of(optarg, 65535);
        if (option == 'i') pid = (int)number_of(optarg, INT32_MAX);
        if (option == 't') read_tokens(optarg);
        if (option == 'w') spins = true;
        if (option == '?') return 2;
    }
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) die("epoll_create1");
    for (size_t i = 0; i < CONNS_MAX; i++)
        conns[i].fd = -1;
    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* a line at a time, or as the end comes */
    serve();
    buf_release(&scratch);
    free(tokens);
    return 0;
}
