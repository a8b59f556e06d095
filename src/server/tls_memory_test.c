/* Each allocation of a TLS session fails in turn, the library's own too: opening, handshake, bytes both ways,
 * goodbye. It then says so or is broken, and stays so; never a wrong byte, nothing leaks, and the next
 * session is none the worse. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "harness/check.h"
#include "harness/failing_memory.h"
#include "server/tls.h"
#include "token/crypto_memory.h"

#define EACH_MAX 20000 /* more than a session asks for */

static char dir[] = "/tmp/coatcheck-tlsmem-XXXXXX";
static struct tls *tls;

static const char *path_of(const char *name)
{
    static char path[4][128];
    static int turn;
    turn = (turn + 1) % 4;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
    return path[turn];
}

/* ---- a session and its client, between two memory buffers; only the server's side wants for memory ---- */

struct pair {
    struct tls_session *server;
    SSL_CTX *context;
    SSL *client;
    BIO *to_client, *from_client; /* owned by client */
    struct buf plain, cipher;
    enum tls_state state;
    bool is_sent, is_echoed;
};

static void client_open(struct pair *pair, int version)
{
    pair->context = SSL_CTX_new(TLS_client_method());
    CHECK(SSL_CTX_load_verify_file(pair->context, path_of("ca.pem")) == 1);
    SSL_CTX_set_verify(pair->context, SSL_VERIFY_PEER, NULL);
    pair->client = SSL_new(pair->context);
    pair->to_client = BIO_new(BIO_s_mem());
    pair->from_client = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(pair->to_client, -1);
    SSL_set_bio(pair->client, pair->to_client, pair->from_client);
    SSL_set_connect_state(pair->client);
    CHECK(SSL_set_max_proto_version(pair->client, version));
    CHECK(SSL_set1_host(pair->client, "localhost") == 1);
}

static void give_to_client(struct pair *pair)
{
    struct bytes b = buf_bytes(&pair->cipher);
    memory_is_spared = true;
    if (b.len) BIO_write(pair->to_client, b.ptr, (int)b.len);
    memory_is_spared = false;
    buf_reset(&pair->cipher);
}

static void give_to_server(struct pair *pair)
{
    uint8_t cipher[4096];
    for (int got; (got = BIO_read(pair->from_client, cipher, sizeof cipher)) > 0;) {
        enum tls_state state;
        memory_is_spared = false;
        state = tls_session_receive(pair->server, bytes_of(cipher, (size_t)got), &pair->plain, &pair->cipher);
        memory_is_spared = true;
        if (pair->state == TLS_OPEN)
            pair->state = state;
        else
            CHECK_INT(state, pair->state); /* what is broken stays so */
        CHECK_INT(ERR_peek_error(), 0);
    }
}

static bool shake_hands(struct pair *pair)
{
    for (int turn = 0; turn < 10 && pair->state == TLS_OPEN; turn++) {
        int is_done;
        memory_is_spared = true;
        is_done = SSL_do_handshake(pair->client);
        ERR_clear_error();
        give_to_server(pair);
        memory_is_spared = false;
        give_to_client(pair);
        if (is_done == 1) return pair->state == TLS_OPEN;
    }
    return false;
}

static void echo(struct pair *pair)
{
    char back[16];
    size_t n = 0;
    memory_is_spared = true;
    CHECK(SSL_write_ex(pair->client, "hello", 5, &n));
    give_to_server(pair);
    memory_is_spared = false;
    if (pair->state != TLS_OPEN) return;
    CHECK_BYTES(buf_bytes(&pair->plain), BYTES("hello"));
    pair->is_sent = tls_session_send(pair->server, buf_bytes(&pair->plain), &pair->cipher) == ERR_OK;
    if (!pair->is_sent) buf_reset(&pair->cipher); /* the stream is dropped then */
    give_to_client(pair);
    memory_is_spared = true;
    n = 0;
    pair->is_echoed = SSL_read_ex(pair->client, back, sizeof back, &n) && n == 5;
    CHECK(!n || (n == 5 && memcmp(back, "hello", 5) == 0));
    CHECK_INT(pair->is_echoed, pair->is_sent);
    memory_is_spared = false;
}

