/* project.c — `coatcheck project`: tenants and what they may set. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/duration.h"
#include "cli/operator.h"
#include "engine/setting.h"

static void tell_created(struct json answer)
{
    static const struct operator_line lines[] = {{"project", "id"}, {"name", "name"}, {"kind", "kind"}};

    operator_lines(answer, lines, 3);
    printf("\nGive its backend a key, and the pages that may use its tokens an entry:\n\n"
           "  coatcheck key create api-token --project %.*s%s\n"
           "  coatcheck origin add https://www.example.com --project %.*s%s\n",
           OPERATOR_TEXT(answer, "id"), operator_where(), OPERATOR_TEXT(answer, "id"), operator_where());
}

static void tell_list(struct json answer)
{
    static const struct operator_column columns[] = {
        {"PROJECT", "id", NULL}, {"KIND", "kind", NULL}, {"NAME", "name", NULL}};

    operator_table(answer, "projects", columns, 3,
                   "there is no project yet: coatcheck project create NAME --test makes one");
}

static void tell_project(struct json answer)
{
    static const struct operator_line lines[] = {{"project", "id"}, {"name", "name"}, {"kind", "kind"},
                                                 {"space", "url"},  {"keys", "keys"}, {"origins", "origins"}};
    static const struct operator_column columns[] = {{"SETTING", "name", NULL},
                                                     {"VALUE", "value", NULL},
                                                     {"DEFAULT", "default", NULL},
                                                     {"UNIT", "unit", NULL},
                                                     {"WHAT IT IS", "doc", NULL}};

    operator_lines(answer, lines, 6);
    printf("\n");
    operator_table(answer, "settings", columns, 5, "");
}

static void tell_set(struct json answer)
{
    int64_t value = 0, was = 0;

    (void)json_int64(&value, json_member(answer, "value")); /* always there */
    (void)json_int64(&was, json_member(answer, "was"));
    printf("project %.*s: %.*s is %" PRId64 " %.*s now, it was %" PRId64 "\n",
           OPERATOR_TEXT(answer, "project"), OPERATOR_TEXT(answer, "setting"), value,
           OPERATOR_TEXT(answer, "unit"), was);
}

static bool prepare_create(struct operation *operation)
{
    if (bytes_is_absent(operation->operand[OPERAND_KIND])) operation->operand[OPERAND_KIND] = BYTES("test");
    return true;
}

/* A span of time may be written as people do: 2h is 7200. */
static bool prepare_set(struct operation *operation)
{
    static char seconds[24];
    struct bytes value = operation->operand[OPERAND_VALUE];
    char text[24];
    int64_t ms;

    if (!value.len || value.len >= sizeof text) return true;
    memcpy(text, value.ptr, value.len);
    text[value.len] = 0;
    if (!duration_of(&ms, text) || ms < 0) return true;
    (void)snprintf(seconds, sizeof seconds, "%" PRId64, ms / 1000);
    operation->operand[OPERAND_VALUE] = bytes_of_text(seconds);
    return true;
}

static const struct operator_verb verbs[] = {
    {"create",
     OPERATION_PROJECT_CREATE,
     "NAME [--test|--live]",
     {OPERAND_NAME},
     1,
     1,
     TAKES_KIND_SWITCH,
     NULL,
     prepare_create,
     tell_created},
    {"list", OPERATION_PROJECT_LIST, "", {0}, 0, 0, TAKES(OPERAND_AFTER), NULL, NULL, tell_list},
    {"show",
     OPERATION_PROJECT_SHOW,
     "[ID]",
     {OPERAND_PROJECT},
     1,
     0,
     TAKES(OPERAND_PROJECT),
     NULL,
     NULL,
     tell_project},
    {"set",
     OPERATION_PROJECT_SET,
     "ID SETTING VALUE",
     {OPERAND_PROJECT, OPERAND_SETTING, OPERAND_VALUE},
     3,
     3,
     0,
     NULL,
     prepare_set,
     tell_set},
};
static const struct operator_noun project = {
    "project",
    "A project is a tenant: keys, users, origins and addresses belong to one and never cross. A test "
    "project\n"
    "may list any port of this machine as an origin, and its time can be moved; whether it is one is fixed.\n"
    "coatcheck project settings lists what can be set.\n",
    verbs, sizeof verbs / sizeof verbs[0]};

static int print_settings(void)
{
    static const struct {
        const char *name, *unit;
        int64_t standard, least, most;
        const char *doc;
    } rows[] = {
#define SETTING_ROW(name, text, unit, standard, least, most, doc) {text, unit, standard, least, most, doc},
#include "engine/settings.def"
#undef SETTING_ROW
    };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        printf("%-20s %s [%" PRId64 ", %" PRId64 "..%" PRId64 " %s]\n", rows[i].name, rows[i].doc,
               rows[i].standard, rows[i].least, rows[i].most, rows[i].unit);
    return EXIT_OK;
}

int cli_project(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "settings") == 0) return print_settings();
    if (argc > 2 && strcmp(argv[1], "settings") == 0)
        return cli_fail(EXIT_USAGE, "usage: coatcheck project settings: the same for every project; "
                                    "coatcheck project show ID tells one's values");
    return operator_main(&project, argc, argv);
}
