#include <string.h>

#include "engine/limits.h"
#include "sim/answer.h"
#include "sim/families.h"
#include "sim/link.h"
#include "sim/loop_sim.h"
#include "sim/node.h"
#include "sim/times.h"
#include "token/jws.h"

static void need(bool ok, const struct link *link, const char *law, const char *what)
{
    if (!ok) world_fail(law, "link %u: %s", link->number, what);
}

#define NEED_CLAIM(condition) need(condition, link, "a token says what policy allows", #condition)

void answer_open_token(struct claims *out, struct arena *arena, const struct link *link, struct bytes token)
{
    answer_open_typed(out, arena, link, token, BYTES("SAT"));
}

void answer_open_typed(struct claims *out, struct arena *arena, const struct link *link, struct bytes token,
                       struct bytes typ)
{
    struct jws jws;
    bool ok = jws_split(&jws, arena, token) == ERR_OK;
    const struct known_key *key = ok ? model_known(jws.kid) : NULL;

    if (!key || !key->check || !bytes_equal(jws.typ, typ))
        world_fail("a token is signed by the key ring", "link %u: its header", link->number);
    need(crypto_check(key->check, jws.signing_input, jws.signature), link,
         "a token is signed by the key ring", "its signature");
    need(claims_read(out, arena, jws.payload, BYTES(SIM_URL)) == ERR_OK, link,
         "a token says what policy allows", "its claims cannot be read");
    jws_release(&jws);
}

static void line_of(struct lineage_known *out, const struct claims *claims)
{
    *out =
        (struct lineage_known){.project = claims->project, .family = claims->family, .gt_ms = claims->gt_ms};
    if (uuid_read(&out->user, claims->sub)) world_fail("a token has a user", "sub");
    lineage_key(out, claims->parent);
}

/* exp, from the ask and the moment of issue (design §1, §3). */
static int64_t exp_wanted(const struct request *request, int64_t iat_s)
{
    int64_t exp_s = request->has_expiry ? request->expire_at_s : iat_s + 7200;

    if (request->may_self_refresh && request->browser < 0 && exp_s > iat_s + 60) exp_s = iat_s + 60;
    return exp_s;
}

static void check_times(const struct link *link, const struct request *request, const struct minted *minted)
{
    const struct claims *claims = &minted->claims;
    int64_t age_max_s = request->browser < 0 ? 2592000 : 86400, end_s = claims->iat_s + age_max_s;
    int64_t refresh_s = claims->exp_s + 300 < end_s ? claims->exp_s + 300 : end_s;
    struct lineage_known line;

    NEED_CLAIM(claims->iat_s >= request->delivered_ms / 1000);
    NEED_CLAIM(claims->iat_s <= times_now_ms() / 1000);
    NEED_CLAIM(claims->exp_s == exp_wanted(request, claims->iat_s));
    NEED_CLAIM(claims->exp_s > claims->iat_s && claims->exp_s - claims->iat_s <= 86400);
    line_of(&line, claims);
    NEED_CLAIM(voided_explains(&line, claims->iat_s));
    if (voided_must(&line, request->delivered_us))
        world_fail("a revocation is no ban", "link %u: the mint is void", link->number);
    NEED_CLAIM(minted->sealed.exp_s == refresh_s);
    NEED_CLAIM(minted->sealed.absolute_end_s == end_s);
    NEED_CLAIM(minted->sealed.gt_ms == claims->gt_ms);
    NEED_CLAIM(claims->end_s == (request->may_self_refresh ? end_s : 0));
}

static void check_claims(const struct link *link, const struct request *request, const struct minted *minted)
{
    const struct sim_project *project = &model.projects[request->project];
    const struct claims *claims = &minted->claims;
    const struct sealed *sealed = &minted->sealed;
    struct bytes public_id = project->stored[request->key].public_id;
    struct bytes jkt = request->browser < 0 ? BYTES_NONE : browser_jkt(request->browser);
    struct uuid sub;

    NEED_CLAIM(bytes_equal(claims->iss, BYTES(SIM_URL)) && bytes_equal(claims->aud, BYTES(SIM_URL)));
    NEED_CLAIM(uuid_read(&sub, claims->sub) == ERR_OK && uuid_equal(&sub, &minted->user));
    NEED_CLAIM(uuid_equal(&claims->project, &project->id));
    NEED_CLAIM(claims->kind == KIND_SUBSCRIBER);
    NEED_CLAIM(bytes_equal(claims->parent, public_id));
    NEED_CLAIM(bytes_equal(claims->jkt, jkt) && bytes_is_absent(claims->jkt) == bytes_is_absent(jkt));
    NEED_CLAIM(bytes_equal(claims->scope, request->may_self_refresh ? BYTES("sat:refresh") : BYTES_NONE));
    NEED_CLAIM(!uuid_is_zero(&claims->family) && uuid_equal(&claims->family, &sealed->id));
    NEED_CLAIM(uuid_equal(&sealed->project, &project->id) && uuid_equal(&sealed->user, &minted->user));
    NEED_CLAIM(sealed->generation == 0 && sealed->is_bound == (request->browser >= 0));
    NEED_CLAIM(bytes_equal(sealed->parent_key, public_id));
}

/* No token for a user that is not durable; one reference, one user. */
static void check_user(const struct link *link, const struct request *request, const struct uuid *id)
{
    const struct disk_user *user;
    const char *reference;

    if (request->user == REFERENCES) return;
    user = model_disk_user(request->project, request->user);
    reference = model.users[request->project][request->user].reference;
    if (!user) world_fail("what was not stored was not issued", "link %u: \"%s\"", link->number, reference);
    if (!uuid_equal(&user->id, id))
        world_fail("a reference is one user for ever", "link %u: \"%s\" got another id", link->number,
                   reference);
}