/* The whole life of a session. True: all went as it should. */
static bool live(int version)
{
    struct pair pair = {.state = TLS_OPEN};
    enum err e;
    memory_is_spared = true;
    client_open(&pair, version);
    memory_is_spared = false;
    buf_init(&pair.plain, 1 << 20);
    buf_init(&pair.cipher, 1 << 20);
    e = tls_session_new(&pair.server, tls);
    CHECK((e == ERR_OK) == (pair.server != NULL));
    CHECK(e == ERR_OK || e == ERR_NO_MEMORY);
    if (!e && shake_hands(&pair)) echo(&pair);
    if (!e) tls_session_end(pair.server, &pair.cipher);
    if (pair.state == TLS_BROKEN) CHECK(tls_session_send(pair.server, BYTES("x"), &pair.cipher) != ERR_OK);
    memory_is_spared = true;
    tls_session_free(pair.server);
    buf_release(&pair.plain);
    buf_release(&pair.cipher);
    SSL_free(pair.client);
    SSL_CTX_free(pair.context);
    ERR_clear_error();
    memory_is_spared = false;
    return pair.is_echoed;
}

static void fails_cleanly_at_each_allocation(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        bool has_failed = true;
        long n = 0;
        CHECK(live(versions[i])); /* what the library keeps from its first session on is there */
        for (; has_failed && n < EACH_MAX; n++) {
            bool is_good;
            CHECK_NOTE("version %x, allocation %ld", (unsigned)versions[i], n);
            memory_fail(n, 1);
            is_good = live(versions[i]);
            has_failed = memory_relent();
            if (!has_failed) CHECK(is_good);
            if (n % 8 == 0) CHECK(live(versions[i])); /* the next one is none the worse */
        }
        CHECK(!has_failed);
        CHECK(n > 20);
        CHECK(live(versions[i]));
        printf("TLS 1.%d: %ld allocations\n", versions[i] - TLS1_VERSION, n - 1);
    }
}

static void fails_cleanly_without_more(void)
{
    for (long n = 0; n < 400; n += 3) {
        CHECK_NOTE("from allocation %ld on", n);
        memory_fail(n, 1000000);
        CHECK(!live(TLS1_3_VERSION));
        (void)memory_relent();
    }
    CHECK(live(TLS1_3_VERSION));
}

static void opens_whole_or_not_at_all(void)
{
    bool has_failed = true;
    long n = 0;
    for (; has_failed && n < EACH_MAX; n++) {
        struct tls *another;
        const char *why = NULL;
        enum err e;
        CHECK_NOTE("allocation %ld", n);
        memory_fail(n, 1);
        e = tls_open(&another, path_of("tls.pem"), path_of("tls.key"), &why);
        has_failed = memory_relent();
        CHECK((e == ERR_OK) == (another != NULL));
        CHECK(e == ERR_OK ? !*why : why && *why);
        if (!has_failed) CHECK_INT(e, ERR_OK);
        tls_free(another);
    }
    CHECK(!has_failed);
}

int main(void)
{
    static const char *const files[] = {"ca.pem", "tls.pem", "tls.key"};
    const char *why;
    if (crypto_memory_guard() || !mkdtemp(dir)) return EXIT_FAILURE;
    if (tls_make_dev_files(dir, &why) || tls_open(&tls, path_of("tls.pem"), path_of("tls.key"), &why))
        return EXIT_FAILURE;
    CHECK_RUN(fails_cleanly_at_each_allocation);
    CHECK_RUN(fails_cleanly_without_more);
    CHECK_RUN(opens_whole_or_not_at_all);
    tls_free(tls);
    for (size_t i = 0; i < 3; i++)
        (void)unlink(path_of(files[i]));
    (void)rmdir(dir);
    return CHECK_END();
}
