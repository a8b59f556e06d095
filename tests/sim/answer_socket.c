#include <stdio.h>
#include <string.h>

#include "engine/resume.h"
#include "server/records.h"
#include "server/socket_inside.h"
#include "sim/answer.h"
#include "sim/families.h"
#include "sim/guests.h"
#include "sim/link.h"
#include "sim/loop_sim.h"
#include "sim/node.h"
#include "sim/phones.h"
#include "sim/sessions.h"
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

static const char *wrong_proof(const struct proof *proof, int browser)
{
    if (browser < 0) return NULL;
    if (!proof) return "no proof for a bound token";
    return !proof->is_good || proof->is_renewal || proof->browser != browser ? "a bad proof" : NULL;
}

/* Guests become subscribers; nothing else is played here. */
static const char *why_no_upgrade(const struct call *call, int browser)
{
    const struct sim_session *session = call->resumes;

    if (session->project != call->token->project) return "another project's state";
    if (!model_is_guest(session->token) || model_is_guest(call->token)) return "a step that leads nowhere up";
    return wrong_proof(call->proof, browser);
}

/* Of a session whose place was taken: its client may not have heard of that. */
static const char *why_not_again(const struct call *call, int browser)
{
    const struct sim_session *next = call->resumes->follower;

    if (!call->is_upgrade) return "a state of a session whose place was taken";
    if (!next) return NULL; /* it is not known here whom it would get */
    if (next->is_heard) return "a state of a session that became one whose client was heard of";
    if (!uuid_equal(&next->token->line.user, &call->token->line.user))
        return "a step that somebody else took";
    if (next->browser >= 0 && (browser != next->browser || (next->token->browser < 0 && !call->proof)))
        return "no proof by the session's key";
    return why_no_upgrade(call, browser);
}

/* Why the contract refuses this connect whenever it comes; NULL: it does not. */
static const char *why_never(const struct link *link, const struct call *call)
{
    const struct token *token = call->token;
    const char *origin = link->tap.origin;
    const struct sim_session *session = call->resumes;
    int browser;

    if (!token || call->is_tampered) return "no token of ours";
    if (call->is_invalid) return "a member of the wrong type";
    if (call->wants_resume && !session) return "a state of nobody";
    if (origin && strcmp(origin, model.projects[token->project].origin) != 0) return "a foreign origin";
    browser = token->browser >= 0 || !session ? token->browser : call->state.browser;
    if (!session) return wrong_proof(call->proof, browser);
    if (session->life != node_life()) return "a state of an earlier life";
    if (session->is_followed) return why_not_again(call, browser);
    if (call->is_upgrade) return why_no_upgrade(call, browser);
    if (session->project != token->project || session->user != token->user) return "somebody else's state";
    if (token->browser >= 0 && call->state.browser >= 0 && token->browser != call->state.browser)
        return "a state of another key";
    if (session->browser >= 0 && session->browser != browser) return "no proof by the session's key";
    return wrong_proof(call->proof, browser);
}

static bool is_over(const struct token *token)
{
    return times_now_ms() / 1000 >= token->exp_s;
}

/* The end of what a resume with an expired token gets. */
static int64_t last_s(const struct call *call)
{
    return call->state.exp_s < call->resumes->ends_s ? call->state.exp_s : call->resumes->ends_s;
}

static void use_proof(const struct link *link, struct proof *proof)
{
    if (proof->was_granted)
        world_fail("a proof is good once", "link %u was granted with it again", link->number);
    proof->was_granted = true;
}

static bool needs_proof(const struct call *call)
{
    return call->token->browser >= 0 || (call->resumes && call->state.browser >= 0);
}

static void begin_session(struct link *link, const struct token *token, int64_t ends_s)
{
    enter(link, TAP_LIVE);
    link->tap.is_registered = link->tap.held && link->tap.held->is_registered;
    link->tap.token = token;
    link->tap.ends_s = ends_s;
    link->tap.dies_tick_ms = loop_tick_ms(link->stream->loop) + ends_s * 1000 - times_now_ms();
}

/* The last link went before it could be told what became of a registration: the client cannot know. */
static bool has_untold(const struct link *before)
{
    const struct call *call;

    for (call = before ? before->tap.calls : NULL; call; call = call->next)
        if (call->kind == CALL_ONLINE || call->kind == CALL_OFFLINE) return true;
    return false;
}

