/* init.c — `coatcheck init`: a data folder for `coatcheck serve`, without any project yet. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/data.h"
#include "cli/options.h"
#include "cli/tell.h"
#include "service/master.h"

static int print_help(void)
{
    fputs(
        "usage: coatcheck init [--data DIR] [--json]\n\n"
        "Makes a data folder: the database, its key ring, and the master key that wraps it. A folder that "
        "holds\n"
        "a database already is refused and left as it is. With COATCHECK_MASTER_KEY in the environment (32\n"
        "bytes, base64url) no master.key is written.\n\n"
        "  --data DIR  the folder [COATCHECK_DATA, else " FOLDER_DEFAULT "]\n"
        "  --json      one line of JSON\n",
        stdout);
    return EXIT_OK;
}

static int tell_made(const struct folder *made, bool wants_json)
{
    const char *folder = made->path;
    char key[sizeof made->path + 16];
    bool has_key_file = !folder_file(key, sizeof key, made, MASTER_FILE) && access(key, F_OK) == 0;
    struct tell tell;

    tell_begin(&tell, wants_json);
    tell_line(&tell, "data", "%s", folder);
    tell_line(&tell, "database", "%s/" DATABASE_FILE, folder);
    if (has_key_file) tell_line(&tell, "master", "%s/" MASTER_FILE, folder);
    if (!tell_end(&tell)) return cli_fail(EXIT_FAILED, "the folder is made; the answer cannot be printed");
    if (!wants_json)
        printf("\nKeep a copy of the master key elsewhere: without it the data cannot be opened. Then:\n\n"
               "  coatcheck project create NAME --live --data %s\n"
               "  coatcheck serve --data %s --public-url https://auth.example.com\n",
               folder, folder);
    return EXIT_OK;
}

static int make(const char *path, bool wants_json)
{
    struct data data;
    int code;

    if (data_is_there(path))
        return cli_fail(EXIT_FAILED, "%.200s holds a database already: it is left as it is", path);
    code = data_open(&data, path, DATA_TO_MAKE);
    if (code) return code;
    code = tell_made(&data.folder, wants_json);
    data_close(&data);
    return code;
}

int cli_init(int argc, char **argv)
{
    struct options options = options_of(argc, argv);
    const char *data = NULL;
    bool wants_json = false;

    while (options_next(&options)) {
        if (strcmp(options.name, "help") == 0) return print_help();
        if (strcmp(options.name, "json") == 0 && !options.value) {
            wants_json = true;
            continue;
        }
        if (strcmp(options.name, "data") != 0)
            return cli_fail(EXIT_USAGE, "there is no option --%.40s; coatcheck init --help lists them",
                            options.name);
        data = options_value(&options);
        if (!data) return cli_fail(EXIT_USAGE, "--data needs a folder");
    }
    if (options.at < argc) return cli_fail(EXIT_USAGE, "\"%.40s\" is one word too many", argv[options.at]);
    return make(ask_folder(data), wants_json);
}
