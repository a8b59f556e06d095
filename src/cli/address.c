/* address.c — `coatcheck address`: what can be dialled. */
#include "cli/cli.h"
#include "cli/operator.h"

static void tell_list(struct json answer)
{
    static const struct operator_column columns[] = {{"ADDRESS", "name", NULL},
                                                     {"ID", "id", NULL},
                                                     {"TYPE", "type", NULL},
                                                     {"RESOURCE", "resource", NULL},
                                                     {"CREATED", "created_at", NULL}};

    operator_table(answer, "addresses", columns, 5,
                   "no resource has an address yet: coatcheck resource create makes one");
}

static const struct operator_verb verbs[] = {
    {"list",
     OPERATION_ADDRESS_LIST,
     "--project ID",
     {0},
     0,
     0,
     TAKES(OPERAND_PROJECT) | TAKES(OPERAND_AFTER),
     NULL,
     NULL,
     tell_list},
};
static const struct operator_noun address = {
    "address", "The addresses of resources; those of users are with the users: coatcheck user list.\n", verbs,
    sizeof verbs / sizeof verbs[0]};

int cli_address(int argc, char **argv)
{
    return operator_main(&address, argc, argv);
}
