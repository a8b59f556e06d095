/* pipeline.c — the way of a request, in order: target, origin, row, credential, body, decode, service,
 * encode, reply. Each step either goes on or answers; nothing returns upstream. */
#include <string.h>

#include "server/authorization.h"
#include "server/found_http.h"
#include "server/limits.h"
#include "server/node.h"
#include "server/showroom.h"
#include "server/socket.h"
#include "wire/http_reply.h"
#include "wire/ws_handshake.h"

#define JSON_TYPE BYTES("application/json")

static struct bytes field(const struct exchange *x, struct bytes name, unsigned *count)
{
    return http_request_field(&x->request, x->bytes, name, count);
}

/* ---- reply ---- */

static void write_cors(struct buf *out, const struct exchange *x)
{
    buf_append_text(out, "Vary: Origin\r\n");
    if (!x->may_read_reply) return;
    http_reply_field(out, BYTES("Access-Control-Allow-Origin"), x->origin);
    buf_append_text(out, "Access-Control-Expose-Headers: Date, WWW-Authenticate, Retry-After, DPoP-Nonce, "
                         "Coatcheck-Error-Id, Coatcheck-Error-Code\r\n");
}

void pipeline_reply(struct exchange *x, int status, struct bytes type, struct bytes body,
                    struct bytes headers)
{
    struct lane *lane = x->conn->lane;
    struct buf *out = lane_out(lane);

    http_reply_begin(out, status);
    http_reply_field(out, BYTES("Date"), lane_date(lane));
    if (body.len) http_reply_field(out, BYTES("Content-Type"), type);
    buf_append_text(out, "X-Content-Type-Options: nosniff\r\n");
    write_cors(out, x);
    if (headers.len)
        buf_append(out, headers);
    else
        buf_append_text(out, "Cache-Control: no-store\r\n");
    if (x->request.method == HTTP_HEAD_METHOD) { /* RFC 9110 §9.3.2: the fields of GET, without the body */
        buf_append_text(out, "Content-Length: ");
        buf_append_u64(out, body.len);
        buf_append_text(out, "\r\n");
    }
    if (status == 204 || status == 304 || x->request.method == HTTP_HEAD_METHOD)
        http_reply_end_empty(out, !x->closes);
    else
        http_reply_end(out, body, !x->closes);
    lane_count(lane, COUNT_REQUESTS, 1);
    if (status >= 400) lane_count(lane, COUNT_REFUSED, 1);
    x->state = EXCHANGE_ANSWERED;
    if (!x->conn->stream) return;
    if (buf_error(out))
        stream_close(x->conn->stream); /* no memory for a reply: say nothing rather than half */
    else
        stream_write(x->conn->stream, buf_bytes(out));
}

/* Remembers a refusal and writes the fields that every one has: all that a client may learn of it. */
static void write_refusal(struct buf *fields, char error_id[LANE_ERROR_ID_LEN], struct exchange *x,
                          const struct finding *finding, int status)
{
    char route[RECORD_ROUTE_MAX], peer[RECORD_PEER_MAX] = "";

    found_route(route, x);
    if (x->conn->stream) stream_peer(x->conn->stream, peer);
    lane_refused(x->conn->lane, error_id, finding, status, route, peer);
    http_reply_field(fields, BYTES("Coatcheck-Error-Id"), bytes_of(error_id, LANE_ERROR_ID_LEN));
    http_reply_field(fields, BYTES("Coatcheck-Error-Code"), bytes_of_text(finding_slug(finding)));
}

static void write_fields_of(struct buf *fields, const struct exchange *x, const struct outcome *outcome,
                            const struct dialect_reply *reply, const char *allow)
{
    if (reply->public_s) {
        buf_append_text(fields, "Access-Control-Allow-Origin: *\r\nCache-Control: public, max-age=");
        buf_append_u64(fields, reply->public_s);
        buf_append_text(fields, "\r\n");
    } else
        buf_append_text(fields, "Cache-Control: no-store\r\n");
    /* RFC 9449 §8.2: with every answer, so that the next proof has the present one */
    if (outcome->nonce.len) http_reply_field(fields, BYTES("DPoP-Nonce"), outcome->nonce);
    if (reply->status == 401)
        http_reply_field(fields, BYTES("WWW-Authenticate"), authorization_challenge(x, outcome));
    if (reply->status == 503) http_reply_field(fields, BYTES("Retry-After"), BYTES("1"));
    if (reply->status == 429) {
        buf_append_text(fields, "Retry-After: ");
        /* RFC 9110 §10.2.3: whole seconds */
        buf_append_u64(fields, (uint64_t)((outcome->retry_after_ms + 999) / 1000));
        buf_append_text(fields, "\r\n");
    }
    if (allow) http_reply_field(fields, BYTES("Allow"), bytes_of_text(allow));
}

