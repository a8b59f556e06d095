#include "sim/door.h"

#include <string.h>

#include "sim/families.h"
#include "sim/link.h"
#include "sim/node.h"
#include "sim/say.h"
#include "sim/times.h"
#include "sim/world.h"
#include "wire/json_read.h"

/* ---- asking ---- */

/* An access token, or a refresh token of any generation that a client has. */
static struct bytes choose(struct request *request)
{
    const struct token *token = model_pick_token();
    struct sim_family *family = !token || chance(40) ? families_pick() : NULL;

    if (family) {
        request->family = family;
        request->generation =
            chance(70) ? families_newest(family) : (unsigned)roll(families_newest(family) + 1);
        request->project = family->project;
        return bytes_of(family->refresh[request->generation].text, family->refresh[request->generation].len);
    }
    request->token = token;
    if (!token) return BYTES("nothing.of.ours");
    request->project = token->project;
    return bytes_of(token->text, token->len);
}

static void say_token(struct buf *body, struct request *request, struct bytes text)
{
    size_t at;

    say(body, "token=");
    buf_append(body, text);
    if (text.len < 60 || !chance(8)) return;
    request->is_tampered = true; /* in the signature, or in what is sealed */
    at = body->len - 22 - roll(20);
    body->ptr[at] = body->ptr[at] == 'A' ? 'B' : 'A';
}

/* Somebody wants that it ends who may: then it may. */
static void note_wish(const struct request *request)
{
    struct sim_family *family = request->token ? request->token->family : request->family;

    if (family && request->fate == FATE_GOOD && !request->is_foreign && !request->is_tampered)
        family->may_be_cut = true;
}

static bool is_bound(const struct request *request)
{
    return request->token ? request->token->browser >= 0 : request->family && request->family->browser >= 0;
}

struct request *door_send(struct buf *out, struct link *link)
{
    struct request *request = tap_ask(link, chance(75) ? REQUEST_INTROSPECT : REQUEST_REVOKE);
    bool is_secret_wrong = chance(4);
    struct bytes text = choose(request);
    struct buf body;

    request->key = chance(80) ? KEY_GOOD : chance(70) ? KEY_TOGGLED : KEY_POWERLESS;
    request->lacks_key = request->kind == REQUEST_REVOKE && !is_bound(request) && chance(30);
    buf_init(&body, 16384);
    say_token(&body, request, text);
    if (chance(6) && !request->lacks_key) {
        request->is_foreign = true;
        request->project = (request->project + 1) % PROJECTS;
    }
    if (chance(3)) {
        request->fate = FATE_MALFORMED;
        say(&body, "&x=%%");
    }
    if (!request->lacks_key && is_secret_wrong) request->fate = FATE_UNAUTHORIZED;
    if (request->kind == REQUEST_REVOKE) note_wish(request);
    say(out, "POST /oauth/%s HTTP/1.1\r\nHost: coat.test\r\n",
        request->kind == REQUEST_REVOKE ? "revoke" : "introspect");
    if (!request->lacks_key) say_key(out, request, is_secret_wrong);
    say_body(out, "application/x-www-form-urlencoded", buf_bytes(&body));
    buf_release(&body);
    return request;
}

/* ---- what it is ---- */

static const struct lineage_known *line_of(const struct request *request)
{
    return request->token ? &request->token->line : request->family ? &request->family->line : NULL;
}

static bool is_ours(const struct request *request)
{
    return line_of(request) && !request->is_foreign && !request->is_tampered;
}

static uint32_t generation_of(const struct sim_family *family)
{
    const struct family *row = families_row(&family->id);

    return row ? row->generation : 0;
}

void door_arrived(const struct link *link, struct request *request)
{
    if (request->kind != REQUEST_INTROSPECT && request->kind != REQUEST_REVOKE) return;
    /* one that waits behind others may be too late: then it cannot be told who ended it */
    request->was_reached =
        link->tap.unanswered != request || (line_of(request) && voided_reaches(line_of(request)));
    request->shown = request->family ? generation_of(request->family) : 0;
    request->was_reuse = request->family && families_is_dead(request->family);
}

static int64_t exp_of(const struct request *request)
{
    return request->token ? request->token->exp_s : request->family->refresh[request->generation].exp_s;
}

static bool is_over(const struct request *request, int64_t now_ms)
{
    bool is_forgotten = !request->token && exp_of(request) <= disk_pruned_s();

    return now_ms / 1000 >= exp_of(request) || is_forgotten;
}

/* ---- answers ---- */

int door_status(const struct request *request, struct bytes text)
{
    struct json body;
    int status = 400;

    if (request->kind == REQUEST_REFRESH && request->status == 200) return 201;
    if (request->status != 400) return request->status;
    if (request->kind == REQUEST_EXCHANGE) return 401;
    if (request->kind != REQUEST_REFRESH || json_read(&body, text)) return 400;
    if (bytes_equal(json_text(json_member(body, "error")), BYTES("invalid_grant"))) status = 422;
    if (bytes_equal(json_text(json_member(body, "error")), BYTES("unauthorized_client"))) status = 401;
    json_free(body);
    return status;
}

static void check_active(const struct link *link, const struct request *request)
{
    static const char law[] = "active is what is good";

    if (!is_ours(request)) world_fail(law, "link %u: another's, or none", link->number);
    if (request->delivered_ms / 1000 >= exp_of(request)) world_fail(law, "link %u: it is over", link->number);
    if (voided_must(line_of(request), world.mono_us)) world_fail(law, "link %u: it is void", link->number);
    if (request->token && model_token_was_over(request->token, request->delivered_us))
        world_fail("a token that has expired stays expired", "link %u", link->number);
    if (!request->family) return;
    if (request->was_reuse) world_fail(law, "link %u: its family is dead", link->number);
    if (request->generation < request->shown)
        world_fail(law, "link %u: it was replaced before", link->number);
}

static void check_inactive(const struct link *link, const struct request *request)
{
    const struct sim_family *family = request->family;

    if (!is_ours(request) || is_over(request, times_now_ms()) || voided_reaches(line_of(request))) return;
    if (request->token && request->token->is_lost) return;
    if (family && (families_is_dead(family) || request->generation < generation_of(family))) return;
    world_fail("active is what is good", "link %u: told inactive", link->number);
}

/* RFC 7009: what is no good token is answered all the same, and nothing is done about it. */
static void check_revoked(const struct link *link, const struct request *request)
{
    const struct lineage_known *line = line_of(request);
    struct cutoff cutoff = {.of = CUTOFF_FAMILY};

    if (!is_ours(request)) return;
    if (request->token && (is_over(request, times_now_ms()) || request->token->is_lost)) return;
    if (!voided_reaches(line))
        world_fail("what was revoked is void", "link %u: it is good still", link->number);
    if (request->was_reached) return; /* by another, who may not have been answered yet */
    cutoff.project = line->project;
    cutoff.id = uuid_bytes(&line->family);
    voided_told(&cutoff, -1);
}

void door_answered(struct link *link, struct request *request, struct bytes text)
{
    struct json body;

    if (json_read(&body, text)) world_fail("a body is JSON", "link %u", link->number);
    if (request->kind == REQUEST_REVOKE)
        check_revoked(link, request);
    else if (json_type_of(json_member(body, "active")) == JSON_IS_TRUE)
        check_active(link, request);
    else
        check_inactive(link, request);
    json_free(body);
}
