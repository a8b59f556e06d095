#include "sim/model.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "sim/families.h"
#include "sim/guests.h"
#include "sim/interview.h"
#include "sim/memory.h"
#include "sim/node.h"
#include "sim/sessions.h"
#include "sim/ticket.h"
#include "sim/world.h"
#include "token/jws.h"
#include "wire/json_write.h"

struct model model;

static struct { /* kept over all seeds */
    struct crypto *crypto;
    struct crypto_sign *sign[BROWSERS];
    struct jwk jwk[BROWSERS];
    char jkt[BROWSERS][JWK_THUMBPRINT_LEN];
} browsers;

static void must(enum err e)
{
    if (e == ERR_OK) return;
    fprintf(stderr, "the model cannot be made: %s\n", err_name(e));
    exit(EXIT_FAILURE);
}

/* ---- the crypto library's dice ---- */

static struct dice_seeded crypto_storage;

static int crypto_bytes(unsigned char *out, int len)
{
    struct dice dice = {dice_from_seed(&(struct dice_seeded){0}, 0).fill, &crypto_storage};

    dice_fill(&dice, out, (size_t)len);
    return 1;
}

static int crypto_ready(void)
{
    return 1;
}

/* Signatures and keys must come out the same for the same seed; the old interface is the short way there. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void seed_crypto(void)
{
    static const RAND_METHOD method = {NULL, crypto_bytes, NULL, NULL, crypto_bytes, crypto_ready};

    (void)RAND_set_rand_method(&method);
}
#pragma GCC diagnostic pop

void model_begin(void)
{
    int i;

    crypto_storage.state = 1;
    seed_crypto();
    must(crypto_new(&browsers.crypto));
    for (i = 0; i < BROWSERS; i++) {
        struct secret secret;
        struct jwk *jwk = &browsers.jwk[i];
        must(crypto_key_generate(browsers.crypto, ALG_ES256, &secret));
        must(crypto_sign_new(&browsers.sign[i], browsers.crypto, ALG_ES256, &secret));
        jwk->alg = ALG_ES256;
        must(crypto_public_of(browsers.sign[i], jwk->x, jwk->y));
        must(jwk_thumbprint(browsers.jkt[i], browsers.crypto, jwk));
        secret_release(&secret);
    }
}

struct bytes browser_jkt(int browser)
{
    return bytes_of(browsers.jkt[browser], JWK_THUMBPRINT_LEN);
}

void model_reset(void)
{
    memset(&model, 0, sizeof model);
    families_reset();
    sessions_reset();
    voided_reset();
    interviews_reset();
    tickets_reset();
    crypto_storage.state = world.seed;
}

static void forget_keys(size_t from)
{
    while (model.known_count > from) {
        struct known_key *key = &model.known[--model.known_count];
        seal_key_free(key->seal);
        crypto_check_free(key->check);
    }
    while (model.crypto_count > (from ? 1 : 0))
        crypto_free(model.cryptos[--model.crypto_count]);
}

void model_end(void)
{
    forget_keys(0);
}

static const struct known_key *known(struct bytes id)
{
    size_t i;

    for (i = 0; i < model.known_count; i++)
        if (bytes_equal(id, bytes_of(model.known[i].id, SEAL_KEY_ID_LEN))) return &model.known[i];
    return NULL;
}

/* Takes the check or the seal for its own unless it has one. */
static bool learn_key(struct bytes id, struct crypto_check *check, struct seal_key *seal)
{
    struct known_key *key = &model.known[model.known_count];

    if (known(id)) return false;
    if (model.known_count == KNOWN_MAX) world_fail("the model holds all keys", "%zu", model.known_count);
    *key = (struct known_key){.check = check, .seal = seal};
    memcpy(key->id, id.ptr, SEAL_KEY_ID_LEN);
    model.known_count++;
    return true;
}

/* All but the contexts that it has taken over is given back. */
static void learn(struct key_bench *bench)
{
    size_t i, learned = 0;

    for (i = 0; i < bench->check_count; i++)
        if (learn_key(bench->checks[i].kid, bench->checks[i].check, NULL)) {
            bench->checks[i].check = NULL;
            learned++;
        }
    for (i = 0; i < bench->seal_count; i++)
        if (learn_key(seal_key_id(bench->seals[i]), NULL, bench->seals[i])) {
            bench->seals[i] = NULL;
            learned++;
        }
    if (learned) {
        model.cryptos[model.crypto_count++] = bench->crypto;
        bench->crypto = NULL;
    }
    key_bench_release(bench);
}

const struct known_key *model_known(struct bytes id)
{
    const struct node *node = node_running();
    struct key_bench bench;

    if (known(id) || !node || !node->ring) return known(id);
    must(key_bench_open(&bench, node->ring, 1));
    learn(&bench);
    return known(id);
}