/* A reply that lacks a field it must have is not sent: all that is left to say needs no memory. */
static void reply_without_memory(struct exchange *x)
{
    x->closes = true;
    pipeline_reply(x, 503, BYTES_NONE, BYTES_NONE, BYTES_NONE);
}

/* finding: absent unless refused or failed. */
static void reply_outcome(struct exchange *x, const struct outcome *outcome, const struct finding *finding,
                          outcome_encode_fn *encode, const char *allow)
{
    struct dialect_reply reply = {.status = 500, .body = lane_body(x->conn->lane)};
    struct buf *fields = lane_fields(x->conn->lane);
    char error_id[LANE_ERROR_ID_LEN];

    encode(&reply, outcome);
    if (reply.public_s) x->may_read_reply = false; /* any page may */
    write_fields_of(fields, x, outcome, &reply, allow);
    if (finding) write_refusal(fields, error_id, x, finding, reply.status);
    if (x->conn->lane->flow) showroom_request(x, outcome, finding, reply.status, error_id);
    if (buf_error(reply.body) || buf_error(fields))
        reply_without_memory(x);
    else
        pipeline_reply(x, reply.status, reply.type ? bytes_of_text(reply.type) : JSON_TYPE,
                       buf_bytes(reply.body), buf_bytes(fields));
    lane_wipe_scratch(x->conn->lane); /* it held tokens */
}

/* Paths that are nobody's get the words of the first dialect too: a client of any kind can read them. */
static void refuse_until(struct exchange *x, const struct finding *finding, const char *allow,
                         int64_t wait_ms)
{
    struct outcome outcome = {.kind = finding->refusal ? OUTCOME_REFUSED : OUTCOME_FAILED,
                              .error = finding->error,
                              .retry_after_ms = wait_ms};
    const struct dialect *dialect = x->dialect ? x->dialect : dialects[0];

    outcome.refused.refusal = finding->refusal;
    reply_outcome(x, &outcome, finding, dialect->refuse, allow);
}

static void refuse(struct exchange *x, const struct finding *finding, const char *allow)
{
    refuse_until(x, finding, allow, 0);
}

static void refuse_route(struct exchange *x, enum refusal refusal, const char *allow)
{
    struct finding finding;

    found_no_row(&finding, x, refusal, allow);
    refuse(x, &finding, allow);
}

static void refuse_plainly(char error_id[LANE_ERROR_ID_LEN], struct exchange *x,
                           const struct finding *finding, int status, struct bytes body, struct bytes headers)
{
    struct buf *fields = lane_fields(x->conn->lane);

    buf_append_text(fields, "Cache-Control: no-store\r\n");
    buf_append(fields, headers);
    write_refusal(fields, error_id, x, finding, status);
    if (buf_error(fields))
        reply_without_memory(x);
    else
        pipeline_reply(x, status, JSON_TYPE, body, buf_bytes(fields));
}

void pipeline_refuse_plainly(struct exchange *x, const struct finding *finding, int status, struct bytes body,
                             struct bytes headers)
{
    char error_id[LANE_ERROR_ID_LEN];

    refuse_plainly(error_id, x, finding, status, body, headers);
}

void pipeline_refuse_bytes(struct exchange *x)
{
    struct finding finding;

    x->closes = true;
    found_bytes(&finding, x);
    pipeline_refuse_plainly(x, &finding, x->request.status, BYTES("{\"error\":\"Bad Request\"}"), BYTES_NONE);
}

void pipeline_refuse_slow(struct exchange *x)
{
    struct finding finding;

    x->closes = true;
    x->bytes = x->kept.ptr; /* what came is kept, and only there */
    found_slow(&finding, x);
    pipeline_refuse_plainly(x, &finding, 408, BYTES("{\"error\":\"Request Timeout\"}"), BYTES_NONE);
}

