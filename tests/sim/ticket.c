#include "sim/ticket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "dialect/standard/standard.h"
#include "sim/link.h"
#include "sim/node.h"
#include "sim/operator.h"
#include "sim/say.h"
#include "sim/times.h"
#include "sim/world.h"
#include "token/jws.h"
#include "wire/json_read.h"

#define LIFE_S         300
#define SESSION_LIFE_S 3600

static struct {
    struct key_text client[PROJECTS], publishable[PROJECTS];
    struct sim_ticket list[TICKETS_MAX];
    size_t count;
} tickets;

struct bytes ticket_key(unsigned project)
{
    return bytes_of(tickets.client[project].id, tickets.client[project].id_len);
}

void tickets_reset(void)
{
    memset(&tickets, 0, sizeof tickets);
}

static void must(enum err e)
{
    if (e == ERR_OK) return;
    fprintf(stderr, "the tickets' keys cannot be made: %s\n", err_name(e));
    exit(EXIT_FAILURE);
}

static void found_key(struct store *store, struct key_bench *bench, struct key_text *text, enum key_kind kind,
                      const struct sim_project *project)
{
    struct write write = {.kind = WRITE_KEY};
    struct row row;
    struct arena arena;

    key_text_draw(text, kind, project->is_test, &world.dice);
    write.key = (struct fact_key){
        .kind = kind, .project = project->id, .public_id = bytes_of(text->id, text->id_len)};
    if (text->secret_len) must(keyring_hash(write.key.hash, bench, bytes_of(text->secret, text->secret_len)));
    arena_init(&arena, 65536);
    must(store_commit_wait(store, &write, 1, &row, &arena));
    arena_release(&arena);
}

void tickets_found(struct store *store, struct key_bench *bench)
{
    unsigned p;

    for (p = 0; p < PROJECTS; p++) {
        found_key(store, bench, &tickets.client[p], KEY_CLIENT, &model.projects[p]);
        found_key(store, bench, &tickets.publishable[p], KEY_PUBLISHABLE, &model.projects[p]);
    }
}

/* ---- asking ---- */

/* Whoever a ticket was for, pending or not, of this project or the other. */
static void say_user(struct buf *body, struct request *request)
{
    const struct sim_ticket *of = &tickets.list[roll(tickets.count)];
    char hex[32];

    request->names_user = true;
    request->named = of->line.user;
    request->must_resume = of->was_granted && of->project == request->project;
    hex_write(hex, uuid_bytes(&of->line.user));
    say(body, "\"userId\":\"tortus|%.32s\"", hex);
}

static struct request *send_launch(struct buf *out, struct link *link)
{
    struct request *request = tap_ask(link, REQUEST_LAUNCH);
    bool is_secret_wrong = chance(5);
    const struct key_text *key;
    struct buf body;

    request->project = (unsigned)roll(PROJECTS);
    key = &tickets.client[request->project];
    if (is_secret_wrong) request->fate = FATE_UNAUTHORIZED;
    buf_init(&body, 4096);
    say(&body, "{");
    if (tickets.count && chance(50)) say_user(&body, request);
    if (chance(40))
        say(&body, "%s\"userPayload\":{\"k%u\":%u}", body.len > 1 ? "," : "", (unsigned)roll(8),
            (unsigned)roll(9));
    say(&body, "}");
    say(out, "POST /v1/oauth/launch HTTP/1.1\r\nHost: coat.test\r\n");
    say_basic(out, ticket_key(request->project), bytes_of(key->secret, key->secret_len), is_secret_wrong);
    say_body(out, "application/json", buf_bytes(&body));
    buf_release(&body);
    return request;
}

static struct sim_ticket *pick(void)
{
    size_t i, at = chance(70) ? tickets.count - 1 : roll(tickets.count);

    for (i = 0; i < tickets.count; i++) {
        struct sim_ticket *ticket = &tickets.list[(at + tickets.count - i) % tickets.count];
        if (ticket->is_known) return ticket;
    }
    return NULL;
}

const struct lineage_known *ticket_line(void)
{
    return tickets.count ? &tickets.list[roll(tickets.count)].line : NULL;
}

static const char *pick_origin(struct request *request)
{
    unsigned of = (unsigned)roll(PROJECTS);

    if (chance(70)) return NULL;
    if (of != request->project && request->fate == FATE_GOOD) request->fate = FATE_FORBIDDEN;
    return model.projects[of].origin;
}

