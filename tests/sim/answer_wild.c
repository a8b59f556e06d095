/* answer_wild.c — the laws of answers on a link whose client sent what nobody can name: broken, odd or
 * changed bytes. What was asked is not known, so each answer is judged by itself and by who has what. */
#include "sim/answer.h"

#include <string.h>

#include "server/records.h"
#include "server/socket_inside.h"
#include "sim/guests.h"
#include "sim/link.h"
#include "sim/loop_sim.h"
#include "sim/memory.h"
#include "sim/node.h"
#include "sim/times.h"
#include "wire/json_read.h"

static void enter(struct link *link, enum tap_session session)
{
    link->tap.session = session;
    link->tap.since_us = world.mono_us;
}

/* ---- HTTP ---- */

static bool is_in_contract(int status)
{
    static const int statuses[] = {101, 200, 201, 204, 400, 401, 403, 404, 405, 408, 413,
                                   414, 415, 417, 422, 426, 429, 431, 501, 503, 505};
    size_t i;

    for (i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i] == status) return true;
    return false;
}

void answer_wild_http(struct link *link, struct request *request, struct bytes body)
{
    struct json document;
    struct bytes token;

    if (!is_in_contract(request->status))
        world_fail("each answer is one the contract allows", "link %u: %d", link->number, request->status);
    if (request->status == 503 && !world.trouble && !times_was_stepped(0) && !node_is_stopping())
        world_fail("we fail only when something failed", "link %u", link->number);
    if (request->status == 101) enter(link, TAP_OPENING);
    if (!body.len) return;
    if (json_read(&document, body)) world_fail("a body is JSON", "link %u", link->number);
    token = json_text(json_member(document, "token"));
    if (token.len && request->status != 200 && request->status != 201)
        world_fail("a refusal carries no token", "link %u", link->number);
    if (token.len) request->minted = answer_issued(link, token);
    if (token.len) model_keep_refresh(request->minted, json_text(json_member(document, "refresh_token")));
    json_free(document);
}

/* ---- sockets ---- */

static const struct socket *socket_of(const struct link *link)
{
    const struct socket *socket = link->stream->owner;

    if (socket->stream != link->stream) world_fail("a stream has one owner", "link %u", link->number);
    return socket;
}

static const struct token *token_of_jti(struct bytes text)
{
    struct uuid id;
    size_t i;

    if (uuid_read(&id, text)) return NULL;
    for (i = 0; i < model.token_count; i++)
        if (uuid_equal(&model.tokens[i].jti, &id)) return &model.tokens[i];
    return NULL;
}

static void check_welcome(struct link *link, struct bytes jti)
{
    const struct token *token = token_of_jti(jti);
    struct loop *loop = link->stream->loop;

    if (!token) world_fail("a session needs a verified token", "link %u", link->number);
    if (loop_now_ms(loop) >= token->exp_s * 1000)
        world_fail("no session begins past its token's exp", "link %u", link->number);
    guests_granted(token);
    enter(link, TAP_LIVE);
    link->tap.is_registered = false;
    link->tap.token = token;
    link->tap.ends_s = token->exp_s;
    link->tap.dies_tick_ms = loop_tick_ms(loop) + token->exp_s * 1000 - loop_now_ms(loop);
}

/* Replies still come at most once for each call that was known before, and in order. */
static void tick_off(struct link *link, struct bytes id)
{
    struct call *call;

    for (call = link->tap.calls; call; call = call->next)
        if (!call->is_answered && bytes_equal(id, bytes_of_text(call->id))) {
            call->is_answered = true;
            return;
        }
}

static void take_error(struct link *link, struct json error)
{
    enum session_state state = socket_of(link)->state;
    struct bytes id = json_text(json_member(json_member(error, "data"), "error_id"));
    int64_t code;

    if (!json_int64(&code, json_member(error, "code"))) world_fail("an error has a code", "none");
    if (id.len != RECORD_ID_LEN && !world.trouble)
        world_fail("a refusal has an error id", "code %d", (int)code);
    if (link->tap.session != TAP_OPENING) return;
    if (state == SESSION_PARKED) enter(link, TAP_PARKED);
    if (state != SESSION_CLOSED) return;
    if (!world.trouble && !times_was_stepped(0))
        world_fail("we fail only when something failed", "link %u", link->number);
    enter(link, TAP_FAILED);
}

void answer_wild_text(struct link *link, struct bytes text)
{
    struct json message, error, jti;

    if (json_read(&message, text)) world_fail("a message is whole", "link %u", link->number);
    error = json_member(message, "error");
    jti = json_member(json_member(json_member(message, "result"), "authorization"), "jti");
    if (json_type_of(json_member(message, "method")) != JSON_IS_ABSENT) {
        if (link->tap.session != TAP_LIVE)
            world_fail("without rights there is silence", "link %u was sent an event", link->number);
    } else {
        tick_off(link, json_text(json_member(message, "id")));
        if (json_type_of(error) != JSON_IS_ABSENT)
            take_error(link, error);
        else if (json_type_of(jti) != JSON_IS_ABSENT && link->tap.session == TAP_OPENING)
            check_welcome(link, json_text(jti));
        else if (link->tap.session != TAP_LIVE)
            world_fail("calls are for live sessions", "link %u", link->number);
        else
            link->tap.is_registered = socket_of(link)->session->is_registered;
    }
    json_free(message);
}

bool answer_wild_may_close(const struct link *link, unsigned code)
{
    (void)link;
    return ws_close_code_is_valid((uint16_t)code); /* it may be the client's own, come back */
}