static void refuse_upgrade(struct exchange *x, int status)
{
    struct bytes headers = BYTES_NONE;
    struct finding finding;
    char error_id[LANE_ERROR_ID_LEN];

    if (status == 426) headers = BYTES("Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n");
    if (status == 429) headers = BYTES("Retry-After: 30\r\n");
    x->closes = true;
    found_upgrade(&finding, x, status);
    refuse_plainly(error_id, x, &finding, status, BYTES("{\"error\":\"Upgrade refused\"}"), headers);
    if (x->conn->lane->flow) showroom_socket_refused(x->conn->lane, &finding, "upgrade", error_id);
}

/* ---- limits ---- */

static bool may(const struct exchange *x, enum limit limit, bool counts, int64_t *wait_ms)
{
    struct lane *lane = x->conn->lane;
    struct limits *limits = lane->node->limits;
    int64_t now_us = loop_tick_ms(lane->loop) * 1000;
    char peer[RECORD_PEER_MAX] = "";
    uint8_t room[16];
    struct bytes of;

    if (!limits_know(limits, limit)) return true; /* and the kernel is not asked for its address */
    if (x->conn->stream) stream_peer(x->conn->stream, peer);
    of = limits_peer(room, peer);
    return counts ? limits_take(limits, wait_ms, limit, of, now_us)
                  : limits_would_take(limits, wait_ms, limit, of, now_us);
}

/* Counts a guess. False: there were too many, and what was wrong is not told. The credential was looked at
 * all the same, so that a right one from a busy address is never locked out: who guesses secrets of 160 bits
 * and more may be told to wait, not feared. */
static bool may_be_told(int64_t *wait_ms, const struct exchange *x, enum refusal refusal)
{
    enum guess guess = guess_of(refusal);

    return guess == GUESS_NONE || may(x, LIMIT_WRONG_LOGIN, guess == GUESS_WRONG, wait_ms);
}

/* ---- head ---- */

/* Whether the page at this Origin may read the answer. What needs a secret answers no page but those of
 * test projects. */
static bool origin_may_read(const struct exchange *x)
{
    const struct facts *facts = service_facts(x->conn->lane->service);

    if (bytes_is_absent(x->origin)) return false;
    if (x->row && x->row->route.credential == ROUTE_KEY) return facts_any_test_lists(facts, x->origin);
    return facts_any_lists(facts, x->origin);
}

static enum err read_origin(struct exchange *x)
{
    unsigned count;
    struct bytes origin = field(x, BYTES("Origin"), &count);

    if (count > 1) return ERR_MALFORMED;
    /* what no browser sends still counts as a browser's, and no project can list it */
    if (!bytes_is_absent(origin) && (origin.len > ORIGIN_MAX || !url_is_origin(origin)))
        origin = BYTES("invalid");
    x->origin = arena_copy(&x->arena, origin);
    return arena_copy_failed(origin, x->origin) ? ERR_NO_MEMORY : ERR_OK;
}

/* RFC 9110 §10.1.1: a body is asked for only when a row wants one and its credential is good; otherwise the
 * final answer goes out at once and spares the client the upload. */
static void ask_for_body(struct exchange *x)
{
    struct credential credential;
    struct finding finding = {.refusal = REFUSAL_NONE};
    enum refusal refusal = REFUSAL_NONE;
    int64_t wait_ms = 0;
    enum err e = ERR_OK;

    if (!x->row && showroom_body_max(x)) {
        stream_write(x->conn->stream, BYTES("HTTP/1.1 100 Continue\r\n\r\n"));
        return;
    }
    if (!x->row) {
        x->closes = true;
        refuse_route(x, x->match == ROUTE_OTHER_METHOD ? REFUSAL_METHOD_NOT_ALLOWED : REFUSAL_NOT_FOUND,
                     NULL);
        return;
    }
    if (x->row->route.credential == ROUTE_KEY) {
        finding.error = e = authorization_read(&credential, x);
        /* none in the head may be one in the body: a form can hold an assertion (RFC 7523 §2.2) */
        if (!e && (credential.kind != CREDENTIAL_NONE || x->row->route.body != ROUTE_FORM))
            e = service_check_key(&refusal, x->conn->lane->service, &credential, x->row->takes_keys,
                                  x->origin, &finding);
    }
    if (!refusal && !e) {
        stream_write(x->conn->stream, BYTES("HTTP/1.1 100 Continue\r\n\r\n"));
        return;
    }
    x->closes = true;
    if (!may_be_told(&wait_ms, x, refusal)) finding.refusal = REFUSAL_RATE_LIMITED;
    refuse_until(x, &finding, NULL, wait_ms);
}