/* The session that its state names, and no other; or the one that took its place. */
static void check_resumed(struct link *link, const struct call *call, struct bytes protocol)
{
    struct sim_session *session = sessions_wanted(call);
    bool is_last = !call->is_upgrade && is_over(call->token);

    if (!bytes_equal(protocol, bytes_of_text(session->protocol)))
        world_fail("a state brings its session, or none", "link %u: %.*s, not %s", link->number,
                   (int)protocol.len, (const char *)protocol.ptr, session->protocol);
    if (!sessions_is_recent(call->resumes, &call->state))
        world_fail("the last two states are good", "link %u: %u of %u", link->number, call->state.number,
                   call->resumes->state_count);
    if (call->is_upgrade)
        session->may_be_heard |= link->up_taken > call->up_end;
    else
        session->is_heard = session->may_be_heard = true;
    if (has_untold(session->link)) {
        const struct socket *socket = link->stream->owner;
        session->is_registered = socket->session->is_registered;
    }
    sessions_taken(session, link);
    if (!is_last) {
        session->token = call->token;
        session->ends_s = call->token->exp_s;
        if (call->token->browser >= 0) session->browser = call->token->browser;
    } else
        session->ends_s = last_s(call);
    trace(call->is_upgrade ? "asked again" : "resumed", "link %u: state %u of %s", link->number,
          call->state.number, session->protocol);
    begin_session(link, session->token, session->ends_s);
}

/* A session of its own, of which the old one is the past. */
static void check_upgraded(struct link *link, const struct call *call, struct bytes protocol)
{
    if (!sessions_is_recent(call->resumes, &call->state))
        world_fail("the last two states are good", "link %u: %u of %u", link->number, call->state.number,
                   call->resumes->state_count);
    sessions_follow(link, protocol, call->token, call->resumes);
    if (link->tap.held) link->tap.held->may_be_heard = link->up_taken > call->up_end;
    trace("upgraded", "link %u: from %s", link->number, call->resumes->protocol);
    begin_session(link, call->token, call->token->exp_s);
}

/* Which session a granted connect leads to. */
static void check_came(struct link *link, struct call *call, struct bytes protocol)
{
    const struct sim_session *old = call->resumes;

    if (!old) {
        link->tap.held = sessions_new(link, protocol, call->token);
        begin_session(link, call->token, call->token->exp_s);
        guests_granted(call->token);
    } else if (call->is_upgrade && !old->is_followed)
        check_upgraded(link, call, protocol);
    else if (call->is_upgrade && !old->follower)
        begin_session(link, call->token,
                      call->token->exp_s); /* the one that took its place is not kept here */
    else
        check_resumed(link, call, protocol);
}

static void check_granted(struct link *link, struct call *call, struct json result)
{
    const char *never = why_never(link, call);
    const struct token *token = call->token;
    struct json holder = json_member(result, "authorization");
    struct bytes protocol = json_text(json_member(result, "protocol"));
    int64_t ends_s;
    struct uuid id;

    if (times_is_stepped(call->delivered_us))
        world_fail("nothing is granted between two clocks", "link %u is connected", link->number);
    if (token && (!call->resumes || call->is_upgrade) && model_token_was_over(token, call->delivered_us))
        world_fail("a token that has expired stays expired", "link %u is connected", link->number);
    if (never) world_fail("a session needs a verified token", "link %u was granted %s", link->number, never);
    if (!token) return; /* which is never allowed */
    if (voided_must(&token->line, world.mono_us))
        world_fail("what was revoked is refused", "link %u is connected", link->number);
    ends_s = call->resumes && !call->is_upgrade && is_over(token) ? last_s(call) : token->exp_s;
    if (times_now_ms() >= ends_s * 1000)
        world_fail("no session begins past its token's exp", "link %u, %lld ms late", link->number,
                   (long long)(times_now_ms() - ends_s * 1000));
    if (needs_proof(call)) use_proof(link, call->proof);
    check_came(link, call, protocol);
    if (uuid_read(&id, json_text(json_member(holder, "jti"))) || !uuid_equal(&id, &link->tap.token->jti))
        world_fail("an answer is for its own call", "link %u is welcomed by another token", link->number);
    answer_welcome(link, holder);
    answer_slots(link, result);
}

/* What only the time, or the store, may say against a proof. */
static bool may_be_late(const struct proof *proof)
{
    int64_t away_s = world_wall_ms() / 1000 - proof->iat_s;

    /* a proof is kept for 600 s; of one that ended before what was pruned nobody knows */
    return proof->iat_s + 600 < disk_pruned_s() || proof->sent > 1 || away_s > 290 || away_s < -290;
}

/* What others may have done with the session since it was asked for. */
static bool may_be_gone(const struct call *call)
{
    const struct sim_session *session = sessions_wanted(call);

    return !call->was_free || session != call->wants || session->moves != call->moves ||
           sessions_carried(session) || (session != call->resumes && session->may_be_heard) ||
           sessions_may_be_old(call->resumes, &call->state) || sessions_may_be_over(session) ||
           sessions_may_not_open() || guests_may_be_refused(call->token) || world.trouble > call->trouble;
}

