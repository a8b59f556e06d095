/* act_socket.c — frames: connects, calls, what is none, and frames that should not be. */
#include <stdio.h>
#include <string.h>

#include "sim/frame.h"
#include "sim/phones.h"
#include "sim/sequence/action.h"
#include "sim/sessions.h"
#include "wire/ws_frame.h"

#define TEXT_MAX  70000
#define FRAME_MAX 80000

/* Masked with letters that any sequence can have. */
static void write_frame(struct buf *out, uint8_t first, struct bytes payload, bool is_masked)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

    frame_append(out, first, payload, is_masked ? mask : NULL);
}

/* shape: whole, or in two fragments with or without a ping between. */
static void send_text(struct party *party, struct call *call, struct bytes text, uint8_t shape, uint8_t send)
{
    size_t cut = text.len * (shape >> 2) / 64;
    struct buf out;

    buf_init(&out, FRAME_MAX);
    if ((shape & 3) < 2)
        write_frame(&out, 0x80 | WS_TEXT, text, true);
    else {
        write_frame(&out, WS_TEXT, bytes_part(text, 0, cut), true);
        if ((shape & 3) == 3) write_frame(&out, 0x80 | WS_PING, BYTES("p"), true);
        write_frame(&out, 0x80 | WS_CONTINUATION, bytes_from(text, cut), true);
    }
    call->up_end = party->client.link->up_sent + party->rest.len + out.len;
    party_send(party, buf_bytes(&out), send);
    buf_release(&out);
}

static void send_call(struct party *party, struct call *call, const char *method, struct bytes params,
                      const struct action *action)
{
    struct buf text;
    unsigned number = ++party->calls;

    if (call->kind == CALL_DIAL) /* answered wherever its session is by then */
        (void)snprintf(call->id, sizeof call->id, "d%u-%u", party->client.number, number);
    else if (action->d & 3)
        (void)snprintf(call->id, sizeof call->id, "c%u", number);
    else
        (void)snprintf(call->id, sizeof call->id, "c%0100u", number);
    buf_init(&text, TEXT_MAX);
    say(&text, "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"method\":\"%s\"", call->id, method);
    if (params.len) {
        buf_append_text(&text, ",\"params\":");
        buf_append(&text, params);
    }
    buf_append_byte(&text, '}');
    send_text(party, call, buf_bytes(&text), action->d, action->send);
    buf_release(&text);
}

/* ---- connect: a is the token, b the proof, c what else is odd, d the id and the frames ---- */

static const struct token *pick_token(uint8_t letter)
{
    if (letter >= 240 || !model.token_count) return NULL;
    return &model.tokens[letter % model.token_count];
}

static void write_token(struct buf *params, struct call *call, uint8_t letter)
{
    if (!call->token) {
        buf_append_text(params, letter & 1 ? "a.b.c" : "");
        return;
    }
    if (letter >= 224) { /* the refresh token in its place */
        buf_append(params, bytes_of(call->token->refresh, call->token->refresh_len));
        call->token = NULL;
        return;
    }
    buf_append(params, bytes_of(call->token->text, call->token->len));
    if (letter < 208) return;
    call->is_tampered = true;
    params->ptr[params->len - 40] = params->ptr[params->len - 40] == 'A' ? 'B' : 'A';
}

/* The last good one by this browser, as somebody who has seen it would send it; NULL: there is none. */
static struct proof *copied_proof(int browser)
{
    size_t i;

    for (i = model.proof_count; i; i--)
        if (model.proofs[i - 1].is_good && model.proofs[i - 1].browser == browser)
            return &model.proofs[i - 1];
    return NULL;
}

static struct proof *pick_proof(const struct token *token, uint8_t letter)
{
    int own = token && token->browser >= 0 && token->browser < BROWSERS ? token->browser : 0;
    int64_t iat_s = world_wall_ms() / 1000;
    struct proof *proof;

    switch (letter & 7) {
    case 2:
        return copied_proof(own);
    case 3:
        own = 1 - own;
        break;
    case 4:
        return model_prove(own, "subscriber.online", iat_s);
    case 5:
        return model_prove(own, "signalwire.connect", iat_s - 4000);
    case 6:
    case 7:
        return NULL;
    default:
        break;
    }
    proof = model_prove(own, "signalwire.connect", iat_s);
    if (proof) proof->is_good = true;
    return proof;
}

