#include "server/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dice.h"
#include "harness/check.h"

static char dir[] = "/tmp/coatcheck-tls-XXXXXX";
static const char *const files[] = {"ca.pem", "tls.pem", "tls.key"};

static const char *path_of(const char *name)
{
    static char path[4][128];
    static int turn;
    turn = (turn + 1) % 4;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
    return path[turn];
}

static size_t read_file(const char *name, char out[8192])
{
    FILE *file = fopen(path_of(name), "r");
    size_t len = file ? fread(out, 1, 8191, file) : 0;
    if (file) fclose(file);
    out[len] = 0;
    return len;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    CHECK(file && fputs(text, file) >= 0);
    if (file) fclose(file);
}

static X509 *certificate_of(const char *name)
{
    FILE *file = fopen(path_of(name), "r");
    X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (file) fclose(file);
    return certificate;
}

static void make(void)
{
    const char *why = "";
    CHECK(tls_make_dev_files(dir, &why) == ERR_OK);
    CHECK(*why == 0);
}

/* ---- the dev certificates ---- */

static void refuses_a_folder_that_is_not_there(void)
{
    char longer[5000] = {0};
    const char *why = NULL;
    CHECK(tls_make_dev_files("/nowhere/at/all", &why) == ERR_IO);
    CHECK(why && *why);
    memset(longer, 'a', sizeof longer - 1);
    CHECK(tls_make_dev_files(longer, &why) == ERR_CONFIG);
    CHECK(why && *why);
}

/* As a browser does: chain to the authority, right use, right name. */
static int verify_as(const char *name, bool is_address)
{
    X509 *ca = certificate_of("ca.pem"), *leaf = certificate_of("tls.pem");
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    CHECK(ca && leaf && X509_STORE_add_cert(store, ca) == 1);
    CHECK(X509_STORE_CTX_init(context, store, leaf, NULL) == 1);
    X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT);
    X509_VERIFY_PARAM_set_auth_level(rules, 2);
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    CHECK(X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER) == 1);
    if (is_address)
        CHECK(X509_VERIFY_PARAM_set1_ip_asc(rules, name) == 1);
    else
        CHECK(X509_VERIFY_PARAM_set1_host(rules, name, 0) == 1);
    int result = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    X509_free(leaf);
    X509_free(ca);
    return result;
}

static void verifies_for_its_names_and_no_other(void)
{
    static const struct {
        const char *name;
        bool is_address;
        int wanted;
    } rows[] = {{"example.com", false, X509_V_ERR_HOSTNAME_MISMATCH},
                {"a.localhost", false, X509_V_ERR_HOSTNAME_MISMATCH},
                {"a.b.coatcheck.localhost", false, X509_V_ERR_HOSTNAME_MISMATCH},
                {"127.0.0.2", true, X509_V_ERR_IP_ADDRESS_MISMATCH},
                {"localhost", false, X509_V_OK},
                {"coatcheck.localhost", false, X509_V_OK},
                {"puc.coatcheck.localhost", false, X509_V_OK},
                {"127.0.0.1", true, X509_V_OK},
                {"::1", true, X509_V_OK}};
    make();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_NOTE("%s", rows[i].name);
        CHECK_INT(verify_as(rows[i].name, rows[i].is_address), rows[i].wanted);
    }
}

static void lasts_ninety_days(void)
{
    X509 *leaf = certificate_of("tls.pem"), *ca = certificate_of("ca.pem");
    int days = 0, seconds = 0;
    make();
    CHECK(ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(leaf)) == 1);
    CHECK(days == 89 || days == 90);
    CHECK(X509_check_ca(ca) == 1 && X509_check_ca(leaf) == 0);
    CHECK_INT(X509_get_key_usage(leaf), KU_DIGITAL_SIGNATURE);
    CHECK_INT(X509_get_key_usage(ca), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    X509_free(leaf);
    X509_free(ca);
}

static void leaves_only_the_three_files_and_a_private_key(void)
{
    struct stat about;
    make();
    CHECK(stat(path_of("tls.key"), &about) == 0);
    CHECK_INT(about.st_mode & 0777, 0600);
    for (size_t i = 0; i < 3; i++) {
        char beside[32];
        (void)snprintf(beside, sizeof beside, "%s.new", files[i]);
        CHECK(access(path_of(files[i]), F_OK) == 0);
        CHECK(access(path_of(beside), F_OK) != 0);
    }
}

