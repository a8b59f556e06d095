/* clock_status.c — `coatcheck clock` and `clock confirm`: the server's time, or the folder's. */
#include "cli/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/instant.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/data.h"
#include "cli/duration.h"
#include "cli/options.h"
#include "cli/tell.h"
#include "server/clock.h"

struct told {
    const char *data;
    bool must_confirm, wants_json, is_running;
    int64_t wall_ms, engine_ms, floor_ms, step_ms, confirmed_ms;
};

static void tell_instant(struct tell *tell, const char *label, int64_t ms)
{
    char text[INSTANT_SHORT_MAX];

    instant_write_short(text, ms / 1000);
    tell_line(tell, label, "%s", ms ? text : "none yet");
}

static void tell_span(struct tell *tell, const char *label, int64_t ms, const char *note)
{
    char span[DURATION_TEXT_MAX];

    duration_write(span, ms);
    tell_line(tell, label, "%s%s", span, note);
}

static void tell_state(struct tell *tell, const struct told *told)
{
    int64_t behind_ms = told->engine_ms - told->wall_ms;

    if (!told->is_running)
        tell_line(tell, "state", "stopped");
    else if (told->step_ms) {
        tell_line(tell, "state", "stepped");
        tell_span(tell, "step", told->step_ms, "; not ready until coatcheck clock confirm");
    } else if (behind_ms > 1000) {
        tell_line(tell, "state", "behind");
        tell_span(tell, "behind", behind_ms, "; the server's time goes on without the machine's");
    } else
        tell_line(tell, "state", "ready");
    if (told->confirmed_ms) tell_span(tell, "confirmed", told->confirmed_ms, "");
}

static int print_told(const struct told *told)
{
    struct tell tell;

    tell_begin(&tell, told->wants_json);
    tell_state(&tell, told);
    tell_instant(&tell, "machine", told->wall_ms);
    if (told->is_running) tell_instant(&tell, "server", told->engine_ms);
    tell_instant(&tell, "floor", told->floor_ms);
    if (!tell_end(&tell)) return cli_fail(EXIT_FAILED, "the answer cannot be printed");
    return EXIT_OK;
}

static int read_store(void *state, struct store *store)
{
    const struct host *host = host_machine();
    struct told *told = state;
    enum err e = store->ops->floor(store, &told->floor_ms);

    if (e) return cli_fail(EXIT_FAILED, "the floor of time cannot be read (%s)", err_name(e));
    told->wall_ms = host->wall_ms(host->state);
    return print_told(told);
}

static bool read_answer(struct told *told, struct json answer)
{
    return json_int64(&told->wall_ms, json_member(answer, "wall_ms")) &&
           json_int64(&told->engine_ms, json_member(answer, "engine_ms")) &&
           json_int64(&told->floor_ms, json_member(answer, "floor_ms")) &&
           json_int64(&told->step_ms, json_member(answer, "step_ms")) &&
           json_int64(&told->confirmed_ms, json_member(answer, "confirmed_ms"));
}

static int ask(struct told *told)
{
    const char *folder = ask_folder(told->data);
    struct json answer;
    enum ask_end end = ask_server(
        &answer, folder,
        bytes_of_text(told->must_confirm ? "{\"command\":\"confirm\"}" : "{\"command\":\"time\"}"));

    if (end == ASK_NO_SERVER && !told->must_confirm) return data_with_store(folder, read_store, told);
    if (end) return cli_fail(EXIT_FAILED, "%.200s: %s", folder, ask_end_text(end));
    told->is_running = read_answer(told, answer);
    json_free(answer);
    if (!told->is_running) return cli_fail(EXIT_FAILED, "%s", ask_end_text(ASK_BROKEN));
    if (told->must_confirm && !told->confirmed_ms)
        return cli_fail(EXIT_FAILED, "there is nothing to confirm: no step of the clock waits for it");
    return print_told(told);
}

int clock_status(int argc, char **argv)
{
    struct options options = options_of(argc, argv);
    struct told told = {.data = NULL};
    int i;

    for (i = 1; i < argc; i++)
        if (strcmp(argv[i], "advance") == 0 || strcmp(argv[i], "--help") == 0) return -1;
    if (argc > 1 && argv[1][0] != '-') {
        told.must_confirm = strcmp(argv[1], "confirm") == 0;
        if (!told.must_confirm && strcmp(argv[1], "status") != 0) return -1;
        options.at++;
    }
    while (options.at < argc) {
        if (!options_next(&options))
            return cli_fail(EXIT_USAGE, "\"%.40s\" is one word too many", argv[options.at]);
        if (strcmp(options.name, "json") == 0 && !options.value)
            told.wants_json = true;
        else if (strcmp(options.name, "data") != 0)
            return cli_fail(EXIT_USAGE, "there is no option --%.40s; coatcheck clock --help lists them",
                            options.name);
        else if (!(told.data = options_value(&options)))
            return cli_fail(EXIT_USAGE, "--data needs a value");
    }
    return ask(&told);
}