static void note_shown(const struct link *link, const struct request *request)
{
    const struct disk_user *user;
    struct sim_user *known;
    unsigned at, lane = link->stream->loop->index;

    if (!request->shown || request->user == REFERENCES) return;
    user = model_disk_user(request->project, request->user);
    known = &model.users[request->project][request->user];
    at = disk_shown_at(user, request->shown);
    if (!at || at < request->shown_floor)
        world_fail("what was acknowledged is durable",
                   "link %u: display name n%u of \"%s\" is the %u., after the %u. was acknowledged",
                   link->number, request->shown, known->reference, at, request->shown_floor);
    if (at > known->acked_on[lane]) known->acked_on[lane] = at;
    if (at <= known->acked_at) return;
    known->acked_at = at;
    known->failures = request->failures;
    known->life = node_life();
}

struct token *answer_add_token(const struct link *link, const struct claims *claims, struct bytes text)
{
    struct token *token;
    size_t i;

    if (!(token = model_add_token())) return NULL;
    if (uuid_read(&token->jti, claims->jti)) world_fail("a jti is a UUID", "link %u", link->number);
    for (i = 0; i + 1 < model.token_count; i++)
        if (uuid_equal(&model.tokens[i].jti, &token->jti))
            world_fail("a jti is used once", "link %u", link->number);
    if (text.len > sizeof token->text) world_fail("a token is short", "%zu bytes", text.len);
    memcpy(token->text, text.ptr, text.len);
    token->len = text.len;
    token->iat_s = claims->iat_s;
    token->exp_s = claims->exp_s;
    token->end_s = claims->end_s;
    token->made_us = world.mono_us;
    line_of(&token->line, claims);
    token->bound_to = -1;
    return token;
}

static int browser_of(struct bytes jkt)
{
    int browser;

    if (bytes_is_absent(jkt)) return -1;
    for (browser = 0; browser < BROWSERS; browser++)
        if (bytes_equal(browser_jkt(browser), jkt)) break;
    return browser; /* BROWSERS: a key that nobody has */
}

struct token *answer_issued(const struct link *link, struct bytes text)
{
    struct claims claims = {0};
    struct arena arena;
    struct token *token;
    unsigned p;

    arena_init(&arena, 65536);
    answer_open_token(&claims, &arena, link, text);
    token = answer_add_token(link, &claims, text);
    if (token) {
        token->user = REFERENCES;
        token->browser = browser_of(claims.jkt);
        token->may_self_refresh = claims.scope.len > 0;
        for (p = 0; p < PROJECTS && !uuid_equal(&model.projects[p].id, &claims.project); p++)
            continue;
        if (p == PROJECTS) world_fail("a token is for a project that exists", "link %u", link->number);
        token->project = p;
    }
    arena_release(&arena);
    return token;
}

void answer_add_minted(const struct link *link, struct request *request, const struct minted *minted,
                       struct bytes text)
{
    struct token *token = answer_add_token(link, &minted->claims, text);

    request->minted = token;
    if (!token) return;
    token->project = request->project;
    token->user = request->user;
    token->browser = request->browser;
    token->family = request->family;
    token->may_self_refresh = minted->claims.scope.len > 0;
}

void answer_open(struct minted *out, const struct link *link, struct bytes token, struct bytes refresh)
{
    const struct known_key *seal = model_known(seal_named_key(SEAL_REFRESH, refresh));

    answer_open_token(&out->claims, &out->arena, link, token);
    need(seal && seal->seal &&
             seal_read(&out->sealed, &out->arena, seal->seal, SEAL_REFRESH, refresh) == ERR_OK,
         link, "a refresh token is sealed by the key ring", "it does not open");
}

void answer_note_refresh(struct sim_refresh *out, struct bytes text, const struct minted *minted)
{
    if (text.len > sizeof out->text || uuid_read(&out->jti, minted->claims.jti))
        world_fail("a refresh token is short", "%zu bytes", text.len);
    memcpy(out->text, text.ptr, text.len);
    out->len = text.len;
    out->token_exp_s = minted->claims.exp_s;
    out->exp_s = minted->sealed.exp_s;
}

/* The mint is a family's root. */
static void add_family(struct request *request, const struct minted *minted, struct bytes refresh)
{
    struct sim_family *family = families_add(&minted->sealed.id);

    if (!family) return;
    request->family = family;
    request->generation = 0;
    family->user_id = minted->user;
    family->project = request->project;
    family->user = request->user;
    family->browser = request->browser;
    family->may_self_refresh = request->may_self_refresh;
    line_of(&family->line, &minted->claims);
    family->end_s = minted->sealed.absolute_end_s;
    family->key = chance(85) ? KEY_GOOD : KEY_TOGGLED;
    answer_note_refresh(&family->refresh[0], refresh, minted);
}

void answer_minted(struct link *link, struct request *request, struct bytes text)
{
    struct minted minted = {0};
    struct json body;
    struct bytes token, refresh;

    if (json_read(&body, text)) world_fail("a body is JSON", "link %u", link->number);
    arena_init(&minted.arena, 65536);
    token = json_text(json_member(body, "token"));
    refresh = json_text(json_member(body, "refresh_token"));
    need(uuid_read(&minted.user, json_text(json_member(body, "subscriber_id"))) == ERR_OK, link,
         "a mint names its user", "subscriber_id");
    check_user(link, request, &minted.user);
    answer_open(&minted, link, token, refresh);
    check_claims(link, request, &minted);
    check_times(link, request, &minted);
    note_shown(link, request);
    add_family(request, &minted, refresh);
    answer_add_minted(link, request, &minted, token);
    model_keep_refresh(request->minted, refresh);
    arena_release(&minted.arena);
    json_free(body);
}
