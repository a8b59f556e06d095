/* act_http.c — requests: mints, reads, upgrades, and what is none. */
#include <string.h>

#include "base/base64url.h"
#include "sim/memory.h"
#include "sim/node.h"
#include "sim/sequence/action.h"

#define BODY_MAX    32768
#define MESSAGE_MAX 65536
#define LARGE       17000 /* more than a mint may have */

static const char *reference_text(unsigned user)
{
    return model.users[0][user].reference;
}

/* ---- mint: a is who asks, b for whom, c which members, d their values and the frame ---- */

enum {
    HAS_NAME = 1,
    HAS_EXPIRY = 2,
    HAS_SCOPE = 4,
    HAS_KEY = 8,
    HAS_BAD = 16,
    HAS_PASSWORD = 32,
    HAS_MORE = 64,
    IS_CUT = 128
};
enum { WANTS_CONTINUE = 32, IS_FORM = 64, IS_LARGE = 128 };

static void write_reference(struct buf *body, struct request *request, uint8_t letter)
{
    char text[300];

    request->user = REFERENCES;
    memset(text, 'r', sizeof text);
    if (letter % 10 < REFERENCES) {
        request->user = letter % 10;
        say(body, "\"reference\":\"%s\"", reference_text(request->user));
    } else if (letter % 10 == 6) {
        say(body, "\"reference\":\"%.255s\"", text);
    } else {
        request->fate = FATE_INVALID;
        if (letter % 10 == 7) say(body, "\"reference\":\"%.256s\"", text);
        if (letter % 10 == 8) say(body, "\"reference\":7");
        if (letter % 10 == 9) say(body, "\"referenc\":\"ada\"");
    }
}

static void write_bad_member(struct buf *body, struct request *request, uint8_t letter)
{
    static const char *const members[] = {
        ",\"application_id\":\"x\"", ",\"first_name\":7",  ",\"job_title\":\"a\\u0001b\"",
        ",\"region\":\"moon\"",      ",\"password\":7",    ",\"scope\":\"all\"",
        ",\"fingerprint\":\"x\"",    ",\"expire_at\":1e99"};

    request->fate = FATE_INVALID;
    say(body, "%s", members[letter & 7]);
}

static void write_members(struct buf *body, struct request *request, const struct action *action)
{
    static const int64_t ahead_s[] = {-50, 0, 2, 30, 45, 600, 86000, 90000};
    uint8_t has = action->c, letter = action->d;

    if (has & HAS_NAME && request->user < REFERENCES) {
        request->shown = letter & 8 && model.shown ? model.shown : ++model.shown;
        say(body, ",\"display_name\":\"n%u\"", request->shown);
    }
    if (has & HAS_EXPIRY && !(has & HAS_BAD && (letter & 7) == 7)) {
        request->has_expiry = true;
        request->expire_at_s = world_wall_ms() / 1000 + ahead_s[letter & 7];
        say(body, ",\"expire_at\":%lld", (long long)request->expire_at_s);
    }
    if (has & HAS_SCOPE && !(has & HAS_BAD && (letter & 7) == 5)) {
        request->may_self_refresh = true;
        say(body, ",\"scope\":%s", letter & 8 ? "\"sat:refresh\"" : "[\"sat:refresh\"]");
    }
    if (has & HAS_KEY && !(has & HAS_BAD && (letter & 7) == 6)) {
        request->browser = letter & 1;
        say(body, ",\"fingerprint\":\"%.43s\"", (const char *)browser_jkt(request->browser).ptr);
    }
    if (has & HAS_BAD) write_bad_member(body, request, letter);
    if (has & HAS_PASSWORD && !(has & HAS_BAD && (letter & 7) == 4))
        say(body, ",\"password\":\"correct horse\"");
    if (has & HAS_MORE)
        say(body, ",\"sub\":\"x\",\"exp\":9999999999,\"more\":[{\"a\":[null,1.5e3,\"\\ud83d\\ude00\"]}]");
}

