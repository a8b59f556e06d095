/* builtin.c — what is no vendor's: health, key set, API description, metrics, the pages of
 * `coatcheck dev`. */
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "server/builtin.h"

#include "server/found_http.h"
#include "server/local_name.h"
#include "wire/basic_auth.h"
#include "wire/http_reply.h"

static bool is_get(const struct exchange *x)
{
    return x->request.method == HTTP_GET || x->request.method == HTTP_HEAD_METHOD;
}

static bool path_is(const struct exchange *x, const char *path)
{
    return bytes_equal(x->target.path, bytes_of_text(path));
}

static void refuse_method(struct exchange *x)
{
    struct finding finding;

    found_no_row(&finding, x, REFUSAL_METHOD_NOT_ALLOWED, "GET, OPTIONS");
    pipeline_refuse_plainly(x, &finding, 405, BYTES("{\"error\":\"Method Not Allowed\"}"),
                            BYTES("Allow: GET, OPTIONS\r\n"));
}

/* Verifiers may keep the key set for an hour, and use it a day longer while we cannot be reached; a new key
 * is published at least that hour before it signs. Anybody may read it, so any page may. */
static void answer_jwks(struct exchange *x)
{
    _Static_assert(JWKS_AGE_S == 3600, "max-age below");

    x->may_read_reply = false;
    pipeline_reply(x, 200, BYTES("application/jwk-set+json"),
                   keyring_jwks(service_ring(x->conn->lane->service)),
                   BYTES("Access-Control-Allow-Origin: *\r\nCache-Control: public, max-age=3600, "
                         "stale-if-error=86400\r\n"));
}

static void answer_health(struct exchange *x)
{
    pipeline_reply(x, 200, BYTES("application/json"), BYTES("{\"status\":\"ok\"}"), BYTES_NONE);
}

static void answer_ready(struct exchange *x)
{
    const struct lane *lane = x->conn->lane;
    const char *because = atomic_load(&lane->node->is_stopping) ? "stopping"
                          : !atomic_load(&lane->node->is_ready) ? "starting"
                          : loop_step_ms(lane->loop)            ? "clock stepped"
                                                                : NULL;
    struct buf *body = lane_body(x->conn->lane);

    buf_append_text(body, because ? "{\"status\":\"not ready\",\"because\":\"" : "{\"status\":\"ready\"}");
    if (because) {
        buf_append_text(body, because);
        buf_append_text(body, "\"}");
    }
    pipeline_reply(x, because ? 503 : 200, BYTES("application/json"), buf_bytes(body), BYTES_NONE);
}

/* What this server answers, as OpenAPI: the same for everybody, so any page may read it. A client that has it
 * asks whether it is still the one (RFC 9110 §13.1.2); it changes with a release only. */
static void answer_openapi(struct exchange *x)
{
    const struct document *document = &x->conn->lane->node->openapi;
    struct bytes known = http_request_field(&x->request, x->bytes, BYTES("If-None-Match"), NULL);
    struct buf *fields = lane_fields(x->conn->lane);
    bool has_it = known.len && bytes_equal(known, document->tag);

    x->may_read_reply = false;
    buf_append_text(fields, "Access-Control-Allow-Origin: *\r\nCache-Control: public, max-age=300\r\n");
    http_reply_field(fields, BYTES("ETag"), document->tag);
    pipeline_reply(x, has_it ? 304 : 200, BYTES("application/json"), has_it ? BYTES_NONE : document->content,
                   buf_bytes(fields));
}

static const struct {
    const char *path;
    void (*answer)(struct exchange *x);
} builtins[] = {
    {"/.well-known/jwks.json", answer_jwks},
    {"/healthz", answer_health},
    {"/openapi.json", answer_openapi},
    {"/readyz", answer_ready},
};

const char *builtin_path(size_t index)
{
    return index < sizeof builtins / sizeof builtins[0] ? builtins[index].path : NULL;
}

/* The pages show credentials. A name that an attacker's DNS points at this machine must not get them. */
static bool host_is_local(const struct exchange *x)
{
    return local_name(http_request_field(&x->request, x->bytes, BYTES("Host"), NULL));
}

static const struct page *page_of(const struct exchange *x)
{
    const struct node *node = x->conn->lane->node;
    size_t i;

    if (node->page_count && !host_is_local(x)) return NULL;
    for (i = 0; i < node->page_count; i++)
        if (bytes_equal(node->pages[i].path, x->target.path)) return &node->pages[i];
    return NULL;
}

/* No inline script, no foreign host, no framing: these pages hold a test project's credentials. */
#define PAGE_FIELDS                                                                                          \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' "      \
    "data:; "                                                                                                \
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"                    \
    "Referrer-Policy: no-referrer\r\nCache-Control: no-store\r\n"

bool builtin_answer(struct exchange *x)
{
    const struct page *page = page_of(x);
    size_t i = 0;

    while (builtin_path(i) && !path_is(x, builtin_path(i)))
        i++;
    if (!page && !builtin_path(i)) return false;
    if (!is_get(x))
        refuse_method(x);
    else if (builtin_path(i))
        builtins[i].answer(x);
    else {
        x->may_read_reply = false; /* for our own pages only, whatever origins the project lists */
        pipeline_reply(x, 200, page->type, page->content, BYTES(PAGE_FIELDS));
    }
    return true;
}

