/* showroom_door.c — the paths of the showroom: who may ask, and the answers. */
#include <stdlib.h>

#include "engine/age.h"
#include "server/advance.h"
#include "server/found_http.h"
#include "server/local_name.h"
#include "server/showroom.h"
#include "wire/json_read.h"

#define STEP_BODY_MAX 256
#define JSON_TYPE     BYTES("application/json")

/* ---- who may ask ---- */

static struct bytes field(const struct exchange *x, struct bytes name, unsigned *count)
{
    return http_request_field(&x->request, x->bytes, name, count);
}

static bool is_near(const struct exchange *x)
{
    char peer[RECORD_PEER_MAX] = "";

    if (x->conn->stream) stream_peer(x->conn->stream, peer);
    return local_peer(peer) && local_name(field(x, BYTES("Host"), NULL));
}

/* No Origin is a program, or a page of ours that reads; a page that writes says where it is from. */
static bool is_our_page(const struct exchange *x)
{
    struct bytes scheme = stream_is_tls(x->conn->stream) ? BYTES("https://") : BYTES("http://");
    struct bytes host = field(x, BYTES("Host"), NULL);

    if (bytes_is_absent(x->origin)) return true;
    return x->origin.len == scheme.len + host.len &&
           bytes_equal(bytes_part(x->origin, 0, scheme.len), scheme) &&
           bytes_equal_nocase(bytes_from(x->origin, scheme.len), host);
}

/* ---- refusals ---- */

static void refuse(struct exchange *x, const struct finding *finding, int status, const char *error,
                   const char *fields)
{
    struct buf *body = lane_body(x->conn->lane);
    struct json_writer w = json_writer_on(body);

    json_object_begin(&w);
    json_key(&w, "error");
    json_put_string(&w, bytes_of_text(error));
    json_object_end(&w);
    pipeline_refuse_plainly(x, finding, status, buf_bytes(body), bytes_of_text(fields));
}

static void refuse_origin(struct exchange *x)
{
    struct finding finding;

    finding_clear(&finding);
    finding.refusal = REFUSAL_ORIGIN_NOT_LISTED;
    finding_check(&finding, "dev.origin");
    finding_expected(&finding, "no Origin, or that of this server's own start page");
    finding_seen(&finding, "another page's");
    refuse(x, &finding, 403, "Forbidden", "");
}

static void refuse_method(struct exchange *x, const char *method)
{
    struct finding finding;

    found_no_row(&finding, x, REFUSAL_METHOD_NOT_ALLOWED, method);
    refuse(x, &finding, 405, "Method Not Allowed",
           *method == 'G' ? "Allow: GET, OPTIONS\r\n" : "Allow: POST, OPTIONS\r\n");
}

static void refuse_body(struct exchange *x, enum err error, const char *why)
{
    struct finding finding;

    finding_clear(&finding);
    finding.error = error;
    finding_check(&finding, "dev.body");
    finding_expected(&finding, "%s", why);
    finding_seen(&finding, "something else");
    refuse(x, &finding, err_http_status(error), why, "");
}

static bool is_json(const struct exchange *x)
{
    unsigned count;
    struct bytes type = field(x, BYTES("Content-Type"), &count);

    return count == 1 &&
           bytes_equal_nocase(bytes_trim(bytes_part(type, 0, bytes_index(type, ';'))), JSON_TYPE);
}

/* ---- answers ---- */

static void reply(struct exchange *x, int status, const struct buf *body)
{
    pipeline_reply(x, status, JSON_TYPE, buf_error(body) ? BYTES_NONE : buf_bytes(body), BYTES_NONE);
}

static void write_products(struct json_writer *w, const struct showroom *showroom)
{
    struct products products;

    if (!board_read(&products, sizeof products, &showroom->products_mark, showroom->products))
        products.count = 0;
    json_key(w, "products");
    products_write(w, &products);
}

static void answer_flow(struct exchange *x)
{
    const struct lane *lane = x->conn->lane;
    const struct showroom *showroom = lane->node->showroom;
    const struct fact_project *project = facts_project(service_facts(lane->service), &showroom->project);
    struct buf *body = lane_body(x->conn->lane);
    struct json_writer w = json_writer_on(body);
    const struct flow *flows[NODE_LANES_MAX];
    unsigned i;

    for (i = 0; i < showroom->lane_count; i++)
        flows[i] = &showroom->flows[i];
    json_object_begin(&w);
    json_key(&w, "node"); /* another one after each start: numbers begin anew */
    json_put_string(&w, lane->node->id);
    json_key(&w, "now_ms");
    json_put_number(&w, loop_wall_ms(lane->loop));
    json_key(&w, "age_ms");
    json_put_number(&w, project ? project->age_ms : 0);
    flow_write(&w, flows, showroom->lane_count);
    write_products(&w, showroom);
    json_object_end(&w);
    reply(x, 200, body);
}

