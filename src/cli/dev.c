/* dev.c — `coatcheck dev`: a test project on this machine, its credentials, and the lines to
 * try them with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/check.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/pages.h"
#include "cli/run.h"
#include "cli/seed.h"
#include "server/showroom.h"
#include "server/stun.h"
#include "server/tls.h"
#include "wire/json_write.h"

#define PAGES_MAX 32
#define PATH_ROOM 4098 /* PATH_MAX and a "./" */

struct dev {
    struct running running;
    struct seed seed;
    bool wants_tls, wants_json;
    struct buf ice;       /* JSON array under way */
    struct buf line;      /* the contract line */
    struct buf page_line; /* that, and how the page's commands begin; in the start page alone */
    char url[128], tls_url[128], admin_url[128], ca_file[4200];
    struct page pages[PAGES_MAX];
};

static int print_help(void)
{
    fputs("usage: coatcheck dev [--port N|0] [--data DIR] [--tls] [--ice-server URL]... [--json]\n\n"
          "Makes (or reopens) a test project in DIR and serves it on 127.0.0.1.\n\n"
          "  --port N          plain HTTP and WebSocket [8787]; 0 takes free ports for everything\n"
          "  --data DIR        where the project lives [" FOLDER_DEFAULT "]; remove it to begin anew\n"
          "  --tls             HTTPS and WSS too [8443], with a throw-away CA for localhost names\n"
          "  --ice-server URL  a STUN or TURN server for clients; may be given several times;\n"
          "                    without any, one that lets two tabs of this machine talk\n"
          "  --json            one line of JSON on stdout once connections are accepted, and nothing else\n\n"
          "Every setting of `coatcheck serve --help` can be given by environment: COATCHECK_PARK_S=2 "
          "coatcheck dev\n",
          stdout);
    return EXIT_OK;
}

static int take_option(struct dev *dev, struct options *options, struct json_writer *ice)
{
    struct config *config = &dev->running.config;
    struct config_error error;
    const char *value;

    if (strcmp(options->name, "tls") == 0 && !options->value)
        dev->wants_tls = true;
    else if (strcmp(options->name, "json") == 0 && !options->value)
        dev->wants_json = true;
    else if (strcmp(options->name, "port") == 0 || strcmp(options->name, "data") == 0) {
        const char *name = options->name;
        value = options_value(options);
        if (!value) return cli_fail(EXIT_USAGE, "--%s needs a value", name);
        if (config_set(config, name, value, &error)) return cli_fail(EXIT_USAGE, "%s", error.why);
        if (strcmp(name, "port") == 0 && config->port == 0) config->tls_port = config->admin_port = 0;
    } else if (strcmp(options->name, "ice-server") == 0) {
        value = options_value(options);
        if (!value || (strncmp(value, "stun", 4) != 0 && strncmp(value, "turn", 4) != 0) ||
            !strchr(value, ':'))
            return cli_fail(EXIT_USAGE, "--ice-server needs a URL, for example stun:127.0.0.1:3478");
        json_object_begin(ice);
        json_key(ice, "urls");
        json_array_begin(ice);
        json_put_string(ice, bytes_of_text(value));
        json_array_end(ice);
        json_object_end(ice);
    } else
        return cli_fail(EXIT_USAGE, "there is no option --%.40s; coatcheck dev --help lists them",
                        options->name);
    return EXIT_OK;
}

static int read_options(struct dev *dev, int argc, char **argv)
{
    struct config *config = &dev->running.config;
    struct options options = options_of(argc, argv);
    struct json_writer ice = json_writer_on(&dev->ice);
    struct config_error error;
    int code;

    config_defaults(config);
    if (config_read_environment(config, &error)) return cli_fail(EXIT_CONFIG, "%s", error.why);
    json_array_begin(&ice);
    while (options_next(&options)) {
        if (strcmp(options.name, "help") == 0) return print_help();
        if ((code = take_option(dev, &options, &ice))) return code;
    }
    json_array_end(&ice);
    if (options.at < argc)
        return cli_fail(EXIT_USAGE, "\"%.40s\" is no option; coatcheck dev --help lists them",
                        argv[options.at]);
    if (!*config->data && config_set(config, "data", FOLDER_DEFAULT, &error))
        return cli_fail(EXIT_CONFIG, "%s", error.why);
    if (buf_error(&dev->ice) || dev->ice.len >= sizeof config->ice_servers)
        return cli_fail(EXIT_USAGE, "too many --ice-server options");
    if (dev->ice.len > 2) {
        memcpy(config->ice_servers, dev->ice.ptr, dev->ice.len);
        config->ice_servers[dev->ice.len] = 0;
    }
    return -1; /* go on */
}

