#include "cli/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/duration.h"
#include "cli/data.h"
#include "cli/options.h"
#include "engine/age.h"
#include "store/store.h"

struct clock_order {
    const char *data; /* NULL: not given */
    const char *project_text, *duration_text;
    struct uuid project;
    int64_t by_ms, age_ms; /* age_ms: the answer */
    bool wants_json;
};

static int print_help(void)
{
    fputs(
        "usage: coatcheck clock advance DURATION --project ID [--data DIR] [--json]\n"
        "       coatcheck clock [status | confirm] [--data DIR] [--json]\n\n"
        "advance moves the time of a test project forward: its tokens, refresh tokens and sessions that "
        "exist now\n"
        "get older by DURATION at once; what is minted afterwards lives its full time. There is no way "
        "back,\n"
        "and no way at all in a live project. Proofs, limits, keys and logs keep real time.\n\n"
        "  DURATION      a whole number and its unit: 90s, 15m, 2h, 7d; at most ten years at a time\n"
        "  --project ID  the test project\n"
        "  --data DIR    the server's data folder [COATCHECK_DATA, else " FOLDER_DEFAULT "]\n"
        "  --json        one line of JSON\n\n"
        "A running server is asked, and has done it when this returns; without one the folder is opened.\n\n"
        "status tells the machine's clock, the time the server decides by, and the floor it keeps for its "
        "next start.\n"
        "confirm says that the machine's clock is right after it was set more than five minutes forward; "
        "until then\n"
        "the server is not ready and answers 503.\n",
        stdout);
    return EXIT_OK;
}

static int read_words(struct clock_order *order, int argc, char **argv)
{
    struct options options = options_of(argc, argv);
    const char *verb = NULL;

    while (options.at < argc) {
        if (!options_next(&options)) {
            const char **room = !verb ? &verb : &order->duration_text;
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
            return cli_fail(EXIT_USAGE, "there is no option --%.40s; coatcheck clock --help lists them",
                            options.name);
    }
    if (!verb || strcmp(verb, "advance") != 0)
        return cli_fail(EXIT_USAGE, "what about the clock? coatcheck clock status, clock confirm, or clock "
                                    "advance 2h --project ID");
    return -1; /* go on */
}

static int check_words(struct clock_order *order)
{
    if (!order->duration_text || !order->project_text)
        return cli_fail(EXIT_USAGE, "by how long, and whose? coatcheck clock advance 2h --project ID");
    if (!duration_of(&order->by_ms, order->duration_text))
        return cli_fail(EXIT_USAGE, "\"%.40s\" is no duration: write 90s, 15m, 2h or 7d",
                        order->duration_text);
    if (order->by_ms <= 0) return cli_fail(EXIT_USAGE, "%s", age_step_text(AGE_STEP_TOO_SMALL));
    if (order->by_ms > AGE_STEP_MAX_MS) return cli_fail(EXIT_USAGE, "%s", age_step_text(AGE_STEP_TOO_LARGE));
    if (uuid_read(&order->project, bytes_of_text(order->project_text)))
        return cli_fail(EXIT_USAGE, "\"%.40s\" is no project id: that is a UUID", order->project_text);
    return -1;
}

static int refused(const struct clock_order *order, const char *because)
{
    return cli_fail(EXIT_FAILED, "project %.36s: %s", order->project_text, because);
}

static int print_moved(const struct clock_order *order)
{
    char by[DURATION_TEXT_MAX], age[DURATION_TEXT_MAX];
    int len;

    duration_write(by, order->by_ms);
    duration_write(age, order->age_ms);
    if (order->wants_json)
        len = printf("{\"project\":\"%.36s\",\"advanced_ms\":%" PRId64 ",\"age_ms\":%" PRId64 "}\n",
                     order->project_text, order->by_ms, order->age_ms);
    else
        len = printf("project %.36s was moved %s forward; it is %s ahead of real time\n", order->project_text,
                     by, age);
    if (len > 0 && fflush(stdout) == 0) return EXIT_OK;
    return cli_fail(EXIT_FAILED, "the clock was moved; the answer cannot be printed");
}

/* ---- without a server ---- */

static enum err read_age(struct clock_order *order, enum age_step *step, struct store *store)
{
    const struct fact_project *project;
    struct facts *facts;
    enum err e = store->ops->facts(store, &facts);

    if (e) return e;
    project = facts_project(facts, &order->project);
    *step = age_step_check(project, order->by_ms);
    order->age_ms = project ? project->age_ms : 0;
    facts_free(facts);
    return ERR_OK;
}

static int advance_in_store(void *state, struct store *store)
{
    struct clock_order *order = state;
    struct write write = {.kind = WRITE_AGE, .age = {.project = order->project, .by_ms = order->by_ms}};
    enum age_step step = AGE_NO_PROJECT;
    struct row row;
    enum err e;

    TRY(e = read_age(order, &step, store), failed);
    if (step != AGE_MAY_STEP) return refused(order, age_step_text(step));
    TRY(e = store_commit_wait(store, &write, 1, &row, NULL), failed); /* an age's row has no text */
    order->age_ms += order->by_ms; /* nobody else writes: the folder is ours */
    return print_moved(order);
failed:
    return cli_fail(EXIT_FAILED, "the store did not take it (%s)", err_name(e));
}

/* ---- with one ---- */

static int take_answer(struct clock_order *order, struct json answer)
{
    struct json because = json_member(answer, "refused");
    char text[256];

    if (json_type_of(because) == JSON_IS_STRING) {
        struct bytes said = json_text(because);
        (void)snprintf(text, sizeof text, "%.*s", (int)said.len, (const char *)said.ptr);
        return refused(order, text);
    }
    if (!json_int64(&order->age_ms, json_member(answer, "age_ms")))
        return cli_fail(EXIT_FAILED, "%s", ask_end_text(ASK_BROKEN));
    return print_moved(order);
}

static int advance(struct clock_order *order)
{
    const char *data = ask_folder(order->data);
    char line[160], project[UUID_TEXT_LEN];
    struct json answer;
    enum ask_end end;
    int code;

    uuid_write(project, &order->project);
    (void)snprintf(line, sizeof line, "{\"command\":\"clock\",\"project\":\"%.*s\",\"by_ms\":%" PRId64 "}",
                   UUID_TEXT_LEN, project, order->by_ms);
    end = ask_server(&answer, data, bytes_of_text(line));
    if (end == ASK_NO_SERVER) return data_with_store(data, advance_in_store, order);
    if (end) return cli_fail(EXIT_FAILED, "%.200s: %s", data, ask_end_text(end));
    code = take_answer(order, answer);
    json_free(answer);
    return code;
}

int cli_clock(int argc, char **argv)
{
    struct clock_order order = {.data = NULL};
    int code = clock_status(argc, argv);

    if (code < 0) code = read_words(&order, argc, argv);
    if (code < 0) code = check_words(&order);
    return code < 0 ? advance(&order) : code;
}