static bool is_admin(const struct exchange *x)
{
    const char *token = x->conn->lane->node->config->admin_token;
    unsigned count;
    struct bytes given, value = http_request_field(&x->request, x->bytes, BYTES("Authorization"), &count);

    if (count != 1 || !*token || bearer_read(&given, value, CONFIG_TEXT_MAX)) return false;
    return secret_equal_bytes(given, bytes_of_text(token));
}

static void refuse_admin(struct exchange *x)
{
    struct finding finding;
    unsigned count;

    (void)http_request_field(&x->request, x->bytes, BYTES("Authorization"), &count);
    finding_clear(&finding);
    finding.refusal = count ? REFUSAL_CREDENTIAL_MALFORMED : REFUSAL_CREDENTIAL_MISSING;
    finding.has_credential = count > 0;
    finding_check(&finding, "admin.token");
    finding_expected(&finding, "Authorization: Bearer, and the admin_token of the configuration");
    finding_seen(&finding, count ? "another credential" : "no Authorization field");
    pipeline_refuse_plainly(x, &finding, 401, BYTES("{\"error\":\"Unauthorized\"}"),
                            BYTES("WWW-Authenticate: Bearer\r\n"));
}

static void write_metric(struct buf *out, const char *name, const char *type, const char *help, int64_t value)
{
    buf_append_text(out, "# HELP ");
    buf_append_text(out, name);
    buf_append_byte(out, ' ');
    buf_append_text(out, help);
    buf_append_text(out, "\n# TYPE ");
    buf_append_text(out, name);
    buf_append_byte(out, ' ');
    buf_append_text(out, type);
    buf_append_byte(out, '\n');
    buf_append_text(out, name);
    buf_append_byte(out, ' ');
    buf_append_i64(out, value);
    buf_append_byte(out, '\n');
}

static void write_metrics(struct buf *out, const struct node *node)
{
    static const struct {
        const char *name, *type, *help;
    } metrics[LANE_COUNTERS] = {
        [COUNT_REQUESTS] = {"coatcheck_http_requests_total", "counter", "HTTP requests answered"},
        [COUNT_REFUSED] = {"coatcheck_http_refused_total", "counter", "requests answered with 4xx or 5xx"},
        [COUNT_MINTED] = {"coatcheck_tokens_minted_total", "counter", "access tokens minted"},
        [COUNT_UPGRADES] = {"coatcheck_websocket_upgrades_total", "counter", "WebSocket upgrades"},
        [COUNT_CONNECTS_GRANTED] = {"coatcheck_connects_granted_total", "counter", "sessions opened"},
        [COUNT_CONNECTS_REFUSED] = {"coatcheck_connects_refused_total", "counter", "connects refused"},
        [COUNT_SESSIONS_LIVE] = {"coatcheck_sessions_live", "gauge", "sessions with an open socket"},
        [COUNT_SESSIONS_DETACHED] = {"coatcheck_sessions_detached", "gauge",
                                     "sessions that wait for their client to come back"},
        [COUNT_SESSIONS_REGISTERED] = {"coatcheck_sessions_registered", "gauge",
                                       "registered sessions, with a socket or waiting"},
        [COUNT_PARKED] = {"coatcheck_sockets_parked", "gauge", "refused sockets kept parked"},
        [COUNT_CALLS] = {"coatcheck_calls", "gauge", "calls now, ringing or talking"},
        [COUNT_CONNECTIONS] = {"coatcheck_http_connections", "gauge", "HTTP connections open now"},
    };
    size_t i;
    unsigned lane;

    for (i = 0; i < LANE_COUNTERS; i++) {
        int64_t sum = 0;
        for (lane = 0; lane < node->lane_count; lane++)
            sum += atomic_load_explicit(&node->lanes[lane]->counters[i], memory_order_relaxed);
        write_metric(out, metrics[i].name, metrics[i].type, metrics[i].help, sum);
    }
    write_metric(out, "coatcheck_log_lines_lost_total", "counter", "log lines that stderr did not take",
                 log_lost_total());
}

bool builtin_answer_admin(struct exchange *x)
{
    bool is_metrics = path_is(x, "/metrics"), is_ready = path_is(x, "/readyz"),
         is_health = path_is(x, "/healthz");
    struct buf *body;

    if (!is_metrics && !is_ready && !is_health) return false;
    if (!is_get(x))
        refuse_method(x);
    else if (is_ready)
        answer_ready(x);
    else if (is_health)
        answer_health(x);
    else if (!is_admin(x))
        refuse_admin(x);
    else {
        body = lane_body(x->conn->lane);
        write_metrics(body, x->conn->lane->node);
        pipeline_reply(x, 200, BYTES("text/plain; version=0.0.4"), buf_bytes(body), BYTES_NONE);
    }
    return true;
}