/* Anything that looks like a WebSocket's opening is judged as one, so that a broken one is told so. */
static bool is_opening(const struct exchange *x)
{
    unsigned upgrades, keys;

    (void)field(x, BYTES("Upgrade"), &upgrades);
    (void)field(x, BYTES("Sec-WebSocket-Key"), &keys);
    return !x->conn->is_admin && (upgrades || keys) && bytes_equal(x->target.path, BYTES("/"));
}

/* By which rows are found: those of GET answer HEAD, too (RFC 9110 §9.3.2). */
static enum http_method row_method(const struct exchange *x)
{
    return x->request.method == HTTP_HEAD_METHOD ? HTTP_GET : x->request.method;
}

void pipeline_head(struct exchange *x)
{
    struct bytes target = http_span_of(x->request.target, x->bytes);
    struct finding finding;
    enum err e;

    x->match = ROUTE_UNKNOWN;
    x->target_bytes = x->bytes;
    e = url_target_read(&x->target, target);
    if (!e) e = read_origin(x);
    if (e) {
        x->closes = true;
        found_target(&finding);
        if (e != ERR_MALFORMED) {
            finding_clear(&finding);
            finding.error = e;
        }
        refuse(x, &finding, NULL);
        return;
    }
    if (!x->conn->is_admin)
        x->match = dialect_find(&x->dialect, &x->row, &x->params, row_method(x), x->target.path);
    x->may_read_reply = origin_may_read(x);
    x->request.body_max = x->row && x->row->route.body != ROUTE_NO_BODY ? x->row->route.body_max : 1024;
    if (!x->row && showroom_body_max(x)) x->request.body_max = showroom_body_max(x);
    if (is_opening(x)) {
        if (!x->request.has_body) return;
        refuse_upgrade(x, 400); /* RFC 6455 §4.1: an opening has no body, and none is waited for */
    } else if (x->request.expects_continue)
        ask_for_body(x);
}

/* ---- body ---- */

static bool has_essence(struct bytes type, struct bytes wanted)
{
    return bytes_equal_nocase(bytes_trim(bytes_part(type, 0, bytes_index(type, ';'))), wanted);
}

static enum err read_body(struct exchange *x, struct dialect_request *request)
{
    unsigned count;
    struct bytes type = field(x, BYTES("Content-Type"), &count);
    struct bytes body = http_span_of(x->request.body, x->bytes);

    switch (x->row->route.body) {
    case ROUTE_NO_BODY:
        return ERR_OK;
    case ROUTE_FORM:
        if (count != 1 || !has_essence(type, BYTES("application/x-www-form-urlencoded")))
            return ERR_UNSUPPORTED;
        request->form = arena_copy(&x->arena, body);
        return arena_copy_failed(body, request->form) ? ERR_NO_MEMORY : ERR_OK;
    case ROUTE_JSON_OPTIONAL:
        if (!body.len) return ERR_OK;
        break;
    case ROUTE_JSON_ANY_TYPE:
        return json_read(&x->body, body);
    case ROUTE_JSON:
        break;
    }
    if (count != 1 || !has_essence(type, JSON_TYPE)) return ERR_UNSUPPORTED;
    return json_read(&x->body, body);
}

/* The fields that a dialect may want to see; the bytes under them move when the service waits. */
static enum err read_fields(struct exchange *x, struct dialect_request *request)
{
    unsigned count;
    struct bytes proof = field(x, BYTES("DPoP"), &count);

    if (!count) return ERR_OK;
    request->has_more_proofs = count > 1;
    request->proof = arena_copy(&x->arena, proof);
    return arena_copy_failed(proof, request->proof) ? ERR_NO_MEMORY : ERR_OK;
}

/* ---- run ---- */