static void write_mint_body(struct buf *body, struct request *request, const struct action *action)
{
    char padding[2000];
    int i;

    memset(padding, ' ', sizeof padding);
    buf_append_byte(body, '{');
    write_reference(body, request, action->b);
    write_members(body, request, action);
    for (i = 0; action->d & IS_LARGE && i < LARGE / 2000 + 1; i++)
        buf_append(body, bytes_of(padding, sizeof padding));
    buf_append_byte(body, '}');
    if (!(action->c & IS_CUT)) return;
    request->fate = FATE_MALFORMED;
    body->len--;
}

static void write_basic(struct buf *out, const char *user, struct bytes secret)
{
    struct buf plain;

    buf_init(&plain, 512);
    say(&plain, "%s:%.*s", user, (int)secret.len, (const char *)secret.ptr);
    buf_append_text(out, "Authorization: Basic ");
    base64_append(out, buf_bytes(&plain));
    buf_append_text(out, "\r\n");
    buf_release(&plain);
}

static const struct token *token_at(uint8_t letter)
{
    return model.token_count ? &model.tokens[letter % model.token_count] : NULL;
}

static void write_bearer(struct buf *out, struct bytes text)
{
    buf_append_text(out, "Authorization: Bearer ");
    buf_append(out, text);
    buf_append_text(out, "\r\n");
}

/* Returns whether the credential is a good one, as far as its text goes. */
static bool write_key(struct buf *out, struct request *request, uint8_t letter)
{
    const struct sim_project *project = &model.projects[request->project];
    const struct token *token = token_at(letter);
    struct bytes secret;

    request->key = (letter & 15) == 6 ? KEY_TOGGLED : (letter & 15) == 7 ? KEY_POWERLESS : KEY_GOOD;
    secret = bytes_of(project->keys[request->key].secret, project->keys[request->key].secret_len);
    switch (letter & 15) {
    case 8:
        write_basic(out, project->text, bytes_part(secret, 0, secret.len - 1));
        return false;
    case 9:
        return false;
    case 10:
        if (token) write_bearer(out, bytes_of(token->text, token->len));
        return false;
    case 11:
        write_basic(out, project->text, secret);
        write_basic(out, project->text, secret);
        return false;
    case 12:
        write_basic(out, model.projects[1 - request->project].text, secret);
        return false;
    case 13:
        buf_append_text(out, "Authorization: Basic !!!\r\n");
        return false;
    default:
        write_basic(out, project->text, secret);
        return true;
    }
}

/* What is wrong with the credential comes first, then what cannot be read, then the rest. */
static void judge_key(struct request *request, bool is_good, const char *origin)
{
    const struct sim_project *project = &model.projects[request->project];
    bool may_come_with = !origin || (project->is_test && strcmp(origin, project->origin) == 0);

    if (!is_good || !may_come_with) request->fate = FATE_UNAUTHORIZED;
    if (request->key == KEY_POWERLESS && (request->fate == FATE_GOOD || request->fate == FATE_INVALID))
        request->fate = FATE_UNAUTHORIZED;
}

static void write_chunked(struct buf *out, struct bytes body, uint8_t cut)
{
    size_t first = body.len * cut / 64;

    say(out, "Transfer-Encoding: chunked\r\n\r\n");
    if (first) {
        say(out, "%zx;ext=\"a\"\r\n", first);
        buf_append(out, bytes_part(body, 0, first));
        say(out, "\r\n");
    }
    say(out, "%zX\r\n", body.len - first);
    buf_append(out, bytes_from(body, first));
    say(out, "\r\n0\r\n%s\r\n", cut & 1 ? "X-Trailer: 1\r\n" : "");
}

