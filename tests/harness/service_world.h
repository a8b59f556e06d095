/* service_world.h — one lane of a server without the server: a service over the memory store, two projects
 * with keys, a mailbox that the test empties when it likes, and a store in between that can be told to fail.
 * For test programs alone; each includes it once. */
#ifndef COATCHECK_TESTS_SERVICE_WORLD_H
#define COATCHECK_TESTS_SERVICE_WORLD_H

#include "base/base64url.h"
#include "harness/check.h"
#include "service/key_text.h"
#include "service/service.h"
#include "token/dpop.h"

#define NOW_S  1767225600
#define NOW_MS ((int64_t)NOW_S * 1000)
#define URL    "http://coat.test"

/* Stands before the real store: counts, and answers in its place when told to. */
struct spy {
    struct store base;
    struct store *real;
    enum err commit_error, read_error;
    bool commits_anyway; /* and the error is told all the same */
    bool fails_once;     /* the next commit alone has the error */
    unsigned absent;     /* so many commits are told that their row is gone */
    unsigned commits, reads;
};

enum world_key { TEST_TOKEN, LIVE_TOKEN, RETIRED_TOKEN, POWERLESS_TOKEN, SECRET_KEY, CLIENT_KEY, WORLD_KEYS };

struct world {
    struct spy spy;
    struct keyring *ring;
    struct service *service;
    struct publication *publication;
    struct mailbox box;
    struct dice_seeded dice_storage;
    struct dice dice;
    struct uuid test, live;
    char test_text[UUID_TEXT_LEN], live_text[UUID_TEXT_LEN];
    struct key_text keys[WORLD_KEYS];
    struct fact_key stored[WORLD_KEYS];
    unsigned changed, errands;
    unsigned seats_taken, seats; /* of sessions whose credential bounds them; there are so many */
    enum err seat_error;
    struct { /* a browser's key */
        struct crypto *crypto;
        struct crypto_sign *sign;
        struct jwk jwk;
        char jkt[JWK_THUMBPRINT_LEN];
    } browser;
};

static struct world world;

/* --- the store in between --- */

static inline void spy_commit(struct store *base, struct store_commit *commit)
{
    struct spy *spy = (struct spy *)(void *)base;

    if (commit->writes[0].kind == WRITE_KEY_USED) { /* no ask's: nobody counts or fails these */
        commit->error = ERR_OK;
        commit->post(commit->to, &commit->mail);
        return;
    }
    spy->commits++;
    if (!spy->commit_error && !spy->absent) {
        spy->real->ops->commit(spy->real, commit);
        return;
    }
    if (spy->commits_anyway)
        (void)store_commit_wait(spy->real, commit->writes, commit->write_count, commit->rows, commit->arena);
    commit->error = spy->commit_error;
    memset(commit->rows, 0, commit->write_count * sizeof *commit->rows);
    for (size_t i = 0; i < commit->write_count; i++)
        commit->rows[i].state = ROW_ABSENT;
    if (spy->absent) spy->absent--;
    if (spy->fails_once) spy->commit_error = ERR_OK;
    commit->post(commit->to, &commit->mail);
}

static inline void spy_read(struct store *base, struct store_read *read)
{
    struct spy *spy = (struct spy *)(void *)base;

    spy->reads++;
    if (!spy->read_error) {
        spy->real->ops->read(spy->real, read);
        return;
    }
    read->error = spy->read_error;
    read->found = false;
    read->post(read->to, &read->mail);
}

static const struct store_ops spy_ops = {.name = "spy", .commit = spy_commit, .read = spy_read};

/* --- the lane --- */

static inline void lane_post(void *lane, struct mail *mail)
{
    (void)mailbox_post(&((struct world *)lane)->box, mail);
}

static inline enum err lane_errand(void *lane, struct run *run, void (*work)(struct run *),
                                   void (*done)(struct run *))
{
    ((struct world *)lane)->errands++;
    work(run);
    done(run);
    return ERR_OK;
}

static inline void lane_user_changed(void *lane, const struct uuid *project, const struct uuid *id)
{
    (void)project;
    (void)id;
    ((struct world *)lane)->changed++;
}

