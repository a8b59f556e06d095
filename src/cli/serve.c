/* serve.c — `coatcheck serve`: the server, from a configuration file, the environment and options. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/check.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/pages.h"
#include "cli/run.h"

static int print_help(void)
{
    fputs("usage: coatcheck serve --data DIR --public-url URL [--config FILE] [--NAME VALUE]...\n\n"
          "Settings come from the file (name = value), then from the environment (COATCHECK_NAME), then from "
          "options;\n"
          "later ones win. An option's dashes may stand for the name's underscores.\n\n",
          stdout);
    config_print_help(stdout);
    fputs("\nThe master key comes from COATCHECK_MASTER_KEY (32 bytes, base64url) or from the file "
          "master.key in the\n"
          "data folder, which is made at the first start. Keep a copy of it: without it the data cannot be "
          "opened.\n",
          stdout);
    return EXIT_OK;
}

static void to_setting_name(char *out, size_t size, const char *option)
{
    size_t i;

    for (i = 0; option[i] && i + 1 < size; i++)
        out[i] = option[i] == '-' ? '_' : option[i];
    out[i] = 0;
}

/* The file is read first, wherever it stands, because everything else wins over it. */
static enum err read_config_option(struct config *config, int argc, char **argv, struct config_error *error)
{
    struct options options = options_of(argc, argv);

    while (options_next(&options)) {
        const char *value = options_value(&options);
        if (strcmp(options.name, "config") == 0 && value) return config_read_file(config, value, error);
    }
    return ERR_OK;
}

static enum err read_options(struct config *config, int argc, char **argv, struct config_error *error)
{
    struct options options = options_of(argc, argv);

    while (options_next(&options)) {
        const char *value = options_value(&options);
        char name[64];
        to_setting_name(name, sizeof name, options.name);
        if (!value && (config_has(name) || strcmp(name, "config") == 0)) {
            (void)snprintf(error->why, sizeof error->why, "--%.40s needs a value", options.name);
            return ERR_CONFIG;
        }
        if (strcmp(name, "config") != 0 && config_set(config, name, value ? value : "", error))
            return ERR_CONFIG;
    }
    if (options.at == options.argc) return ERR_OK;
    (void)snprintf(error->why, sizeof error->why, "\"%.40s\" is no option; coatcheck serve --help lists them",
                   argv[options.at]);
    return ERR_CONFIG;
}

static int check(const struct config *config)
{
    if (!*config->data)
        return cli_fail(EXIT_CONFIG, "--data is missing: the folder for the database and keys");
    if (!*config->public_url)
        return cli_fail(
            EXIT_CONFIG,
            "--public-url is missing: the URL clients will use, for example https://auth.example.com");
    return cli_check_settings(config);
}

static int start(struct running *running)
{
    const char *why = "";
    enum err e = ERR_OK;
    int code = run_open_data(running);

    if (code) return code;
    if (*running->config.tls_certificate &&
        tls_open(&running->node.tls, running->config.tls_certificate, running->config.tls_key, &why))
        return run_give_up(running, ERR_CONFIG, why);
    running->node.openapi = openapi_document;
    TRY(e = node_listen(&running->node, &why), failed);
    TRY(e = node_start(&running->node, &why), failed);
    TRY(e = run_settle(running, &why), failed);
    log_info("listening", log_text("url", running->config.public_url), log_text("host", running->config.host),
             log_number("port", running->node.port), log_number("tls_port", running->node.tls_port),
             log_number("admin_port", running->node.admin_port),
             log_number("loops", running->node.lane_count));
    return run_until_signal(running);
failed:
    return run_give_up(running, e, why);
}

int cli_serve(int argc, char **argv)
{
    static struct running running; /* large; one a process */
    struct config_error error;
    int i, code;

    for (i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) return print_help();
    config_defaults(&running.config);
    if (read_config_option(&running.config, argc, argv, &error) ||
        config_read_environment(&running.config, &error) || read_options(&running.config, argc, argv, &error))
        return cli_fail(EXIT_CONFIG, "%s", error.why);
    code = check(&running.config);
    if (code) return code;
    run_prepare(&running.config);
    if (geteuid() == 0)
        log_warn("running_as_root", log_text("fix", "give it a user of its own, see docs/operating.md"));
    return start(&running);
}