static void write_mint(struct buf *out, struct request *request, const struct action *action)
{
    const char *origin = origin_of(action->a >> 5);
    bool is_large = action->d & IS_LARGE, is_key_good;
    struct buf body;

    buf_init(&body, BODY_MAX);
    request->project = action->a >> 4 & 1;
    write_mint_body(&body, request, action);
    request->shown_floor = 0;
    if (action->d & IS_FORM) request->fate = FATE_UNSUPPORTED;
    say(out, "POST /api/fabric/subscribers/tokens HTTP/1.1\r\nHost: coat.test\r\n");
    is_key_good = write_key(out, request, action->a);
    judge_key(request, is_key_good, origin);
    if (origin) say(out, "Origin: %s\r\n", origin);
    say(out, "Content-Type: %s\r\n", action->d & IS_FORM ? "text/plain" : "application/json; charset=utf-8");
    if (action->d & WANTS_CONTINUE && !is_large && request->key != KEY_TOGGLED) {
        say(out, "Expect: 100-continue\r\n");
        request->may_be_early = request->fate == FATE_UNAUTHORIZED;
    }
    if (is_large) {
        request->kind = REQUEST_OTHER;
        request->wanted = 413;
        request->may_be_early = true;
    }
    if (action->d & 16)
        write_chunked(out, buf_bytes(&body), action->d & 15 ? action->c & 63 : 0);
    else {
        say(out, "Content-Length: %zu\r\n\r\n", body.len);
        buf_append(out, buf_bytes(&body));
    }
    buf_release(&body);
}

static void finish(struct party *party, struct request *request, struct buf *out, uint8_t send)
{
    struct link *link = party->client.link;

    request->up_end = link->up_sent + party->rest.len + out->len;
    party_send(party, buf_bytes(out), send);
    buf_release(out);
}

void act_mint(struct party *party, const struct action *action)
{
    struct link *link = party_link(party);
    struct request *request;
    struct buf out;

    if (!link) return;
    request = party_ask(party, REQUEST_MINT);
    buf_init(&out, MESSAGE_MAX);
    write_mint(&out, request, action);
    request->shown_floor = tap_shown_floor(link, request->project, request->user);
    finish(party, request, &out, action->send);
}

/* ---- reads: a is method and path, b the credential, c the Origin, d odd fields ---- */

