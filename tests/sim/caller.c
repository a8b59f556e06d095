/* caller.c — clients on a socket: connects with good and bad tokens, calls, pings, and bad manners. */
#include <stdio.h>
#include <string.h>

#include "sim/client.h"
#include "sim/frame.h"
#include "sim/guests.h"
#include "sim/link.h"
#include "sim/phones.h"
#include "sim/sessions.h"
#include "sim/world.h"
#include "wire/ws_frame.h"

static void send_frame(struct link *link, unsigned first, struct bytes payload, bool is_masked)
{
    struct buf out;
    uint8_t mask[4];

    buf_init(&out, 65536);
    dice_fill(&world.dice, mask, sizeof mask);
    frame_append(&out, (uint8_t)first, payload, is_masked ? mask : NULL);
    link_send(link, buf_bytes(&out));
    buf_release(&out);
}

static void send_text(struct link *link, struct bytes text)
{
    size_t cut = (size_t)roll(text.len);

    if (chance(85)) {
        send_frame(link, 0x80 | WS_TEXT, text, true);
        return;
    }
    send_frame(link, WS_TEXT, bytes_part(text, 0, cut), true);
    if (chance(30)) send_frame(link, 0x80 | WS_PING, BYTES("p"), true);
    send_frame(link, 0x80 | WS_CONTINUATION, bytes_from(text, cut), true);
}

static void send_call(struct client *client, struct call *call, const char *method, struct bytes params)
{
    struct link *link = client->link;
    struct buf text;

    (void)snprintf(call->id, sizeof call->id, "c%u-%u", link->number, ++client->calls);
    buf_init(&text, 16384);
    buf_append_text(&text, "{\"jsonrpc\":\"2.0\",\"id\":\"");
    buf_append_text(&text, call->id);
    buf_append_text(&text, "\",\"method\":\"");
    buf_append_text(&text, method);
    buf_append_text(&text, "\",\"params\":");
    buf_append(&text, params);
    buf_append_byte(&text, '}');
    send_text(link, buf_bytes(&text));
    call->up_end = link->up_sent;
    buf_release(&text);
}

void caller_send_call(struct client *client, enum call_kind kind, const char *method, struct bytes params)
{
    send_call(client, tap_call(client->link, kind), method, params);
}

/* ---- connect ---- */

/* The last good one by this browser, as somebody who has seen it would send it; NULL: there is none. */
static struct proof *copied_proof(int browser)
{
    size_t i;

    for (i = model.proof_count; i; i--)
        if (model.proofs[i - 1].is_good && model.proofs[i - 1].browser == browser)
            return &model.proofs[i - 1];
    return NULL;
}

/* Mostly one that the page at this Origin would have. */
static const struct token *pick_token(const char *origin)
{
    const struct token *token = NULL;
    bool is_guest = chance(25);
    int tries;

    for (tries = 0; tries < 6; tries++) {
        token = is_guest ? guests_pick() : model_pick_token();
        if (!token || !origin || strcmp(model.projects[token->project].origin, origin) == 0) break;
    }
    return token;
}

static struct proof *pick_proof(int of, bool is_renewal)
{
    const char *method = is_renewal ? "signalwire.reauthenticate" : "signalwire.connect";
    int browser = chance(85) && of >= 0 ? of : (int)roll(BROWSERS);
    int64_t iat_s = world_wall_ms() / 1000;
    struct proof *proof;

    if (chance(15)) return copied_proof(browser);
    if (chance(10)) {
        bool is_late = chance(50);
        return model_prove(browser, is_late ? method : "subscriber.online", iat_s - (is_late ? 4000000 : 0));
    }
    proof = model_prove(browser, method, iat_s);
    if (proof) proof->is_good = true;
    if (proof) proof->is_renewal = is_renewal;
    return proof;
}

static void append_token(struct buf *params, struct call *call)
{
    const struct token *token = call->token;

    if (!token) {
        buf_append_text(params, "a.b.c");
        return;
    }
    buf_append(params, bytes_of(token->text, token->len));
    if (!chance(10)) return;
    call->is_tampered = true;
    params->ptr[params->len - 40] = params->ptr[params->len - 40] == 'A' ? 'B' : 'A';
}

