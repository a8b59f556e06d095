/* speak.c — what goes out: requests, connects, calls, frames; each noted by the tap, so that every law of the
 * simulator looks at its answer. */
#include <stdio.h>
#include <string.h>

#include "sim/frame.h"
#include "sim/node.h"
#include "sim/say.h"
#include "sim/sessions.h"
#include "sim/story/story.h"

#define TEXT_MAX  70000
#define ANSWER_MS 3000

/* ---- requests ---- */

static struct request *ask(struct link *link, enum request_kind kind)
{
    struct request *request = tap_ask(link, kind);

    request->project = STORY_PROJECT;
    request->user = STORY_USER;
    request->key = KEY_GOOD;
    return request;
}

static struct link *http_link(void)
{
    struct line *line = &story.lines[LINE_HTTP];

    if (line->link) line_leave(line);
    *line = (struct line){.link = link_open(&line->client, STORY_PEER)};
    line->client.link = line->link;
    return line->link;
}

static void send_request(struct link *link, struct request *request, struct bytes out)
{
    request->up_end = link->up_sent + out.len;
    link_send(link, out);
}

static bool is_answered(void *request)
{
    return ((struct request *)request)->status != 0;
}

static struct token *fetched_by(struct request *request)
{
    if (!run_until(is_answered, request, ANSWER_MS)) story_fail("a request is not answered");
    if (!request->minted) story_fail("no credential: %d", request->status);
    request->minted->is_known = true;
    return request->minted;
}

struct token *mint_until(int64_t ends_ms, bool may_self_refresh, bool is_bound)
{
    struct link *link = http_link();
    struct request *request = ask(link, REQUEST_MINT);
    struct buf body, out;

    buf_init(&body, TEXT_MAX);
    buf_init(&out, TEXT_MAX);
    say(&body, "{\"reference\":\"%s\"", model.users[STORY_PROJECT][STORY_USER].reference);
    request->has_expiry = ends_ms > 0;
    request->expire_at_s = (story.epoch_ms + ends_ms) / 1000;
    if (ends_ms) say(&body, ",\"expire_at\":%lld", (long long)request->expire_at_s);
    request->may_self_refresh = may_self_refresh;
    if (may_self_refresh) say(&body, ",\"scope\":[\"sat:refresh\"]");
    if (is_bound) {
        request->browser = 0;
        say(&body, ",\"fingerprint\":\"%.43s\"", (const char *)browser_jkt(0).ptr);
    }
    say(&body, "}");
    say(&out, "POST /api/fabric/subscribers/tokens HTTP/1.1\r\nHost: coat.test\r\n");
    say_key(&out, request, false);
    say_body(&out, "application/json", buf_bytes(&body));
    send_request(link, request, buf_bytes(&out));
    buf_release(&body);
    buf_release(&out);
    return fetched_by(request);
}

/* iat_s 0: now. Its second half is kept back if it hangs. */
static struct request *send_bind(const struct token *token, bool renews, int64_t life_s, int64_t iat_s,
                                 bool hangs)
{
    struct link *link = http_link();
    struct request *request = ask(link, REQUEST_BIND);
    struct buf body, out;

    buf_init(&body, TEXT_MAX);
    buf_init(&out, TEXT_MAX);
    request->token = token;
    request->renews = renews;
    request->life_s = life_s;
    request->fate = iat_s ? FATE_UNAUTHORIZED : FATE_GOOD;
    request->proof = model_prove_http(0, token, renews, renews, iat_s ? iat_s : world_wall_ms() / 1000);
    if (!request->proof) story_fail("no more room for proofs");
    request->proof->sent++;
    say(&body, "{\"dpop_token\":\"%.*s\",\"expire_in\":%lld}", (int)request->proof->len, request->proof->text,
        (long long)life_s);
    say(&out, "POST %s HTTP/1.1\r\nHost: coat.test\r\n", renews ? SIM_PATH_TO_RENEW : SIM_PATH_TO_BIND);
    say(&out, "Authorization: Bearer %.*s\r\n", (int)token->len, token->text);
    say_body(&out, "application/json", buf_bytes(&body));
    request->up_end = link->up_sent + out.len;
    link_send(link, bytes_part(buf_bytes(&out), 0, hangs ? out.len / 2 : out.len));
    buf_release(&body);
    buf_release(&out);
    return request;
}

struct token *bind_until(const struct token *token, bool renews, int64_t ends_ms)
{
    int64_t life_s = ends_ms / 1000 - server_ms(world_wall_ms()) / 1000;

    if (life_s < 60 || life_s > 3600) story_fail("a bound token never lives for %lld s", (long long)life_s);
    return fetched_by(send_bind(token, renews, life_s, 0, false));
}

void bind_in_vain(const struct token *token, bool hangs)
{
    int64_t iat_s = hangs ? 0 : world_wall_ms() / 1000 - 4000;
    struct request *request = send_bind(token, false, 900, iat_s, hangs);

    if (hangs) {
        run_for_us(100000);
        link_reset(story.lines[LINE_HTTP].link);
        return;
    }
    if (!run_until(is_answered, request, ANSWER_MS)) story_fail("a request is not answered");
    if (request->status != 401) story_fail("a bad proof binds: %d", request->status);
}

/* ---- sockets ---- */