static void take_products(struct exchange *x, struct bytes text)
{
    struct showroom *showroom = x->conn->lane->node->showroom;
    struct buf *body;
    struct json_writer w;
    struct products products;
    const char *why;
    enum err e = products_read(&products, &why, text);

    if (e) {
        refuse_body(x, e, why);
        return;
    }
    if (!board_write(&showroom->products_mark, showroom->products, &products, sizeof products)) {
        refuse_body(x, ERR_LIMIT, "another list is being taken");
        return;
    }
    body = lane_body(x->conn->lane);
    w = json_writer_on(body);
    json_object_begin(&w);
    write_products(&w, showroom);
    json_object_end(&w);
    reply(x, 200, body);
}

/* ---- the clock ---- */

struct step {
    struct advance advance; /* first */
    struct exchange *x;
};

static void stepped(struct advance *advance)
{
    struct step *step = (struct step *)(void *)advance;
    struct exchange *x = step->x;
    struct buf *body = lane_body(x->conn->lane);
    struct json_writer w = json_writer_on(body);

    json_object_begin(&w);
    if (advance->refused) {
        json_key(&w, "error");
        json_put_string(&w, bytes_of_text(advance->refused));
    } else {
        json_key(&w, "advanced_ms");
        json_put_number(&w, advance->by_ms);
        json_key(&w, "age_ms");
        json_put_number(&w, advance->age_ms);
    }
    json_object_end(&w);
    reply(x, advance->refused ? 503 : 200, body);
    free(step);
    conn_answered(x);
}

static bool read_step(int64_t *by_s, struct bytes text)
{
    struct json document = {NULL};
    bool is_good;

    if (json_read(&document, text)) return false;
    is_good = json_count(document) == 1 && json_int64(by_s, json_member(document, "by_s"));
    json_free(document);
    return is_good;
}

static int64_t ms_of(int64_t by_s) /* whatever is out of bounds stays so */
{
    return by_s < 1 ? 0 : by_s > AGE_STEP_MAX_MS / 1000 ? AGE_STEP_MAX_MS + 1 : by_s * 1000;
}

static void take_step(struct exchange *x, struct bytes text)
{
    struct lane *lane = x->conn->lane;
    const struct uuid *project = &lane->node->showroom->project;
    struct step *step;
    const char *why;
    int64_t by_s;

    if (!read_step(&by_s, text)) {
        refuse_body(x, ERR_MALFORMED, "the body is an object with the one member by_s, an integer");
        return;
    }
    if ((why = advance_refusal(lane, project, ms_of(by_s)))) {
        refuse_body(x, ERR_MALFORMED, why);
        return;
    }
    if (!(step = calloc(1, sizeof *step))) {
        refuse_body(x, ERR_NO_MEMORY, "there is no memory for it now");
        return;
    }
    step->x = x;
    step->advance.home = lane;
    step->advance.project = *project;
    step->advance.by_ms = ms_of(by_s);
    step->advance.done = stepped;
    x->state = EXCHANGE_WAITING;
    advance_begin(&step->advance);
}

/* ---- paths ---- */

static const struct {
    const char *path;
    uint32_t body_max;
    void (*take)(struct exchange *x, struct bytes body);
} doors[] = {
    {"/dev/flow", 0, NULL},
    {"/dev/products", PRODUCTS_BODY_MAX, take_products},
    {"/dev/clock", STEP_BODY_MAX, take_step},
};
#define DOORS (sizeof doors / sizeof doors[0])

static size_t door_of(const struct exchange *x)
{
    size_t i = 0;

    if (!x->conn->lane->flow || x->conn->is_admin) return DOORS;
    while (i < DOORS && !bytes_equal(x->target.path, bytes_of_text(doors[i].path)))
        i++;
    return i;
}

uint32_t showroom_body_max(const struct exchange *x)
{
    size_t i = door_of(x);

    return i < DOORS && is_near(x) ? doors[i].body_max : 0;
}

bool showroom_answer(struct exchange *x)
{
    size_t i = door_of(x);
    enum http_method method = x->request.method == HTTP_HEAD_METHOD ? HTTP_GET : x->request.method;

    if (i == DOORS || !is_near(x)) return false;
    x->may_read_reply = false; /* for our own page, whatever origins the project lists */
    if (!is_our_page(x))
        refuse_origin(x);
    else if (method != (doors[i].take ? HTTP_POST : HTTP_GET))
        refuse_method(x, doors[i].take ? "POST" : "GET");
    else if (!doors[i].take)
        answer_flow(x);
    else if (!is_json(x))
        refuse_body(x, ERR_UNSUPPORTED, "the body is JSON, and its Content-Type application/json");
    else
        doors[i].take(x, http_span_of(x->request.body, x->bytes));
    return true;
}