static void append_proof(struct buf *params, struct call *call)
{
    if (!call->proof) return;
    call->proof->sent++;
    buf_append_text(params, ",\"dpop_token\":\"");
    buf_append(params, bytes_of(call->proof->text, call->proof->len));
    buf_append_text(params, "\"");
}

/* A state, mostly as its session's client was given it, with its protocol. */
static void append_state(struct buf *params, struct call *call, const struct sim_session *session)
{
    const struct sim_session *named = session;
    size_t start;

    call->wants_resume = call->is_upgrade;
    if (chance(4)) { /* half of the pair is no resume; an upgrade names a session or is refused */
        buf_append_text(params, ",\"protocol\":\"signalwire_x\"");
        return;
    }
    call->state = *sessions_pick_state(session);
    if (chance(5) && sessions_pick()) named = sessions_pick();
    if (!named) named = session;
    buf_append_text(params, ",\"authorization_state\":\"");
    start = params->len;
    buf_append(params, bytes_of(call->state.text, call->state.len));
    buf_append_text(params, "\"");
    if (chance(5)) {
        start += 15 + roll(call->state.len - 20);
        params->ptr[start] = params->ptr[start] == 'A' ? 'B' : 'A';
        named = NULL;
    }
    if (named || chance(50)) {
        call->wants_resume = true;
        buf_append_text(params, ",\"protocol\":\"");
        buf_append_text(params, named ? named->protocol : session->protocol);
        buf_append_text(params, "\"");
    }
    if (named == session) call->resumes = sessions_known(session);
}

/* Upwards, mostly: of the project that the guest was let into. */
static const struct token *token_above(const struct sim_session *session)
{
    size_t tries;

    if (session->follower && chance(60)) return session->follower->token; /* as who was not told */
    for (tries = 0; tries < 30; tries++) {
        const struct token *token = model_pick_token();
        if (token && token->project == session->project) return token;
    }
    return chance(70) ? model_pick_token() : session->token;
}

/* Mostly by the token that the session has, or another one of its user. */
static const struct token *token_for(const struct sim_session *session)
{
    size_t tries;

    if (chance(60)) return session->token;
    for (tries = 0; tries < 30; tries++) {
        const struct token *token = model_pick_token();
        if (token && token->project == session->project && token->user == session->user) return token;
    }
    return chance(70) ? session->token : model_pick_token();
}

/* Every other link takes slots; what a second connect on it says is not heard. */
static void append_slots(struct buf *params, struct link *link)
{
    bool takes_slots = link->number % 2;

    if (takes_slots) buf_append_text(params, ",\"takes_slots\":true");
    if (!link->tap.has_connected) link->tap.takes_slots = takes_slots;
    link->tap.has_connected = true;
}

static void send_connect(struct client *client)
{
    struct call *call = tap_call(client->link, CALL_CONNECT);
    const struct sim_session *session = client->had && chance(70) ? client->had
                                        : chance(35)              ? sessions_pick()
                                                                  : NULL;
    struct buf params;
    int browser;

    if (session && session->former && chance(session->may_be_heard ? 20 : 80)) session = session->former;
    buf_init(&params, 16384);
    call->is_upgrade = session && chance(session->follower ? 90 : model_is_guest(session->token) ? 50 : 3);
    call->token = call->is_upgrade ? token_above(session)
                  : session        ? token_for(session)
                                   : pick_token(client->link->tap.origin);
    buf_append_text(&params, "{\"version\":{\"major\":4},\"authentication\":{\"jwt_token\":\"");
    append_token(&params, call);
    buf_append_text(&params, "\"}");
    browser = call->token ? call->token->browser : -1;
    if (session && browser < 0) browser = session->browser;
    if (call->token && (browser >= 0 ? chance(90) : chance(20))) call->proof = pick_proof(browser, false);
    append_proof(&params, call);
    if (!call->proof && chance(3)) {
        call->is_invalid = true;
        buf_append_text(&params, ",\"dpop_token\":7");
    }
    if (call->is_upgrade) buf_append_text(&params, ",\"upgrade\":{\"x\":1");
    if (session) append_state(&params, call, session);
    if (call->is_upgrade) buf_append_byte(&params, '}');
    append_slots(&params, client->link);
    buf_append_byte(&params, '}');
    guests_tried(call->token);
    send_call(client, call, "signalwire.connect", buf_bytes(&params));
    if (call->is_upgrade && !client->link->is_deaf && chance(40)) link_listen(client->link, false);
    buf_release(&params);
}

