/* http_client.c — backends and browsers: requests, good and bad, whole and in parts, alone and pipelined. */
#include <stdio.h>
#include <string.h>

#include "sim/client.h"
#include "sim/door.h"
#include "sim/families.h"
#include "sim/interview.h"
#include "sim/link.h"
#include "sim/loop_sim.h"
#include "sim/memory.h"
#include "sim/node.h"
#include "sim/say.h"
#include "sim/ticket.h"

/* ---- mint ---- */

static void say_expiry(struct buf *body, struct request *request)
{
    static const int64_t ahead_s[] = {-50, 0, 2, 30, 45, 90, 600, 86000, 90000};
    int64_t by_s = ahead_s[roll(sizeof ahead_s / sizeof ahead_s[0])];

    request->has_expiry = true;
    request->expire_at_s = world_wall_ms() / 1000 + by_s;
    say(body, ",\"expire_at\":%lld", (long long)request->expire_at_s);
}

static void say_bad_member(struct buf *body, struct request *request)
{
    static const char *const members[] = {",\"application_id\":\"x\"", ",\"first_name\":7",
                                          ",\"job_title\":\"a\\u0001b\"", ",\"region\":\"moon\"",
                                          ",\"password\":7"};

    request->fate = FATE_INVALID;
    say(body, "%s", members[roll(sizeof members / sizeof members[0])]);
}

static void say_mint_body(struct buf *body, struct request *request)
{
    say(body, "{\"reference\":\"%s\"", model.users[request->project][request->user].reference);
    if (chance(50)) {
        /* sometimes one that was asked for before, as a retry does */
        request->shown = model.shown && chance(20) ? (unsigned)between(1, model.shown) : ++model.shown;
        say(body, ",\"display_name\":\"n%u\"", request->shown);
    }
    if (chance(40)) say_expiry(body, request);
    if (chance(20)) {
        request->may_self_refresh = true;
        say(body, ",\"scope\":%s", chance(50) ? "\"sat:refresh\"" : "[\"sat:refresh\"]");
    }
    if (chance(35)) {
        request->browser = (int)roll(BROWSERS);
        say(body, ",\"fingerprint\":\"%.43s\"", (const char *)browser_jkt(request->browser).ptr);
    }
    if (chance(8))
        say_bad_member(body, request);
    else if (chance(5))
        say(body, ",\"password\":\"correct horse\"");
    say(body, "}");
    if (chance(4)) {
        request->fate = FATE_MALFORMED;
        body->len--;
    }
}

/* What is wrong with the credential comes first, then what cannot be read, then the rest. */
static void judge_key(struct request *request, bool is_secret_wrong, const char *origin)
{
    const struct sim_project *project = &model.projects[request->project];
    bool may_come_with = !origin || (project->is_test && strcmp(origin, project->origin) == 0);

    if (is_secret_wrong || !may_come_with) request->fate = FATE_UNAUTHORIZED;
    if (request->key == KEY_POWERLESS && (request->fate == FATE_GOOD || request->fate == FATE_INVALID))
        request->fate = FATE_UNAUTHORIZED;
}

static struct request *send_mint(struct buf *out, struct link *link)
{
    struct request *request = tap_ask(link, REQUEST_MINT);
    bool is_secret_wrong = chance(5), is_form = chance(3);
    const char *origin = chance(5) ? model.projects[roll(PROJECTS)].origin : NULL;
    struct buf body;

    buf_init(&body, 16384);
    request->project = (unsigned)roll(PROJECTS);
    request->user = chance(40) ? 0 : (unsigned)roll(REFERENCES); /* some are asked for at once */
    request->key = chance(70) ? KEY_GOOD : chance(70) ? KEY_TOGGLED : KEY_POWERLESS;
    request->shown_floor = tap_shown_floor(link, request->project, request->user);
    say_mint_body(&body, request);
    if (is_form) request->fate = FATE_UNSUPPORTED;
    judge_key(request, is_secret_wrong, origin);
    say(out, "POST /api/fabric/subscribers/tokens HTTP/1.1\r\nHost: coat.test\r\n");
    say_key(out, request, is_secret_wrong);
    if (origin) say(out, "Origin: %s\r\n", origin);
    say(out, "Content-Type: %s\r\n", is_form ? "application/x-www-form-urlencoded" : "application/json");
    if (chance(80))
        say(out, "Content-Length: %zu\r\n\r\n%.*s", body.len, (int)body.len, (const char *)body.ptr);
    else
        say(out, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%.*s\r\n0\r\n\r\n", body.len, (int)body.len,
            (const char *)body.ptr);
    buf_release(&body);
    return request;
}

