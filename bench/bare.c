/* bare.c — the floor under a request that ends in a signed token: its cryptography and its durable rows
 * on a raw epoll loop with keep-alive, and nothing else. What the server costs beyond this is what the
 * server itself costs.
 *
 * Per request: one read (taken to be one whole request), what its row in `works` says, one ES256 signature,
 * base64url of all parts, one write. It reads no header, checks nothing, looks nothing up and draws no dice;
 * what it verifies and opens is always the same. Rows are written by the server's own statements, as many
 * requests to one durable transaction as "BATCH <n>", sent instead of a request, has told, and answered once
 * that is on disk. The sizes are arguments, so that the runner can set them to what the server's requests
 * and replies have.
 *
 *     bench_bare [--work NAME] [--rows FILE] [--header N] ...      prints {"port":N} and serves
 *
 *     header   base64url characters of the token's first part
 *     claims   bytes of the token's payload
 *     sealed   bytes of the record inside the refresh token that is given out
 *     opened   bytes of the record inside the refresh token or ticket that came
 *     secret   bytes hashed after "Basic "
 *     proof    bytes of a proof's signed part
 *     reply    bytes of the whole reply, filled up with a padding field */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bare_rows.h"
#include "base/base64url.h"
#include "token/crypto.h"

#define PART_MAX       4096  /* any one size argument */
#define REPLY_MAX      16384 /* base64url of two parts at PART_MAX, and the text around them */
#define READ_MAX       16384
#define READY_MAX      64 /* events taken per epoll_wait */
#define BATCH_MAX      1024
#define BUCKET_S       ((int64_t)4000000000)
#define PAGES_TO_SWEEP 1024 /* of the log, as the store has it */

struct sizes {
    size_t header, claims, sealed, opened, secret, proof, reply;
};

/* What one request takes besides its signature. */
static const struct work {
    const char *name;
    bool hashes;      /* the secret of Basic */
    bool opens;       /* a refresh token or a ticket */
    bool checks;      /* an access token of our own */
    bool proves;      /* a proof, by a key that it brings along */
    unsigned digests; /* SHA-256 of some hundred bytes */
    unsigned burns;   /* rows of one-time ids */
    bool has_family, has_user;
    bool seals; /* a refresh token */
} works[] = {
    {.name = "mint", .hashes = true, .seals = true},
    {.name = "refresh", .hashes = true, .opens = true, .digests = 1, .has_family = true, .seals = true},
    {.name = "redeem", .opens = true, .burns = 1, .has_user = true},
    /* of the proof's key, of its jti, and of the token */
    {.name = "bound", .checks = true, .proves = true, .digests = 3, .burns = 2},
    {.name = "proof",
     .opens = true,
     .proves = true,
     .digests = 3,
     .burns = 2,
     .has_family = true,
     .seals = true},
};

struct bare {
    struct sizes size;
    const struct work *work;
    struct crypto *crypto;
    struct crypto_mac *mac;
    struct crypto_siv *siv;
    struct crypto_sign *key;
    struct crypto_check *check;
    uint8_t x[32], y[32]; /* of the key */
    struct buf head;      /* status line and fields: the same for every reply */
    struct buf token;     /* header.payload.signature */
    struct buf sealed;
    struct buf reply;
    struct buf opened; /* what comes sealed with every request */
    uint8_t header[PART_MAX], claims[PART_MAX], record[PART_MAX];
    uint8_t signed_part[3 * PART_MAX]; /* of a token with both parts at PART_MAX, and of a proof */
    uint8_t token_signature[64], proof_signature[64];
    uint64_t count; /* goes into claims and record, so that no two tokens are the same */