static inline void drain(void)
{
    struct mail *mail;

    while ((mail = mailbox_take(&world.box)))
        while (mail) {
            struct mail *next = mail->next;
            mail->open(mail);
            mail = next;
        }
}

/* --- the projects --- */

static inline void world_check(enum err e)
{
    if (e == ERR_OK) return;
    fprintf(stderr, "the world cannot be made: %s\n", err_name(e));
    exit(EXIT_FAILURE);
}

static inline void world_write(const struct write *write)
{
    struct row row;
    struct arena arena;

    arena_init(&arena, 65536);
    world_check(store_commit_wait(world.spy.real, write, 1, &row, &arena));
    arena_release(&arena);
}

static inline void world_project(const struct uuid *id, bool is_test)
{
    struct write write = {.kind = WRITE_PROJECT};

    write.project = (struct fact_project){.id = *id, .name = BYTES("p"), .is_test = is_test};
    settings_standard(write.project.setting);
    world_write(&write);
    write = (struct write){.kind = WRITE_ORIGIN};
    write.origin.project = *id;
    write.origin.origin = BYTES("https://shop.test");
    world_write(&write);
    write = (struct write){.kind = WRITE_ADDRESS};
    uuid_draw(&write.address.id, &world.dice);
    uuid_draw(&write.address.resource, &world.dice);
    write.address.project = *id;
    write.address.name = is_test ? BYTES("/public/test-desk") : BYTES("/public/live-desk");
    write.address.display_name = BYTES("Desk");
    write.address.type = ADDRESS_CALL;
    world_write(&write);
}

static inline void world_key(struct key_bench *bench, enum world_key which, const struct uuid *project,
                             enum key_kind kind, uint32_t permissions)
{
    struct write write = {.kind = WRITE_KEY};
    struct key_text *text = &world.keys[which];

    key_text_draw(text, kind, true, &world.dice);
    write.key.kind = kind;
    write.key.project = *project;
    write.key.public_id = bytes_of(text->id, text->id_len);
    write.key.permissions = permissions;
    write.key.is_retired = which == RETIRED_TOKEN;
    world_check(keyring_hash(write.key.hash, bench, bytes_of(text->secret, text->secret_len)));
    world.stored[which] = write.key;
    world_write(&write);
}

static inline void world_browser(void)
{
    struct secret secret;
    struct jwk *jwk = &world.browser.jwk;

    world_check(crypto_new(&world.browser.crypto));
    world_check(crypto_key_generate(world.browser.crypto, ALG_ES256, &secret));
    world_check(crypto_sign_new(&world.browser.sign, world.browser.crypto, ALG_ES256, &secret));
    jwk->alg = ALG_ES256;
    world_check(crypto_public_of(world.browser.sign, jwk->x, jwk->y));
    world_check(jwk_thumbprint(world.browser.jkt, world.browser.crypto, jwk));
    secret_release(&secret);
}

/* A client whose assertions the browser's key signs: one pair of keys is enough for a world. */
static inline void world_client(void)
{
    struct write write = {.kind = WRITE_KEY};
    struct key_text *text = &world.keys[CLIENT_KEY];
    char jwk[JWK_TEXT_MAX];

    key_text_draw(text, KEY_CLIENT, true, &world.dice);
    write.key.kind = KEY_CLIENT;
    write.key.project = world.test;
    write.key.public_id = bytes_of(text->id, text->id_len);
    write.key.public_key = jwk_text(jwk, &world.browser.jwk);
    world_write(&write);
}

static inline struct publication *world_publish(void)
{
    struct publication *publication;
    struct facts *facts;

    world_check(world.spy.real->ops->facts(world.spy.real, &facts));
    world_check(publication_new(&publication, facts, 1));
    return publication;
}

static inline void lane_cut(void *lane, struct run *run, const struct cutoff *cutoff,
                            void (*done)(struct run *, size_t))
{
    (void)lane;
    world_check(service_take_cutoff(world.service, cutoff));
    done(run, 0);
}

