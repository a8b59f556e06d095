#include <string.h>

#include "sim/answer.h"
#include "sim/door.h"
#include "sim/families.h"
#include "sim/interview.h"
#include "sim/link.h"
#include "sim/loop_sim.h"
#include "server/records.h"
#include "sim/node.h"
#include "sim/ticket.h"
#include "sim/times.h"
#include "wire/json_read.h"

static int status_of(enum fate fate)
{
    static const int statuses[] = {
        [FATE_GOOD] = 200,      [FATE_MALFORMED] = 400,   [FATE_UNAUTHORIZED] = 401, [FATE_FORBIDDEN] = 403,
        [FATE_NOT_FOUND] = 404, [FATE_UNSUPPORTED] = 415, [FATE_INVALID] = 422};

    return statuses[fate];
}

static bool had_trouble(const struct request *request)
{
    return world.trouble > request->trouble || node_is_stopping();
}

/* A key that was retired or brought back counts as either until every lane has heard of it. */
static bool key_may_say(bool *is_told, const struct request *request, int status)
{
    bool is_retired = model.projects[request->project].stored[request->key].is_retired;

    *is_told = true;
    if (request->key == KEY_TOGGLED && !model_key_is_settled(request->project)) {
        if (status == 401) return true;
    } else if (is_retired)
        return status == 401;
    *is_told = false;
    return false;
}

/* What became of a mint that nothing is wrong with, but for what time has done meanwhile. */
static bool mint_may_say(const struct request *request, int status)
{
    int64_t now_ms = times_now_ms();

    if (status == 200) return true;
    if (status != 422 || !request->has_expiry) return false;
    return request->expire_at_s <= now_ms / 1000 ||
           request->expire_at_s - request->delivered_ms / 1000 > 86400;
}

/* A token is good while now < exp, without leeway (design §4). */
static bool bearer_may_say(const struct request *request, int status)
{
    int64_t exp_s = request->token->exp_s;

    if (request->delivered_ms / 1000 >= exp_s) return status == 401;
    if (voided_must(&request->token->line, request->delivered_us)) return status == 401;
    if (status == 401 && request->token->is_lost) return true;
    if (times_now_ms() / 1000 >= exp_s && status == 401) return true;
    if (status == 401 && voided_reaches(&request->token->line)) return true;
    return status == status_of(request->fate);
}

static bool upgrade_may_say(const struct link *link, const struct request *request, int status)
{
    if (request->fate == FATE_FORBIDDEN) return status == 403;
    return status == 101 || (status == 429 && node_parking_is_full(link->stream->loop, link->peer));
}

/* Its token is what it asks about, not by what it asks. */
static bool is_about(const struct request *request)
{
    return request->kind == REQUEST_INTROSPECT || request->kind == REQUEST_REVOKE;
}

/* Between two clocks; what takes rights away may go on. */
static bool is_an_ask(const struct request *request)
{
    return request->kind == REQUEST_MINT || request->kind == REQUEST_INFO ||
           request->kind == REQUEST_ADDRESSES || request->kind == REQUEST_REFRESH ||
           request->kind == REQUEST_LAUNCH || request->kind == REQUEST_EXCHANGE ||
           request->kind == REQUEST_BIND || request->kind == REQUEST_INTROSPECT ||
           request->kind == REQUEST_VISIT || request->kind == REQUEST_INTERVIEW;
}

static bool is_refusal_of(const struct request *request, int status)
{
    if (status == 503) return had_trouble(request);
    return status >= 400 &&
           status == (request->kind == REQUEST_OTHER ? request->wanted : status_of(request->fate));
}

