/* revoke.c — `coatcheck revoke`: everything of one thing is void and its sessions end, in the running server
 * if there is one, else in the data folder itself. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/data.h"
#include "cli/options.h"
#include "engine/revoke.h"
#include "store/store.h"
#include "wire/json_write.h"

struct revoke_order {
    const char *data; /* NULL: not given */
    const char *of_text, *name_text, *project_text;
    struct cutoff cutoff;
    uint8_t id[KEY_PUBLIC_ID_MAX];
    bool wants_json;
};

static int print_help(void)
{
    fputs(
        "usage: coatcheck revoke user|key|family|resource|project NAME --project ID [--data DIR] [--json]\n\n"
        "Everything of the named thing that was granted until now is void: tokens, refresh tokens and "
        "tickets\n"
        "are refused, live sessions end (close code 4403). What is minted afterwards is good again, so\n"
        "retire the key, or delete the user, if that must not happen.\n\n"
        "  user NAME      the user's id\n"
        "  key NAME       the key's public id, as `coatcheck key list` shows it: all it minted\n"
        "  family NAME    the id of one line of refresh tokens: one sign-in of one user\n"
        "  resource NAME  the resource's id: all that was let in through its click-to-call tokens\n"
        "  project NAME   the project's id once more: everybody\n"
        "  --project ID   whose it is\n"
        "  --data DIR     the server's data folder [COATCHECK_DATA, else " FOLDER_DEFAULT "]\n"
        "  --json         one line of JSON\n\n"
        "A running server is asked, and every loop knows when this returns; without one the folder is "
        "opened.\n",
        stdout);
    return EXIT_OK;
}

static int read_words(struct revoke_order *order, int argc, char **argv)
{
    struct options options = options_of(argc, argv);

    while (options.at < argc) {
        if (!options_next(&options)) {
            const char **room = !order->of_text ? &order->of_text : &order->name_text;
            if (*room) return cli_fail(EXIT_USAGE, "\"%.40s\" is one word too many", argv[options.at]);
            *room = argv[options.at++];
        } else if (strcmp(options.name, "help") == 0)
            return print_help();
        else if (strcmp(options.name, "json") == 0 && !options.value)
            order->wants_json = true;
        else if (strcmp(options.name, "data") == 0 || strcmp(options.name, "project") == 0) {
            const char **room = options.name[0] == 'd' ? &order->data : &order->project_text;
            const char *name = options.name;
            if (!(*room = options_value(&options))) return cli_fail(EXIT_USAGE, "--%s needs a value", name);
        } else
            return cli_fail(EXIT_USAGE, "there is no option --%.40s; coatcheck revoke --help lists them",
                            options.name);
    }
    return -1; /* go on */
}

static int check_words(struct revoke_order *order)
{
    enum cutoff_of of;
    struct uuid project;

    if (!order->of_text || !order->name_text || !order->project_text)
        return cli_fail(EXIT_USAGE, "what, and whose? coatcheck revoke user ID --project ID");
    if (!cutoff_of_read(&of, bytes_of_text(order->of_text)))
        return cli_fail(EXIT_USAGE, "\"%.40s\" cannot be revoked: say user, key, family, resource or project",
                        order->of_text);
    if (uuid_read(&project, bytes_of_text(order->project_text)))
        return cli_fail(EXIT_USAGE, "\"%.40s\" is no project id: that is a UUID", order->project_text);
    if (!cutoff_name_read(&order->cutoff, order->id, of, &project, bytes_of_text(order->name_text)))
        return cli_fail(EXIT_USAGE, "\"%.*s\" is no %s's name: that is %s",
                        of == CUTOFF_KEY ? 12 : 60, /* of what may be a whole secret, its beginning */
                        order->name_text, order->of_text,
                        of == CUTOFF_USER      ? "a UUID; coatcheck user show --reference R tells it"
                        : of == CUTOFF_KEY     ? "a public id, such as PT0123456789abcdef"
                        : of == CUTOFF_PROJECT ? "the id that --project has"
                                               : "a UUID");
    return -1;
}