void model_rewind(void)
{
    unsigned p, u;

    for (p = 0; p < PROJECTS; p++) {
        struct sim_project *project = &model.projects[p];
        project->stored[KEY_TOGGLED].is_retired = project->was_toggled = false;
        project->toggled_us = 0;
        for (u = 0; u < REFERENCES; u++)
            model.users[p][u] = (struct sim_user){.reference = model.users[p][u].reference};
    }
    model.token_count = model.proof_count = model.shown = 0;
    families_reset();
    sessions_reset();
    voided_reset();
    interviews_rewind();
    forget_keys(model.founded_count);
    crypto_storage.state = world.seed;
}

/* ---- the founding ---- */

static void write_now(struct store *store, const struct write *write)
{
    struct row row;
    struct arena arena;

    arena_init(&arena, 65536);
    must(store_commit_wait(store, write, 1, &row, &arena));
    arena_release(&arena);
}

static void found_project(struct store *store, struct sim_project *project, bool is_test)
{
    struct write write = {.kind = WRITE_PROJECT};

    uuid_draw(&project->id, &world.dice);
    uuid_write(project->text, &project->id);
    project->is_test = is_test;
    project->origin = is_test ? "https://test.shop" : "https://live.shop";
    write.project = (struct fact_project){.id = project->id, .name = BYTES("p"), .is_test = is_test};
    settings_standard(write.project.setting);
    guests_set(&write.project);
    write_now(store, &write);
    write = (struct write){.kind = WRITE_ORIGIN};
    write.origin.project = project->id;
    write.origin.origin = bytes_of_text(project->origin);
    write_now(store, &write);
    write = (struct write){.kind = WRITE_ADDRESS};
    uuid_draw(&write.address.id, &world.dice);
    uuid_draw(&write.address.resource, &world.dice);
    write.address.project = project->id;
    write.address.name = is_test ? BYTES("/public/test-desk") : BYTES("/public/live-desk");
    write.address.display_name = BYTES("Desk");
    write.address.type = ADDRESS_CALL;
    write_now(store, &write);
}

static void found_keys(struct store *store, struct sim_project *project, struct key_bench *bench)
{
    struct write write = {.kind = WRITE_KEY};
    int i;

    for (i = 0; i < KEYS; i++) {
        struct key_text *text = &project->keys[i];
        key_text_draw(text, KEY_API_TOKEN, project->is_test, &world.dice);
        write.key = (struct fact_key){.kind = KEY_API_TOKEN, .project = project->id};
        write.key.public_id = bytes_of(text->id, text->id_len);
        write.key.permissions = i == KEY_POWERLESS ? PERMISSION_CHAT : PERMISSION_ALL;
        must(keyring_hash(write.key.hash, bench, bytes_of(text->secret, text->secret_len)));
        project->stored[i] = write.key;
        write_now(store, &write);
    }
}

void model_found(struct store *store, const struct keyring *ring)
{
    static const char *const references[REFERENCES] = {"ada@a.test", "ada@b.test",   "Bob C",
                                                       "carl",       "d.e.f@a.test", "\xc3\xa9ve"};
    struct key_bench bench;
    unsigned p, u;

    must(key_bench_open(&bench, ring, 1));
    for (p = 0; p < PROJECTS; p++) {
        found_project(store, &model.projects[p], p == 0);
        found_keys(store, &model.projects[p], &bench);
        for (u = 0; u < REFERENCES; u++)
            model.users[p][u].reference = references[u];
    }
    tickets_found(store, &bench);
    guests_found(&bench);
    interviews_found(store);
    learn(&bench);
    model.founded_count = model.known_count;
}

/* ---- keys come and go ---- */

void model_toggle_key(struct store *store, unsigned p)
{
    struct sim_project *project = &model.projects[p];
    struct write write = {.kind = WRITE_KEY};

    write.key = project->stored[KEY_TOGGLED];
    write.key.is_retired = !write.key.is_retired;
    trace("operator", "%s key %.*s", write.key.is_retired ? "retires" : "brings back",
          (int)write.key.public_id.len, (const char *)write.key.public_id.ptr);
    if (!disk_store_operate(store, &write)) return;
    project->stored[KEY_TOGGLED] = write.key;
    project->toggled_us = world.mono_us;
    project->was_toggled = true;
}

/* Facts are polled each second; a poll may fail a few times in a troubled world. */
bool model_key_is_settled(unsigned project)
{
    const struct sim_project *one = &model.projects[project];

    return !one->was_toggled || world.mono_us - one->toggled_us > 30 * 1000000;
}

