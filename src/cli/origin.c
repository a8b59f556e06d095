/* origin.c — `coatcheck origin`: the pages that may use a project's tokens. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/operator.h"

static void tell_added(struct json answer)
{
    bool was_listed = json_type_of(json_member(answer, "was_listed")) == JSON_IS_TRUE;

    printf("pages at %.*s %s use the tokens of project %.*s\n", OPERATOR_TEXT(answer, "origin"),
           was_listed ? "could already" : "may now", OPERATOR_TEXT(answer, "project"));
}

static void tell_removed(struct json answer)
{
    printf("pages at %.*s may no longer use the tokens of project %.*s\n", OPERATOR_TEXT(answer, "removed"),
           OPERATOR_TEXT(answer, "project"));
}

static void tell_list(struct json answer)
{
    struct json origins = json_member(answer, "origins");
    size_t i;

    for (i = 0; i < json_count(origins); i++) {
        struct bytes origin = json_text(json_item(origins, i));
        printf("%.*s\n", (int)origin.len, (const char *)origin.ptr);
    }
    if (!i)
        printf("no page may use this project's tokens yet: coatcheck origin add https://www.example.com\n");
}

static const struct operator_verb verbs[] = {
    {"add",
     OPERATION_ORIGIN_ADD,
     "ORIGIN --project ID",
     {OPERAND_ORIGIN},
     1,
     1,
     TAKES(OPERAND_PROJECT),
     NULL,
     NULL,
     tell_added},
    {"remove",
     OPERATION_ORIGIN_REMOVE,
     "ORIGIN --project ID",
     {OPERAND_ORIGIN},
     1,
     1,
     TAKES(OPERAND_PROJECT),
     NULL,
     NULL,
     tell_removed},
    {"list", OPERATION_ORIGIN_LIST, "--project ID", {0}, 0, 0, TAKES(OPERAND_PROJECT), NULL, NULL, tell_list},
};
static const struct operator_noun origin = {
    "origin",
    "An origin is written as a browser sends it: scheme://host or scheme://host:port, in lower case. Test\n"
    "projects may also list any port of a host, http://localhost:*, and null, which is a page opened from "
    "disk.\n",
    verbs, sizeof verbs / sizeof verbs[0]};

int cli_origin(int argc, char **argv)
{
    return operator_main(&origin, argc, argv);
}