static void reuses_what_is_there(void)
{
    char before[3][8192], after[8192];
    make();
    for (size_t i = 0; i < 3; i++)
        CHECK(read_file(files[i], before[i]) > 100);
    make();
    for (size_t i = 0; i < 3; i++) {
        read_file(files[i], after);
        CHECK(strcmp(before[i], after) == 0);
    }
}

enum damage { GONE, EMPTY, OF_ANOTHER, OPEN_TO_ALL };

static void damage(const char *name, enum damage how, const char *of_another)
{
    switch (how) {
    case GONE:
        CHECK(unlink(path_of(name)) == 0);
        break;
    case EMPTY:
        write_file(name, "");
        break;
    case OF_ANOTHER:
        write_file(name, of_another);
        break;
    case OPEN_TO_ALL:
        CHECK(chmod(path_of(name), 0644) == 0);
        break;
    }
}

static void makes_all_anew_if_one_is_wrong(void)
{
    char older[3][8192], before[8192], after[8192];
    for (size_t i = 0; i < 3; i++)
        read_file(files[i], older[i]);
    CHECK(unlink(path_of("ca.pem")) == 0);
    make();
    for (size_t i = 0; i < 3; i++) {
        for (enum damage how = GONE; how <= OPEN_TO_ALL; how++) {
            if (how == OPEN_TO_ALL && i != 2) continue;
            CHECK_NOTE("%s, damage %d", files[i], (int)how);
            size_t other = (i + 1) % 3;
            read_file(files[other], before);
            damage(files[i], how, older[i]);
            make();
            read_file(files[other], after);
            CHECK(strcmp(before, after) != 0);
            CHECK_INT(verify_as("coatcheck.localhost", false), X509_V_OK);
        }
    }
    /* A whole older set, on the other hand, is a good one. */
    for (size_t i = 0; i < 3; i++)
        write_file(files[i], older[i]);
    make();
    read_file("tls.key", after);
    CHECK(strcmp(after, older[2]) == 0);
}

/* ---- opening ---- */

static void refuses_files_that_do_not_serve(void)
{
    static const char *const rows[][2] = {{"absent", "tls.key"},
                                          {"tls.key", "tls.key"},
                                          {"tls.pem", "absent"},
                                          {"tls.pem", "tls.pem"},
                                          {"ca.pem", "tls.key"}};
    make();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tls *tls;
        const char *why = NULL;
        CHECK_NOTE("%s %s", rows[i][0], rows[i][1]);
        CHECK(tls_open(&tls, path_of(rows[i][0]), path_of(rows[i][1]), &why) == ERR_CONFIG);
        CHECK(!tls && why && *why);
    }
    tls_free(NULL);
    tls_session_free(NULL);
}

/* ---- sessions, between two memory buffers ---- */

struct pair {
    struct tls *tls;
    struct tls_session *server;
    SSL_CTX *context;
    SSL *client;
    BIO *to_client, *from_client; /* owned by client */
    struct buf plain, cipher;
    enum tls_state state;
};

