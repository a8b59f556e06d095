#include "cli/check.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "service/ice.h"
#include "wire/json_read.h"
#include "wire/url.h"

/* Plain HTTP is for this machine alone: anywhere else the tokens would travel in clear. */
static bool is_local(const char *url)
{
    static const char *const hosts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    size_t i;

    for (i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t len = strlen(hosts[i]);
        if (strncmp(url, hosts[i], len) == 0 && (!url[len] || url[len] == ':')) return true;
    }
    return false;
}

static int check_public_url(const char *url)
{
    bool is_web = strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;

    if (!*url) return EXIT_OK;
    if (!is_web || !url_is_origin(bytes_of_text(url)))
        return cli_fail(EXIT_CONFIG,
                        "public_url must be https://host[:port], in lower case, without a path or a slash "
                        "at its end and without :443: not \"%.100s\"",
                        url);
    if (strncmp(url, "https://", 8) != 0 && !is_local(url))
        return cli_fail(EXIT_CONFIG,
                        "public_url must begin with https://: over plain http tokens can be read on the way");
    return EXIT_OK;
}

/* host[:port] as it stands in a URL. Judged as an origin, because that is what the client makes of it. */
static int check_ch(const char *ch)
{
    char url[CONFIG_TEXT_MAX + 8] = "wss://";

    if (!*ch) return EXIT_OK;
    memcpy(url + 6, ch, strlen(ch) + 1);
    if (url_is_origin(bytes_of_text(url))) return EXIT_OK;
    return cli_fail(EXIT_CONFIG, "ch must be host[:port], for example puc.example.com:8443, not \"%.100s\"",
                    ch);
}

static int check_ice_servers(const char *text)
{
    struct json document;
    bool is_list;

    if (json_read(&document, bytes_of_text(text)))
        return cli_fail(EXIT_CONFIG, "ice_servers is not JSON: \"%.100s\"", text);
    is_list = json_type_of(document) == JSON_IS_ARRAY;
    json_free(document);
    if (is_list) return EXIT_OK;
    return cli_fail(EXIT_CONFIG,
                    "ice_servers must be a JSON list, for example [{\"urls\":[\"stun:stun.example.com\"]}]");
}

/* A TURN URL of RFC 7065 without looking into it: browsers do, and refuse a whole list for one bad entry. */
static int check_turn(const struct config *config)
{
    struct bytes rest = bytes_of_text(config->turn_urls), url;
    unsigned count = 0;

    if (!*config->turn_urls != !*config->turn_secret)
        return cli_fail(EXIT_CONFIG, "turn_urls and turn_secret belong together: give both or neither");
    while (ice_next_url(&url, &rest)) {
        if (++count > ICE_TURN_URLS_MAX ||
            (!bytes_start_with(url, BYTES("turn:")) && !bytes_start_with(url, BYTES("turns:"))))
            return cli_fail(EXIT_CONFIG,
                            "turn_urls takes up to %d URLs such as turn:turn.example.com:3478, not \"%.*s\"",
                            ICE_TURN_URLS_MAX, (int)url.len, (const char *)url.ptr);
    }
    if (*config->turn_secret && strlen(config->turn_secret) < 16)
        return cli_fail(EXIT_CONFIG,
                        "turn_secret is too short to be a secret: make one with `openssl rand -hex 32`");
    return EXIT_OK;
}

static int check_file(const char *setting, const char *path, bool is_private)
{
    struct stat status;

    if (!*path) return EXIT_OK;
    if (stat(path, &status) < 0 || access(path, R_OK) < 0)
        return cli_fail(EXIT_CONFIG, "%s %.200s cannot be read: %s", setting, path, strerror(errno));
    if (is_private && (status.st_mode & 077))
        return cli_fail(EXIT_CONFIG,
                        "%s %.200s can be read by others: chmod 600 it, and change the key if they may have",
                        setting, path);
    return EXIT_OK;
}

int cli_check_settings(const struct config *config)
{
    int code = check_public_url(config->public_url);

    if (!code) code = check_ch(config->ch);
    if (!code) code = check_ice_servers(config->ice_servers);
    if (!code) code = check_turn(config);
    if (!code && !*config->tls_certificate != !*config->tls_key)
        code = cli_fail(EXIT_CONFIG, "tls_certificate and tls_key belong together: give both or neither");
    if (!code) code = check_file("tls_certificate", config->tls_certificate, false);
    if (!code) code = check_file("tls_key", config->tls_key, true);
    if (!code && *config->admin_token && strlen(config->admin_token) < 32)
        code = cli_fail(EXIT_CONFIG,
                        "admin_token is too short to be a secret: make one with `openssl rand -hex 32`");
    return code;
}