/* A path as it must be typed in the folder that dev was started in: relative if it is below it. A program
 * beside us would be looked for on PATH, so that one gets a "./". */
static const char *typed(char out[PATH_ROOM], const char *path, bool is_program)
{
    char here[PATH_ROOM - 2];
    size_t len = getcwd(here, sizeof here) ? strlen(here) : 0;

    if (!len || strncmp(path, here, len) != 0 || path[len] != '/') return path;
    (void)snprintf(out, PATH_ROOM, "%s%s", is_program && !strchr(path + len + 1, '/') ? "./" : "",
                   path + len + 1);
    return out;
}

static void write_page_members(struct json_writer *w, const struct dev *dev)
{
    char program[PATH_ROOM], out[PATH_ROOM];
    const char *found = realpath("/proc/self/exe", program) ? program : NULL;

    json_key(w, "program");
    json_put_string(w, bytes_of_text(found ? typed(out, found, true) : "coatcheck"));
    json_key(w, "data");
    json_put_string(w, bytes_of_text(typed(out, dev->running.folder.path, false)));
}

static void write_line(const struct dev *dev, struct buf *line, bool is_for_page)
{
    const struct seed *seed = &dev->seed;
    const struct {
        const char *name, *value; /* NULL: null */
    } members[] = {
        {"url", dev->url},
        {"tls_url", dev->wants_tls ? dev->tls_url : NULL},
        {"ca_file", dev->wants_tls ? dev->ca_file : NULL},
        {"ch", dev->running.config.ch},
        {"admin_url", dev->admin_url},
        {"admin_token", dev->running.config.admin_token},
        {"project_id", seed->project_id},
        {"api_token", seed->api_token},
        {"client_id", seed->client_id},
        {"client_secret", seed->client_secret},
        {"secret_key", seed->secret_key},
        {"publishable_key", seed->publishable_key},
        {"c2c_token", seed->c2c_token},
        {"c2c_address", SEED_ADDRESS},
        {"address_id", seed->address_id},
        {"study_id", seed->study_id},
    };
    struct json_writer w = json_writer_on(line);
    size_t i;

    json_object_begin(&w);
    for (i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_key(&w, members[i].name);
        json_put_string_or_null(&w, bytes_of_text(members[i].value));
    }
    if (is_for_page) write_page_members(&w, dev);
    json_object_end(&w);
}

static void print_welcome(const struct dev *dev)
{
    const struct seed *seed = &dev->seed;

    printf("\nCoatcheck is running. Open %s/\n\n"
           "  project id   %s\n  api token    %s\n\n",
           dev->url, seed->project_id, seed->api_token);
    printf("Mint a token for a user of yours (a backend does this; the api token can act for any user):\n\n"
           "  curl -s %s/api/fabric/subscribers/tokens -u %s:%s \\\n"
           "       -H 'Content-Type: application/json' -d '{\"reference\":\"ada@example.com\"}'\n\n",
           dev->url, seed->project_id, seed->api_token);
    printf("Put the token of the answer into TOKEN and ask who its user is (a browser does this):\n\n"
           "  curl -s %s/api/fabric/subscriber/info -H \"Authorization: Bearer $TOKEN\"\n\n",
           dev->url);
    if (dev->wants_tls) printf("HTTPS and WSS: %s, signed by %s\n\n", dev->tls_url, dev->ca_file);
    printf("These credentials belong to a test project on this machine (%s). Ctrl-C stops it.\n",
           dev->running.folder.path);
    (void)fflush(stdout);
}

/* The pages of console/dev, and what they read: the contract line and how a command begins. */
static void set_pages(struct dev *dev)
{
    size_t i;

    for (i = 0; i < dev_page_count && i < PAGES_MAX - 1; i++)
        dev->pages[i] = dev_pages[i];
    dev->pages[i].path = BYTES("/dev/project.json");
    dev->pages[i].type = BYTES("application/json");
    dev->pages[i].content = buf_bytes(&dev->page_line);
    dev->running.node.pages = dev->pages;
    dev->running.node.page_count = i + 1;
    dev->running.node.openapi = openapi_document;
}

/* Tokens tell the browser where the socket is by `ch`; the client makes https://fabric.<rest> of it, so it
 * needs a name with a first label to replace. *.localhost is loopback in browsers, without any DNS. */
