#include "pages.h"
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILE_MAX (1024 * 1024)

static const char *const types[][2] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
};

size_t text_collect(char *bytes, size_t size, size_t count, void *into)
{
    struct text *text = into;

    count *= size;
    if (text->length > sizeof text->bytes || count > sizeof text->bytes - text->length) {
        text->length = sizeof text->bytes + 1;
        return count;
    }
    memcpy(text->bytes + text->length, bytes, count);
    text->length += count;
    return count;
}

const char *ask_header(const struct ask *ask, const char *name)
{
    return MHD_lookup_connection_value(ask->connection, MHD_HEADER_KIND, name);
}

const char *ask_cookie(const struct ask *ask, const char *name)
{
    return MHD_lookup_connection_value(ask->connection, MHD_COOKIE_KIND, name);
}

unsigned refuse(json_t **out, unsigned status, const char *code)
{
    *out = json_pack("{s:s}", "error", code);
    return status;
}

unsigned good(json_t **out, json_t *value)
{
    *out = value;
    return 200;
}

bool is_text(const json_t *value, size_t letters_max)
{
    const char *text = json_string_value(value);
    size_t letters = 0;

    for (const char *c = text ? text : ""; *c; c++)
        letters += (*c & 0xc0) != 0x80;
    return text && text[strspn(text, " \t\r\n")] && letters <= letters_max;
}

/* Takes the bytes. headers: names and values by turns; an empty value is left out. */
static enum MHD_Result send_bytes(const struct ask *ask, unsigned status, char *bytes, size_t length,
                                  const char *const headers[][2])
{
    struct MHD_Response *response = MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE);
    enum MHD_Result result;

    if (!response) free(bytes);
    if (!response) return MHD_NO;
    for (; (*headers)[0]; headers++)
        if (*(*headers)[1]) MHD_add_response_header(response, (*headers)[0], (*headers)[1]);
    result = MHD_queue_response(ask->connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* Lets the value go. Tokens are never kept by a cache on their way. */
static enum MHD_Result send_json(const struct ask *ask, unsigned status, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    const char *const headers[][2] = {{"Content-Type", "application/json"},
                                      {"Cache-Control", "no-store"},
                                      {"Set-Cookie", text ? ask->cookie : ""},
                                      {NULL, NULL}};

    json_decref(value);
    return send_bytes(ask, text ? status : 500, text, text ? strlen(text) : 0, headers);
}

static enum MHD_Result send_refusal(const struct ask *ask, unsigned status, const char *code)
{
    json_t *body = NULL;

    status = refuse(&body, status, code);
    return send_json(ask, status, body);
}

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *bytes = file ? malloc(FILE_MAX) : NULL;

    *length = bytes ? fread(bytes, 1, FILE_MAX, file) : 0;
    if (file) fclose(file);
    if (bytes && *length) return bytes;
    free(bytes);
    return NULL;
}

/* `/` is index.html. A path that climbs is no path of ours, nor is one without a slash in front: it would be
 * the rest of the folder's own name. */
static enum MHD_Result send_file(const struct site *site, const struct ask *ask, const char *path)
{
    bool is_package = strncmp(path, "/coatcheck/", 11) == 0;
    const char *type = NULL, *ending;
    char name[512], *bytes;
    size_t length;
    int wanted;

    if (*path != '/' || strstr(path, "..")) return send_refusal(ask, 404, "not_found");
    wanted = snprintf(name, sizeof name, "%s%s%s", is_package ? site->package : site->folder,
                      is_package ? path + 10 : path, path[strlen(path) - 1] == '/' ? "index.html" : "");
    ending = strrchr(name, '.');
    for (size_t i = 0; ending && i < sizeof types / sizeof *types; i++)
        if (strcmp(ending, types[i][0]) == 0) type = types[i][1];
    if (!type || wanted >= (int)sizeof name) return send_refusal(ask, 404, "not_found");
    bytes = read_file(name, &length);
    if (!bytes) return send_refusal(ask, 404, "not_found");
    return send_bytes(ask, 200, bytes, length,
                      (const char *const[][2]){{"Content-Type", type},
                                               {"Cache-Control", "no-cache"},
                                               {"X-Content-Type-Options", "nosniff"},
                                               {"Referrer-Policy", "no-referrer"},
                                               {"Content-Security-Policy", site->policy},
                                               {NULL, NULL}});
}

