/* why.c — `coatcheck why`: what was wrong with a request, by the id that its answer carried. */
#include <stdio.h>
#include <string.h>

#include "base/base64url.h"
#include "base/instant.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/tell.h"
#include "server/admin_ask.h"
#include "server/host.h"

static int print_help(void)
{
    fputs(
        "usage: coatcheck why ERROR_ID [--data DIR] [--json]\n\n"
        "Every refusal carries an id: in the field Coatcheck-Error-Id, on a socket in error.data.error_id.\n"
        "This asks the running server which check failed, what it expected, what it saw, and what to do.\n\n"
        "  --data DIR  the server's data folder [COATCHECK_DATA, else .coatcheck]\n"
        "  --json      one line of JSON\n\n"
        "Refusals are kept in memory, records_max of them a loop, and forgotten at a restart.\n",
        stdout);
    return EXIT_OK;
}

static struct bytes text_of(struct json answer, const char *name)
{
    return json_text(json_member(answer, name));
}

static void tell_when(struct tell *tell, struct json answer)
{
    const struct host *host = host_machine();
    char at[INSTANT_SHORT_MAX], span[INSTANT_SPAN_MAX];
    int64_t at_s;

    if (!json_int64(&at_s, json_member(answer, "at_s"))) return;
    instant_write_short(at, at_s);
    instant_write_span(span, at_s, host->wall_ms(host->state) / 1000);
    tell_line(tell, "when", "%s, %s", at, span);
}

static void tell_answered(struct tell *tell, struct json answer)
{
    struct bytes slug = text_of(answer, "slug");
    int64_t status = 0;

    (void)json_int64(&status, json_member(answer, "status")); /* 0 on a socket, or if it is missing */
    if (status)
        tell_line(tell, "answered", "%lld, \"%.*s\"", (long long)status, (int)slug.len,
                  (const char *)slug.ptr);
    else
        tell_line(tell, "answered", "\"%.*s\"", (int)slug.len, slug.len ? (const char *)slug.ptr : "");
}

static void tell_all(struct tell *tell, struct json answer)
{
    static const struct {
        const char *label, *member;
    } rows[] = {{"means", "meaning"}, {"check", "check"}, {"expected", "expected"}, {"seen", "seen"},
                {"to do", "fix"},     {"asked", "route"}, {"from", "peer"},         {"project", "project"},
                {"key", "key"},       {"user", "user"},   {"family", "family"}};
    size_t i;

    tell_bytes(tell, "refusal", text_of(answer, "refusal"));
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        tell_bytes(tell, rows[i].label, text_of(answer, rows[i].member));
    tell_answered(tell, answer);
    tell_when(tell, answer);
    if (!text_of(answer, "project").len)
        tell_line(tell, "whose", "nobody's: whoever asked did not prove who they are");
}

static int print_answer(struct json answer, bool is_json, const char *error_id, const char *folder)
{
    struct tell tell;
    struct buf line;
    struct json_writer w;
    bool is_good, found = json_type_of(json_member(answer, "found")) == JSON_IS_TRUE;

    if (is_json) {
        buf_init(&line, ASK_ANSWER_MAX);
        w = json_writer_on(&line);
        json_put_value(&w, answer);
        is_good = buf_error(&line) == ERR_OK && printf("%.*s\n", (int)line.len, (const char *)line.ptr) > 0;
        buf_release(&line);
    } else if (found) {
        tell_begin(&tell, false);
        tell_all(&tell, answer);
        is_good = tell_end(&tell);
    } else
        is_good = true;
    if (!is_good) return cli_fail(EXIT_FAILED, "the answer cannot be printed");
    if (found) return EXIT_OK;
    return cli_fail(EXIT_FAILED,
                    "the server on %s knows no refusal %s: it was another server's, was forgotten since (see "
                    "records_max), or the server has restarted",
                    folder, error_id);
}

/* An id may begin with dashes, so words are looked at for ids before they are for options. */
static bool is_error_id(const char *word)
{
    uint8_t random[RECORD_ID_LEN / 4 * 3];
    size_t len;

    return strlen(word) == RECORD_ID_LEN &&
           base64url_read(random, sizeof random, &len, bytes_of_text(word)) == ERR_OK;
}

static int ask(const char *error_id, const char *folder, bool is_json)
{
    struct json answer;
    char line[128];
    enum ask_end end;
    int code;

    (void)snprintf(line, sizeof line, "{\"command\":\"why\",\"error_id\":\"%.32s\"}", error_id);
    if (!is_error_id(error_id))
        return cli_fail(EXIT_USAGE, "an error id has %d characters of A-Z a-z 0-9 - _, not \"%.40s\"",
                        RECORD_ID_LEN, error_id);
    end = ask_server(&answer, folder, bytes_of_text(line));
    if (end) return cli_fail(EXIT_FAILED, "%s: %s", folder, ask_end_text(end));
    code = print_answer(answer, is_json, error_id, folder);
    json_free(answer);
    return code;
}

int cli_why(int argc, char **argv)
{
    struct options options = options_of(argc, argv);
    const char *error_id = NULL, *data = NULL;
    bool is_json = false;

    while (options.at < argc) {
        if (is_error_id(argv[options.at]) || !options_next(&options)) {
            if (error_id) return cli_fail(EXIT_USAGE, "one error id at a time; coatcheck why --help");
            error_id = argv[options.at++];
        } else if (strcmp(options.name, "help") == 0)
            return print_help();
        else if (strcmp(options.name, "json") == 0 && !options.value)
            is_json = true;
        else if (strcmp(options.name, "data") == 0) {
            data = options_value(&options);
            if (!data) return cli_fail(EXIT_USAGE, "--data needs a folder");
        } else
            return cli_fail(EXIT_USAGE, "there is no option --%.40s; coatcheck why --help lists them",
                            options.name);
    }
    if (!error_id) return cli_fail(EXIT_USAGE, "which one? coatcheck why ERROR_ID");
    return ask(error_id, ask_folder(data), is_json);
}
