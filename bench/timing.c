/* timing.c — does the time of a refusal tell anything, and what may one cost? Attacks 40, 67, 70, 71 and 140
 * of docs/attacks.md, measured.
 *
 * One service over the store in memory, no network. Of each table all classes are tried in random order,
 * each call timed by the monotonic clock. Each class is compared with the first by the difference of medians
 * and by Welch's t over what lies below the 90th percentile of both (dudect: above it the machine speaks,
 * not the code).
 *
 *     bench_timing [--tries N]      of each class; default 100000; prints tables and fails nothing */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hex.h"
#include "harness/ticket_world.h"

#define CLASSES 16

struct sample_set {
    const char *name;
    bool (*refuses)(struct sample_set *set); /* tries once; false: not refused, and nothing is measured */
    char user[UUID_TEXT_LEN], secret[KEY_TEXT_MAX];
    size_t secret_len;
    struct ticket_text ticket;
    enum ticket_kind kind;
    char proof[2 * DPOP_MAX];
    size_t proof_len;
    double *ns;
    size_t count;
};
static struct sample_set classes[CLASSES];
static size_t class_count, tries = 100000;

static int64_t now_ns(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static struct sample_set *add_class(const char *name, bool (*refuses)(struct sample_set *set))
{
    struct sample_set *set = &classes[class_count++];

    memset(set, 0, sizeof *set);
    set->name = name;
    set->refuses = refuses;
    set->ns = calloc(tries, sizeof *set->ns);
    if (!set->ns) exit(EXIT_FAILURE);
    return set;
}

static void try_once(struct sample_set *set)
{
    int64_t began = now_ns();
    bool is_refused = set->refuses(set);

    set->ns[set->count++] = (double)(now_ns() - began);
    if (is_refused) return;
    fprintf(stderr, "not refused: %s\n", set->name);
    exit(EXIT_FAILURE);
}

static int rising(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

static double welch(const struct sample_set *a, const struct sample_set *b)
{
    const struct sample_set *sets[2] = {a, b};
    double mean[2], spread[2];

    for (size_t s = 0; s < 2; s++) {
        double sum = 0, squares = 0;
        size_t i, n = sets[s]->count * 9 / 10;
        for (i = 0; i < n; i++)
            sum += sets[s]->ns[i];
        mean[s] = sum / (double)n;
        for (i = 0; i < n; i++)
            squares += (sets[s]->ns[i] - mean[s]) * (sets[s]->ns[i] - mean[s]);
        spread[s] = squares / (double)(n - 1) / (double)n;
    }
    return (mean[1] - mean[0]) / sqrt(spread[0] + spread[1]);
}

static void print_table(const char *title)
{
    size_t i;

    for (i = 0; i < class_count; i++)
        qsort(classes[i].ns, classes[i].count, sizeof *classes[i].ns, rising);
    printf("%-48s %10s %12s %8s %10s\n", title, "median ns", "difference", "t", "99 % ns");
    for (i = 0; i < class_count; i++) {
        const struct sample_set *set = &classes[i];
        printf("%-48s %10.0f %12.0f %8.1f %10.0f\n", set->name, set->ns[set->count / 2],
               set->ns[set->count / 2] - classes[0].ns[classes[0].count / 2],
               i ? welch(&classes[0], set) : 0.0, set->ns[set->count * 99 / 100]);
    }
    printf("\n");
}

/* Every class once a round, in an order drawn anew. */
static void measure(const char *title)
{
    size_t i, round;

    for (i = 0; i < class_count * (tries / 10); i++) /* warm up */
        try_once(&classes[i % class_count]);
    for (i = 0; i < class_count; i++)
        classes[i].count = 0;
    for (round = 0; round < tries; round++) {
        size_t order[CLASSES] = {0};
        for (i = 0; i < class_count; i++) {
            size_t at = dice_u64(&world.dice) % (i + 1);
            order[i] = order[at];
            order[at] = i;
        }
        for (i = 0; i < class_count; i++)
            try_once(&classes[order[i]]);
    }
    print_table(title);
    for (i = 0; i < class_count; i++)
        free(classes[i].ns);
    class_count = 0;
}

/* ---- logins ---- */

static bool login_refused(struct sample_set *set)
{
    struct credential credential = {.kind = CREDENTIAL_BASIC,
                                    .user = bytes_of(set->user, UUID_TEXT_LEN),
                                    .password = bytes_of(set->secret, set->secret_len)};
    struct finding finding;
    enum refusal refusal;
    enum err e =
        service_check_key(&refusal, world.service, &credential, KEY_BIT(KEY_API_TOKEN), BYTES_NONE, &finding);

    return !e && refusal;
}

/* A secret of the test key's form that shares its first `same` characters, and none right behind them. */
static void add_login(const char *name, const char *user, const struct key_text *right, size_t same)
{
    struct sample_set *set = add_class(name, login_refused);
    size_t i;

    memcpy(set->user, user, UUID_TEXT_LEN);
    memcpy(set->secret, right->secret, right->secret_len);
    set->secret_len = right->secret_len;
    for (i = same; i < right->secret_len; i++)
        set->secret[i] =
            "123456789abcdef0"[hex_digit((uint8_t)right->secret[i])]; /* as random as the right one */
}

static void measure_logins(void)
{
    const struct key_text *key = &world.keys[TEST_TOKEN];
    size_t id = key->id_len;
    char stranger[UUID_TEXT_LEN];
    struct uuid unknown;

    uuid_draw(&unknown, &world.dice);
    uuid_write(stranger, &unknown);
    add_login("wrong secret, only the public id is right", world.test_text, key, id);
    add_login("wrong secret, 10 characters more are right", world.test_text, key, id + 10);
    add_login("wrong secret, 25 characters more are right", world.test_text, key, id + 25);
    add_login("wrong secret, all but the last are right", world.test_text, key, id + 39);
    add_login("unknown key of this project", world.test_text, key, 2);
    add_login("the key, under a project that is not there", stranger, key, id);
    add_login("the key, under another project", world.live_text, key, id);
    add_login("a retired key, wrong secret", world.test_text, &world.keys[RETIRED_TOKEN], id);
    measure("a login, refused");
}

/* ---- tickets ---- */

static bool ticket_refused(struct sample_set *set)
{
    static struct asked asked;
    bool is_refused;

    redeem_init(&asked, set->kind, &set->ticket);
    service_start(world.service, &asked.run);
    drain();
    is_refused = asked.answers == 1 && asked.run.outcome.kind == OUTCOME_REFUSED;
    ask_release(&asked);
    return is_refused;
}

static struct ticket_text *add_ticket(const char *name, enum ticket_kind kind)
{
    struct sample_set *set = add_class(name, ticket_refused);

    set->kind = kind;
    if (kind == TICKET_LAUNCH)
        launch(&set->ticket, NULL, BYTES_NONE);
    else
        bootstrap(&set->ticket, BYTES_NONE);
    return &set->ticket;
}

/* Its last character but one: the seal does not open. */
static void spoil(struct ticket_text *ticket)
{
    char *last = &ticket->text[ticket->len - 2];

    *last = *last == 'A' ? 'B' : 'A';
}

static void measure_tickets(enum ticket_kind kind, const char *title)
{
    struct ticket_text *ticket;

    spoil(add_ticket("guessed: the seal does not open", kind));
    ticket = add_ticket("guessed, under a key that is not there", kind);
    ticket->text[4] = ticket->text[4] == '0' ? '1' : '0';
    ticket = add_ticket("guessed, half as long", kind);
    ticket->len = ticket->len / 2 / 4 * 4;
    add_ticket("a real one of the other kind", kind == TICKET_LAUNCH ? TICKET_BOOTSTRAP : TICKET_LAUNCH);
    classes[class_count - 1].kind = kind;
    ticket = add_ticket("a real one, used", kind);
    (void)redeem(NULL, NULL, kind, ticket);
    measure(title);
}

/* ---- keys in proofs ---- */

static bool proof_refused(struct sample_set *set)
{
    struct arena arena;
    struct dpop dpop;
    enum err e;

    arena_init(&arena, RUN_ARENA_MAX);
    e = dpop_read(&dpop, &arena, world.browser.crypto, bytes_of(set->proof, set->proof_len));
    arena_release(&arena);
    return e == ERR_MALFORMED;
}

/* So many bytes of one value, as base64url behind what is in out already. */
static void append_number(struct buf *out, int value, size_t bytes)
{
    uint8_t raw[2048];
    char text[BASE64URL_LEN(sizeof raw)];

    memset(raw, value, bytes);
    buf_append(out, bytes_of(text, base64url_write(text, bytes_of(raw, bytes))));
}

static void append_text(struct buf *out, const char *text)
{
    buf_append(out, bytes_of_text(text));
}

/* jwk is cut in two where a number of so many bytes stands; 0: whole. The signature is of the right
 * length, and wrong. */
static void add_proof(const char *name, const char *alg, const char *jwk, size_t number, const char *rest,
                      size_t signature)
{
    struct sample_set *set = add_class(name, proof_refused);
    struct buf head;

    buf_init(&head, 8192);
    append_text(&head, "{\"typ\":\"dpop+jwt\",\"alg\":\"");
    append_text(&head, alg);
    append_text(&head, "\",\"jwk\":");
    append_text(&head, jwk);
    if (number) append_number(&head, 0xdb, number);
    append_text(&head, rest);
    append_text(&head, "}");
    set->proof_len = base64url_write(set->proof, buf_bytes(&head));
    buf_reset(&head);
    append_text(&head, ".eyJqdGkiOiJhIiwiaWF0IjoxNzY3MjI1NjAwLCJodG0iOiJQT1NUIiwiaHR1IjoiL2EifQ.");
    append_number(&head, 1, signature); /* below any modulus, so that it is looked at */
    memcpy(set->proof + set->proof_len, head.ptr, head.len);
    set->proof_len += head.len;
    buf_release(&head);
}

static void measure_keys(void)
{
    char good[256], x[BASE64URL_LEN(32) + 1], y[BASE64URL_LEN(32) + 1];

    x[base64url_write(x, bytes_of(world.browser.jwk.x, 32))] = 0;
    y[base64url_write(y, bytes_of(world.browser.jwk.y, 32))] = 0;
    (void)snprintf(good, sizeof good, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}", x, y);
    add_proof("a good ES256 key, wrong signature", "ES256", good, 0, "", 64);
    add_proof("a symmetric key", "ES256", "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}", 0, "", 64);
    add_proof("no coordinates", "ES256", "{\"kty\":\"EC\",\"crv\":\"P-256\"}", 0, "", 64);
    (void)snprintf(good, sizeof good, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}", x, x);
    add_proof("a point off the curve", "ES256", good, 0, "", 64);
    add_proof("Ed25519 (RFC 8037 A.2), wrong signature", "EdDSA",
              "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
              0, "", 64);
    add_proof("Ed25519 of small order", "EdDSA",
              "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
              0, "", 64);
    add_proof("RSA of 1024 bits", "RS256", "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"", 128, "\"}", 128);
    add_proof("RSA of 2048 bits, wrong signature", "RS256", "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"", 256,
              "\"}", 256);
    add_proof("RSA of 4096 bits, wrong signature", "RS256", "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"", 512,
              "\"}", 512);
    add_proof("RSA of 4096 bits, e of 1", "RS256", "{\"kty\":\"RSA\",\"e\":\"AQ\",\"n\":\"", 512, "\"}", 512);
    add_proof("RSA of 8192 bits", "RS256", "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"", 1024, "\"}", 512);
    add_proof("RSA of 16384 bits", "RS256", "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"", 2048, "\"}", 1024);
    measure("a proof, refused");
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--tries") == 0) tries = strtoul(argv[2], NULL, 10);
    open_all();
    measure_logins();
    measure_tickets(TICKET_LAUNCH, "a launch token, refused");
    measure_tickets(TICKET_BOOTSTRAP, "a bootstrap token, refused");
    measure_keys();
    world_close();
    return EXIT_SUCCESS;
}