static int print_revoked(const struct revoke_order *order, int64_t closed, int64_t took_ms)
{
    int len;

    if (order->wants_json)
        len = printf("{\"revoked\":\"%s\",\"name\":\"%s\",\"sessions_closed\":%" PRId64
                     ",\"took_ms\":%" PRId64 "}\n",
                     order->of_text, order->name_text, closed, took_ms);
    else
        len = printf("%s %s is revoked: %" PRId64 " %s closed in %" PRId64 " ms\n", order->of_text,
                     order->name_text, closed, closed == 1 ? "session" : "sessions", took_ms);
    if (len > 0 && fflush(stdout) == 0) return EXIT_OK;
    return cli_fail(EXIT_FAILED, "it is revoked; the answer cannot be printed");
}

/* ---- without a server ---- */

static int revoke_in_store(void *state, struct store *store)
{
    const struct revoke_order *order = state;
    struct facts *facts = NULL;
    struct refused refused;
    struct cutoff cutoff;
    const char *because;
    struct plan plan;
    struct row row;
    int64_t now_ms;
    enum err e;

    e = store->ops->facts(store, &facts);
    because = e ? NULL : revoke_refused(facts, &order->cutoff);
    facts_free(facts);
    if (because) return cli_fail(EXIT_FAILED, "project %.36s: %s", order->project_text, because);
    if (!e) e = data_now_ms(&now_ms, store);
    if (e) return cli_fail(EXIT_FAILED, "the store cannot be read (%s)", err_name(e));
    revoke_plan(&plan, &order->cutoff, now_ms);
    e = store_commit_wait(store, plan.writes, plan.write_count, &row, NULL); /* it has no text */
    if (e) return cli_fail(EXIT_FAILED, "the store did not take it (%s)", err_name(e));
    refused = revoke_settle(&cutoff, &plan, &row);
    if (refused.refusal)
        return cli_fail(EXIT_FAILED, "project %.36s: %s", order->project_text, refused.because);
    return print_revoked(order, 0, 0);
}

/* ---- with one ---- */

static int take_answer(const struct revoke_order *order, struct json answer)
{
    struct bytes said = json_text(json_member(answer, "refused"));
    int64_t closed, took_ms;

    if (said.len)
        return cli_fail(EXIT_FAILED, "project %.36s: %.*s", order->project_text, (int)said.len,
                        (const char *)said.ptr);
    if (!json_int64(&closed, json_member(answer, "sessions_closed")) ||
        !json_int64(&took_ms, json_member(answer, "took_ms")))
        return cli_fail(EXIT_FAILED, "%s", ask_end_text(ASK_BROKEN));
    return print_revoked(order, closed, took_ms);
}

static int revoke_now(struct revoke_order *order)
{
    const char *data = ask_folder(order->data);
    char line[256];
    struct json answer;
    enum ask_end end;
    int code;

    /* all three are known to hold no character that JSON would have to escape */
    (void)snprintf(line, sizeof line,
                   "{\"command\":\"revoke\",\"project\":\"%.36s\",\"of\":\"%s\",\"name\":\"%.40s\"}",
                   order->project_text, order->of_text, order->name_text);
    end = ask_server(&answer, data, bytes_of_text(line));
    if (end == ASK_NO_SERVER) return data_with_store(data, revoke_in_store, order);
    if (end) return cli_fail(EXIT_FAILED, "%.200s: %s", data, ask_end_text(end));
    code = take_answer(order, answer);
    json_free(answer);
    return code;
}

int cli_revoke(int argc, char **argv)
{
    struct revoke_order order = {.data = NULL};
    int code = read_words(&order, argc, argv);

    if (code < 0) code = check_words(&order);
    return code < 0 ? revoke_now(&order) : code;
}
