/* bare.c — the floor under a mint: the cryptography of one subscriber token with its refresh token on a raw
 * epoll loop with keep-alive, and nothing else. What the server costs beyond this is what the server itself
 * costs.
 *
 * Per request: one read (taken to be one whole request), one keyed hash of the presented secret, one seal,
 * one ES256 signature, base64url of all three parts, one write. It reads no header, checks nothing and draws
 * no dice. The sizes are arguments, so that the runner can set them to what the server's tokens have.
 *
 *     bench_bare [--claims N] [--header N] [--sealed N] [--secret N] [--reply N]      prints {"port":N} and
 * serves
 *
 *     header   base64url characters of the token's first part      sealed   bytes of the record inside the
 * refresh token claims   bytes of the token's payload                        secret   bytes hashed after
 * "Basic " reply    bytes of the whole reply, filled up with a padding field */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base64url.h"
#include "token/crypto.h"

#define PART_MAX  4096  /* any one size argument */
#define REPLY_MAX 16384 /* base64url of two parts at PART_MAX, and the text around them */
#define READ_MAX  16384
#define READY_MAX 64 /* events taken per epoll_wait */

struct sizes {
    size_t header, claims, sealed, secret, reply;
};

struct bare {
    struct sizes size;
    struct crypto *crypto;
    struct crypto_mac *mac;
    struct crypto_siv *siv;
    struct crypto_sign *key;
    struct buf head;  /* status line and fields: the same for every reply */
    struct buf token; /* header.payload.signature */
    struct buf sealed;
    struct buf reply;
    uint8_t header[PART_MAX], claims[PART_MAX], record[PART_MAX];
    uint64_t count; /* goes into claims and record, so that no two tokens are the same */
};

/* As long as the server's: version, key id, kind and epoch in one string of 18 bytes. */
static const uint8_t context[18] = {1, '0', '1', '2', '3', 'a', 'b', 'c', 'd'};

#define SUBSCRIBER "{\"subscriber_id\":\"00000000-0000-4000-8000-000000000000\",\"token\":\""
#define REFRESH    "\",\"refresh_token\":\"rt_0123abcd."
#define CLOSING    "\"}"

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void count_up(struct bare *bare)
{
    bare->count++;
    memcpy(bare->claims, &bare->count, sizeof bare->count);
    memcpy(bare->record, &bare->count, sizeof bare->count);
}

static enum err write_token(struct bare *bare)
{
    uint8_t signature[64];
    enum err e;
    buf_reset(&bare->token);
    buf_append(&bare->token, bytes_of(bare->header, bare->size.header));
    buf_append_byte(&bare->token, '.');
    base64url_append(&bare->token, bytes_of(bare->claims, bare->size.claims));
    TRY(e = crypto_sign(bare->key, signature, buf_bytes(&bare->token)), done);
    buf_append_byte(&bare->token, '.');
    base64url_append(&bare->token, bytes_of(signature, sizeof signature));
done:
    return e;
}

/* The whole reply for one request, in bare->reply. */
static enum err mint(struct bare *bare, struct bytes secret)
{
    struct bytes about = bytes_of(context, sizeof context);
    uint8_t hash[SHA256_LEN];
    enum err e;
    TRY(e = crypto_mac(bare->mac, hash, secret), done);
    count_up(bare);
    buf_reset(&bare->sealed);
    TRY(e = crypto_siv_seal(bare->siv, &bare->sealed, bytes_of(bare->record, bare->size.sealed), &about, 1),
        done);
    TRY(e = write_token(bare), done);
    buf_reset(&bare->reply);
    buf_append(&bare->reply, buf_bytes(&bare->head));
    buf_append(&bare->reply, BYTES(SUBSCRIBER));
    buf_append(&bare->reply, buf_bytes(&bare->token));
    buf_append(&bare->reply, BYTES(REFRESH));
    base64url_append(&bare->reply, buf_bytes(&bare->sealed));
    buf_append(&bare->reply, BYTES(CLOSING));
    e = buf_error(&bare->reply);
done:
    return e;
}

