/* backup.c — `coatcheck backup` and `coatcheck restore`: a copy of a data folder's database, also while a
 * server runs, and the way back. Both work on the files themselves: a server may write its own folder only,
 * and a restore is for when none runs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/folder.h"
#include "cli/options.h"
#include "server/host.h"
#include "store/backup.h"

#define TELL_EACH_BYTES ((int64_t)64 << 20) /* a smaller one is done before anybody wonders */

struct file_order {
    const char *file, *data;
    bool replaces, wants_json;
};

static int print_backup_help(void)
{
    fputs(
        "usage: coatcheck backup FILE [--data DIR] [--replace] [--json]\n\n"
        "Writes one file, readable for its owner only, with the whole database of one moment in it, also "
        "while the\n"
        "server runs: nobody waits for it. It gets its name when it is complete, synced and checked.\n\n"
        "  FILE        where to; the folder must be there\n"
        "  --data DIR  the server's data folder [COATCHECK_DATA, else " FOLDER_DEFAULT "]\n"
        "  --replace   FILE may be there already, if it is a backup\n"
        "  --json      one line of JSON\n\n"
        "The keys in it are wrapped under the master key, which is not in it: keep that somewhere else, for "
        "nothing\n"
        "can be restored without it.\n",
        stdout);
    return EXIT_OK;
}

static int print_restore_help(void)
{
    fputs("usage: coatcheck restore FILE --data DIR [--replace] [--json]\n\n"
          "Makes the database of a data folder from a backup. No server may run there. Everything granted "
          "before "
          "is\n"
          "void afterwards: all tokens, refresh tokens and tickets of all projects, because nobody knows "
          "which of "
          "them\n"
          "were used or revoked since the backup. Users, keys and settings are as they were when it was "
          "made.\n\n"
          "  FILE        a file that coatcheck backup has made\n"
          "  --data DIR  the data folder; made if there is none\n"
          "  --replace   there may be a database: it is put aside as coatcheck.db.replaced-1, -2, ...\n"
          "  --json      one line of JSON\n\n"
          "The folder needs the master key that belongs to the backup before the server starts.\n",
          stdout);
    return EXIT_OK;
}

static int read_words(struct file_order *order, int argc, char **argv)
{
    struct options options = options_of(argc, argv);
    bool is_backup = strcmp(argv[0], "backup") == 0;

    while (options.at < argc) {
        if (!options_next(&options)) {
            if (order->file) return cli_fail(EXIT_USAGE, "\"%.40s\" is one word too many", argv[options.at]);
            order->file = argv[options.at++];
        } else if (strcmp(options.name, "help") == 0)
            return is_backup ? print_backup_help() : print_restore_help();
        else if (strcmp(options.name, "json") == 0 && !options.value)
            order->wants_json = true;
        else if (strcmp(options.name, "replace") == 0 && !options.value)
            order->replaces = true;
        else if (strcmp(options.name, "data") == 0) {
            if (!(order->data = options_value(&options))) return cli_fail(EXIT_USAGE, "--data needs a value");
        } else
            return cli_fail(EXIT_USAGE, "there is no option --%.40s; coatcheck %s --help lists them",
                            options.name, argv[0]);
    }
    if (order->file && *order->file) return -1; /* go on */
    return cli_fail(EXIT_USAGE, "%s coatcheck %s FILE --data DIR", is_backup ? "where to?" : "from what?",
                    argv[0]);
}

static enum exit_code code_of(enum err e)
{
    if (e == ERR_CORRUPT || e == ERR_STORE_NEWER) return EXIT_DATA;
    return e == ERR_LOCKED ? EXIT_LOCKED : EXIT_FAILED;
}

static int folder_failed(const struct folder *folder, const char *data, enum err e)
{
    if (e == ERR_LOCKED)
        return cli_fail(EXIT_LOCKED, "%s: coatcheck (pid %ld) runs here: stop it first", folder->path,
                        folder->holder);
    if (e == ERR_CONFIG) return cli_fail(EXIT_CONFIG, "%.200s can be written by others: chmod go-w it", data);
    return cli_fail(EXIT_FAILED, "%.200s cannot be used: %s", data, strerror(folder->error));
}

/* ---- backup ---- */

/* A line for each so many bytes: it is read in logs as often as on a screen. */
static void tell_progress(void *state, int64_t bytes, int64_t bytes_in_all)
{
    int64_t *told = state;

    if (bytes - *told < TELL_EACH_BYTES) return;
    *told = bytes;
    fprintf(stderr, "coatcheck: %" PRId64 " of %" PRId64 " MiB copied\n", bytes >> 20, bytes_in_all >> 20);
}

/* Beside a server the copy is made without its lock; where none runs, none may start meanwhile. */
static enum err enter(bool *is_alone, struct folder *folder, const char *database, const char *data)
{
    enum err e;

