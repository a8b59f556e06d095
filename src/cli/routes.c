/* routes.c — `coatcheck routes`: every public path, from the same tables that answer it. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "dialect/dialect.h"
#include "engine/facts.h"
#include "server/builtin.h"
#include "wire/json_write.h"

#define LIST_MAX 65536

static int print_help(void)
{
    fputs(
        "usage: coatcheck routes [--json]\n\n"
        "Lists every public path, from the tables that answer requests: for a proxy in front, a firewall's\n"
        "rules, or a look at what is exposed. The admin listener is not among them.\n\n"
        "  --json  one object: routes, each with dialect, method, path, credential, keys, body, body_max,\n"
        "          limit, takes_bound_as_bearer\n",
        stdout);
    return EXIT_OK;
}

static const char *method_of(enum http_method method)
{
    static const char *const texts[] = {
        [HTTP_GET] = "GET", [HTTP_POST] = "POST", [HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE"};

    return method < sizeof texts / sizeof texts[0] && texts[method] ? texts[method] : "";
}

static const char *credential_of(enum route_credential credential)
{
    switch (credential) {
    case ROUTE_OPEN:
        return "none";
    case ROUTE_KEY:
        return "key";
    case ROUTE_BEARER:
        return "access_token";
    }
    return "";
}

static const char *body_of(enum route_body body)
{
    switch (body) {
    case ROUTE_NO_BODY:
        return "none";
    case ROUTE_JSON:
        return "json";
    case ROUTE_JSON_OPTIONAL:
        return "json_optional";
    case ROUTE_JSON_ANY_TYPE:
        return "json_any_type";
    case ROUTE_FORM:
        return "form";
    }
    return "";
}

static const struct {
    enum key_kind kind;
    const char *text;
} kinds[] = {
    {KEY_API_TOKEN, "api_token"},
    {KEY_CLIENT, "client"},
    {KEY_SECRET, "secret_key"},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static void put_route(struct json_writer *w, const char *dialect, const struct dialect_route *row)
{
    const struct route *route = &row->route;
    size_t i;

    json_object_begin(w);
    json_key(w, "dialect");
    json_put_string_or_null(w, bytes_of_text(dialect));
    json_key(w, "method");
    json_put_literal(w, method_of(route->method));
    json_key(w, "path");
    json_put_literal(w, route->path);
    json_key(w, "credential");
    json_put_literal(w, credential_of(route->credential));
    json_key(w, "keys");
    json_array_begin(w);
    for (i = 0; i < KINDS; i++)
        if (row->takes_keys & KEY_BIT(kinds[i].kind)) json_put_literal(w, kinds[i].text);
    json_array_end(w);
    json_key(w, "body");
    json_put_literal(w, body_of(route->body));
    json_key(w, "body_max");
    json_put_number(w, route->body_max);
    json_key(w, "limit");
    json_put_string_or_null(w, row->limit == LIMIT_NONE ? BYTES_NONE : bytes_of_text(limit_text(row->limit)));
    json_key(w, "takes_bound_as_bearer");
    json_put_bool(w, route->takes_bound_as_bearer);
    json_object_end(w);
}

static void append_line(struct buf *out, const struct dialect_route *row)
{
    const struct route *route = &row->route;
    char line[256];
    size_t i;

    (void)snprintf(line, sizeof line, "%-6s  %-54s  ", method_of(route->method), route->path);
    buf_append_text(out, line);
    if (!row->takes_keys) buf_append_text(out, credential_of(route->credential));
    for (i = 0; i < KINDS; i++)
        if (row->takes_keys & KEY_BIT(kinds[i].kind)) buf_append_text(out, kinds[i].text);
    if (route->body != ROUTE_NO_BODY) {
        (void)snprintf(line, sizeof line, "  %s, at most %u bytes", body_of(route->body),
                       (unsigned)route->body_max);
        buf_append_text(out, line);
    }
    buf_append_byte(out, '\n');
}

static void append_all(struct buf *out, struct json_writer *w, bool wants_json)
{
    size_t i, j;

    for (i = 0; i < dialect_count; i++)
        for (j = 0; j < dialects[i]->route_count; j++) {
            if (wants_json)
                put_route(w, dialects[i]->name, &dialects[i]->routes[j]);
            else
                append_line(out, &dialects[i]->routes[j]);
        }
    for (i = 0; builtin_path(i); i++) {
        const struct dialect_route row = {.route = {.method = HTTP_GET, .path = builtin_path(i)}};
        if (wants_json)
            put_route(w, NULL, &row);
        else
            append_line(out, &row);
    }
}

int cli_routes(int argc, char **argv)
{
    bool wants_json = argc > 1 && strcmp(argv[1], "--json") == 0;
    struct json_writer w;
    struct buf out;
    bool is_good;

    if (argc > 1 && strcmp(argv[1], "--help") == 0) return print_help();
    if (argc > 1 + wants_json)
        return cli_fail(EXIT_USAGE, "there is no option %.40s; coatcheck routes --help lists them",
                        argv[1 + wants_json]);
    buf_init(&out, LIST_MAX);
    w = json_writer_on(&out);
    if (wants_json) {
        json_object_begin(&w);
        json_key(&w, "routes");
        json_array_begin(&w);
    }
    append_all(&out, &w, wants_json);
    if (wants_json) {
        json_array_end(&w);
        json_object_end(&w);
        buf_append_byte(&out, '\n');
    }
    is_good = !buf_error(&out) && fwrite(out.ptr, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buf_release(&out);
    return is_good ? EXIT_OK : cli_fail(EXIT_FAILED, "the list cannot be written");
}