/* False for a request that another site's page has sent with this user's cookie. */
static bool is_our_page(const struct ask *ask)
{
    const char *origin = ask_header(ask, "Origin"), *host = ask_header(ask, "Host");
    const char *from = ask_header(ask, "Sec-Fetch-Site");

    if (!origin) return !from || strcmp(from, "cross-site") != 0;
    if (strncmp(origin, "http://", 7) == 0) return host && strcmp(origin + 7, host) == 0;
    return strncmp(origin, "https://", 8) == 0 && host && strcmp(origin + 8, host) == 0;
}

static enum MHD_Result answer_route(const struct route *route, struct ask *ask)
{
    json_t *out = NULL;
    unsigned status;
    bool is_get = strcmp(route->method, "GET") == 0;

    if (!is_get && !is_our_page(ask)) return send_refusal(ask, 403, "another_site");
    if (is_get || !ask->text.length)
        ask->body = json_object();
    else if (ask->text.length <= sizeof ask->text.bytes)
        ask->body = json_loadb(ask->text.bytes, ask->text.length, 0, NULL);
    if (!json_is_object(ask->body)) return send_refusal(ask, 400, "wrong_body");
    status = route->answer(&out, ask);
    return send_json(ask, status, out);
}

static enum MHD_Result answer(const struct site *site, struct ask *ask, const char *method, const char *path)
{
    const char *host = ask_header(ask, "Host");
    char home[80];

    snprintf(home, sizeof home, "%s/", site->origin);
    if (site->is_one_name && (!host || strcmp(host, site->origin + 7) != 0))
        return send_bytes(ask, 308, NULL, 0, (const char *const[][2]){{"Location", home}, {NULL, NULL}});
    for (const struct route *route = site->routes; route->method; route++)
        if (strcmp(route->method, method) == 0 && strcmp(route->path, path) == 0)
            return answer_route(route, ask);
    if (strcmp(method, "GET") != 0 || strncmp(path, "/api/", 5) == 0)
        return send_refusal(ask, 404, "not_found");
    return send_file(site, ask, path);
}

/* Called at the head, for each part of the body, and at the end. */
static enum MHD_Result hear(void *cls, struct MHD_Connection *connection, const char *path,
                            const char *method, const char *version, const char *upload, size_t *upload_size,
                            void **state)
{
    struct ask *ask = *state;

    (void)version;
    if (!ask) {
        *state = ask = calloc(1, sizeof *ask);
        if (ask) ask->connection = connection;
        return ask ? MHD_YES : MHD_NO;
    }
    if (*upload_size) {
        text_collect((char *)upload, 1, *upload_size, &ask->text);
        *upload_size = 0;
        return MHD_YES;
    }
    return answer(cls, ask, method, path);
}

static void forget(void *cls, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode why)
{
    struct ask *ask = *state;

    (void)cls, (void)connection, (void)why;
    if (ask) json_decref(ask->body);
    free(ask);
    *state = NULL;
}

/* A path is looked at as it came: what is escaped in it is no path of ours. */
static size_t leave_escaped(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls, (void)connection;
    return strlen(text);
}

bool site_listen(struct site *site, const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int on = 1;

    at.sin_port = htons((uint16_t)strtoul(port ? port : "0", NULL, 10));
    site->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (site->socket < 0) return false;
    setsockopt(site->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(site->socket, (struct sockaddr *)&at, sizeof at) || listen(site->socket, 64) ||
        getsockname(site->socket, (struct sockaddr *)&at, &length)) {
        close(site->socket);
        return false;
    }
    snprintf(site->origin, sizeof site->origin, "http://%s:%u", site->host, ntohs(at.sin_port));
    return true;
}

bool site_serve(struct site *site)
{
    site->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, hear, site, //
                                    MHD_OPTION_LISTEN_SOCKET, site->socket,                     //
                                    MHD_OPTION_NOTIFY_COMPLETED, forget, NULL,                  //
                                    MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,          //
                                    MHD_OPTION_CONNECTION_LIMIT, 200u, MHD_OPTION_CONNECTION_TIMEOUT, 60u,
                                    MHD_OPTION_END);
    return site->daemon;
}

void site_stop(struct site *site)
{
    if (site->daemon) MHD_stop_daemon(site->daemon); /* closes the socket, too */
}

const char *setting(const char *name)
{
    const char *value = getenv(name);

    if (value && *value) return value;
    fprintf(stderr, "this backend needs %s in its environment\n", name);
    return NULL;
}

static sigset_t ends(void)
{
    sigset_t all;

    sigemptyset(&all);
    sigaddset(&all, SIGTERM);
    sigaddset(&all, SIGINT);
    return all;
}

void signals_hold(void)
{
    sigset_t all = ends();

    pthread_sigmask(SIG_BLOCK, &all, NULL);
}

void signals_await(void)
{
    sigset_t all = ends();
    int which;

    sigwait(&all, &which);
}
