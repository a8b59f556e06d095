#include <stdio.h>
#include <string.h>

#include "server/records.h"
#include "sim/answer.h"
#include "sim/families.h"
#include "sim/guests.h"
#include "sim/link.h"
#include "sim/loop_sim.h"
#include "sim/node.h"
#include "sim/times.h"
#include "wire/json_read.h"
#include "wire/rpc.h"

static bool had_trouble(const struct call *call)
{
    return world.trouble > call->trouble || node_is_stopping();
}

static void enter(struct link *link, enum tap_session session)
{
    link->tap.session = session;
    link->tap.since_us = world.mono_us;
}

/* ---- connect ---- */

/* Why the contract refuses this connect whenever it comes; NULL: it does not. */
static const char *why_never(const struct link *link, const struct call *call)
{
    const struct token *token = call->token;
    const char *origin = link->tap.origin;

    if (!token || call->is_tampered) return "no token of ours";
    if (call->is_invalid) return "a member of the wrong type";
    if (call->wants_resume) return "a resume";
    if (origin && strcmp(origin, model.projects[token->project].origin) != 0) return "a foreign origin";
    if (token->browser < 0) return NULL;
    if (!call->proof) return "no proof for a bound token";
    if (!call->proof->is_good || call->proof->browser != token->browser) return "a bad proof";
    return NULL;
}

static void check_granted(struct link *link, struct call *call, struct json result)
{
    const char *never = why_never(link, call);
    const struct token *token = call->token;
    struct loop *loop = link->stream->loop;
    struct json holder = json_member(result, "authorization");
    struct uuid id;

    if (times_is_stepped(call->delivered_us))
        world_fail("nothing is granted between two clocks", "link %u is connected", link->number);
    if (token && model_token_was_over(token, call->delivered_us))
        world_fail("a token that has expired stays expired", "link %u is connected", link->number);
    if (never) world_fail("a session needs a verified token", "link %u was granted %s", link->number, never);
    if (!token) return; /* which is never allowed */
    if (voided_must(&token->line, world.mono_us))
        world_fail("what was revoked is refused", "link %u is connected", link->number);
    if (uuid_read(&id, json_text(json_member(holder, "jti"))) || !uuid_equal(&id, &token->jti))
        world_fail("an answer is for its own call", "link %u is welcomed by another token", link->number);
    if (times_now_ms() >= token->exp_s * 1000)
        world_fail("no session begins past its token's exp", "link %u, %lld ms late", link->number,
                   (long long)(times_now_ms() - token->exp_s * 1000));
    if (token->browser >= 0) {
        if (call->proof->was_granted)
            world_fail("a proof is good once", "link %u was granted with it again", link->number);
        call->proof->was_granted = true;
    }
    guests_granted(token);
    enter(link, TAP_LIVE);
    link->tap.is_registered = false;
    link->tap.token = token;
    link->tap.dies_tick_ms = loop_tick_ms(loop) + token->exp_s * 1000 - times_now_ms();
}

static void check_refused(struct link *link, const struct call *call, int code)
{
    const struct token *token = call->token;
    bool is_over = token && times_now_ms() / 1000 >= token->exp_s;
    bool is_excused = !token || why_never(link, call) || is_over || token->is_lost ||
                      voided_reaches(&token->line) || guests_may_be_refused(token);

    if (is_over && code != RPC_INTERNAL && !why_never(link, call)) model_token_is_over(token);
    if (!is_excused && token->browser >= 0) {
        int64_t away_s = world_wall_ms() / 1000 - call->proof->iat_s;
        /* a proof is kept for 600 s; of one that ended before what was pruned nobody knows */
        is_excused = call->proof->iat_s + 600 < disk_pruned_s() || call->proof->sent > 1 || away_s > 290 ||
                     away_s < -290;
    }
    if (code == RPC_INTERNAL) {
        if (!had_trouble(call) && !times_was_stepped(call->delivered_us))
            world_fail("we fail only when something failed", "link %u", link->number);
        enter(link, TAP_FAILED);
        return;
    }
    if (!is_excused) world_fail("a good connect is granted", "link %u: refused with %d", link->number, code);
    enter(link, TAP_PARKED);
}

/* ---- replies ---- */

static void check_connect(struct link *link, struct call *call, struct json result, int code)
{
    if (link->tap.session == TAP_OPENING) {
        if (!code)
            check_granted(link, call, result);
        else
            check_refused(link, call, code);
    } else if (code != RPC_INVALID_REQUEST)
        world_fail("an identity never changes in place", "link %u: second connect got %d", link->number,
                   code);
}

static void check_call(struct link *link, const struct call *call, int code)
{
    bool is_live = link->tap.session == TAP_LIVE;
    int wanted = call->kind == CALL_BROKEN        ? RPC_PARSE_ERROR
                 : call->kind == CALL_NO_ENVELOPE ? RPC_INVALID_REQUEST
                 : !is_live                       ? RPC_UNAUTHENTICATED
                 : call->kind == CALL_UNKNOWN     ? RPC_METHOD_NOT_FOUND
                                                  : 0;

    if (code != wanted)
        world_fail("calls are for live sessions", "link %u: %s in session state %d got %d, not %d",
                   link->number, call->id, (int)link->tap.session, code, wanted);
    if (is_live && call->kind == CALL_ONLINE) /* a guest is called by nobody */
        link->tap.is_registered = !model_is_guest(link->tap.token);
    if (is_live && call->kind == CALL_OFFLINE) link->tap.is_registered = false;
}