static const char *const methods[] = {"GET", "GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "DELETE"};
static const char *const paths[] = {"/api/fabric/subscriber/info",
                                    "/api/fabric/addresses",
                                    "/api/fabric/addresses?name=%2Fpublic%2Fx&page=2",
                                    "/healthz",
                                    "/readyz",
                                    "/.well-known/jwks.json",
                                    "/api/nowhere",
                                    "/"};

static void write_token(struct buf *out, struct request *request, uint8_t letter)
{
    const struct token *token = token_at(letter);
    char text[sizeof token->text];

    request->fate = FATE_UNAUTHORIZED;
    if (letter >= 232) {
        if (letter < 240) write_bearer(out, BYTES("a.b.c"));
        if (letter >= 248)
            (void)write_key(out, &(struct request){.project = 0}, 0);
        else if (token && letter >= 240)
            write_bearer(out, bytes_of(token->refresh, token->refresh_len));
        return;
    }
    if (!token || (letter >= 200 && letter < 216)) return;
    memcpy(text, token->text, token->len);
    if (letter >= 216)
        text[token->len - 30 - (letter & 15)] ^= 1; /* in the signature */
    else
        request->fate = FATE_GOOD;
    request->token = token;
    write_bearer(out, bytes_of(text, token->len));
}

static void judge_read(struct request *request, const struct action *action, const char *origin)
{
    unsigned method = action->a >> 3 & 7, path = action->a & 7;
    bool is_ours = path == 3 || path == 4 || path == 5, is_row = path < 3;

    request->is_head = method == 4;
    if (method <= 4 && is_row) {
        bool is_foreign = origin && request->fate == FATE_GOOD &&
                          strcmp(origin, model.projects[request->token->project].origin) != 0;
        if (is_foreign) request->fate = FATE_FORBIDDEN;
        if (request->fate == FATE_GOOD) request->shown_floor = 0;
        return;
    }
    request->kind = REQUEST_OTHER;
    request->token = NULL; /* nobody looks at it */
    request->wanted = method == 5 ? 204 : !is_row && !is_ours ? 404 : method > 5 ? 405 : 200;
}

static void write_odd_fields(struct buf *out, uint8_t letter)
{
    unsigned i;

    if (letter & 1) say(out, "Connection: %s\r\n", letter & 2 ? "close" : "keep-alive, TE");
    if (letter & 4) say(out, "Accept: */*\r\nX-Odd: \xff\xfe\t\"'\\\r\nAccept-Encoding: gzip, br\r\n");
    for (i = 0; letter & 8 && i < 20; i++)
        say(out, "X-%u: %0*u\r\n", i, (int)(letter & 0xf0) + 1, i);
    if (letter & 16) say(out, "Access-Control-Request-Method: POST\r\nCookie: a=b\r\n");
}

void act_read(struct party *party, const struct action *action)
{
    struct link *link = party_link(party);
    const char *origin = origin_of(action->c);
    struct request *request;
    struct buf out;

    if (!link) return;
    request = party_ask(party, (action->a & 7) == 0 ? REQUEST_INFO : REQUEST_ADDRESSES);
    buf_init(&out, MESSAGE_MAX);
    say(&out, "%s %s HTTP/1.1\r\nHost: coat.test\r\n", methods[action->a >> 3 & 7], paths[action->a & 7]);
    write_token(&out, request, action->b);
    if (origin) say(&out, "Origin: %s\r\n", origin);
    write_odd_fields(&out, action->d);
    if ((action->a >> 3 & 7) == 6) say(&out, "Content-Length: 0\r\n");
    say(&out, "\r\n");
    judge_read(request, action, origin);
    if (request->token)
        request->shown_floor = tap_shown_floor(link, request->token->project, request->token->user);
    finish(party, request, &out, action->send);
}

/* ---- upgrades: a is what is odd about it, b the Origin ---- */

static void write_upgrade(struct buf *out, struct request *request, const struct action *action,
                          const char *origin)
{
    unsigned odd = action->a & 7;

    say(out, "%s / HTTP/1.1\r\nHost: coat.test\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n",
        odd == 7 ? "POST" : "GET");
    say(out, "Sec-WebSocket-Version: %s\r\n", odd == 4 ? "8" : "13");
    if (odd != 5) say(out, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n");
    if (origin) say(out, "Origin: %s\r\n", origin);
    if (action->c & 1)
        say(out, "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: a, b\r\n");
    if (odd == 6) say(out, "Content-Length: 2\r\n");
    say(out, "\r\n%s", odd == 6 ? "{}" : "");
    if (odd < 4) return;
    request->kind = REQUEST_OTHER;
    request->wanted = odd == 4 ? 426 : odd == 7 ? 405 : 400;
    request->may_be_early = odd == 6;
}

void act_upgrade(struct party *party, const struct action *action)
{
    struct link *link = party_link(party);
    const char *origin = origin_of(action->b);
    struct request *request;
    struct buf out;

    if (!link) return;
    request = party_ask(party, REQUEST_UPGRADE);
    if (origin && (action->b & 7) >= 6) request->fate = FATE_FORBIDDEN;
    buf_init(&out, MESSAGE_MAX);
    write_upgrade(&out, request, action, origin);
    if ((action->a & 7) < 4) {
        party->has_upgraded = true;
        link->tap.origin = origin;
    } else
        request->fate = FATE_GOOD;
    finish(party, request, &out, action->send);
}

/* ---- what is no request ---- */

void act_broken(struct party *party, const struct action *action)
{
    static const char *const texts[] = {
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /healthz HTTP/1.1\nHost: a\n\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /api/fabric/subscribers/tokens HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /api/fabric/subscribers/tokens HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{\"a\"",
        "GET http://coat.test/healthz HTTP/1.0\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "BREW /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n",
        "GET /%zz/../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\r\n\r\n\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "\x16\x03\x01\x02nonsense\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"};

    if (!party_link(party)) return;
    party_goes_wild(party);
    party_send(party, bytes_of_text(texts[action->a & 15]), action->send);
}