static void count_guess(struct exchange *x, struct run *run)
{
    int64_t wait_ms;

    if (run->outcome.kind != OUTCOME_REFUSED || may_be_told(&wait_ms, x, run->outcome.refused.refusal))
        return;
    run->outcome.refused = (struct refused){.refusal = REFUSAL_RATE_LIMITED};
    run->outcome.retry_after_ms = wait_ms;
    run->finding.refusal = REFUSAL_RATE_LIMITED; /* what was wrong with it stays in the record */
}

static void answered(struct run *run)
{
    struct exchange *x = run->owner;
    bool had_waited = x->state == EXCHANGE_WAITING;
    bool is_refusal = run->outcome.kind == OUTCOME_REFUSED, is_failure = run->outcome.kind == OUTCOME_FAILED;
    enum refusal refusal;

    count_guess(x, run);
    refusal = is_refusal ? run->outcome.refused.refusal : REFUSAL_NONE;

    /* an answer for an Origin its own project does not list is not for that page to read */
    if (refusal == REFUSAL_ORIGIN_NOT_LISTED || refusal == REFUSAL_SECRET_FROM_BROWSER)
        x->may_read_reply = false;
    if (run->outcome.kind == OUTCOME_MINTED) lane_count(x->conn->lane, COUNT_MINTED, 1);
    /* unreadable bodies are told before anything waits: the fields are still there */
    if (is_failure && !had_waited && run->outcome.error == run->unreadable)
        found_body(&run->finding, x, run->outcome.error);
    reply_outcome(x, &run->outcome, is_refusal || is_failure ? &run->finding : NULL, x->row->encode, NULL);
    if (had_waited) conn_answered(x);
}

static void refuse_for_now(struct exchange *x, int64_t wait_ms)
{
    struct outcome outcome = {.kind = OUTCOME_REFUSED, .retry_after_ms = wait_ms};
    struct finding finding = {.refusal = REFUSAL_RATE_LIMITED};

    outcome.refused.refusal = REFUSAL_RATE_LIMITED;
    finding_check(&finding, "limit");
    finding_expected(&finding, "no more than the limit %s allows to one address", limit_text(x->row->limit));
    finding_seen(&finding, "one more; the next may come in %lld ms", (long long)wait_ms);
    reply_outcome(x, &outcome, &finding, x->row->encode, NULL);
}

static void run_ask(struct exchange *x)
{
    struct dialect_request request = {.query = x->target.query, .params = x->params, .arena = &x->arena};
    struct run *run = &x->run;
    struct finding finding = {.refusal = REFUSAL_NONE};
    int64_t wait_ms;
    enum err e;

    if (!may(x, x->row->limit, true, &wait_ms)) {
        refuse_for_now(x, wait_ms);
        return;
    }
    memset(&run->ask, 0, sizeof run->ask);
    run->refused = (struct refused){0};
    run->unreadable = ERR_OK;
    TRY(e = authorization_read(&run->ask.credential, x), failed);
    TRY(e = read_fields(x, &request), failed);
    if (run->ask.credential.kind == CREDENTIAL_DPOP) /* RFC 9449 §4.3 (1): one proof; of several none */
        run->ask.credential.proof = request.has_more_proofs ? BYTES("") : request.proof;
    run->unreadable = read_body(x, &request);
    request.body = x->body;
    run->ask.origin = x->origin;
    e = x->row->decode(&run->ask, &run->refused, &request);
    if (!run->unreadable) run->unreadable = e;
    run->takes_bound_as_bearer = x->row->route.takes_bound_as_bearer;
    run->takes_keys = x->row->takes_keys;
    run->http_method = http_span_of(x->request.method_text, x->bytes);
    run->http_path = x->target.path;
    run->proof_method = BYTES_NONE;
    run->now_ms = loop_now_ms(x->conn->lane->loop);
    run->wall_ms = loop_wall_ms(x->conn->lane->loop);
    run->step_ms = loop_step_ms(x->conn->lane->loop);
    run->arena = &x->arena;
    run->done = answered;
    run->owner = x;
    x->state = EXCHANGE_READING;
    service_start(x->conn->lane->service, run);
    if (x->state == EXCHANGE_READING) x->state = EXCHANGE_WAITING;
    return;
failed:
    finding.error = e;
    refuse(x, &finding, NULL);
}