static struct request *send_exchange(struct buf *out, struct link *link, struct sim_ticket *ticket)
{
    struct request *request = tap_ask(link, REQUEST_EXCHANGE);
    unsigned key = ticket->project;
    char text[sizeof ticket->text];
    const char *origin;
    struct buf body;

    request->project = ticket->project;
    request->ticket = ticket;
    memcpy(text, ticket->text, ticket->len);
    if (chance(8)) { /* in the sealed part */
        size_t at = ticket->len - 30 - roll(60);
        text[at] = text[at] == 'A' ? 'B' : 'A';
        request->fate = FATE_UNAUTHORIZED;
    }
    if (chance(8)) {
        key = 1 - ticket->project;
        request->fate = FATE_UNAUTHORIZED;
    }
    origin = pick_origin(request);
    if (request->fate == FATE_GOOD) ticket->sent++;
    operator_meets(&ticket->line);
    buf_init(&body, 4096);
    request->is_door = chance(30);
    say(&body,
        request->is_door ? "grant_type=" GRANT_EXCHANGE "&subject_token_type=" TYPE_LAUNCH
                           "&subject_token=%.*s&client_id=%.*s"
                         : "{\"launchToken\":\"%.*s\",\"publishableKey\":\"%.*s\"}",
        (int)ticket->len, text, (int)tickets.publishable[key].id_len, tickets.publishable[key].id);
    say(out, "POST %s HTTP/1.1\r\nHost: coat.test\r\n",
        request->is_door ? "/oauth/token" : "/v1/oauth/launch/exchange");
    if (origin) say(out, "Origin: %s\r\n", origin);
    say_body(out, request->is_door ? "application/x-www-form-urlencoded" : "application/json",
             buf_bytes(&body));
    buf_release(&body);
    return request;
}

struct request *ticket_send(struct buf *out, struct link *link)
{
    struct sim_ticket *ticket = tickets.count && chance(60) ? pick() : NULL;

    return ticket ? send_exchange(out, link, ticket) : send_launch(out, link);
}

/* ---- answers ---- */

static bool has_ended(const struct sim_ticket *ticket, int64_t now_ms)
{
    return now_ms >= ticket->end_ms || ticket->exp_s <= disk_pruned_s();
}

bool ticket_may_say(const struct request *request, int status)
{
    const struct sim_ticket *ticket = request->ticket;

    if (request->kind == REQUEST_LAUNCH) return status == 200;
    if (request->delivered_ms >= ticket->end_ms) return status == 401;
    if (status == 401 && (has_ended(ticket, times_now_ms()) || voided_reaches(&ticket->line))) return true;
    if (request->fate == FATE_FORBIDDEN) return status == 403;
    /* who is alone with it gets it; of several, one */
    return status == 200 || (status == 401 && ticket->sent > 1);
}

static void need(bool ok, const struct link *link, const char *law, const char *what)
{
    if (!ok) world_fail(law, "link %u: %s", link->number, what);
}

#define NEED_TICKET(condition) need(condition, link, "a ticket says what policy allows", #condition)

static bool read_user(struct uuid *out, struct bytes text)
{
    return bytes_start_with(text, BYTES("tortus|")) &&
           hex_read(out->byte, sizeof out->byte, bytes_from(text, 7)) == ERR_OK;
}

/* Nobody is resumed who is not durable; everybody is who was acknowledged. */
static void check_user(const struct link *link, const struct request *request, const struct uuid *user)
{
    bool is_resumed = request->names_user && uuid_equal(user, &request->named);

    if (is_resumed && !disk_has_user(&model.projects[request->project].id, user))
        world_fail("a pending user is nobody", "link %u", link->number);
    if (request->must_resume && !is_resumed)
        world_fail("an acknowledged redeem is durable", "link %u: its user is not resumed", link->number);
}

