/* resource.c — `coatcheck resource`: click-to-call buttons and rooms. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/operator.h"

static void tell_created(struct json answer)
{
    static const struct operator_line lines[] = {
        {"resource", "id"},           {"type", "type"},       {"name", "name"},  {"address", "address"},
        {"address id", "address_id"}, {"reaches", "reaches"}, {"token", "token"}};

    operator_lines(answer, lines, sizeof lines / sizeof lines[0]);
    if (operator_text(answer, "token").len)
        printf("\nThe token is shown this once. It may stand in a page: it reaches this one address and "
               "nothing else.\n");
    else
        printf("\nA guest's token may reach it: put the address id into allowed_addresses.\n");
}

static void tell_list(struct json answer)
{
    static const struct operator_column columns[] = {
        {"RESOURCE", "id", NULL},         {"TYPE", "type", NULL}, {"STATE", "state", NULL},
        {"ADDRESSES", "addresses", NULL}, {"NAME", "name", NULL}, {"CREATED", "created_at", NULL},
        {"REACHES", "reaches", NULL}};

    operator_table(answer, "resources", columns, 7,
                   "the project has no resource yet: coatcheck resource create room NAME makes one");
}

static void tell_removed(struct json answer)
{
    printf("resource %.*s is removed, with its addresses and whatever its token was exchanged for\n",
           OPERATOR_TEXT(answer, "removed"));
}

static void tell_switched(struct json answer)
{
    printf("resource %.*s is %.*s\n", OPERATOR_TEXT(answer, "id"), OPERATOR_TEXT(answer, "state"));
}

static void tell_set(struct json answer)
{
    static const struct operator_line lines[] = {{"resource", "id"},
                                                 {"uses", "click_uses"},
                                                 {"in an hour", "click_uses_hour"},
                                                 {"in a day", "click_uses_day"},
                                                 {"open at once", "click_sessions"}};

    operator_lines(answer, lines, sizeof lines / sizeof lines[0]);
    printf("\nWhat is not shown is as the project says.\n");
}

static const struct operator_verb verbs[] = {
    {"create",
     OPERATION_RESOURCE_CREATE,
     "click-to-call NAME --address /public/x --reaches REFERENCE, or: room NAME [--address /public/x]",
     {OPERAND_KIND, OPERAND_NAME},
     2,
     2,
     TAKES(OPERAND_PROJECT) | TAKES(OPERAND_ADDRESS) | TAKES(OPERAND_REACHES),
     NULL,
     NULL,
     tell_created},
    {"list",
     OPERATION_RESOURCE_LIST,
     "--project ID",
     {0},
     0,
     0,
     TAKES(OPERAND_PROJECT) | TAKES(OPERAND_AFTER),
     NULL,
     NULL,
     tell_list},
    {"disable", OPERATION_RESOURCE_SWITCH, "ID", {OPERAND_ID}, 1, 1, 0, "off", NULL, tell_switched},
    {"enable", OPERATION_RESOURCE_SWITCH, "ID", {OPERAND_ID}, 1, 1, 0, "on", NULL, tell_switched},
    {"set",
     OPERATION_RESOURCE_SET,
     "ID click_uses|click_uses_hour|click_uses_day|click_sessions VALUE",
     {OPERAND_ID, OPERAND_SETTING, OPERAND_VALUE},
     3,
     3,
     0,
     NULL,
     NULL,
     tell_set},
    {"delete", OPERATION_RESOURCE_DELETE, "ID", {OPERAND_ID}, 1, 1, 0, NULL, NULL, tell_removed},
};
static const struct operator_noun resource = {
    "resource",
    "A click-to-call button has a public token (c2c_...) for a page and rings one user; one that is not "
    "known\n"
    "yet is made. A disabled button's token is refused and works again when it is enabled. set bounds how\n"
    "often a button's token may be exchanged and how many sessions may come of it at once, in place of what\n"
    "the project says; 0 is as the project says.\n",
    verbs, sizeof verbs / sizeof verbs[0]};

int cli_resource(int argc, char **argv)
{
    return operator_main(&resource, argc, argv);
}
