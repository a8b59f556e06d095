#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "server/loop.h"
#include "store/store.h"
#include "token/crypto.h"

const struct command commands[] = {
    {"dev", "a test project with credentials, on this machine, in one command", cli_dev},
    {"serve", "the server", cli_serve},
    {"init", "makes a data folder for serve", cli_init},
    {"project", "tenants, and what they may set: project create NAME", cli_project},
    {"key", "what backends authenticate with: key create api-token", cli_key},
    {"origin", "the pages that may use a project's tokens: origin add URL", cli_origin},
    {"user", "whom a project knows: user list, show, delete", cli_user},
    {"resource", "click-to-call buttons and rooms: resource create", cli_resource},
    {"address", "what can be dialled: address list", cli_address},
    {"study", "what participants are asked: study create TITLE", cli_study},
    {"why", "what was wrong with a request, by the error id of its answer", cli_why},
    {"token", "what a token is, and whether it is ours: token inspect", cli_token},
    {"clock", "what time it is for the server; moves a test project's forward", cli_clock},
    {"revoke", "ends everything of a user, key, family, resource or project", cli_revoke},
    {"keyring", "the keys that sign and seal: their states, rotation, the master key", cli_keyring},
    {"backup", "a copy of the database in one file, also while the server runs", cli_backup},
    {"restore", "a data folder from a backup; everything granted before is void", cli_restore},
    {"routes", "every public path: method, credential, body and its limit", cli_routes},
    {"version", "which version this is, and of which libraries", cli_version},
};
const unsigned command_count = sizeof commands / sizeof commands[0];

int cli_fail(enum exit_code code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("coatcheck: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return (int)code;
}

static int print_help(FILE *out, int code)
{
    unsigned i;

    fputs("Coatcheck turns a backend's secret into a browser's token, and a token into a session.\n\n"
          "usage: coatcheck COMMAND [OPTIONS]\n\n",
          out);
    for (i = 0; i < command_count; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("\ncoatcheck COMMAND --help tells the options of each.\n\n"
          "exit codes: 0 fine, 1 failed, 2 wrong usage, 3 wrong configuration, 4 data folder in use,\n"
          "            5 data damaged or too new, 6 cannot listen\n",
          out);
    return code;
}

int cli_version(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--help") != 0)
        return cli_fail(EXIT_USAGE, "version takes no options, not \"%.40s\"", argv[1]);
    printf("coatcheck %s\n", COATCHECK_VERSION);
    if (argc == 1) printf("%s, SQLite %s, libuv %s\n", crypto_library(), store_library(), loop_library());
    return EXIT_OK;
}

int cli_main(int argc, char **argv)
{
    unsigned i;

    /* Most commands open keys, and others are given secrets: none may be dumped, or traced by its own user. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    if (argc < 2) return print_help(stderr, EXIT_USAGE);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return print_help(stdout, EXIT_OK);
    if (strcmp(argv[1], "--version") == 0) return cli_version(1, argv);
    for (i = 0; i < command_count; i++)
        if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
    return cli_fail(EXIT_USAGE, "there is no command \"%.40s\"; coatcheck --help lists them", argv[1]);
}