static void pair_open(struct pair *pair)
{
    const char *why;
    *pair = (struct pair){.state = TLS_OPEN};
    make();
    CHECK(tls_open(&pair->tls, path_of("tls.pem"), path_of("tls.key"), &why) == ERR_OK);
    CHECK(tls_session_new(&pair->server, pair->tls) == ERR_OK);
    buf_init(&pair->plain, 1 << 20);
    buf_init(&pair->cipher, 1 << 20);
    pair->context = SSL_CTX_new(TLS_client_method());
    CHECK(SSL_CTX_load_verify_file(pair->context, path_of("ca.pem")) == 1);
    SSL_CTX_set_verify(pair->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_security_level(pair->context, 0); /* it may ask for what the server must refuse */
    pair->client = SSL_new(pair->context);
    pair->to_client = BIO_new(BIO_s_mem());
    pair->from_client = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(pair->to_client, -1);
    SSL_set_bio(pair->client, pair->to_client, pair->from_client);
    SSL_set_connect_state(pair->client);
    CHECK(SSL_set1_host(pair->client, "localhost") == 1);
}

static void pair_close(struct pair *pair)
{
    SSL_free(pair->client);
    SSL_CTX_free(pair->context);
    buf_release(&pair->plain);
    buf_release(&pair->cipher);
    tls_session_free(pair->server);
    tls_free(pair->tls);
    ERR_clear_error();
}

static void give_to_client(struct pair *pair)
{
    struct bytes b = buf_bytes(&pair->cipher);
    if (b.len) BIO_write(pair->to_client, b.ptr, (int)b.len);
    buf_reset(&pair->cipher);
}

/* Gives the server what the client has said, at most `piece` bytes at once. */
static void give_to_server(struct pair *pair, size_t piece)
{
    uint8_t cipher[4096];
    for (int got; (got = BIO_read(pair->from_client, cipher, (int)piece)) > 0;) {
        enum tls_state state =
            tls_session_receive(pair->server, bytes_of(cipher, (size_t)got), &pair->plain, &pair->cipher);
        if (pair->state == TLS_OPEN)
            pair->state = state;
        else
            CHECK_INT(state, pair->state); /* what has ended stays so */
    }
}

static bool shake_hands(struct pair *pair, size_t piece)
{
    for (int turn = 0; turn < 20; turn++) {
        int is_done = SSL_do_handshake(pair->client);
        give_to_server(pair, piece);
        give_to_client(pair);
        if (pair->state == TLS_BROKEN) return false;
        if (is_done == 1) return true;
    }
    return false;
}

static void speaks_in_pieces_of_any_size(void)
{
    static const size_t pieces[] = {1, 2, 3, 5, 7, 16, 61, 127, 509, 1021, 4096};
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    static uint8_t said[40000], heard[40000];
    struct dice_seeded seed;
    struct dice dice = dice_from_seed(&seed, 3);
    dice_fill(&dice, said, sizeof said);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0] * 2; i++) {
        struct pair pair;
        size_t n = 0;
        CHECK_NOTE("pieces of %zu, version %x", pieces[i / 2], (unsigned)versions[i % 2]);
        pair_open(&pair);
        CHECK(SSL_set_max_proto_version(pair.client, versions[i % 2]));
        CHECK(tls_session_send(pair.server, BYTES("too early"), &pair.cipher) == ERR_IO);
        CHECK(shake_hands(&pair, pieces[i / 2]));
        CHECK_INT(SSL_version(pair.client), versions[i % 2]);
        CHECK(SSL_write_ex(pair.client, said, sizeof said, &n));
        give_to_server(&pair, pieces[i / 2]);
        CHECK_BYTES(buf_bytes(&pair.plain), bytes_of(said, sizeof said));
        CHECK(tls_session_send(pair.server, buf_bytes(&pair.plain), &pair.cipher) == ERR_OK);
        give_to_client(&pair);
        for (size_t have = 0;
             have < sizeof heard && SSL_read_ex(pair.client, heard + have, sizeof heard - have, &n);)
            have += n;
        CHECK(memcmp(said, heard, sizeof said) == 0);
        pair_close(&pair);
    }
}

static void sends_a_small_message_as_one_record(void)
{
    struct pair pair;
    pair_open(&pair);
    CHECK(shake_hands(&pair, 4096));
    CHECK(tls_session_send(pair.server, BYTES_NONE, &pair.cipher) == ERR_OK);
    CHECK_INT(pair.cipher.len, 0); /* and nothing as none: no tickets wait to go out either */
    CHECK(tls_session_send(pair.server, BYTES("0123456789"), &pair.cipher) == ERR_OK);
    CHECK_INT(pair.cipher.len, 5 + 10 + 1 + 16); /* RFC 8446 §5.2: head, content, its type, tag */
    CHECK_INT(pair.cipher.ptr[3] * 256 + pair.cipher.ptr[4], 27);
    pair_close(&pair);
}

static void ends_with_close_notify(void)
{
    struct pair pair;
    size_t n;
    char out[8];
    pair_open(&pair);
    CHECK(shake_hands(&pair, 4096));
    CHECK(SSL_write_ex(pair.client, "last", 4, &n));
    CHECK_INT(SSL_shutdown(pair.client), 0);
    give_to_server(&pair, 4096);
    CHECK_INT(pair.state, TLS_ENDED);
    CHECK_BYTES(buf_bytes(&pair.plain), BYTES("last"));
    CHECK(tls_session_send(pair.server, BYTES("reply"), &pair.cipher) == ERR_OK);
    tls_session_end(pair.server, &pair.cipher);
    give_to_client(&pair);
    CHECK(SSL_read_ex(pair.client, out, sizeof out, &n) && n == 5);
    CHECK(!SSL_read_ex(pair.client, out, sizeof out, &n));
    CHECK_INT(SSL_get_error(pair.client, 0), SSL_ERROR_ZERO_RETURN);
    CHECK(tls_session_send(pair.server, BYTES("more"), &pair.cipher) != ERR_OK);
    pair_close(&pair);
}