static inline enum err lane_seat(bool *out, void *lane, struct run *run, const struct uuid *of, int64_t most)
{
    struct world *of_lane = lane;

    (void)run;
    (void)of;
    (void)most;
    *out = !of_lane->seat_error && of_lane->seats_taken < of_lane->seats;
    of_lane->seats_taken += *out;
    return of_lane->seat_error;
}

static inline void world_open(size_t users_max)
{
    struct secret master = {.len = 32};
    struct service_options options = {.epoch = 1, .url = BYTES(URL), .users_max = users_max};
    struct key_bench bench;
    const char *why;

    memset(&world, 0, sizeof world);
    world.dice = dice_from_seed(&world.dice_storage, 2);
    dice_fill(&world.dice, master.data, master.len);
    world_check(store_memory_open(&world.spy.real));
    world.spy.base.ops = &spy_ops;
    world_check(keyring_open(&world.ring, world.spy.real, &master, &world.dice, NOW_MS, &why));
    world_check(key_bench_open(&bench, world.ring, 1));
    uuid_draw(&world.test, &world.dice);
    uuid_draw(&world.live, &world.dice);
    uuid_write(world.test_text, &world.test);
    uuid_write(world.live_text, &world.live);
    world_project(&world.test, true);
    world_project(&world.live, false);
    world_key(&bench, TEST_TOKEN, &world.test, KEY_API_TOKEN, PERMISSION_ALL);
    world_key(&bench, LIVE_TOKEN, &world.live, KEY_API_TOKEN, PERMISSION_VIDEO);
    world_key(&bench, RETIRED_TOKEN, &world.test, KEY_API_TOKEN, PERMISSION_ALL);
    world_key(&bench, POWERLESS_TOKEN, &world.test, KEY_API_TOKEN, PERMISSION_CHAT);
    world_key(&bench, SECRET_KEY, &world.test, KEY_SECRET, PERMISSION_ALL);
    key_bench_release(&bench);
    world_browser();
    world_client();
    options.store = &world.spy.base;
    options.ring = world.ring;
    options.dice = world.dice;
    options.post = lane_post;
    options.lane = &world;
    options.errand = lane_errand;
    options.user_changed = lane_user_changed;
    options.cut = lane_cut;
    options.seat = lane_seat;
    world_check(service_new(&world.service, &options, world_publish()));
}

static inline void world_close(void)
{
    service_free(world.service);
    crypto_sign_free(world.browser.sign);
    crypto_free(world.browser.crypto);
    keyring_free(world.ring);
    world.spy.real->ops->close(world.spy.real);
}

/* --- asking --- */

struct asked { /* one ask; kept until its answer has been looked at */
    struct run run;
    struct arena arena;
    unsigned answers;
};

static inline void ask_answered(struct run *run)
{
    ((struct asked *)run->owner)->answers++;
}

static inline void ask_init(struct asked *asked, enum ask_kind kind)
{
    memset(asked, 0, sizeof *asked);
    arena_init(&asked->arena, RUN_ARENA_MAX);
    asked->run.ask.kind = kind;
    asked->run.now_ms = asked->run.wall_ms = NOW_MS;
    asked->run.takes_keys = KEY_BIT(KEY_API_TOKEN);
    asked->run.arena = &asked->arena;
    asked->run.done = ask_answered;
    asked->run.owner = asked;
}

static inline void ask_release(struct asked *asked)
{
    arena_release(&asked->arena);
}

static inline void ask_start(struct asked *asked)
{
    service_start(world.service, &asked->run);
}

/* Starts, waits, and sees that there is exactly one answer. */
static inline const struct outcome *ask_run(struct asked *asked)
{
    ask_start(asked);
    drain();
    CHECK_INT(asked->answers, 1);
    return &asked->run.outcome;
}

static inline struct credential basic(const struct uuid *project, enum world_key key)
{
    const struct key_text *text = &world.keys[key];
    const char *user = uuid_equal(project, &world.test) ? world.test_text : world.live_text;

    return (struct credential){.kind = CREDENTIAL_BASIC,
                               .user = bytes_of(user, UUID_TEXT_LEN),
                               .password = bytes_of(text->secret, text->secret_len)};
}