/* Replies come in the order of the calls, one each. */
static struct call *call_of(struct link *link, struct bytes id)
{
    struct call *call = link->tap.calls;

    while (call && call->is_answered)
        call = call->next;
    if (call == NULL) world_fail("one reply a call, in order", "link %u: a reply too many", link->number);
    if (call->kind == CALL_BROKEN || !call->id[0] ? !bytes_is_absent(id)
                                                  : !bytes_equal(id, bytes_of_text(call->id)))
        world_fail("one reply a call, in order", "link %u: reply to \"%.*s\", not \"%s\"", link->number,
                   (int)id.len, (const char *)id.ptr, call->id);
    if (call->delivered_ms == INT64_MIN)
        world_fail("a reply follows its call", "link %u: %s", link->number, call->id);
    call->is_answered = true;
    return call;
}

static int code_of(struct json error)
{
    struct bytes id = json_text(json_member(json_member(error, "data"), "error_id"));
    int64_t code = 0;

    if (json_type_of(error) != JSON_IS_ABSENT && (!json_int64(&code, json_member(error, "code")) || !code))
        world_fail("an error has a code", "none");
    if (code && id.len != RECORD_ID_LEN && !world.trouble)
        world_fail("a refusal has an error id", "code %d", (int)code);
    return (int)code;
}

static void take_reply(struct link *link, struct json message)
{
    struct call *call = call_of(link, json_text(json_member(message, "id")));
    int code = code_of(json_member(message, "error"));

    trace("reply", "link %u: %s %d", link->number, call->id, code);
    if (call->kind == CALL_CONNECT)
        check_connect(link, call, json_member(message, "result"), code);
    else
        check_call(link, call, code);
    tap_say(link, (struct said){.kind = SAID_CALL, .call = call});
}

/* Ours to the client: events and pings, for live sessions only. */
static void take_request(struct link *link, struct json message)
{
    struct said said = {.kind = SAID_PING};
    struct bytes id = json_text(json_member(message, "id"));

    if (link->tap.session != TAP_LIVE)
        world_fail("without rights there is silence", "link %u was sent an event", link->number);
    (void)snprintf(said.id, sizeof said.id, "%.*s", (int)id.len, (const char *)id.ptr);
    tap_say(link, said);
}

static void take_text(struct link *link, struct bytes text)
{
    struct json message;

    if (link->tap.session == TAP_PARKED || link->tap.session == TAP_FAILED)
        world_fail("a refused connect gets one answer", "link %u was sent more", link->number);
    if (link->tap.is_wild) {
        answer_wild_text(link, text);
        return;
    }
    if (json_read(&message, text)) world_fail("a message is whole", "link %u", link->number);
    if (json_type_of(json_member(message, "method")) == JSON_IS_ABSENT)
        take_reply(link, message);
    else
        take_request(link, message);
    json_free(message);
}

/* ---- closing ---- */

static bool has_lasted(const struct link *link, int64_t seconds)
{
    return world.mono_us - link->tap.since_us >= seconds * 1000000 - 1000;
}

static bool may_expire(const struct link *link)
{
    const struct loop *loop = link->stream->loop;

    if (link->tap.session == TAP_PARKED) return has_lasted(link, node_config()->park_s);
    return loop_tick_ms(loop) >= link->tap.dies_tick_ms || times_now_ms() >= link->tap.token->exp_s * 1000;
}

/* A code for the client's fault is never used for ours (design §5). */
static bool may_close(const struct link *link, unsigned code)
{
    bool is_live = link->tap.session == TAP_LIVE, is_parked = link->tap.session == TAP_PARKED;

    if (link->tap.is_wild && answer_wild_may_close(link, code)) return true;
    switch (code) {
    case 1000:
    case 1002:
    case 1007:
        return link->tap.is_broken;
    case 1001:
        return is_live &&
               world.mono_us - link->tap.heard_us >= node_config()->ping_timeout_s * 1000000 - 1000;
    case 1012:
        return node_is_stopping();
    case 1013:
        return link->tap.session == TAP_FAILED || world.trouble;
    case 4401:
        return (is_live || is_parked) && may_expire(link);
    case 4403:
        return is_live && link->tap.token && voided_reaches(&link->tap.token->line);
    case 4408:
        return link->tap.session == TAP_OPENING && has_lasted(link, node_config()->connect_timeout_s);
    case 4429:
        return is_parked;
    default:
        return false;
    }
}

static void take_close(struct link *link, struct bytes payload)
{
    unsigned code = payload.len < 2 ? 1005 : (unsigned)payload.ptr[0] << 8 | payload.ptr[1];

    trace("server says bye", "link %u: %u", link->number, code);
    if (!may_close(link, code))
        world_fail("a close code says why", "link %u: %u in session state %d after %lld ms", link->number,
                   code, (int)link->tap.session, (long long)(world.mono_us - link->tap.since_us) / 1000);
    enter(link, TAP_CLOSED);
    tap_say(link, (struct said){.kind = SAID_CLOSE});
}

void answer_frame(struct link *link, enum ws_opcode opcode, struct bytes payload)
{
    switch (opcode) {
    case WS_TEXT:
        take_text(link, payload);
        return;
    case WS_CLOSE:
        take_close(link, payload);
        return;
    case WS_PING:
        if (link->tap.session != TAP_LIVE) break;
        return;
    case WS_PONG:
        return;
    case WS_CONTINUATION:
    case WS_BINARY:
        break;
    }
    world_fail("a server sends texts and its pings", "link %u: opcode %d", link->number, (int)opcode);
}