static void answer_preflight(struct exchange *x)
{
    const struct dialect *dialect = x->dialect;
    char methods[64];
    struct buf *fields = lane_fields(x->conn->lane);

    /* the row the real request will use decides who may ask */
    if (dialect) {
        const void *row;
        struct route_params params;
        struct bytes wanted = field(x, BYTES("Access-Control-Request-Method"), NULL);
        enum http_method method = bytes_equal(wanted, BYTES("POST"))     ? HTTP_POST
                                  : bytes_equal(wanted, BYTES("PUT"))    ? HTTP_PUT
                                  : bytes_equal(wanted, BYTES("DELETE")) ? HTTP_DELETE
                                                                         : HTTP_GET;
        (void)route_find(&row, &params, dialect->routes, dialect->route_count, sizeof dialect->routes[0],
                         method, x->target.path);
        x->row = row;
        x->may_read_reply = origin_may_read(x);
        route_methods(methods, dialect->routes, dialect->route_count, sizeof dialect->routes[0],
                      x->target.path);
    } else {
        x->may_read_reply = false; /* what is no dialect's needs no preflight, or is for our own pages */
        memcpy(methods, "GET, OPTIONS", sizeof "GET, OPTIONS");
    }
    buf_append_text(fields, "Cache-Control: no-store\r\n");
    if (x->may_read_reply) {
        http_reply_field(fields, BYTES("Access-Control-Allow-Methods"), bytes_of_text(methods));
        buf_append_text(fields, "Access-Control-Allow-Headers: authorization, content-type, accept, dpop\r\n"
                                "Access-Control-Max-Age: 600\r\n");
    }
    http_reply_field(fields, BYTES("Allow"), bytes_of_text(methods));
    if (buf_error(fields))
        reply_without_memory(x);
    else
        pipeline_reply(x, 204, BYTES_NONE, BYTES_NONE, buf_bytes(fields));
}

/* A page of a foreign Origin must not get as far as a socket: it would act with whatever its
 * visitor's token allows. */
static void upgrade(struct exchange *x)
{
    struct lane *lane = x->conn->lane;
    struct ws_handshake handshake;
    struct buf *out;
    char peer[46];

    ws_handshake_read(&handshake, &x->request, x->bytes);
    stream_peer(x->conn->stream, peer);
    if (handshake.status == 101 && !bytes_is_absent(x->origin) &&
        !facts_any_lists(service_facts(lane->service), x->origin))
        handshake.status = 403;
    if (handshake.status == 101 && !lane_may_park(lane, peer)) handshake.status = 429;
    if (handshake.status != 101) {
        refuse_upgrade(x, handshake.status);
        return;
    }
    out = lane_out(lane);
    ws_handshake_reply(out, &handshake);
    if (buf_error(out)) {
        refuse_upgrade(x, 503);
        return;
    }
    lane_count(lane, COUNT_UPGRADES, 1);
    stream_write(x->conn->stream, buf_bytes(out));
    x->state = EXCHANGE_UPGRADED;
}

void pipeline_run(struct exchange *x)
{
    char methods[64];

    /* the body may have come later, and the bytes have moved since the head was read; its target was good */
    if (x->bytes != x->target_bytes && url_target_read(&x->target, http_span_of(x->request.target, x->bytes)))
        x->target = (struct url_target){BYTES_NONE, BYTES_NONE};
    if (x->bytes != x->target_bytes && x->row) /* what the path's open segments took has moved with it */
        (void)dialect_find(&x->dialect, &x->row, &x->params, row_method(x), x->target.path);
    if (x->conn->is_admin) {
        if (!builtin_answer_admin(x)) refuse_route(x, REFUSAL_NOT_FOUND, NULL);
    } else if (x->request.method == HTTP_OPTIONS)
        answer_preflight(x);
    else if (is_opening(x))
        upgrade(x);
    else if (x->row)
        run_ask(x);
    else if (x->match == ROUTE_OTHER_METHOD) {
        route_methods(methods, x->dialect->routes, x->dialect->route_count, sizeof x->dialect->routes[0],
                      x->target.path);
        refuse_route(x, REFUSAL_METHOD_NOT_ALLOWED, methods);
    } else if (!showroom_answer(x) && !builtin_answer(x))
        refuse_route(x, REFUSAL_NOT_FOUND, NULL);
}