static void check_refused(struct link *link, const struct call *call, int code)
{
    const struct token *token = call->token;
    bool has_ended = token && is_over(token), is_never = why_never(link, call) != NULL;
    bool is_excused = !token || is_never || has_ended || token->is_lost || voided_reaches(&token->line) ||
                      guests_may_be_refused(token);

    if (has_ended && code != RPC_INTERNAL && !is_never && !call->resumes) model_token_is_over(token);
    if (call->resumes && !call->is_upgrade && has_ended && !is_never && !token->is_lost &&
        !voided_reaches(&token->line))
        /* decided while it lived, it is not looked at once more as one that has ended */
        is_excused = times_now_ms() / 1000 >= last_s(call) || call->delivered_ms / 1000 < token->exp_s ||
                     may_be_gone(call);
    if (!is_excused && needs_proof(call)) is_excused = may_be_late(call->proof);
    if (!is_excused && call->resumes) is_excused = may_be_gone(call);
    if (code == RPC_INTERNAL) {
        if (!had_trouble(call) && !times_was_stepped(call->delivered_us))
            world_fail("we fail only when something failed", "link %u", link->number);
        enter(link, TAP_FAILED);
        return;
    }
    if (!is_excused && call->resumes)
        world_fail("a good resume is granted",
                   "link %u: refused with %d: state %u of %u until %lld, token until %lld; keys %d %d %d",
                   link->number, code, call->state.number, call->resumes->state_count,
                   (long long)call->state.exp_s, (long long)token->exp_s, call->state.browser, token->browser,
                   call->resumes->browser);
    if (!is_excused) world_fail("a good connect is granted", "link %u: refused with %d", link->number, code);
    if (code == RPC_VALIDATION_FAILED && !call->wants_resume)
        world_fail("who wants no session back is told of none", "link %u", link->number);
    enter(link, TAP_PARKED);
}

/* ---- renewal ---- */

/* Why this token may not take the place of the session's; NULL: it may. */
static const char *why_not_renewed(const struct link *link, const struct call *call)
{
    const struct token *token = call->token, *present = link->tap.token;
    int bound = link->tap.held ? link->tap.held->browser : present->browser;

    if (!token || call->is_tampered) return "no token of ours";
    if (token->project != present->project || token->user != present->user) return "somebody else's token";
    if (bound >= 0 && token->browser != bound) return "a token without the session's key";
    if (token->browser < 0) return NULL;
    if (!call->proof) return "no proof for a bound token";
    return !call->proof->is_good || !call->proof->is_renewal || call->proof->browser != token->browser
               ? "a bad proof"
               : NULL;
}

static void check_renewed(struct link *link, struct call *call)
{
    const char *never = why_not_renewed(link, call);
    struct sim_session *session = link->tap.held;

    if (never)
        world_fail("an identity never changes in place", "link %u was granted %s", link->number, never);
    if (voided_must(&call->token->line, world.mono_us))
        world_fail("what was revoked is refused", "link %u is renewed", link->number);
    if (is_over(call->token))
        world_fail("no session is renewed past its token's exp", "link %u", link->number);
    if (call->token->browser >= 0) use_proof(link, call->proof);
    link->tap.token = call->token;
    link->tap.ends_s = call->token->exp_s;
    link->tap.dies_tick_ms = loop_tick_ms(link->stream->loop) + call->token->exp_s * 1000 - times_now_ms();
    if (!session) return;
    session->token = call->token;
    session->ends_s = call->token->exp_s;
    session->browser = call->token->browser;
    sessions_renewed(session);
    trace("renewed", "link %u", link->number);
}

static void check_renewal(struct link *link, struct call *call, struct json result, int code)
{
    const struct token *token = call->token;

    if (link->tap.session != TAP_LIVE) {
        if (code != RPC_UNAUTHENTICATED)
            world_fail("calls are for live sessions", "link %u: a renewal got %d", link->number, code);
        return;
    }
    if (!code) {
        check_renewed(link, call);
        answer_slots(link, result);
    } else if (code == RPC_INTERNAL) {
        if (!had_trouble(call) && !times_was_stepped(call->delivered_us))
            world_fail("we fail only when something failed", "link %u", link->number);
    } else if (!why_not_renewed(link, call) && !is_over(token) && !token->is_lost &&
               !voided_reaches(&token->line) && !(token->browser >= 0 && may_be_late(call->proof)))
        world_fail("a good renewal is granted", "link %u: refused with %d", link->number, code);
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

    if (call->kind == CALL_PHONE && is_live && code == RPC_INTERNAL && had_trouble(call))
        return; /* no memory for a letter */
    if (code != wanted)
        world_fail("calls are for live sessions", "link %u: %s in session state %d got %d, not %d",
                   link->number, call->id, (int)link->tap.session, code, wanted);
    if (is_live && call->kind == CALL_ONLINE) /* a guest is called by nobody */
        link->tap.is_registered = !model_is_guest(link->tap.token);
    if (is_live && call->kind == CALL_OFFLINE) link->tap.is_registered = false;
    if (is_live && link->tap.held) link->tap.held->is_registered = link->tap.is_registered;
}