/* ---- refresh ---- */

/* Mostly the newest that a client has, which is also what one does who has lost the answer; now and then an
 * older one, as a thief would. */
static void choose_refresh(struct request *request)
{
    struct sim_family *family = request->family;
    unsigned newest = families_newest(family);

    request->project = family->project;
    request->user = family->user;
    request->browser = family->browser;
    request->generation = chance(92) ? newest : (unsigned)roll(newest + 1);
    request->key = chance(95) ? family->key : chance(70) ? KEY_GOOD : KEY_POWERLESS;
}

static void say_refresh_body(struct buf *body, struct request *request)
{
    const struct sim_refresh *refresh = &request->family->refresh[request->generation];
    size_t at;

    say(body, request->is_door ? "grant_type=refresh_token&refresh_token=%.*s" : "{\"refresh_token\":\"%.*s",
        (int)refresh->len, refresh->text);
    at = body->len - 1 - roll(refresh->len - 14);
    if (chance(5)) {
        request->fate = FATE_INVALID;
        body->ptr[at] = body->ptr[at] == 'A' ? 'B' : 'A';
    }
    if (!request->is_door) say(body, "\"}");
    if (!chance(3)) return;
    request->fate = FATE_MALFORMED;
    if (request->is_door)
        say(body, "%%4");
    else
        body->len--;
}

static struct request *send_refresh(struct buf *out, struct link *link, struct sim_family *family)
{
    struct request *request = tap_ask(link, REQUEST_REFRESH);
    bool is_secret_wrong = chance(3);
    struct buf body;

    buf_init(&body, 16384);
    request->family = family;
    request->is_door = chance(30);
    choose_refresh(request);
    say_refresh_body(&body, request);
    if (chance(4)) { /* another tenant's, with its own right key */
        request->project = (request->project + 1) % PROJECTS;
        request->key = KEY_GOOD;
        if (request->fate == FATE_GOOD) request->fate = FATE_INVALID;
    }
    judge_key(request, is_secret_wrong, NULL);
    say(out, "POST %s HTTP/1.1\r\nHost: coat.test\r\n",
        request->is_door ? "/oauth/token" : "/api/fabric/subscribers/tokens/refresh");
    say_key(out, request, is_secret_wrong);
    say_body(out, request->is_door ? "application/x-www-form-urlencoded" : "application/json",
             buf_bytes(&body));
    buf_release(&body);
    return request;
}

/* ---- reading ---- */

static void say_bearer(struct buf *out, struct request *request, const struct token *token)
{
    char text[sizeof token->text];
    size_t at = token->len - 1 - roll(60);

    memcpy(text, token->text, token->len);
    if (chance(10)) { /* in the signature */
        text[at - 20] = text[at - 20] == 'A' ? 'B' : 'A';
        request->fate = FATE_UNAUTHORIZED;
    }
    buf_append_text(out, "Authorization: Bearer ");
    buf_append(out, bytes_of(text, token->len));
    buf_append_text(out, "\r\n");
}

static struct request *send_read(struct buf *out, struct link *link, const struct token *token)
{
    struct request *request = tap_ask(link, chance(60) ? REQUEST_INFO : REQUEST_ADDRESSES);
    const char *origin = chance(40) ? model.projects[roll(PROJECTS)].origin : NULL;