static bool may_say(const struct link *link, const struct request *request, int status)
{
    if (request->delivered_ms ==
        INT64_MIN) /* it is not whole: only its form can be judged, or its lateness, or that we cannot */
        return status == 408 || (status == 503 && had_trouble(request)) ||
               (request->kind == REQUEST_BROKEN && status >= 400) ||
               (request->may_be_early && is_refusal_of(request, status));
    if (had_trouble(request) && status == 503) return true;
    if (is_an_ask(request) && times_is_stepped(request->delivered_us) && status < 400) return false;
    if (is_an_ask(request) && times_was_stepped(request->delivered_us) && status == 503) return true;
    if (request->kind == REQUEST_BROKEN) return status >= 400 && status < 506;
    if (request->kind == REQUEST_OTHER) /* a node between two clocks is not ready */
        return status == request->wanted ||
               (request->wanted == 200 && status == 503 && times_was_stepped(request->delivered_us));
    if (request->kind == REQUEST_MINT || request->kind == REQUEST_REFRESH ||
        ((request->kind == REQUEST_INTROSPECT || request->kind == REQUEST_REVOKE) && !request->lacks_key)) {
        bool is_told, may = key_may_say(&is_told, request, status);
        if (is_told) return may;
    }
    if (request->kind == REQUEST_INTERVIEW) return interview_may_say(request, status);
    if (request->fate != FATE_GOOD && request->fate != FATE_FORBIDDEN)
        return status == status_of(request->fate);
    switch (request->kind) {
    case REQUEST_MINT:
        return mint_may_say(request, status);
    case REQUEST_REFRESH:
        return refresh_may_say(request, status);
    case REQUEST_INFO:
    case REQUEST_ADDRESSES:
        return bearer_may_say(request, status);
    case REQUEST_BIND:
        return (request->fate == FATE_FORBIDDEN && status == 403) ||
               ((request->fate == FATE_GOOD || status == 401) && bind_may_say(request, status));
    case REQUEST_UPGRADE:
        return upgrade_may_say(link, request, status);
    case REQUEST_LAUNCH:
    case REQUEST_EXCHANGE:
        return ticket_may_say(request, status);
    case REQUEST_VISIT:
    case REQUEST_INTERVIEW:
        return interview_may_say(request, status);
    case REQUEST_HEALTH:
    case REQUEST_NOWHERE:
    case REQUEST_BROKEN:
    case REQUEST_OTHER:
    case REQUEST_INTROSPECT:
    case REQUEST_REVOKE:
        break;
    }
    return status == 200;
}

/* ---- who am I ---- */

/* What a lane has acknowledged it must know; another lane a little later (mail), unless a letter was lost. */
static void check_shown(const struct link *link, const struct request *request, struct bytes text)
{
    const struct disk_user *user = model_disk_user(request->token->project, request->token->user);
    unsigned at = 0;
    uint64_t number;

    if (text.len && bytes_to_u64(&number, bytes_from(text, 1), UINT32_MAX))
        at = disk_shown_at(user, (unsigned)number);
    if (text.len && !at)
        world_fail("what is told is durable", "display name %.*s", (int)text.len, (const char *)text.ptr);
    if (at < request->shown_floor)
        world_fail("what was acknowledged is told",
                   "link %u: display name %.*s, the %u. of \"%s\", after the %u. was acknowledged",
                   link->number, (int)text.len, (const char *)text.ptr, at, user->reference,
                   request->shown_floor);
}

static void check_who(const struct link *link, const struct request *request, struct json body)
{
    const struct disk_user *user;
    struct uuid id;

    if (request->token->user == REFERENCES) return;
    user = model_disk_user(request->token->project, request->token->user);
    if (!user || uuid_read(&id, json_text(json_member(body, "id"))) || !uuid_equal(&id, &user->id))
        world_fail("an answer is for its own request", "link %u: info of somebody else", link->number);
    check_shown(link, request, json_text(json_member(body, "display_name")));
}

static void check_addresses(const struct link *link, const struct request *request, struct json body)
{
    struct json list = json_member(body, "data");
    struct bytes desk =
        model.projects[request->token->project].is_test ? BYTES("test-desk") : BYTES("live-desk");
    size_t i;

    if (json_type_of(list) != JSON_IS_ARRAY) world_fail("addresses are a list", "link %u", link->number);
    for (i = 0; i < json_count(list); i++)
        if (!bytes_equal(json_text(json_member(json_item(list, i), "name")), desk))
            world_fail("nothing crosses projects", "link %u saw another address", link->number);
}

/* ---- all ---- */

static const char *name_of(enum request_kind kind)
{
    static const char *const names[] = {"mint",       "refresh", "info",  "addresses", "health",   "nowhere",
                                        "broken",     "upgrade", "other", "launch",    "exchange", "bind",
                                        "introspect", "revoke",  "visit", "interview"};

    return names[kind];
}