void line_open(struct line *line, bool upgrades)
{
    struct request *request;
    struct buf out;

    *line = (struct line){.link = link_open(&line->client, STORY_PEER)};
    line->client.link = line->link;
    line->client.kind = CLIENT_CALLER;
    line->client.number = (unsigned)(line - story.lines);
    if (!upgrades) return;
    request = ask(line->link, REQUEST_UPGRADE);
    buf_init(&out, 4096);
    say(&out, "GET / HTTP/1.1\r\nHost: coat.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
    send_request(line->link, request, buf_bytes(&out));
    buf_release(&out);
}

void line_frame(struct line *line, unsigned first, struct bytes payload, bool is_masked)
{
    uint8_t mask[4];
    struct buf out;

    if (line->is_left || line->ear == EAR_DEAD) return;
    buf_init(&out, TEXT_MAX + 100);
    dice_fill(&world.dice, mask, sizeof mask);
    frame_append(&out, (uint8_t)first, payload, is_masked ? mask : NULL);
    link_send(line->link, buf_bytes(&out));
    buf_release(&out);
}

void line_leave(struct line *line)
{
    struct link *link = line->link;

    if (!link || line->is_left) return;
    if (line->client.is_upgraded && !link->tap.close_code && !link->tap.is_broken) {
        link->tap.is_broken = true; /* for the laws: it said goodbye */
        line_frame(line, 0x80 | WS_CLOSE, BYTES("\x03\xe8"), true);
    } else if (line->client.link)
        link_reset(link);
    line->is_left = true;
}

static void send_text(struct line *line, struct call *call, struct bytes text)
{
    line_frame(line, 0x80 | WS_TEXT, text, true);
    call->up_end = line->link->up_sent;
}

static struct call *say_call(struct buf *text, struct line *line, enum call_kind kind, const char *method)
{
    struct call *call = tap_call(line->link, kind);

    (void)snprintf(call->id, sizeof call->id, "s%u-%u", line->link->number, ++line->calls);
    say(text, "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"method\":\"%s\",\"params\":", call->id, method);
    return call;
}

void line_call(struct line *line, enum call_kind kind, const char *method, const char *params)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    line->asked = say_call(&text, line, kind, method);
    say(&text, "%s}", params);
    send_text(line, line->asked, buf_bytes(&text));
    buf_release(&text);
}

void line_call_in_parts(struct line *line)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    line->asked = say_call(&text, line, CALL_UNKNOWN, "verto.nothing");
    say(&text, "{}}");
    line_frame(line, WS_TEXT, bytes_part(buf_bytes(&text), 0, 10), true);
    line_frame(line, 0x80 | WS_CONTINUATION, bytes_from(buf_bytes(&text), 10), true);
    line->asked->up_end = line->link->up_sent;
    buf_release(&text);
}

/* ---- connect and renewal ---- */

static void say_token(struct buf *text, struct call *call, const struct token *token, const char *method)
{
    int browser = token->browser >= 0 ? token->browser : call->resumes ? call->state.browser : -1;

    call->token = token;
    say(text, "{\"authentication\":{\"jwt_token\":\"%.*s\"}", (int)token->len, token->text);
    if (browser < 0) return;
    call->proof = model_prove(browser, method, world_wall_ms() / 1000);
    if (!call->proof) story_fail("no more room for proofs");
    call->proof->is_good = true;
    call->proof->is_renewal = call->kind == CALL_RENEW;
    call->proof->sent++;
    say(text, ",\"dpop_token\":\"%.*s\"", (int)call->proof->len, call->proof->text);
}

static void name_session(struct call *call, const struct story_label *label)
{
    call->wants_resume = true;
    call->resumes = label->session;
    call->state = label->state;
}

static void say_pair(struct buf *text, const struct story_label *label)
{
    say(text, "\"protocol\":\"%s\",\"authorization_state\":\"%.*s\"", label->session->protocol,
        (int)label->state.len, label->state.text);
}

void line_connect(struct line *line, const struct token *token, const struct story_label *resume,
                  const struct story_label *upgrade, bool takes_slots, bool is_invalid)
{
    struct buf text;
    struct call *call;

    buf_init(&text, TEXT_MAX);
    line->connect = call = say_call(&text, line, CALL_CONNECT, "signalwire.connect");
    call->is_upgrade = upgrade != NULL;
    call->is_invalid = is_invalid;
    if (resume) name_session(call, resume);
    if (upgrade) name_session(call, upgrade);
    say_token(&text, call, token, "signalwire.connect");
    if (is_invalid) say(&text, ",\"dpop_token\":7");
    if (resume) {
        say(&text, ",");
        say_pair(&text, resume);
    }
    if (upgrade) {
        say(&text, ",\"upgrade\":{");
        say_pair(&text, upgrade);
        say(&text, "}");
    }
    say(&text, "%s}}", takes_slots ? ",\"takes_slots\":true" : "");
    line->link->tap.takes_slots = takes_slots;
    line->link->tap.has_connected = true;
    line->states = call->resumes && !upgrade ? call->resumes->state_count : 0;
    send_text(line, call, buf_bytes(&text));
    buf_release(&text);
}

void line_hold_connect(struct line *line, const struct token *token)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    say(&text, "{\"jsonrpc\":\"2.0\",\"id\":\"held\",\"method\":\"signalwire.connect\",\"params\":{"
               "\"authentication\":");
    say(&text, "{\"jwt_token\":\"%.*s\"}", (int)token->len, token->text);
    line_frame(line, WS_TEXT, buf_bytes(&text), true); /* its last frame never comes */
    buf_release(&text);
}

void line_renew(struct line *line, const struct token *token)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    line->asked = say_call(&text, line, CALL_RENEW, "signalwire.reauthenticate");
    say_token(&text, line->asked, token, "signalwire.reauthenticate");
    say(&text, "}}");
    send_text(line, line->asked, buf_bytes(&text));
    buf_release(&text);
}