static void launched(struct link *link, struct request *request, struct json body)
{
    const struct sim_project *project = &model.projects[request->project];
    struct bytes text = json_text(json_member(body, "launch_token"));
    struct sim_ticket *ticket = &tickets.list[tickets.count];
    const struct known_key *seal = model_known(seal_named_key(SEAL_LAUNCH, text));
    struct lineage_known line;
    struct sealed sealed;
    struct uuid user;
    struct arena arena;

    arena_init(&arena, 16384);
    NEED_TICKET(read_user(&user, json_text(json_member(body, "user_id"))));
    NEED_TICKET(seal && seal->seal && seal_read(&sealed, &arena, seal->seal, SEAL_LAUNCH, text) == ERR_OK);
    NEED_TICKET(uuid_equal(&sealed.project, &project->id) && uuid_equal(&sealed.user, &user));
    NEED_TICKET(!uuid_is_zero(&sealed.id) && sealed.exp_s == sealed.iat_s + LIFE_S);
    NEED_TICKET(sealed.iat_s >= request->delivered_ms / 1000 && sealed.iat_s <= times_now_ms() / 1000);
    line = (struct lineage_known){.project = project->id, .user = user, .family = sealed.id};
    line.gt_ms = sealed.gt_ms;
    lineage_key(&line, ticket_key(request->project));
    NEED_TICKET(voided_explains(&line, sealed.iat_s) && !voided_must(&line, request->delivered_us));
    NEED_TICKET(sealed.is_new_user == !(request->names_user && uuid_equal(&user, &request->named)));
    check_user(link, request, &user);
    if (tickets.count < TICKETS_MAX && text.len <= sizeof ticket->text) {
        *ticket = (struct sim_ticket){.len = text.len, .project = request->project};
        memcpy(ticket->text, text.ptr, text.len);
        ticket->id = sealed.id;
        ticket->line = line;
        ticket->exp_s = sealed.exp_s;
        ticket->end_ms =
            sealed.exp_s * 1000; /* and what of its second was over, unless the stamp is a cutoff's */
        if (sealed.gt_ms / 1000 == sealed.iat_s) ticket->end_ms += sealed.gt_ms % 1000;
        request->launched = ticket;
        tickets.count++;
    }
    arena_release(&arena);
}

static void check_session(struct link *link, const struct sim_ticket *ticket, struct bytes token)
{
    const struct sim_project *project = &model.projects[ticket->project];
    const struct key_text *client = &tickets.client[ticket->project];
    const struct known_key *key;
    struct claims claims;
    struct arena arena;
    struct uuid sub;
    struct jws jws;

    arena_init(&arena, 65536);
    NEED_TICKET(jws_split(&jws, &arena, token) == ERR_OK && bytes_equal(jws.typ, BYTES("at+jwt")));
    key = model_known(jws.kid);
    NEED_TICKET(key && key->check && crypto_check(key->check, jws.signing_input, jws.signature));
    NEED_TICKET(claims_read(&claims, &arena, jws.payload, BYTES(SIM_URL)) == ERR_OK);
    NEED_TICKET(claims.kind == KIND_EMBEDDED && uuid_equal(&claims.project, &project->id));
    NEED_TICKET(uuid_read(&sub, claims.sub) == ERR_OK && uuid_equal(&sub, &ticket->line.user));
    NEED_TICKET(claims.exp_s == claims.iat_s + SESSION_LIFE_S && claims.gt_ms == ticket->line.gt_ms);
    NEED_TICKET(uuid_equal(&claims.family, &ticket->id));
    NEED_TICKET(bytes_equal(claims.parent, bytes_of(client->id, client->id_len)));
    jws_release(&jws);
    arena_release(&arena);
}

static void redeemed(struct link *link, const struct request *request, struct json body)
{
    struct sim_ticket *ticket = request->ticket;

    if (ticket->was_granted) world_fail("a ticket is good once", "link %u", link->number);
    if (!disk_has_once(&ticket->id) ||
        !disk_has_user(&model.projects[ticket->project].id, &ticket->line.user))
        world_fail("what was not stored was not issued", "link %u: a session", link->number);
    if (voided_must(&ticket->line, world.mono_us))
        world_fail("what was revoked is refused", "link %u: a ticket was good", link->number);
    check_session(link, ticket,
                  json_text(json_member(body, request->is_door ? "access_token" : "accessToken")));
    ticket->was_granted = true;
}

void ticket_answered(struct link *link, struct request *request, struct bytes text)
{
    struct json body;

    if (json_read(&body, text)) world_fail("a body is JSON", "link %u", link->number);
    if (request->kind == REQUEST_LAUNCH)
        launched(link, request, body);
    else
        redeemed(link, request, body);
    json_free(body);
}