    request->token = token;
    request->shown_floor = tap_shown_floor(link, token->project, token->user);
    say(out, "GET %s HTTP/1.1\r\nHost: coat.test\r\n",
        request->kind == REQUEST_INFO ? "/api/fabric/subscriber/info" : "/api/fabric/addresses");
    if (chance(5))
        request->fate = FATE_UNAUTHORIZED;
    else
        say_bearer(out, request, token);
    if (origin) {
        say(out, "Origin: %s\r\n", origin);
        if (request->fate == FATE_GOOD && strcmp(origin, model.projects[token->project].origin) != 0)
            request->fate = FATE_FORBIDDEN;
    }
    say(out, "\r\n");
    return request;
}

static struct request *send_small(struct buf *out, struct link *link)
{
    struct request *request;

    if (chance(50)) {
        request = tap_ask(link, REQUEST_HEALTH);
        say(out, "GET /healthz HTTP/1.1\r\nHost: coat.test\r\n\r\n");
    } else if (chance(70)) {
        request = tap_ask(link, REQUEST_NOWHERE);
        request->fate = FATE_NOT_FOUND;
        say(out, "GET /api/nowhere HTTP/1.1\r\nHost: coat.test\r\n\r\n");
    } else {
        request = tap_ask(link, REQUEST_BROKEN);
        request->fate = FATE_MALFORMED;
        say(out, "%s",
            chance(50) ? "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" : "\x16\x03\x01nonsense\r\n\r\n");
    }
    return request;
}

/* ---- binding and renewing ---- */

/* The last one that this browser made for such a call with this token, as a retry sends it again. */
static struct proof *sent_before(const struct token *token, bool renews, int browser)
{
    size_t i;

    for (i = model.proof_count; i; i--) {
        struct proof *proof = &model.proofs[i - 1];
        if (proof->about == token && proof->renews == renews && proof->browser == browser) return proof;
    }
    return NULL;
}

static struct proof *prove_bind(const struct token *token, bool renews)
{
    int holder = token->browser >= 0 ? token->browser : token->bound_to;
    int browser = holder >= 0 && chance(85) ? holder : (int)roll(BROWSERS);
    int64_t iat_s = world_wall_ms() / 1000;

    if (chance(6)) return NULL;
    if (chance(15)) return sent_before(token, renews, browser);
    if (chance(5)) iat_s -= 4000;
    return model_prove_http(browser, token, chance(5) ? !renews : renews, renews ? chance(95) : chance(10),
                            iat_s);
}

static void say_life(struct buf *body, struct request *request)
{
    static const int64_t lives_s[] = {900, 900, 60, 0, -5, 3600, 100000, 75};
    int64_t life_s = lives_s[roll(sizeof lives_s / sizeof lives_s[0])];

    request->life_s = 900;
    if (chance(20)) return;
    request->life_s = life_s < 60 ? 60 : life_s > 3600 ? 3600 : life_s;
    say(body, "%s\"expire_in\":%lld", body->len > 1 ? "," : "", (long long)life_s);
}

/* Token and proof first, then the page's origin, then what the token may. */
static void judge_bind(struct request *request, const char *origin)
{
    const struct token *token = request->token;
    const struct proof *proof = request->proof;
    bool is_bound = token->browser >= 0;
    bool is_proved = proof && proof->renews == request->renews &&
                     proof->iat_s > world_wall_ms() / 1000 - 2000 && (proof->has_ath || !request->renews) &&
                     (!is_bound || proof->browser == token->browser);

    if (request->fate == FATE_UNAUTHORIZED || !is_proved)
        request->fate = FATE_UNAUTHORIZED;
    else if (origin && strcmp(origin, model.projects[token->project].origin) != 0)
        request->fate = FATE_FORBIDDEN;
    else if (!token->may_self_refresh || (request->renews && !is_bound))
        request->fate = FATE_UNAUTHORIZED;
}

/* Who shows a good proof for an unbound token has it, or meets somebody who had: then the family ends. */
static void note_shown_by(struct token *token, const struct request *request)
{
    if (request->fate != FATE_GOOD || token->browser >= 0) return;
    token->shown_by |= 1u << request->proof->browser;
    if (!(token->shown_by & (token->shown_by - 1))) return;
    if (token->family) token->family->may_be_cut = true;
}

static struct request *send_bind(struct buf *out, struct link *link, struct token *token)
{
    struct request *request = tap_ask(link, REQUEST_BIND);
    const char *origin = chance(30) ? model.projects[roll(PROJECTS)].origin : NULL;
    struct buf body;