static void send_renewal(struct client *client)
{
    struct call *call = tap_call(client->link, CALL_RENEW);
    const struct sim_session *session = client->link->tap.held;
    struct buf params;

    buf_init(&params, 16384);
    call->token = session ? token_for(session) : model_pick_token();
    buf_append_text(&params, "{\"authentication\":{\"project\":\"x\",\"jwt_token\":\"");
    append_token(&params, call);
    buf_append_text(&params, "\"}");
    if (call->token && (call->token->browser >= 0 ? chance(90) : chance(20)))
        call->proof = pick_proof(call->token->browser, chance(90));
    append_proof(&params, call);
    buf_append_byte(&params, '}');
    send_call(client, call, "signalwire.reauthenticate", buf_bytes(&params));
    buf_release(&params);
}

/* ---- other calls ---- */

static void send_broken(struct client *client)
{
    struct call *call = tap_call(client->link, CALL_BROKEN);

    (void)snprintf(call->id, sizeof call->id, "broken%u", ++client->calls);
    send_text(client->link, BYTES("{\"jsonrpc\":\"2.0\",\"id\":"));
    call->up_end = client->link->up_sent;
}

static void send_other(struct client *client)
{
    unsigned kind = (unsigned)roll(100);

    if (chance(35))
        phones_act(client);
    else if (kind < 15)
        send_renewal(client);
    else if (kind < 50)
        send_call(client, tap_call(client->link, CALL_ONLINE), "subscriber.online", BYTES("{}"));
    else if (kind < 85)
        send_call(client, tap_call(client->link, CALL_OFFLINE), "subscriber.offline", BYTES("{}"));
    else if (kind < 95)
        send_call(client, tap_call(client->link, CALL_UNKNOWN), "verto.nothing", BYTES("{}"));
    else
        send_broken(client);
}

static void misbehave(struct client *client)
{
    struct link *link = client->link;

    switch (roll(4)) {
    case 0:
        link->tap.is_broken = true;
        send_frame(link, 0x80 | WS_TEXT, BYTES("{}"), false);
        return;
    case 1:
        link->tap.is_broken = true;
        send_frame(link, 0x80 | WS_TEXT, BYTES("\xff\xfe"), true);
        return;
    case 2:
        link->tap.is_broken = true;
        send_frame(link, 0x80 | WS_CLOSE, BYTES("\x03\xe8"), true);
        return;
    default:
        link_reset(link);
        return;
    }
}

/* ---- acting ---- */

/* It loses its connection, and has not heard what became of it. */
static bool misses_upgrade(const struct link *link)
{
    return link->is_deaf && link->tap.calls && link->tap.calls->is_upgrade && !link->tap.calls->next;
}

void caller_act(struct client *client)
{
    struct link *link = client->link;

    if (link->tap.held && link->tap.held->state_count) client->had = link->tap.held;
    if (misses_upgrade(link)) {
        link_reset(link);
        return;
    }
    if (link->is_deaf || chance(3)) link_listen(link, link->is_deaf);
    if (!link->tap.requests)
        http_send_upgrade(client);
    else if (!client->is_upgraded || link->tap.is_broken || link->up_ended)
        return;
    else if (chance(5))
        misbehave(client);
    else if (chance(3))
        link_end(link);
    else if (chance(10))
        send_frame(link, 0x80 | WS_PING, BYTES("hello"), true);
    else if (!link->tap.calls ? chance(85) : chance(7))
        send_connect(client);
    else
        send_other(client);
}

void caller_heard(struct client *client, const struct said *said)
{
    char text[128];

    if (said->kind == SAID_RING) (void)snprintf(client->rang, sizeof client->rang, "%s", said->id);
    if (said->kind == SAID_PROBE && client->answers_pings && !client->link->tap.is_broken &&
        !client->link->up_ended) {
        send_frame(client->link, 0x80 | WS_PONG, bytes_of(said->id, said->id_len), true);
        client->link->tap.pong_end = client->link->up_sent;
    }
    if (said->kind != SAID_PING || !client->answers_pings || client->link->tap.is_broken) return;
    (void)snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"result\":{}}", said->id);
    if (!client->link->up_ended) send_frame(client->link, 0x80 | WS_TEXT, bytes_of_text(text), true);
}