/* The newest state of the newest guest's session: to have its place. */
static void write_upgrade(struct buf *params, struct call *call)
{
    struct sim_session *session = sessions_of_guest();

    if (!session) return;
    call->is_upgrade = call->wants_resume = true;
    call->resumes = session;
    call->state = session->states[(session->state_count - 1) % SIM_STATES];
    say(params, ",\"upgrade\":{\"protocol\":\"%s\",\"authorization_state\":\"", session->protocol);
    buf_append(params, bytes_of(call->state.text, call->state.len));
    buf_append_text(params, "\"}");
}

static void write_odd_params(struct buf *params, struct call *call, uint8_t letter)
{
    switch (letter & 15) {
    case 11:
        write_upgrade(params, call);
        return;
    case 12:
        call->is_invalid = true;
        say(params, ",\"version\":7");
        return;
    case 13:
        say(params, ",\"protocol\":\"signalwire_x\"");
        return;
    case 14:
        call->is_invalid = true;
        say(params, ",\"authorization_state\":[]");
        return;
    case 15:
        call->wants_resume = true;
        say(params, ",\"authorization_state\":\"abc\",\"protocol\":\"signalwire_x\"");
        return;
    default:
        say(params, ",\"version\":{\"major\":4},\"agent\":\"x\",\"contexts\":[]");
        return;
    }
}

void act_connect(struct party *party, const struct action *action)
{
    struct call *call;
    struct buf params;

    if (!party_link(party)) return;
    call = party_call(party, CALL_CONNECT);
    call->token = pick_token(action->a);
    call->proof = pick_proof(call->token, action->b);
    buf_init(&params, TEXT_MAX);
    buf_append_text(&params, "{\"authentication\":{\"jwt_token\":\"");
    write_token(&params, call, action->a);
    buf_append_text(&params, "\"}");
    if (call->proof) {
        call->proof->sent++;
        say(&params, ",\"dpop_token\":\"%.*s\"", (int)call->proof->len, call->proof->text);
    } else if ((action->b & 7) == 7) {
        call->is_invalid = true;
        say(&params, ",\"dpop_token\":7");
    }
    write_odd_params(&params, call, action->c);
    buf_append_byte(&params, '}');
    send_call(party, call, "signalwire.connect", buf_bytes(&params), action);
    buf_release(&params);
}

/* ---- telephones: b is what they do, c whom they dial ---- */

static void act_phone(struct party *party, const struct action *action)
{
    static const struct {
        const char *destination, *reference;
    } rows[] = {{"/private/ada", "ada"}, {"/private/carl", "carl"}};
    unsigned verb = action->b >> 2 & 3, row = action->c & 1, dial;
    struct client *client = &party->client;
    const char *leg = *client->rang ? client->rang : *client->dialled ? client->dialled : "none";
    struct call *call = party_call(party, verb == 1 ? CALL_DIAL : CALL_PHONE);
    struct buf params;

    if (verb == 1) {
        dial = phones_dial(client->dialled, client->link, rows[row].reference);
        leg = client->dialled;
        *client->rang = 0;
    } else
        dial = phones_answer(leg);
    buf_init(&params, TEXT_MAX);
    say(&params, "{\"message\":{\"jsonrpc\":\"2.0\",\"id\":\"m\",\"method\":\"%s\",\"params\":",
        verb == 1   ? "verto.invite"
        : verb == 2 ? "verto.answer"
                    : "verto.bye");
    say(&params, "{\"dialogParams\":{\"callID\":\"%s\",\"destination_number\":\"%s\"},", leg,
        rows[row].destination);
    say(&params, "\"sdp\":\"v=0\\r\\ns=%u\\r\\n\"}}}", dial);
    send_call(party, call, "webrtc.verto", buf_bytes(&params), action);
    buf_release(&params);
}

/* ---- calls: a is the method, b the params, d the id and the frames ---- */

void act_call(struct party *party, const struct action *action)
{
    static const struct {
        const char *method;
        enum call_kind kind;
    } calls[] = {{"subscriber.online", CALL_ONLINE},      {"subscriber.offline", CALL_OFFLINE},
                 {"subscriber.online", CALL_ONLINE},      {"subscriber.offline", CALL_OFFLINE},
                 {"signalwire.ping", CALL_UNKNOWN},       {"signalwire.reauthenticate", CALL_RENEW},
                 {"verto.invite", CALL_UNKNOWN},          {"verto.bye", CALL_UNKNOWN},
                 {"verto.subscribe", CALL_UNKNOWN},       {"signalwire.event", CALL_UNKNOWN},
                 {"signalwire.Connect", CALL_UNKNOWN},    {"x", CALL_UNKNOWN},
                 {"signalwire.disconnect", CALL_UNKNOWN}, {"webrtc.verto", CALL_PHONE},
                 {"subscriber.online.x", CALL_UNKNOWN},   {"\\u0073ubscriber.online", CALL_ONLINE}};
    static const char *const params[] = {"{}", "", "{\"a\":[[[[[[1]]]]]]}",
                                         "{\"authentication\":{\"jwt_token\":\"\"}}"};

    if (!party_link(party)) return;
    if ((action->a & 15) == 13 && action->b & 12) {
        act_phone(party, action);
        return;
    }
    send_call(party, party_call(party, calls[action->a & 15].kind), calls[action->a & 15].method,
              bytes_of_text(params[action->b & 3]), action);
}

