#include "server/found_http.h"

#include <stdio.h>

#define TYPE_MAX 60 /* bytes shown of a Content-Type */

static struct bytes field(const struct exchange *x, struct bytes name, unsigned *count)
{
    return http_request_field(&x->request, x->bytes, name, count);
}

static const char *method_name(enum http_method method)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET",       [HTTP_HEAD_METHOD] = "HEAD", [HTTP_POST] = "POST",  [HTTP_PUT] = "PUT",
        [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS",  [HTTP_OTHER] = "PATCH"};

    return names[method];
}

/* From the bytes as they lie now: they may have moved since the head was looked at. */
static void read_path(char out[FINDING_PATH_MAX], const struct exchange *x)
{
    struct url_target target;

    out[0] = 0;
    if (url_target_read(&target, http_span_of(x->request.target, x->bytes)) == ERR_OK)
        finding_path(out, target.path);
}

void found_route(char out[RECORD_ROUTE_MAX], const struct exchange *x)
{
    char path[FINDING_PATH_MAX];

    out[0] = 0;
    if (!x->request.head_len) return; /* nothing is known of a request whose head never came */
    if (!x->row) read_path(path, x);
    (void)snprintf(out, RECORD_ROUTE_MAX, "%s %s", method_name(x->request.method),
                   x->row ? x->row->route.path : path);
}

static void settle(struct finding *finding, enum refusal refusal, enum err error)
{
    finding->refusal = refusal;
    finding->error = refusal ? ERR_OK : error;
}

/* The reader has finer statuses than the table has rows; the row says whose fault it is and what to do. */
static enum err error_of_status(int status)
{
    switch (status) {
    case 413:
    case 414:
    case 431:
        return ERR_TOO_LARGE;
    case 417:
    case 501:
    case 505:
        return ERR_UNSUPPORTED;
    default:
        return ERR_MALFORMED;
    }
}

void found_bytes(struct finding *finding, const struct exchange *x)
{
    finding_clear(finding);
    settle(finding, REFUSAL_NONE, error_of_status(x->request.status));
    finding_check(finding, "http.bytes");
    if (x->request.status == 413)
        finding_expected(finding, "a body of at most %lu bytes", (unsigned long)x->request.body_max);
    else
        finding_expected(finding, "a strict HTTP/1.1 request: head at most %d bytes, target %d, %d fields",
                         HTTP_HEAD_MAX, HTTP_TARGET_MAX, HTTP_FIELDS_MAX);
    finding_seen(finding, "the rule broken: %s", x->request.reason);
}

void found_slow(struct finding *finding, const struct exchange *x)
{
    const struct config *config = x->conn->lane->node->config;
    bool is_body = x->clock == CLOCK_BODY;

    finding_clear(finding);
    settle(finding, REFUSAL_NONE, ERR_TIMEOUT);
    finding_check(finding, is_body ? "http.body_time" : "http.head_time");
    finding_expected(finding, "the whole %s within %lld s", is_body ? "body" : "head",
                     (long long)(is_body ? config->body_timeout_s : config->head_timeout_s));
    finding_seen(finding, "%zu bytes by then", x->kept.len);
}

void found_target(struct finding *finding)
{
    finding_clear(finding);
    settle(finding, REFUSAL_NONE, ERR_MALFORMED);
    finding_check(finding, "http.target");
    finding_expected(finding, "a path without dot segments or broken escapes, and at most one Origin field");
    finding_seen(finding, "something else");
}

void found_no_row(struct finding *finding, const struct exchange *x, enum refusal refusal, const char *allow)
{
    char path[FINDING_PATH_MAX];

    finding_clear(finding);
    settle(finding, refusal, ERR_OK);
    read_path(path, x);
    finding_check(finding, refusal == REFUSAL_METHOD_NOT_ALLOWED ? "route.method" : "route.path");
    if (refusal == REFUSAL_METHOD_NOT_ALLOWED) {
        finding_expected(finding, "one of %s", allow ? allow : "the methods of this path");
        finding_seen(finding, "%s", method_name(x->request.method));
    } else {
        finding_expected(finding, "a path of this server");
        finding_seen(finding, "%s", path);
    }
}

void found_body(struct finding *finding, const struct exchange *x, enum err error)
{
    unsigned count;
    struct bytes type = field(x, BYTES("Content-Type"), &count);

    finding_check(finding, error == ERR_UNSUPPORTED ? "body.type" : "body.json");
    if (error == ERR_UNSUPPORTED) {
        finding_expected(finding, "one Content-Type: application/json");
        if (count == 1)
            finding_seen(finding, "%.*s", FINDING_BYTES(type, TYPE_MAX));
        else
            finding_seen(finding, count ? "%u of them" : "no Content-Type", count);
    } else {
        finding_expected(finding, "one JSON object without duplicate members, at most %d levels deep",
                         JSON_DEPTH_MAX);
        finding_seen(finding, "%lu bytes that are not", (unsigned long)x->request.body.len);
    }
}

static void found_opening(struct finding *finding, const struct exchange *x, int status)
{
    unsigned versions, keys;
    struct bytes version = field(x, BYTES("Sec-WebSocket-Version"), &versions);

    (void)field(x, BYTES("Sec-WebSocket-Key"), &keys);
    finding_check(finding, status == 426 ? "upgrade.version" : "upgrade.form");
    finding_expected(finding,
                     "GET / by HTTP/1.1 without a body; Upgrade: websocket, Connection: upgrade, one "
                     "Sec-WebSocket-Key of 16 bytes, version 13");
    finding_seen(finding, "%s by HTTP/1.%u, %s body, %u keys, version %.*s", method_name(x->request.method),
                 (unsigned)x->request.version_minor, x->request.has_body ? "with a" : "no", keys,
                 FINDING_BYTES(version, 8));
}

void found_upgrade(struct finding *finding, const struct exchange *x, int status)
{
    const struct config *config = x->conn->lane->node->config;
    unsigned origins;

    finding_clear(finding);
    if (status == 403) {
        (void)field(x, BYTES("Origin"), &origins);
        settle(finding, REFUSAL_ORIGIN_NOT_LISTED, ERR_OK);
        finding_check(finding, "upgrade.origin");
        finding_expected(finding, "one Origin that some project lists, or none");
        finding_seen(finding, "%u: %.*s", origins, FINDING_BYTES(x->origin, FINDING_TEXT_MAX / 2));
    } else if (status == 429) {
        settle(finding, REFUSAL_RATE_LIMITED, ERR_OK);
        finding_check(finding, "upgrade.parking");
        finding_expected(finding,
                         "fewer than parked_per_address_max %lld and parked_max %lld refused sockets",
                         (long long)config->parked_per_address_max, (long long)config->parked_max);
        finding_seen(finding, "so many already: this peer, or all together, keep being refused");
    } else if (status >= 500) {
        settle(finding, REFUSAL_NONE, status == 503 ? ERR_NO_MEMORY : ERR_CRYPTO);
        finding_check(finding, "upgrade.reply");
    } else {
        settle(finding, status == 405 ? REFUSAL_METHOD_NOT_ALLOWED : REFUSAL_NONE,
               status == 426 ? ERR_UNSUPPORTED : ERR_MALFORMED);
        found_opening(finding, x, status);
    }
}