    buf_init(&body, 4096);
    request->token = token;
    request->renews = token->browser >= 0 ? chance(80) : chance(10);
    request->proof = prove_bind(token, request->renews);
    say(&body, "{");
    if (request->proof) {
        request->proof->sent++;
        say(&body, "\"dpop_token\":\"%.*s\"", (int)request->proof->len, request->proof->text);
    }
    say_life(&body, request);
    say(&body, "}");
    say(out, "POST %s HTTP/1.1\r\nHost: coat.test\r\n",
        request->renews ? SIM_PATH_TO_RENEW : SIM_PATH_TO_BIND);
    say_bearer(out, request, token);
    judge_bind(request, origin);
    note_shown_by(token, request);
    if (origin) say(out, "Origin: %s\r\n", origin);
    say(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%.*s", body.len, (int)body.len,
        (const char *)body.ptr);
    buf_release(&body);
    return request;
}

/* ---- upgrade ---- */

void http_send_upgrade(struct client *client)
{
    struct link *link = client->link;
    struct request *request = tap_ask(link, REQUEST_UPGRADE);
    struct buf out;

    buf_init(&out, 4096);
    say(&out, "GET / HTTP/1.1\r\nHost: coat.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n");
    if (chance(50)) {
        link->tap.origin = model.projects[roll(PROJECTS)].origin;
        say(&out, "Origin: %s\r\n", link->tap.origin);
    } else if (chance(10)) {
        request->fate = FATE_FORBIDDEN;
        say(&out, "Origin: https://evil.test\r\n");
    }
    say(&out, "\r\n");
    link_send(link, buf_bytes(&out));
    request->up_end = link->up_sent;
    buf_release(&out);
}

/* ---- acting ---- */

static void send_one(struct client *client, bool may_be_cut)
{
    struct token *token = client->kind == CLIENT_BROWSER ? model_pick_token() : NULL;
    struct sim_family *family = !token && chance(45) ? families_pick() : NULL;
    struct link *link = client->link;
    struct request *request;
    struct buf out;
    size_t now;

    buf_init(&out, 65536);
    if (chance(8))
        request = send_small(&out, link);
    else if (client->kind == CLIENT_EMBEDDER && chance(45))
        request = interview_send(&out, link);
    else if (client->kind == CLIENT_EMBEDDER)
        request = ticket_send(&out, link);
    else if (client->kind == CLIENT_BACKEND && chance(15))
        request = door_send(&out, link);
    else if (token && chance(token->may_self_refresh ? 60 : 5))
        request = send_bind(&out, link, token);
    else if (token)
        request = send_read(&out, link, token);
    else if (family)
        request = send_refresh(&out, link, family);
    else
        request = send_mint(&out, link);
    now = may_be_cut && chance(10) ? (size_t)between(1, (int64_t)out.len) : out.len;
    request->up_end = link->up_sent + out.len;
    link_send(link, bytes_part(buf_bytes(&out), 0, now));
    buf_append(&client->rest, bytes_from(buf_bytes(&out), now));
    buf_release(&out);
}

static unsigned unanswered(const struct link *link)
{
    const struct request *request;
    unsigned count = 0;

    for (request = link->tap.unanswered; request; request = request->next)
        count++;
    return count;
}

static void leave(struct client *client)
{
    if (chance(60)) {
        link_reset(client->link);
        buf_reset(&client->rest);
    } else
        link_end(client->link);
}

void http_act(struct client *client)
{
    struct link *link = client->link;
    unsigned i, count = chance(75) ? 1 : (unsigned)between(2, 4);

    if (chance(6)) {
        leave(client);
        return;
    }
    if (link->is_deaf || chance(3)) link_listen(link, link->is_deaf);
    if (client->rest.len) {
        if (chance(20)) return; /* the server waits for the rest */
        link_send(link, buf_bytes(&client->rest));
        buf_reset(&client->rest);
    }
    if (link->up_ended || unanswered(link) > 6) return;
    for (i = 0; i < count && !client->rest.len; i++)
        send_one(client, i + 1 == count);
}