static struct call *dial_on(struct link *link, struct bytes id)
{
    struct call *call = link->tap.calls;

    while (call &&
           (call->kind != CALL_DIAL || call->is_answered || !bytes_equal(id, bytes_of_text(call->id))))
        call = call->next;
    return call;
}

/* A dial is answered when it is decided, whatever came behind it; and where its session is by then. */
static struct call *dial_of(struct link *link, struct bytes id)
{
    struct call *call = dial_on(link, id);
    struct link *other;

    for (other = links; other && !call && link->tap.held; other = other->next)
        call = dial_on(other, id);
    return call;
}

/* All other replies come in the order of the calls, one each. */
static struct call *call_of(struct link *link, struct bytes id)
{
    struct call *dial = dial_of(link, id), *call = dial ? dial : link->tap.calls;

    while (call && call != dial && (call->is_answered || call->kind == CALL_DIAL))
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

    call->code = code;
    trace("reply", "link %u: %s %d", link->number, call->id, code);
    if (call->kind == CALL_CONNECT)
        check_connect(link, call, json_member(message, "result"), code);
    else if (call->kind == CALL_RENEW)
        check_renewal(link, call, json_member(message, "result"), code);
    else if (call->kind == CALL_DIAL)
        phones_dialled(link, call, code);
    else
        check_call(link, call, code);
    if (call->kind != CALL_CONNECT && call->kind != CALL_DIAL && link->tap.session == TAP_LIVE &&
        link->tap.held)
        link->tap.held->is_heard = true;
    tap_say(link, (struct said){.kind = SAID_CALL, .call = call});
}

static void take_event(struct link *link, struct json params)
{
    struct bytes type = json_text(json_member(params, "event_type"));
    int64_t serial;

    if (bytes_equal(type, BYTES("signalwire.authorization.state")))
        sessions_given_state(link,
                             json_text(json_member(json_member(params, "params"), "authorization_state")));
    if (bytes_equal(type, BYTES("session.upgraded")))
        sessions_upgraded(
            link, json_text(json_member(json_member(json_member(params, "params"), "from"), "protocol")),
            json_text(json_member(json_member(json_member(params, "params"), "to"), "protocol")));
    if (bytes_equal(type, BYTES("webrtc.message"))) phones_event(link, params);
    if (bytes_equal(type, BYTES("sim")) && json_int64(&serial, json_member(params, "serial")))
        sessions_heard(link, (unsigned)serial);
}

/* Ours to the client: events and pings, for live sessions only. */
static void take_request(struct link *link, struct json message)
{
    struct said said = {.kind = SAID_PING};
    struct bytes id = json_text(json_member(message, "id"));

    if (link->tap.session != TAP_LIVE)
        world_fail("without rights there is silence", "link %u was sent an event", link->number);
    take_event(link, json_member(message, "params"));
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
    return loop_tick_ms(loop) >= link->tap.dies_tick_ms || times_now_ms() >= link->tap.ends_s * 1000;
}

/* Somebody has asked for it, and has no answer yet. */
static bool is_asked_for(const struct sim_session *session, bool for_upgrade)
{
    const struct link *link;
    const struct call *call;

    for (link = links; link; link = link->next)
        for (call = link->tap.calls; call; call = call->next)
            if (call->resumes && sessions_wanted(call) == session && !call->is_answered &&
                (call->is_upgrade && call->resumes == session) == for_upgrade && call->delivered_us)
                return true;
    return false;
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
    case 1009:
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
    case 4409:
    case 4410:
        return is_live && link->tap.held && is_asked_for(link->tap.held, code == 4410) &&
               world.mono_us - RESUME_ANSWER_MS * 1000 + 1000 >= link->tap.probed_us;
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
    link->tap.close_code = code;
    answer_away(link, code, bytes_from(payload, 2));
    enter(link, TAP_CLOSED);
    tap_say(link, (struct said){.kind = SAID_CLOSE});
}

static void take_ping(struct link *link, struct bytes payload)
{
    struct said said = {.kind = SAID_PROBE, .id_len = payload.len};

    if (payload.len > sizeof said.id)
        world_fail("a ping is short", "link %u: %zu bytes", link->number, payload.len);
    if (payload.len) memcpy(said.id, payload.ptr, payload.len);
    if (link->tap.probed_us == INT64_MAX) link->tap.probed_us = world.mono_us;
    tap_say(link, said);
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
        take_ping(link, payload);
        return;
    case WS_PONG:
        return;
    case WS_CONTINUATION:
    case WS_BINARY:
        break;
    }
    world_fail("a server sends texts and its pings", "link %u: opcode %d", link->number, (int)opcode);
}
