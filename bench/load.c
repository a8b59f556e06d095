/* load.c — a steady load for one server: N keep-alive connections, each with one request in flight, until a
 * fixed number of replies has come. Every reply's status is checked; one wrong reply ends the run, because a
 * figure that counts refusals would be worth nothing.
 *
 *     bench_load --port N [--requests N] [--connections N] [--references N] [--path P]
 *                [--raw FILE] [--keep FILE] [--status N] [--pid N] [--spin]          prints one line of JSON
 *
 * Without --raw it mints: POST to --path with {"reference":"bench-<k>@example.com"}, k going round
 * --references, and the Authorization field from the environment variable BENCH_AUTHORIZATION (a command line
 * would show the secret). A --raw FILE holds whole requests one behind the other, each as it goes over the
 * wire; they are sent in turn, over and over. --keep writes the body of every reply as a line. With --pid it
 * also tells the CPU time that this process and all its threads took per request, by the process's own CPU
 * clock in the kernel. With --spin it never sleeps, so that no reply has to wake it: the wake-up would be
 * charged to the server, and only the bench has its clients next door. */
#include <arpa/inet.h>
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

#define CONNECTIONS_MAX 1024
#define REQUESTS_MAX    2000000
#define REQUESTS_BYTES  (512u << 20) /* all that are written once and sent again and again */
#define REPLY_MAX       16384        /* bytes of one reply; we print none of it */

struct plan {
    uint64_t port, requests, connections, references, status, pid;
    bool spins;
    const char *path, *raw, *keep;
};

struct conn {
    int fd;
    int64_t sent_ns;
    size_t got, want; /* want: bytes of the whole reply, 0 while the head is not complete */
    char in[REPLY_MAX + 1];
};

static struct plan plan = {.requests = 20000,
                           .connections = 16,
                           .references = 100,
                           .status = 200,
                           .path = "/api/fabric/subscribers/tokens"};
static struct conn conns[CONNECTIONS_MAX];
static struct buf requests; /* one behind the other */
static size_t starts[REQUESTS_MAX + 1], request_count;
static FILE *kept;
static uint32_t latency_ns[REQUESTS_MAX];
static uint64_t sent, answered;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void give_up(const char *why, const struct conn *conn)
{
    fprintf(stderr, "bench_load: %s after %llu replies: %.*s\n", why, (unsigned long long)answered,
            (int)(conn->got < 400 ? conn->got : 400), conn->in);
    exit(1);
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) die("clock_gettime");
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static clockid_t server_clock(void)
{
    clockid_t clock;
    if (plan.pid == 0) return CLOCK_PROCESS_CPUTIME_ID;
    if (clock_getcpuclockid((pid_t)plan.pid, &clock) != 0) die("clock_getcpuclockid");
    return clock;
}

/* Requests, written once */

static void write_mint(uint64_t reference, const char *authorization)
{
    struct buf *out = &requests;
    char body[64];
    int len = snprintf(body, sizeof body, "{\"reference\":\"bench-%llu@example.com\"}",
                       (unsigned long long)reference);
    buf_append_text(out, "POST ");
    buf_append_text(out, plan.path);
    buf_append_text(out, " HTTP/1.1\r\nHost: 127.0.0.1:");
    buf_append_u64(out, plan.port);
    buf_append_text(out, "\r\nAuthorization: ");
    buf_append_text(out, authorization);
    buf_append_text(out,
                    "\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: ");
    buf_append_u64(out, (uint64_t)len);
    buf_append_text(out, "\r\n\r\n");
    buf_append(out, bytes_of(body, (size_t)len));
    starts[++request_count] = out->len;
}

static void read_raw(void)
{
    FILE *file = fopen(plan.raw, "rb");
    if (!file) die(plan.raw);
    char chunk[65536];
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_append(&requests, bytes_of(chunk, got));
    (void)fclose(file);               /* only read from */
    buf_append_byte(&requests, '\0'); /* so that strstr ends */
}

/* Where each begins: head, and as much of a body as its Content-Length says. */
static void split_raw(void)
{
    const char *text = (const char *)requests.ptr;
    size_t at = 0;
    while (at + 1 < requests.len && request_count < REQUESTS_MAX) {
        const char *blank = strstr(text + at, "\r\n\r\n"),
                   *field = strcasestr(text + at, "\r\nContent-Length:");
        if (!blank) break;
        at = (size_t)(blank + 4 - text);
        if (field && field < blank) at += strtoull(field + 17, NULL, 10);
        if (at >= requests.len) break;
        starts[++request_count] = at;
    }
    if (at + 1 == requests.len) return;
    fputs("bench_load: the file is no row of whole requests\n", stderr);
    exit(1);
}

static void write_requests(void)
{
    const char *authorization = getenv("BENCH_AUTHORIZATION");
    buf_init(&requests, REQUESTS_BYTES);
    if (plan.raw)
        read_raw();
    else
        for (uint64_t i = 0; i < plan.references; i++)
            write_mint(i, authorization ? authorization : "");
    if (buf_error(&requests) == ERR_OK && plan.raw) split_raw();
    if (buf_error(&requests) == ERR_OK && request_count > 0) return;
    fputs("bench_load: no request, or too many\n", stderr);
    exit(1);
}

static struct bytes next_request(void)
{
    size_t at = sent++ % request_count;
    return bytes_of(requests.ptr + starts[at], starts[at + 1] - starts[at]);
}

/* One connection */

static void send_next(struct conn *conn)
{
    if (sent == plan.requests) return;
    struct bytes request = next_request();
    conn->got = conn->want = 0;
    conn->sent_ns = clock_ns(CLOCK_MONOTONIC);
    if (send(conn->fd, request.ptr, request.len, MSG_NOSIGNAL) != (ssize_t)request.len) die("send");
}