    *is_alone = false;
    folder->lock = -1;
    if (access(database, F_OK) != 0) return ERR_OK; /* told below; no folder is made */
    e = folder_open(folder, data);
    *is_alone = e == ERR_OK;
    return e == ERR_LOCKED ? ERR_OK : e;
}

int cli_backup(int argc, char **argv)
{
    struct file_order order = {.file = NULL};
    struct folder folder;
    char from[4200];
    int64_t told = 0;
    struct store_backup backup = {.from = from, .tell = tell_progress, .state = &told};
    const char *why, *data;
    int len, code = read_words(&order, argc, argv);
    enum err e;

    if (code >= 0) return code;
    data = ask_folder(order.data);
    backup.to = order.file;
    backup.replaces = order.replaces;
    len = snprintf(from, sizeof from, "%s/coatcheck.db", data);
    if (len < 0 || len >= (int)sizeof from)
        return cli_fail(EXIT_FAILED, "the name of the data folder is too long");
    e = enter(&backup.is_alone, &folder, from, data);
    if (e) return folder_failed(&folder, data, e);
    e = store_back_up(&backup, &why);
    folder_close(&folder);
    if (e) return cli_fail(code_of(e), "%.200s to %.200s: %s", data, order.file, why);
    len = order.wants_json ? printf("{\"bytes\":%" PRId64 "}\n", backup.bytes)
                           : printf("%.200s holds all of %.200s: %" PRId64
                                    " bytes, checked. Keep the master key elsewhere: it is "
                                    "not in it, and nothing can be restored without it.\n",
                                    order.file, data, backup.bytes);
    if (len > 0 && fflush(stdout) == 0) return EXIT_OK;
    return cli_fail(EXIT_FAILED, "the backup is made; the answer cannot be printed");
}

/* ---- restore ---- */

static bool has_master_key(const struct folder *folder)
{
    char path[sizeof folder->path + 16];

    return !folder_file(path, sizeof path, folder, "master.key") && access(path, F_OK) == 0;
}

static int print_restored(const struct file_order *order, const struct store_restore *done,
                          const struct folder *folder)
{
    bool has_key = has_master_key(folder);
    int len;

    if (order->wants_json)
        len = printf("{\"projects\":%" PRId64 ",\"users\":%" PRId64 ",\"schema\":%" PRId64
                     ",\"epoch\":%" PRId64 ",\"cut_ms\":%" PRId64 ",\"replaced\":%u,\"has_master_key\":%s}\n",
                     done->projects, done->users, done->schema, done->epoch, done->cut_ms, done->aside,
                     has_key ? "true" : "false");
    else {
        len = printf(
            "%s is restored: %" PRId64 " projects, %" PRId64 " users, from schema %" PRId64 "\n"
            "  everybody signs in again: every token, refresh token and ticket granted before is void\n"
            "  keys, origins, users and settings are those of the backup: what was retired, dropped or\n"
            "  deleted since is back, and has to be retired, dropped or deleted again\n",
            folder->path, done->projects, done->users, done->schema);
        if (done->aside) printf("  what was there is coatcheck.db.replaced-%u now\n", done->aside);
        if (done->is_blind)
            puts("  it could not be read: if its clock was ahead of this one's, tokens of that time are not "
                 "void");
        if (!has_key)
            puts(
                "  there is no master.key here: put the one that belongs to this backup here, or give it by\n"
                "  COATCHECK_MASTER_KEY, before the server starts");
    }
    if (len > 0 && fflush(stdout) == 0) return EXIT_OK;
    return cli_fail(EXIT_FAILED, "it is restored; the answer cannot be printed");
}

int cli_restore(int argc, char **argv)
{
    struct file_order order = {.file = NULL};
    struct folder folder;
    char to[sizeof folder.path + 32];
    struct store_restore restore = {.to = to};
    const char *why = "its name is too long";
    int code = read_words(&order, argc, argv);
    enum err e;

    if (code >= 0) return code;
    if (!order.file || !order.data)
        return cli_fail(EXIT_USAGE,
                        "what, and where to? coatcheck restore FILE --data DIR; the folder is always named, "
                        "so that none is filled by mistake");
    if (access(order.file, R_OK) != 0) /* before a folder is made */
        return cli_fail(EXIT_FAILED, "%.200s: %s: name a file that coatcheck backup has made", order.file,
                        strerror(errno));
    e = folder_open(&folder, order.data);
    if (e) return folder_failed(&folder, order.data, e);
    restore.from = order.file;
    restore.replaces = order.replaces;
    restore.now_ms = host_machine()->wall_ms(host_machine()->state);
    e = folder_file(to, sizeof to, &folder, "coatcheck.db");
    if (!e) e = store_restore(&restore, &why);
    code = e ? cli_fail(code_of(e), "%.200s into %s: %s", order.file, folder.path, why)
             : print_restored(&order, &restore, &folder);
    folder_close(&folder);
    return code;
}