/* ---- users and tokens ---- */

struct bytes model_reference(unsigned user)
{
    return bytes_of_text(model.users[0][user].reference);
}

const struct disk_user *model_disk_user(unsigned project, unsigned user)
{
    return disk_user(&model.projects[project].id, model_reference(user));
}

void model_token_is_over(const struct token *token)
{
    if (!token->over_us) model.tokens[token - model.tokens].over_us = world.mono_us;
}

bool model_token_was_over(const struct token *token, int64_t asked_us)
{
    return token->over_us && asked_us > token->over_us;
}

bool model_is_guest(const struct token *token)
{
    return !uuid_is_zero(&token->guest);
}

struct token *model_pick_token(void)
{
    size_t i, at;

    if (!model.token_count) return NULL;
    at = chance(60) ? model.token_count - 1 : roll(model.token_count);
    for (i = 0; i < model.token_count; i++) {
        struct token *token = &model.tokens[(at + model.token_count - i) % model.token_count];
        if (token->is_known && !model_is_guest(token)) return token;
    }
    return NULL;
}

struct token *model_add_token(void)
{
    struct token *token = &model.tokens[model.token_count];

    if (model.token_count == TOKENS_MAX) return NULL;
    model.token_count++;
    memset(token, 0, sizeof *token);
    return token;
}

void model_keep_refresh(struct token *token, struct bytes text)
{
    if (!token) return;
    if (text.len > sizeof token->refresh) world_fail("a token is short", "%zu bytes", text.len);
    memcpy(token->refresh, text.ptr, text.len);
    token->refresh_len = text.len;
}

struct token *model_token_of(struct bytes text)
{
    size_t i;

    for (i = 0; i < model.token_count; i++)
        if (bytes_equal(bytes_of(model.tokens[i].text, model.tokens[i].len), text)) return &model.tokens[i];
    return NULL;
}

/* ---- proofs ---- */

static void write_proof(struct buf *out, int browser, struct bytes payload)
{
    struct buf header, header_b64;
    struct json_writer w = json_writer_on(&header);

    buf_init(&header, 2048);
    buf_init(&header_b64, 4096);
    buf_append_text(&header, "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":");
    jwk_write_public(&w, ALG_ES256, browsers.jwk[browser].x, browsers.jwk[browser].y, BYTES("k"));
    buf_append_byte(&header, '}');
    base64url_append(&header_b64, buf_bytes(&header));
    must(jws_sign(out, browsers.sign[browser], buf_bytes(&header_b64), payload));
    buf_release(&header);
    buf_release(&header_b64);
}

static struct proof *add_proof(int browser, int64_t iat_s, const char *payload)
{
    struct proof *proof = &model.proofs[model.proof_count++];
    struct buf text;

    memset(proof, 0, sizeof *proof);
    buf_init(&text, sizeof proof->text);
    write_proof(&text, browser, bytes_of_text(payload));
    memcpy(proof->text, text.ptr, text.len);
    proof->len = text.len;
    proof->browser = browser;
    proof->iat_s = iat_s;
    buf_release(&text);
    return proof;
}

struct proof *model_prove(int browser, const char *method, int64_t iat_s)
{
    char payload[256];

    if (model.proof_count == PROOFS_MAX) return NULL;
    (void)snprintf(payload, sizeof payload,
                   "{\"jti\":\"p%zu\",\"rpc\":\"request\",\"mth\":\"%s\",\"iat\":%lld}", model.proof_count,
                   method, (long long)iat_s);
    return add_proof(browser, iat_s, payload);
}

struct proof *model_prove_http(int browser, const struct token *about, bool renews, bool has_ath,
                               int64_t iat_s)
{
    char payload[384], ath[BASE64URL_LEN(SHA256_LEN) + 1];
    uint8_t digest[SHA256_LEN];
    struct proof *proof;

    if (model.proof_count == PROOFS_MAX) return NULL;
    must(crypto_sha256(browsers.crypto, digest, bytes_of(about->text, about->len)));
    ath[base64url_write(ath, bytes_of(digest, sizeof digest))] = 0;
    (void)snprintf(payload, sizeof payload,
                   "{\"jti\":\"p%zu\",\"htm\":\"POST\",\"htu\":\"%s\",\"iat\":%lld%s%s%s}", model.proof_count,
                   renews ? SIM_PATH_TO_RENEW : SIM_PATH_TO_BIND, (long long)iat_s,
                   has_ath ? ",\"ath\":\"" : "", has_ath ? ath : "", has_ath ? "\"" : "");
    proof = add_proof(browser, iat_s, payload);
    proof->about = about;
    proof->renews = renews;
    proof->has_ath = has_ath;
    return proof;
}