/* false: the peer is gone, or sent what this program does not understand. */
static bool serve(struct bare *bare, int fd)
{
    static uint8_t in[READ_MAX];
    ssize_t got = read(fd, in, sizeof in);
    if (got <= 0) return false;
    if (!memmem(in, (size_t)got, "\r\n\r\n", 4)) return false;
    const uint8_t *basic = memmem(in, (size_t)got, "Basic ", 6);
    if (!basic) return false;
    size_t left = (size_t)got - (size_t)(basic - in);
    if (mint(bare, bytes_of(basic, left < bare->size.secret ? left : bare->size.secret)) != ERR_OK)
        return false;
    struct bytes out = buf_bytes(&bare->reply);
    return send(fd, out.ptr, out.len, MSG_NOSIGNAL) == (ssize_t)out.len;
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

static int listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 1024) != 0) die("listen");
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0) die("getsockname");
    printf("{\"port\":%u}\n", (unsigned)ntohs(address.sin_port));
    (void)fflush(stdout); /* whoever waits for the line gives up by itself */
    return fd;
}

static void run(struct bare *bare)
{
    struct epoll_event ready[READY_MAX];
    int listener = listen_on_loopback(), epoll = epoll_create1(EPOLL_CLOEXEC), on = 1;
    if (epoll < 0) die("epoll_create1");
    watch(epoll, listener);
    for (;;) {
        int count = epoll_wait(epoll, ready, READY_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (ready[i].data.fd == listener) {
                int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0) continue;
                (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
                                 sizeof on); /* slower without, not wrong */
                watch(epoll, fd);
            } else if (!serve(bare, ready[i].data.fd)) {
                close(ready[i].data.fd);
            }
        }
    }
}

static enum err make_keys(struct bare *bare)
{
    struct secret sign = {0}, seal = {0};
    enum err e;
    TRY(e = crypto_new(&bare->crypto), done);
    TRY(e = secret_set(&seal, BYTES("bench bench bench bench bench bench bench bench bench bench ben.")),
        done);
    TRY(e = crypto_mac_new(&bare->mac, bare->crypto, &seal), done);
    TRY(e = crypto_siv_new(&bare->siv, bare->crypto, &seal), done);
    TRY(e = crypto_key_generate(bare->crypto, ALG_ES256, &sign), done);
    e = crypto_sign_new(&bare->key, bare->crypto, ALG_ES256, &sign);
done:
    secret_release(&sign);
    secret_release(&seal);
    return e;
}

/* The fields, padded so that the whole reply has the wanted size. */
static void make_head(struct bare *bare)
{
    const struct sizes *size = &bare->size;
    size_t token = size->header + BASE64URL_LEN(size->claims) + BASE64URL_LEN(64) + 2;
    size_t body = sizeof SUBSCRIBER + sizeof REFRESH + sizeof CLOSING - 3 + token +
                  BASE64URL_LEN(size->sealed + CRYPTO_SIV_TAG);
    buf_append_text(&bare->head, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ");
    buf_append_u64(&bare->head, body);
    buf_append_text(&bare->head, "\r\nPadding: ");
    while (bare->head.len + 4 + body < size->reply)
        buf_append_byte(&bare->head, 'x');
    buf_append_text(&bare->head, "\r\n\r\n");
}

static void read_arguments(struct sizes *out, int argc, char **argv)
{
    static const struct option options[] = {
        {"header", required_argument, NULL, 'h'}, {"claims", required_argument, NULL, 'c'},
        {"sealed", required_argument, NULL, 's'}, {"secret", required_argument, NULL, 'k'},
        {"reply", required_argument, NULL, 'r'},  {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        uint64_t number = 0;
        if (option == '?' || !bytes_to_u64(&number, bytes_of_text(optarg), PART_MAX)) {
            fputs("usage: bench_bare [--header|--claims|--sealed|--secret|--reply BYTES]...\n", stderr);
            exit(2);
        }
        if (option == 'h') out->header = number;
        if (option == 'c') out->claims = number;
        if (option == 's') out->sealed = number;
        if (option == 'k') out->secret = number;
        if (option == 'r') out->reply = number;
    }
}

int main(int argc, char **argv)
{
    static struct bare bare = {
        .size = {.header = 110, .claims = 420, .sealed = 130, .secret = 44, .reply = 1200}};
    read_arguments(&bare.size, argc, argv);
    buf_init(&bare.head, REPLY_MAX);
    buf_init(&bare.token, REPLY_MAX);
    buf_init(&bare.sealed, REPLY_MAX);
    buf_init(&bare.reply, REPLY_MAX + PART_MAX);
    memset(bare.header, 'h', sizeof bare.header);
    memset(bare.claims, 'c', sizeof bare.claims);
    memset(bare.record, 'r', sizeof bare.record);
    make_head(&bare);
    if (make_keys(&bare) != ERR_OK) {
        fputs("bench_bare: the crypto library failed\n", stderr);
        return 1;
    }
    run(&bare);
}
