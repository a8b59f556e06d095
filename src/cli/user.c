/* user.c — `coatcheck user`: whom a project knows. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/operator.h"

static void tell_list(struct json answer)
{
    static const struct operator_column columns[] = {{"USER", "id", NULL},
                                                     {"KIND", "kind", NULL},
                                                     {"ADDRESS", "address", NULL},
                                                     {"CREATED", "created_at", NULL},
                                                     {"REFERENCE", "reference", NULL}};

    operator_table(answer, "users", columns, 5,
                   "the project knows nobody yet: the first token for somebody makes the user");
}

static void tell_users(struct json answer)
{
    static const struct operator_line lines[] = {{"user", "id"},
                                                 {"kind", "kind"},
                                                 {"reference", "reference"},
                                                 {"external id", "external_id"},
                                                 {"shown as", "display_name"},
                                                 {"address", "address"},
                                                 {"address id", "address_id"},
                                                 {"resource", "resource"},
                                                 {"created", "created_at"},
                                                 {"updated", "updated_at"}};
    struct json users = json_member(answer, "users");
    size_t i;

    for (i = 0; i < json_count(users); i++) {
        if (i) printf("\n");
        operator_lines(json_item(users, i), lines, sizeof lines / sizeof lines[0]);
    }
}

static void tell_removed(struct json answer)
{
    if (json_type_of(json_member(answer, "interviews_only")) == JSON_IS_TRUE)
        printf(
            "of %.*s the project knew interviews alone: they are removed, and everything that was granted to "
            "it\n",
            OPERATOR_TEXT(answer, "removed"));
    else
        printf("user %.*s is removed, and with it everything that was granted to it\n",
               OPERATOR_TEXT(answer, "removed"));
}

static bool prepare_one(struct operation *operation)
{
    static const enum operand names[] = {OPERAND_ID, OPERAND_REFERENCE, OPERAND_EXTERNAL_ID};
    unsigned i, given = 0;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!bytes_is_absent(operation->operand[names[i]])) given++;
    if (given == 1) return true;
    (void)cli_fail(EXIT_USAGE, "which user? an id, --reference or --external-id: one of them");
    return false;
}

#define ONE_USER TAKES(OPERAND_PROJECT) | TAKES(OPERAND_REFERENCE) | TAKES(OPERAND_EXTERNAL_ID)

static const struct operator_verb verbs[] = {
    {"list",
     OPERATION_USER_LIST,
     "--project ID",
     {0},
     0,
     0,
     TAKES(OPERAND_PROJECT) | TAKES(OPERAND_AFTER),
     NULL,
     NULL,
     tell_list},
    {"show",
     OPERATION_USER_SHOW,
     "ID|--reference R|--external-id E --project ID",
     {OPERAND_ID},
     1,
     0,
     ONE_USER,
     NULL,
     prepare_one,
     tell_users},
    {"delete",
     OPERATION_USER_DELETE,
     "ID|--reference R|--external-id E --project ID",
     {OPERAND_ID},
     1,
     0,
     ONE_USER,
     NULL,
     prepare_one,
     tell_removed},
};
static const struct operator_noun user = {
    "user",
    "A user is known by the reference its tokens are minted by, or by the customer's external id. Deleting "
    "one\n"
    "voids its tokens; a later token for the same reference makes a new user.\n",
    verbs, sizeof verbs / sizeof verbs[0]};

int cli_user(int argc, char **argv)
{
    return operator_main(&user, argc, argv);
}
