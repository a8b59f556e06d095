/* rewrap.c — `coatcheck keyring rewrap`: every stored key under another master key.
 *
 * Three durable steps, so that whoever is killed in between loses nothing: the new key is written beside the
 * present one (master.key.new), all keys are rewrapped in one commit, the new file takes the place of the old
 * one. A start in between finds out which of the two opens the ring (unlock.c); the same command again goes
 * on where it was. Where the master key comes from the environment there is no file to replace, and one is
 * there only while a running server reads it. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/data.h"
#include "cli/clock.h"
#include "cli/keyring.h"
#include "cli/unlock.h"
#include "server/host.h"
#include "service/master.h"

#define VARIABLE "COATCHECK_NEW_MASTER_KEY"

struct rewrap {
    const char *folder, *new_key;
    struct secret *next;
    char next_path[PATH_MAX];
    bool is_running, is_given, has_file; /* the server; the present key by the environment; master.key.new */
};

static int failed(const struct rewrap *it, const char *why)
{
    return cli_fail(EXIT_FAILED, "%.200s: %s", it->folder, why);
}

/* An exit code, or -1. */
static int find_server(struct rewrap *it)
{
    struct json answer;
    enum ask_end end = ask_server(&answer, it->folder, BYTES("{\"command\":\"keys\"}"));

    if (end == ASK_NO_SERVER) {
        it->is_given = master_is_given();
        return -1;
    }
    if (end) return failed(it, ask_end_text(end));
    it->is_running = true;
    it->is_given = bytes_equal(json_text(json_member(answer, "master")), BYTES("environment"));
    json_free(answer);
    return -1;
}

static enum err load_given(struct secret *out, const char *new_key, const char **why)
{
    return new_key ? master_load_from(out, new_key, why) : master_load_variable(out, VARIABLE, why);
}

/* A change that was begun is gone on with: its key may be the only one that opens the ring by now. */
static int take_begun(struct rewrap *it, bool is_told)
{
    struct secret *given;
    const char *why;
    bool is_other = false;

    if (master_load_next(it->next, it->folder, &why)) return failed(it, why);
    it->has_file = true;
    if (!is_told) return -1;
    if (!(given = secret_new())) return failed(it, "not enough memory");
    is_other = load_given(given, it->new_key, &why) || !secret_equal(given, it->next);
    secret_free(given);
    if (is_other)
        return failed(it, "a change to another master key was begun: its key is in " MASTER_NEXT_FILE
                          ". Finish it first, by keyring rewrap without a key");
    return -1;
}

static int choose_key(struct rewrap *it)
{
    bool is_told = it->new_key || master_has_variable(VARIABLE);
    const char *why;

    if (access(it->next_path, F_OK) == 0) return take_begun(it, is_told);
    if (is_told) return load_given(it->next, it->new_key, &why) ? failed(it, why) : -1;
    if (it->is_given)
        return cli_fail(EXIT_USAGE, "the master key is given by the environment: give the new one too, by "
                                    "--new-key FILE or " VARIABLE);
    return master_draw(it->next, &host_machine()->dice) ? failed(it, "not enough memory") : -1;
}

static int write_file(struct rewrap *it)
{
    if (it->has_file || (it->is_given && !it->is_running)) return -1;
    if (master_write(it->next_path, it->next) || unlock_sync(it->folder))
        return failed(it, MASTER_NEXT_FILE " cannot be written");
    it->has_file = true;
    return -1;
}

static enum err rewrap_in_store(struct store *store, const struct unlocked *unlocked,
                                const struct secret *next)
{
    struct write writes[KEYRING_KEYS_MAX];
    struct row rows[KEYRING_KEYS_MAX];
    struct arena arena;
    size_t count;
    enum err e;

    arena_init(&arena, 65536);
    TRY(e = keyring_rewrap(writes, &count, unlocked->ring, next, &arena), done);
    e = store_commit_wait(store, writes, count, rows, &arena);
done:
    arena_release(&arena);
    return e;
}

static int rewrap_folder(void *state, struct store *store)
{
    struct rewrap *it = state;
    struct unlocked unlocked = {.ring = NULL};
    const char *why = "the store did not take it; the present master key stays";
    enum err e = unlock(&unlocked, it->folder, store, false, &why);

    if (!e) {
        /* what was begun may have been finished by unlocking */
        it->has_file = access(it->next_path, F_OK) == 0;
        e = rewrap_in_store(store, &unlocked, it->next);
    }
    lock(&unlocked);
    return e ? failed(it, why) : -1;
}

static int rewrap_server(struct rewrap *it)
{
    struct json answer, refused;
    char text[256];
    enum ask_end end =
        ask_server(&answer, it->folder, BYTES("{\"command\":\"keyring\",\"want\":\"rewrap\"}"));

    if (end) return failed(it, ask_end_text(end));
    refused = json_member(answer, "refused");
    (void)snprintf(text, sizeof text, "%.*s", (int)json_text(refused).len,
                   json_text(refused).ptr ? (const char *)json_text(refused).ptr : "");
    json_free(answer);
    return *text ? failed(it, text) : -1;
}

static int put_away(const struct rewrap *it)
{
    if (!it->has_file) return -1;
    if (!it->is_given && unlock_put_in_place(it->folder))
        return failed(it,
                      "the keys are rewrapped, but " MASTER_NEXT_FILE " cannot take the place of " MASTER_FILE
                      ": rename it, nothing else opens the keys");
    if (it->is_given && unlink(it->next_path) < 0)
        return failed(it, "the keys are rewrapped; delete " MASTER_NEXT_FILE);
    return -1;
}

static int print_done(const struct rewrap *it, bool wants_json)
{
    int len =
        wants_json
            ? printf("{\"rewrapped\":true,\"master\":\"%s\"}\n", it->is_given ? "environment" : "file")
            : printf("every key is wrapped under the new master key%s; copies of the database made "
                     "before open with the old one alone\n",
                     it->is_given ? ", which the next start must be given" : ", which is in " MASTER_FILE);

    if (len > 0 && fflush(stdout) == 0) return EXIT_OK;
    return cli_fail(EXIT_FAILED, "the keys are rewrapped; the answer cannot be printed");
}

static int rewrap(struct rewrap *it, bool wants_json)
{
    int code = find_server(it);

    if (code < 0) code = choose_key(it);
    if (code < 0) code = write_file(it);
    if (code < 0) code = it->is_running ? rewrap_server(it) : data_with_store(it->folder, rewrap_folder, it);
    if (code < 0) code = put_away(it);
    return code < 0 ? print_done(it, wants_json) : code;
}

int keyring_rewrap_master(const char *folder, const char *new_key, bool wants_json)
{
    struct rewrap it = {.folder = folder, .new_key = new_key, .next = secret_new()};
    int code;

    if (!it.next) return failed(&it, "not enough memory");
    if (snprintf(it.next_path, sizeof it.next_path, "%s/" MASTER_NEXT_FILE, folder) >=
        (int)sizeof it.next_path)
        code = failed(&it, "the path is too long");
    else
        code = rewrap(&it, wants_json);
    secret_free(it.next);
    return code;
}