    struct db *db; /* NULL: nothing is durable */
    size_t batch;
    int waiting[BATCH_MAX]; /* for the transaction */
    size_t waiting_count;
    int log_pages, log_pages_swept;
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

/* ---- before a row is written ---- */

static enum err digest_all(struct bare *bare)
{
    uint8_t digest[SHA256_LEN];
    enum err e = ERR_OK;
    for (unsigned i = 0; i < bare->work->digests && e == ERR_OK; i++)
        e = crypto_sha256(bare->crypto, digest, bytes_of(bare->record, 100));
    return e;
}

/* The key of a proof comes with it and is new each time. */
static enum err check_proof(struct bare *bare)
{
    const struct crypto_public public = {
        .alg = ALG_ES256, .x = bytes_of(bare->x, 32), .y = bytes_of(bare->y, 32)};
    struct crypto_check *check = NULL;
    enum err e;
    TRY(e = crypto_check_new(&check, bare->crypto, &public), done);
    if (!crypto_check(check, bytes_of(bare->signed_part, bare->size.proof),
                      bytes_of(bare->proof_signature, 64)))
        e = ERR_CRYPTO;
done:
    crypto_check_free(check);
    return e;
}

static enum err check_token(struct bare *bare)
{
    size_t len = bare->size.header + 1 + BASE64URL_LEN(bare->size.claims);
    bool is_good =
        crypto_check(bare->check, bytes_of(bare->signed_part, len), bytes_of(bare->token_signature, 64));
    return is_good ? ERR_OK : ERR_CRYPTO;
}

static enum err open_sealed(struct bare *bare)
{
    static uint8_t out[PART_MAX];
    struct bytes about = bytes_of(context, sizeof context);
    return crypto_siv_open(bare->siv, out, buf_bytes(&bare->opened), &about, 1) ? ERR_OK : ERR_CRYPTO;
}

static enum err take_in(struct bare *bare, struct bytes secret)
{
    const struct work *work = bare->work;
    uint8_t hash[SHA256_LEN];
    enum err e = ERR_OK;
    if (work->hashes) TRY(e = crypto_mac(bare->mac, hash, secret), done);
    if (work->opens) TRY(e = open_sealed(bare), done);
    if (work->checks) TRY(e = check_token(bare), done);
    if (work->proves) TRY(e = check_proof(bare), done);
    e = digest_all(bare);
done:
    return e;
}

/* ---- rows ---- */

static int log_grew(void *state, sqlite3 *handle, const char *name, int pages)
{
    (void)handle;
    (void)name;
    ((struct bare *)state)->log_pages = pages;
    return SQLITE_OK;
}

static void sweep(struct bare *bare)
{
    if (bare->log_pages < bare->log_pages_swept) bare->log_pages_swept = 0;
    if (bare->log_pages - bare->log_pages_swept < PAGES_TO_SWEEP) return;
    bare->log_pages_swept = bare->log_pages;
    (void)db_sweep(bare->db); /* or the log grows: slower, not wrong */
}

static struct write family_write(uint64_t number)
{
    return (struct write){.kind = WRITE_FAMILY,
                          .family.family = {.id = bare_id(1, number),
                                            .user = bare_id(2, number),
                                            .state = FAMILY_LIVE,
                                            .generation = 1,
                                            .rotated_ms = (int64_t)number,
                                            .succ_exp_s = BUCKET_S,
                                            .bucket_s = BUCKET_S,
                                            .holder = BYTES("0123456789abcdef0123456789abcdef0123456789a"),
                                            .holder_is_bound = true,
                                            .seal_key = BYTES("0000000a")}};
}

static struct write user_write(uint64_t number, char name[UUID_TEXT_LEN])
{
    const struct uuid drawn = bare_id(5, number);
    uuid_write(name, &drawn);
    return (struct write){.kind = WRITE_USER,
                          .user.user = {.id = bare_id(3, number),
                                        .kind = USER_PARTICIPANT,
                                        .external_id = bytes_of(name, UUID_TEXT_LEN),
                                        .created_ms = 1,
                                        .updated_ms = 1}};
}

static void write_rows(struct bare *bare)
{
    struct write writes[4];
    size_t count = 0;
    char name[UUID_TEXT_LEN];
    if (bare->work->has_family) writes[count++] = family_write(bare->count);
    for (unsigned i = 0; i < bare->work->burns; i++)
        writes[count++] = (struct write){
            .kind = WRITE_ONCE, .once = {.id = bare_id(4, bare->count), .bucket_s = BUCKET_S + (int64_t)i}};
    if (bare->work->has_user) writes[count++] = user_write(bare->count, name);
    if (bare->waiting_count == 0) bare_begin(bare->db);
    bare_write_together(bare->db, writes, count);
}

/* ---- the reply ---- */

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

static enum err write_reply(struct bare *bare)
{
    struct bytes about = bytes_of(context, sizeof context);
    enum err e = ERR_OK;
    count_up(bare);
    buf_reset(&bare->sealed);
    if (bare->work->seals)
        TRY(e = crypto_siv_seal(bare->siv, &bare->sealed, bytes_of(bare->record, bare->size.sealed), &about,
                                1),
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

/* false: the peer is gone. */
static bool answer(struct bare *bare, int fd)
{
    if (write_reply(bare) != ERR_OK) return false;
    struct bytes out = buf_bytes(&bare->reply);
    return send(fd, out.ptr, out.len, MSG_NOSIGNAL) == (ssize_t)out.len;
}

static void commit(struct bare *bare)
{
    if (bare->waiting_count == 0) return;
    bare_commit(bare->db);
    for (size_t i = 0; i < bare->waiting_count; i++)
        if (!answer(bare, bare->waiting[i])) close(bare->waiting[i]);
    bare->waiting_count = 0;
    sweep(bare);
}

static void set_batch(struct bare *bare, struct bytes digits)
{
    uint64_t number;
    if (bytes_to_u64(&number, digits, BATCH_MAX) && number > 0) bare->batch = number;
}

/* false: the peer is gone, or sent what this program does not understand. */
static bool serve(struct bare *bare, int fd)
{
    static uint8_t in[READ_MAX];
    ssize_t got = read(fd, in, sizeof in);
    if (got <= 0) return false;
    if (!memmem(in, (size_t)got, "\r\n\r\n", 4)) {
        if (got > 6 && memcmp(in, "BATCH ", 6) == 0) set_batch(bare, bytes_of(in + 6, (size_t)got - 6));
        return false;
    }
    const uint8_t *basic = bare->work->hashes ? memmem(in, (size_t)got, "Basic ", 6) : in;
    if (!basic) return false;
    size_t left = (size_t)got - (size_t)(basic - in);
    if (take_in(bare, bytes_of(basic, left < bare->size.secret ? left : bare->size.secret)) != ERR_OK)
        return false;
    if (!bare->db) return answer(bare, fd);
    write_rows(bare);
    count_up(bare);
    bare->waiting[bare->waiting_count++] = fd;
    if (bare->waiting_count == bare->batch) commit(bare);
    return true;
}

/* ---- the loop ---- */

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
        /* at the end of a round fewer are left than a transaction takes */
        int count = epoll_wait(epoll, ready, READY_MAX, bare->waiting_count > 0 ? 20 : -1);
        if (count == 0) commit(bare);
        for (int i = 0; i < count; i++) {
            if (ready[i].data.fd == listener) {
                int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0) continue;
                /* slower without, not wrong */
                (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                watch(epoll, fd);
            } else if (!serve(bare, ready[i].data.fd)) {
                close(ready[i].data.fd);
            }
        }
    }
}

/* ---- the start ---- */

static enum err make_keys(struct bare *bare)
{
    struct secret sign = {0}, seal = {0};
    struct crypto_public public = {.alg = ALG_ES256, .x = bytes_of(bare->x, 32), .y = bytes_of(bare->y, 32)};
    enum err e;
    TRY(e = crypto_new(&bare->crypto), done);
    TRY(e = secret_set(&seal, BYTES("bench bench bench bench bench bench bench bench bench bench ben.")),
        done);
    TRY(e = crypto_mac_new(&bare->mac, bare->crypto, &seal), done);
    TRY(e = crypto_siv_new(&bare->siv, bare->crypto, &seal), done);
    TRY(e = crypto_key_generate(bare->crypto, ALG_ES256, &sign), done);
    TRY(e = crypto_sign_new(&bare->key, bare->crypto, ALG_ES256, &sign), done);
    TRY(e = crypto_public_of(bare->key, bare->x, bare->y), done);
    e = crypto_check_new(&bare->check, bare->crypto, &public);
done:
    secret_release(&sign);
    secret_release(&seal);
    return e;
}

/* What is verified and opened with every request. */
static enum err make_credentials(struct bare *bare)
{
    const struct sizes *size = &bare->size;
    struct bytes about = bytes_of(context, sizeof context);
    size_t token = size->header + 1 + BASE64URL_LEN(size->claims);
    enum err e;
    TRY(e = crypto_sign(bare->key, bare->proof_signature, bytes_of(bare->signed_part, size->proof)), done);
    TRY(e = crypto_sign(bare->key, bare->token_signature, bytes_of(bare->signed_part, token)), done);
    e = crypto_siv_seal(bare->siv, &bare->opened, bytes_of(bare->record, size->opened), &about, 1);
done:
    return e;
}

/* The fields, padded so that the whole reply has the wanted size. */
static void make_head(struct bare *bare)
{
    const struct sizes *size = &bare->size;
    size_t token = size->header + BASE64URL_LEN(size->claims) + BASE64URL_LEN(64) + 2;
    size_t sealed = bare->work->seals ? BASE64URL_LEN(size->sealed + CRYPTO_SIV_TAG) : 0;
    size_t body = sizeof SUBSCRIBER + sizeof REFRESH + sizeof CLOSING - 3 + token + sealed;
    buf_append_text(&bare->head, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ");
    buf_append_u64(&bare->head, body);
    buf_append_text(&bare->head, "\r\nPadding: ");
    while (bare->head.len + 4 + body < size->reply)
        buf_append_byte(&bare->head, 'x');
    buf_append_text(&bare->head, "\r\n\r\n");
}

static void make_rows(struct bare *bare, const char *path)
{
    struct store *store = bare_rows_make(path);
    store->ops->close(store);
    bare->db = bare_rows_open(path);
    (void)sqlite3_wal_hook(bare->db->handle, log_grew, bare); /* returns the hook before it: none */
}

static void usage(void)
{
    fputs("usage: bench_bare [--work mint|refresh|redeem|bound|proof] [--rows FILE] "
          "[--header|--claims|--sealed|--opened|--secret|--proof|--reply BYTES]...\n",
          stderr);
    exit(2);
}

static const struct work *work_named(const char *name)
{
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++)
        if (strcmp(works[i].name, name) == 0) return &works[i];
    usage();
    return NULL;
}

static const char *read_arguments(struct bare *out, int argc, char **argv)
{
    static const struct option options[] = {
        {"work", required_argument, NULL, 'w'},   {"rows", required_argument, NULL, 'f'},
        {"header", required_argument, NULL, 'h'}, {"claims", required_argument, NULL, 'c'},
        {"sealed", required_argument, NULL, 's'}, {"opened", required_argument, NULL, 'o'},
        {"secret", required_argument, NULL, 'k'}, {"proof", required_argument, NULL, 'p'},
        {"reply", required_argument, NULL, 'r'},  {NULL, 0, NULL, 0}};
    const char *rows = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        uint64_t number = 0;
        bool is_text = option == 'w' || option == 'f';
        if (option == '?' || (!is_text && !bytes_to_u64(&number, bytes_of_text(optarg), PART_MAX))) usage();
        if (option == 'w') out->work = work_named(optarg);
        if (option == 'f') rows = optarg;
        if (option == 'h') out->size.header = number;
        if (option == 'c') out->size.claims = number;
        if (option == 's') out->size.sealed = number;
        if (option == 'o') out->size.opened = number;
        if (option == 'k') out->size.secret = number;
        if (option == 'p') out->size.proof = number;
        if (option == 'r') out->size.reply = number;
    }
    return rows;
}

int main(int argc, char **argv)
{
    static struct bare bare = {.work = &works[0],
                               .batch = 1,
                               .size = {.header = 110,
                                        .claims = 420,
                                        .sealed = 130,
                                        .opened = 130,
                                        .secret = 44,
                                        .proof = 500,
                                        .reply = 1200}};
    const char *rows = read_arguments(&bare, argc, argv);
    buf_init(&bare.head, REPLY_MAX);
    buf_init(&bare.token, REPLY_MAX);
    buf_init(&bare.sealed, REPLY_MAX);
    buf_init(&bare.opened, REPLY_MAX);
    buf_init(&bare.reply, REPLY_MAX + PART_MAX);
    memset(bare.header, 'h', sizeof bare.header);
    memset(bare.claims, 'c', sizeof bare.claims);
    memset(bare.record, 'r', sizeof bare.record);
    memset(bare.signed_part, 's', sizeof bare.signed_part);
    make_head(&bare);
    if (make_keys(&bare) != ERR_OK || make_credentials(&bare) != ERR_OK) {
        fputs("bench_bare: the crypto library failed\n", stderr);
        return 1;
    }
    if (rows) make_rows(&bare, rows);
    run(&bare);
}