static inline void ask_mint_init(struct asked *asked, const char *reference)
{
    ask_init(asked, ASK_MINT_SUBSCRIBER);
    asked->run.ask.credential = basic(&world.test, TEST_TOKEN);
    asked->run.ask.mint.reference = bytes_of_text(reference);
}

static inline void ask_bearer_init(struct asked *asked, enum ask_kind kind, struct bytes token)
{
    ask_init(asked, kind);
    asked->run.ask.credential = (struct credential){.kind = CREDENTIAL_BEARER, .token = token};
}

static inline void ask_connect_init(struct asked *asked, struct bytes token, struct bytes proof)
{
    ask_init(asked, ASK_CONNECT);
    asked->run.ask.connect = (struct ask_connect){.token = token, .proof = proof};
    asked->run.proof_method = BYTES("open");
}

static inline void prove_with(struct buf *out, const char *payload)
{
    struct buf header, header_b64;
    struct json_writer w = json_writer_on(&header);

    buf_init(&header, 2048);
    buf_init(&header_b64, 4096);
    buf_append_text(&header, "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":");
    jwk_write_public(&w, ALG_ES256, world.browser.jwk.x, world.browser.jwk.y, BYTES("k"));
    buf_append_byte(&header, '}');
    base64url_append(&header_b64, buf_bytes(&header));
    buf_reset(out);
    world_check(jws_sign(out, world.browser.sign, buf_bytes(&header_b64), bytes_of_text(payload)));
    buf_release(&header);
    buf_release(&header_b64);
}

/* What the client signs; payload: its claims. */
static inline void assert_with(struct buf *out, const char *header, const char *payload)
{
    struct buf header_b64;

    buf_init(&header_b64, 1024);
    base64url_append(&header_b64, bytes_of_text(header));
    buf_reset(out);
    world_check(jws_sign(out, world.browser.sign, buf_bytes(&header_b64), bytes_of_text(payload)));
    buf_release(&header_b64);
}

/* A good assertion of the client, until exp_s. */
static inline void assert_client(struct buf *out, const char *jti, int64_t exp_s)
{
    char payload[512];
    const struct key_text *text = &world.keys[CLIENT_KEY];

    (void)snprintf(payload, sizeof payload,
                   "{\"iss\":\"%.*s\",\"sub\":\"%.*s\",\"aud\":\"" URL "\",\"jti\":\"%s\",\"exp\":%lld}",
                   (int)text->id_len, text->id, (int)text->id_len, text->id, jti, (long long)exp_s);
    assert_with(out, "{\"alg\":\"ES256\"}", payload);
}

static inline struct credential asserted(const struct buf *assertion)
{
    return (struct credential){
        .kind = CREDENTIAL_ASSERTION, .token = buf_bytes(assertion), .assertion_type = BYTES(ASSERTION_TYPE)};
}

/* The browser's proof for a socket call, made at iat_s. */
static inline void prove(struct buf *out, const char *jti, const char *method, int64_t iat_s)
{
    char payload[256];

    (void)snprintf(payload, sizeof payload,
                   "{\"jti\":\"%s\",\"rpc\":\"request\",\"mth\":\"%s\",\"iat\":%lld}", jti, method,
                   (long long)iat_s);
    prove_with(out, payload);
}

/* The same for a POST; token: what it names as ath, absent: nothing. */
static inline void prove_http(struct buf *out, const char *jti, const char *path, struct bytes token,
                              int64_t iat_s)
{
    char payload[384], ath[BASE64URL_LEN(SHA256_LEN) + 1];
    uint8_t digest[SHA256_LEN];
    bool has_ath = !bytes_is_absent(token);

    world_check(crypto_sha256(world.browser.crypto, digest, token));
    ath[base64url_write(ath, bytes_of(digest, sizeof digest))] = 0;
    (void)snprintf(payload, sizeof payload,
                   "{\"jti\":\"%s\",\"htm\":\"POST\",\"htu\":\"%s\",\"iat\":%lld%s%s%s}", jti, path,
                   (long long)iat_s, has_ath ? ",\"ath\":\"" : "", has_ath ? ath : "", has_ath ? "\"" : "");
    prove_with(out, payload);
}

#endif
