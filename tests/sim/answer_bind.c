/* answer_bind.c — the laws of tokens that a browser binds to its key and renews by it. */
#include <string.h>

#include "sim/answer.h"
#include "sim/families.h"
#include "sim/link.h"
#include "sim/times.h"
#include "wire/json_read.h"

#define FAMILY_S 86400 /* a bound family ends a day after its mint */

/* A bound token's family ends with it, and at most a day after its root's stamp. */
static int64_t end_of(const struct token *token)
{
    int64_t end_s = token->line.gt_ms / 1000 + FAMILY_S;

    return token->end_s && token->end_s < end_s ? token->end_s : end_s;
}

/* What became of an ask that nothing is wrong with, but for what time and others have done meanwhile. */
bool bind_may_say(const struct request *request, int status)
{
    const struct token *token = request->token;
    const struct proof *proof = request->proof;
    int64_t end_s = end_of(token);
    int64_t asked_s = request->delivered_ms / 1000, now_s = times_now_ms() / 1000;
    int64_t away_s = world_wall_ms() / 1000 - proof->iat_s;

    if (status == 201) return asked_s < token->exp_s && asked_s < end_s;
    if (status != 401) return false;
    return now_s >= token->exp_s || now_s >= end_s || voided_reaches(&token->line) || token->is_lost ||
           proof->sent > 1 || away_s > 290 || away_s < -290 || proof->iat_s + 600 < disk_pruned_s();
}

static void need(bool ok, const struct link *link, const char *what)
{
    if (!ok) world_fail("a bound token says what policy allows", "link %u: %s", link->number, what);
}
#define NEED(condition) need(condition, link, #condition)

static void check_claims(const struct link *link, const struct request *request, const struct claims *claims)
{
    const struct token *token = request->token;
    int64_t end_s = end_of(token);
    int64_t exp_s = claims->iat_s + request->life_s < end_s ? claims->iat_s + request->life_s : end_s;

    NEED(claims->kind == KIND_SUBSCRIBER && bytes_equal(claims->scope, BYTES("sat:refresh")));
    NEED(bytes_equal(claims->jkt, browser_jkt(request->proof->browser)));
    NEED(uuid_equal(&claims->project, &model.projects[token->project].id));
    NEED(claims->gt_ms == token->line.gt_ms);
    NEED(uuid_equal(&claims->family, &token->line.family));
    NEED(claims->iat_s >= request->delivered_ms / 1000);
    NEED(claims->iat_s <= times_now_ms() / 1000);
    NEED(claims->exp_s == exp_s && claims->end_s == end_s);
}

/* A proof is granted once, and a token is bound to one key for ever. */
static void note_granted(const struct link *link, struct request *request)
{
    struct token *token = &model.tokens[request->token - model.tokens];

    if (request->fate != FATE_GOOD)
        world_fail("a bound token needs its proof", "link %u was granted without", link->number);
    if (request->proof->was_granted)
        world_fail("a proof is good once", "link %u was granted with it again", link->number);
    request->proof->was_granted = true;
    if (token->browser >= 0) return;
    if (token->bound_to >= 0 && token->bound_to != request->proof->browser)
        world_fail("a token is bound to one key", "link %u: the second got one too", link->number);
    token->bound_to = request->proof->browser;
}

void answer_bound(struct link *link, struct request *request, struct bytes text)
{
    struct claims claims;
    struct arena arena;
    struct json body;
    struct bytes access;
    struct token *token;

    note_granted(link, request);
    if (voided_must(&request->token->line, world.mono_us))
        world_fail("what was revoked is refused", "link %u: a token was bound or renewed", link->number);
    if (json_read(&body, text)) world_fail("a body is JSON", "link %u", link->number);
    arena_init(&arena, 65536);
    access = json_text(json_member(body, "token"));
    answer_open_token(&claims, &arena, link, access);
    check_claims(link, request, &claims);
    if ((token = answer_add_token(link, &claims, access))) {
        token->project = request->token->project;
        token->user = request->token->user;
        token->browser = request->proof->browser;
        token->may_self_refresh = true;
        token->family = request->token->family;
        request->minted = token;
    }
    arena_release(&arena);
    json_free(body);
}