/* ---- envelopes that are none ---- */

static void send_large(struct party *party, const struct action *action)
{
    struct buf text;

    party_goes_wild(party);
    buf_init(&text, TEXT_MAX);
    buf_append_text(&text, "{\"jsonrpc\":\"2.0\",\"id\":\"");
    while (text.len < 64000 + 16u * action->b)
        buf_append_byte(&text, 'x');
    buf_append_text(&text, "\",\"method\":\"m\"}");
    send_text(party, &(struct call){.kind = CALL_BROKEN}, buf_bytes(&text), action->d, action->send);
    buf_release(&text);
}

void act_envelope(struct party *party, const struct action *action)
{
    static const struct {
        const char *text;
        enum call_kind kind;
        bool is_known; /* what is answered, and that it is */
    } rows[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":", CALL_BROKEN, true},
        {"[{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"subscriber.online\"}]", CALL_NO_ENVELOPE, true},
        {"[]", CALL_NO_ENVELOPE, true},
        {"{}}", CALL_BROKEN, true},
        {"", CALL_BROKEN, false},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"subscriber.online\"}", CALL_BROKEN, false},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"subscriber.online\"}", CALL_BROKEN, false},
        {"{\"jsonrpc\":\"1.0\",\"id\":\"a\",\"method\":\"subscriber.online\"}", CALL_BROKEN, false},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"a\"}", CALL_BROKEN, false},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{},\"error\":{}}", CALL_BROKEN, false},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"x\",\"params\":[]}", CALL_BROKEN, false},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"id\":\"b\",\"method\":\"x\"}", CALL_BROKEN, false},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"nobody\",\"result\":{}}", CALL_BROKEN, false},
        {"7", CALL_BROKEN, false},
        {"\xef\xbb\xbf{}", CALL_BROKEN, false}};
    size_t at = action->a & 15;
    struct call *call;

    if (!party_link(party)) return;
    if (at == sizeof rows / sizeof rows[0]) {
        send_large(party, action);
        return;
    }
    if (!rows[at].is_known) party_goes_wild(party);
    call = party_call(party, rows[at].kind);
    send_text(party, call, bytes_of_text(rows[at].text), action->d, action->send);
}

/* ---- frames: a is the first byte, b which payload, c whether it is masked ---- */

void act_frame(struct party *party, const struct action *action)
{
    static const struct bytes payloads[] = {BYTES("hello"),        BYTES("\x03\xe8"), BYTES("\xff\xfe"),
                                            BYTES("\x0f\xa1 why"), BYTES("\x03"),     BYTES("\x03\xed"),
                                            BYTES("{}"),           {NULL, 0}};
    struct bytes payload = payloads[action->b & 7];
    uint8_t first = action->a;
    bool is_masked = (action->c & 7) != 7;
    struct buf out;

    if (!party_link(party)) return;
    if (!(first & 0x10))
        first = (uint8_t)(0x80 | (first & 1 ? WS_PING : WS_PONG)); /* mostly what is allowed */
    if (!party->has_upgraded || first & 0x70 || !is_masked) party_goes_wild(party);
    buf_init(&out, FRAME_MAX);
    write_frame(&out, action->a & 0x10 ? (uint8_t)(first & ~(action->c & 8 ? 0 : 0x70)) : first, payload,
                is_masked);
    party_send(party, buf_bytes(&out), action->send);
    buf_release(&out);
}

/* Pings of the server are answered by who answers. */
void party_heard(struct party *party, const struct said *said)
{
    struct link *link = party->client.link;
    char text[128];
    struct buf out;

    if (said->kind == SAID_RING)
        (void)snprintf(party->client.rang, sizeof party->client.rang, "%s", said->id);
    if (said->kind != SAID_PING || !party->answers_pings || party->rest.len || party->is_sending ||
        link->up_ended)
        return;
    (void)snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"result\":{}}", said->id);
    buf_init(&out, 256);
    write_frame(&out, 0x80 | WS_TEXT, bytes_of_text(text), true);
    link_send(link, buf_bytes(&out));
    buf_release(&out);
}