/* Reads status and length once the head is complete; our own server's replies have a Content-Length each. */
static void read_head(struct conn *conn)
{
    const char *blank = strstr(conn->in, "\r\n\r\n"), *field = strcasestr(conn->in, "\r\nContent-Length:");
    if (!blank) return;
    if (strncmp(conn->in, "HTTP/1.1 ", 9) != 0 || strtoull(conn->in + 9, NULL, 10) != plan.status)
        give_up("wrong status", conn);
    if (!field || field > blank) give_up("no Content-Length", conn);
    conn->want = (size_t)(blank + 4 - conn->in) + strtoull(field + 17, NULL, 10);
    if (conn->want > REPLY_MAX) give_up("reply too long", conn);
}

static void receive(struct conn *conn)
{
    ssize_t got = recv(conn->fd, conn->in + conn->got, REPLY_MAX - conn->got, 0);
    if (got <= 0) give_up("connection closed", conn);
    conn->got += (size_t)got;
    conn->in[conn->got] = '\0';
    if (conn->want == 0) read_head(conn);
    if (conn->want == 0 || conn->got < conn->want) return;
    if (conn->got > conn->want) give_up("more than one reply", conn);
    if (kept) fprintf(kept, "%s\n", strstr(conn->in, "\r\n\r\n") + 4);
    int64_t took_ns = clock_ns(CLOCK_MONOTONIC) - conn->sent_ns;
    latency_ns[answered++] = took_ns < UINT32_MAX ? (uint32_t)took_ns : UINT32_MAX;
    send_next(conn);
}

static void open_conn(struct conn *conn, int epoll)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)plan.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
    int on = 1;
    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (conn->fd < 0 || connect(conn->fd, (struct sockaddr *)&address, sizeof address) != 0) die("connect");
    (void)setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* slower without, not wrong */
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, conn->fd, &event) != 0) die("epoll_ctl");
}

/* The whole run */

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double percentile_us(uint64_t percent)
{
    uint64_t rank = (answered - 1) * percent / 100;

    return latency_ns[rank] / 1e3;
}

static void report(int64_t wall_ns, int64_t cpu_ns)
{
    qsort(latency_ns, answered, sizeof latency_ns[0], by_size);
    printf("{\"requests\":%llu,\"connections\":%llu,\"per_second\":%.0f,", (unsigned long long)answered,
           (unsigned long long)plan.connections, (double)answered * 1e9 / (double)wall_ns);
    if (plan.pid) printf("\"cpu_us\":%.3f,", (double)cpu_ns / 1e3 / (double)answered);
    printf("\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n", percentile_us(50),
           percentile_us(90), percentile_us(99), percentile_us(100));
}

static void run(void)
{
    struct epoll_event ready[64];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) die("epoll_create1");
    for (uint64_t i = 0; i < plan.connections; i++)
        open_conn(&conns[i], epoll);
    clockid_t server = server_clock();
    int64_t cpu_ns = clock_ns(server), wall_ns = clock_ns(CLOCK_MONOTONIC);
    for (uint64_t i = 0; i < plan.connections; i++)
        send_next(&conns[i]);
    while (answered < plan.requests) {
        int count = epoll_wait(epoll, ready, 64, plan.spins ? 0 : 30000);
        if (count == 0 && !plan.spins) give_up("no reply for 30 s", &conns[0]);
        for (int i = 0; i < count; i++)
            receive(ready[i].data.ptr);
    }
    wall_ns = clock_ns(CLOCK_MONOTONIC) - wall_ns;
    report(wall_ns, clock_ns(server) - cpu_ns);
}

static void usage(void)
{
    fputs("usage: bench_load --port N [--requests N] [--connections N] [--references N] [--path P] [--status "
          "N] "
          "[--raw FILE] [--keep FILE] [--pid N] [--spin]\n",
          stderr);
    exit(2);
}

static uint64_t number_of(const char *text, uint64_t max)
{
    uint64_t number;
    if (!bytes_to_u64(&number, bytes_of_text(text), max) || number == 0) usage();
    return number;
}

static void read_arguments(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"requests", required_argument, NULL, 'n'},
                                            {"connections", required_argument, NULL, 'c'},
                                            {"references", required_argument, NULL, 'k'},
                                            {"path", required_argument, NULL, 'u'},
                                            {"status", required_argument, NULL, 's'},
                                            {"raw", required_argument, NULL, 'r'},
                                            {"keep", required_argument, NULL, 'o'},
                                            {"pid", required_argument, NULL, 'i'},
                                            {"spin", no_argument, NULL, 'w'},
                                            {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p') plan.port = number_of(optarg, 65535);
        if (option == 'n') plan.requests = number_of(optarg, REQUESTS_MAX);
        if (option == 'c') plan.connections = number_of(optarg, CONNECTIONS_MAX);
        if (option == 'k') plan.references = number_of(optarg, REQUESTS_MAX);
        if (option == 's') plan.status = number_of(optarg, 599);
        if (option == 'i') plan.pid = number_of(optarg, INT32_MAX);
        if (option == 'w') plan.spins = true;
        if (option == 'u') plan.path = optarg;
        if (option == 'r') plan.raw = optarg;
        if (option == 'o') plan.keep = optarg;
        if (option == '?') usage();
    }
    if (plan.port == 0) usage();
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv);
    write_requests();
    if (plan.keep && !(kept = fopen(plan.keep, "w"))) die(plan.keep);
    run();
    if (kept && fclose(kept) != 0) die(plan.keep);
    return 0;
}