static void breaks_at_a_changed_byte(void)
{
    static const uint8_t forged[37] = {0x17, 3, 3, 0, 32};
    struct pair pair;
    pair_open(&pair);
    CHECK(shake_hands(&pair, 4096));
    CHECK(tls_session_receive(pair.server, bytes_of(forged, sizeof forged), &pair.plain, &pair.cipher) ==
          TLS_BROKEN);
    CHECK(pair.cipher.len > 0); /* the alert */
    CHECK_INT(pair.plain.len, 0);
    buf_reset(&pair.cipher);
    CHECK(tls_session_receive(pair.server, BYTES("x"), &pair.plain, &pair.cipher) == TLS_BROKEN);
    CHECK(tls_session_send(pair.server, BYTES("x"), &pair.cipher) == ERR_IO);
    tls_session_end(pair.server, &pair.cipher);
    CHECK_INT(pair.cipher.len, 0);
    pair_close(&pair);
}

static void refuses_old_versions_and_weak_ciphers(void)
{
    static const struct {
        int least, most;
        const char *ciphers;
    } rows[] = {{TLS1_VERSION, TLS1_1_VERSION, "ALL:@SECLEVEL=0"},
                {TLS1_2_VERSION, TLS1_2_VERSION, "AES128-GCM-SHA256"},
                {TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256"},
                {TLS1_2_VERSION, TLS1_2_VERSION, "aNULL:@SECLEVEL=0"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pair pair;
        CHECK_NOTE("row %zu", i);
        pair_open(&pair);
        CHECK(SSL_set_min_proto_version(pair.client, rows[i].least));
        CHECK(SSL_set_max_proto_version(pair.client, rows[i].most));
        CHECK(SSL_set_cipher_list(pair.client, rows[i].ciphers));
        CHECK(!shake_hands(&pair, 4096));
        CHECK_INT(pair.state, TLS_BROKEN);
        pair_close(&pair);
    }
}

static void refuses_renegotiation(void)
{
    struct pair pair;
    pair_open(&pair);
    CHECK(SSL_set_max_proto_version(pair.client, TLS1_2_VERSION));
    CHECK(shake_hands(&pair, 4096));
    CHECK(SSL_renegotiate(pair.client) == 1);
    CHECK(SSL_do_handshake(pair.client) != 1);
    give_to_server(&pair, 4096);
    CHECK(pair.cipher.len < 64); /* an alert, not a ServerHello with a certificate */
    CHECK(SSL_do_handshake(pair.client) != 1);
    pair_close(&pair);
}

static void gives_no_tickets_and_speaks_http_1_1(void)
{
    static const unsigned char offered[] = "\x02h2\x08http/1.1", other[] = "\x02h2";
    for (int i = 0; i < 4; i++) {
        struct pair pair;
        const unsigned char *chosen = NULL;
        unsigned len = 0;
        CHECK_NOTE("row %d", i);
        pair_open(&pair);
        if (i & 1) CHECK(SSL_set_max_proto_version(pair.client, TLS1_2_VERSION));
        CHECK(SSL_set_alpn_protos(pair.client, i & 2 ? other : offered, i & 2 ? 3 : 12) == 0);
        CHECK(shake_hands(&pair, 4096));
        SSL_get0_alpn_selected(pair.client, &chosen, &len);
        CHECK_BYTES(bytes_of(chosen, len), i & 2 ? BYTES_NONE : BYTES("http/1.1"));
        CHECK(!SSL_SESSION_has_ticket(SSL_get0_session(pair.client)));
        CHECK_INT(BIO_ctrl_pending(pair.to_client), 0);
        pair_close(&pair);
    }
}

int main(void)
{
    if (!mkdtemp(dir)) return EXIT_FAILURE;
    CHECK_RUN(refuses_a_folder_that_is_not_there);
    CHECK_RUN(verifies_for_its_names_and_no_other);
    CHECK_RUN(lasts_ninety_days);
    CHECK_RUN(leaves_only_the_three_files_and_a_private_key);
    CHECK_RUN(reuses_what_is_there);
    CHECK_RUN(makes_all_anew_if_one_is_wrong);
    CHECK_RUN(refuses_files_that_do_not_serve);
    CHECK_RUN(refuses_old_versions_and_weak_ciphers);
    CHECK_RUN(refuses_renegotiation);
    CHECK_RUN(breaks_at_a_changed_byte);
    CHECK_RUN(speaks_in_pieces_of_any_size);
    CHECK_RUN(sends_a_small_message_as_one_record);
    CHECK_RUN(ends_with_close_notify);
    CHECK_RUN(gives_no_tickets_and_speaks_http_1_1);
    for (size_t i = 0; i < 3; i++)
        (void)unlink(path_of(files[i]));
    (void)rmdir(dir);
    return CHECK_END();
}