static void check_body(struct link *link, struct request *request, struct bytes text)
{
    struct json body;

    if (request->kind == REQUEST_BROKEN && text.len && text.ptr[0] != '{' && text.ptr[0] != '[') return;
    if (json_read(&body, text)) world_fail("a body is JSON", "link %u", link->number);
    if (request->status == 200 && request->kind == REQUEST_INFO) check_who(link, request, body);
    if (request->status == 200 && request->kind == REQUEST_ADDRESSES) check_addresses(link, request, body);
    if (request->status >= 400 && !bytes_is_absent(json_text(json_member(body, "token"))))
        world_fail("a refusal carries no token", "link %u", link->number);
    json_free(body);
}

/* By its id an operator can ask why; only an answer in want of memory may be without. */
static void check_error_id(const struct link *link, const struct request *request, struct bytes head)
{
    struct bytes id = tap_field(head, BYTES("Coatcheck-Error-Id:"));
    bool is_excused = request->status == 503 && (had_trouble(request) || link->tap.is_wild ||
                                                 request->kind == REQUEST_OTHER); /* not ready */

    if (request->status >= 400 && id.len != RECORD_ID_LEN && !is_excused)
        world_fail("a refusal has an error id", "link %u: %d", link->number, request->status);
}

void answer_http(struct link *link, struct request *request, struct bytes head, struct bytes body)
{
    trace("answer", "link %u: %s %d", link->number, name_of(request->kind), request->status);
    check_error_id(link, request, head);
    if (request->is_door) request->status = door_status(request, body);
    if (request->kind == REQUEST_BROKEN && link->tap.is_wild) {
        answer_wild_http(link, request, body);
        return;
    }
    if (!may_say(link, request, request->status))
        world_fail("each answer is one the contract allows",
                   "link %u: %s that should give %d got %d (asked at %lld, now %lld, expiry %lld)",
                   link->number, name_of(request->kind), status_of(request->fate), request->status,
                   (long long)request->delivered_ms, (long long)times_now_ms(),
                   (long long)request->expire_at_s);
    if (request->token && !is_about(request) && request->status == 401 &&
        times_now_ms() >= request->token->exp_s * 1000)
        model_token_is_over(request->token);
    if (request->token && !is_about(request) && request->status == 200 &&
        model_token_was_over(request->token, request->delivered_us))
        world_fail("a token that has expired stays expired", "link %u", link->number);
    if (request->status == 101) {
        link->tap.session = TAP_OPENING;
        link->tap.since_us = world.mono_us;
        return;
    }
    if (body.len) check_body(link, request, body);
    if (request->status == 200 && request->kind == REQUEST_MINT) answer_minted(link, request, body);
    if (request->status == 201 && request->kind == REQUEST_REFRESH) answer_refreshed(link, request, body);
    if (request->status == 201 && request->kind == REQUEST_BIND) answer_bound(link, request, body);
    families_answered(request);
    if (request->status == 200 && (request->kind == REQUEST_INTROSPECT || request->kind == REQUEST_REVOKE))
        door_answered(link, request, body);
    if (request->status < 300 && (request->kind == REQUEST_VISIT || request->kind == REQUEST_INTERVIEW))
        interview_answered(link, request, body);
    if (request->status == 200 && (request->kind == REQUEST_LAUNCH || request->kind == REQUEST_EXCHANGE))
        ticket_answered(link, request, body);
}

/* A request that came whole is answered before its connection goes, unless something happened to us. */
void answer_closed(struct link *link)
{
    const struct tap *tap = &link->tap;
    const struct request *request = tap->unanswered;

    if (tap->is_wild || tap->session != TAP_HTTP || !request || tap->is_last || link->is_reset ||
        link->was_given_up || !link->client)
        return;
    if (request->delivered_ms == INT64_MIN || had_trouble(request) || node_life() != request->life) return;
    if (request->kind == REQUEST_BROKEN || !node_is_up()) return;
    world_fail("a whole request is answered", "link %u: %s", link->number, name_of(request->kind));
}