static void set_urls(struct dev *dev)
{
    struct config *config = &dev->running.config;
    const struct node *node = &dev->running.node;

    (void)snprintf(dev->url, sizeof dev->url, "http://127.0.0.1:%d", node->port);
    (void)snprintf(dev->tls_url, sizeof dev->tls_url, "https://coatcheck.localhost:%d", node->tls_port);
    (void)snprintf(dev->admin_url, sizeof dev->admin_url, "http://127.0.0.1:%d", node->admin_port);
    if (!*config->ch)
        (void)snprintf(config->ch, sizeof config->ch, "puc.coatcheck.localhost:%d",
                       dev->wants_tls ? node->tls_port : node->port);
    if (!*config->public_url) memcpy(config->public_url, dev->url, strlen(dev->url) + 1);
    if (!*config->admin_token)
        memcpy(config->admin_token, dev->seed.admin_token, strlen(dev->seed.admin_token) + 1);
}

static enum err open_tls(struct dev *dev, const char **why)
{
    struct running *running = &dev->running;
    char certificate[4200], key[4200];
    enum err e;

    if (!dev->wants_tls) return ERR_OK;
    TRY(e = tls_make_dev_files(running->folder.path, why), done);
    TRY(e = folder_file(dev->ca_file, sizeof dev->ca_file, &running->folder, "ca.pem"), done);
    TRY(e = folder_file(certificate, sizeof certificate, &running->folder, "tls.pem"), done);
    TRY(e = folder_file(key, sizeof key, &running->folder, "tls.key"), done);
    e = tls_open(&running->node.tls, certificate, key, why);
done:
    return e;
}

/* A browser sends no offer without an address that some STUN server told it, so a page could
 * not even ring. */
static enum err answer_stun(struct dev *dev, const char **why)
{
    struct config *config = &dev->running.config;
    const struct node *node = &dev->running.node;
    int port;
    enum err e;

    if (strcmp(config->ice_servers, "[]") != 0 || *config->turn_urls) return ERR_OK;
    e = stun_answer(&port, node->lanes[0]->loop, config->host, 0, why);
    if (!e)
        (void)snprintf(config->ice_servers, sizeof config->ice_servers,
                       "[{\"urls\":[\"stun:127.0.0.1:%d\"]}]", port);
    return e;
}

/* What the start page shows beside the credentials: before the lanes run, so that they find it there. */
static enum err open_showroom(struct dev *dev)
{
    struct uuid project;
    enum err e = uuid_read(&project, bytes_of_text(dev->seed.project_id));

    return e ? e : showroom_open(&dev->running.node, &project);
}

static int start(struct dev *dev)
{
    struct running *running = &dev->running;
    const struct host *host = host_machine();
    const char *why = "the test project cannot be made: is seed.json in the data folder damaged?";
    enum err e;
    int code = run_open_data(running);

    if (code) return code;
    TRY(e = seed_open(&dev->seed, &running->folder, running->node.store, running->node.ring, &host->dice,
                      host->wall_ms(host->state)),
        failed);
    TRY(e = open_tls(dev, &why), failed);
    TRY(e = node_listen(&running->node, &why), failed);
    TRY(e = answer_stun(dev, &why), failed);
    why = "not enough memory";
    TRY(e = open_showroom(dev), failed);
    set_urls(dev);
    write_line(dev, &dev->line, false);
    write_line(dev, &dev->page_line, true);
    why = "not enough memory";
    TRY(e = buf_error(&dev->line), failed);
    TRY(e = buf_error(&dev->page_line), failed);
    set_pages(dev);
    TRY(e = node_start(&running->node, &why), failed);
    TRY(e = run_settle(running, &why), failed);
    if (dev->wants_json) {
        printf("%.*s\n", (int)dev->line.len, (const char *)dev->line.ptr);
        (void)fflush(stdout);
    } else
        print_welcome(dev);
    return run_until_signal(running);
failed:
    return run_give_up(running, e, why);
}

int cli_dev(int argc, char **argv)
{
    static struct dev dev; /* large; one a process */
    int code;

    buf_init(&dev.ice, CONFIG_TEXT_MAX);
    buf_init(&dev.line, 8192);
    buf_init(&dev.page_line, 65536);
    code = read_options(&dev, argc, argv);
    if (code >= 0) goto done;
    code = cli_check_settings(&dev.running.config);
    if (code) goto done;
    run_prepare(&dev.running.config);
    code = start(&dev);
done:
    buf_wipe(&dev.line);
    buf_wipe(&dev.page_line);
    buf_release(&dev.ice);
    return code;
}
