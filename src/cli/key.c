/* key.c — `coatcheck key`: what a project's backends authenticate with. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/operator.h"

static bool is_kind(struct json answer, const char *kind)
{
    return bytes_equal(operator_text(answer, "kind"), bytes_of_text(kind));
}

/* How to use it, with what the server's URL is known to be. */
static void tell_use(struct json answer)
{
    struct bytes url = operator_text(answer, "url");
    const char *from = url.len ? (const char *)url.ptr : "https://YOUR.PUBLIC.URL";
    int len = url.len ? (int)url.len : 23;

    if (is_kind(answer, "api-token"))
        printf("\nA backend asks for a subscriber's token with it (it can act for any user: never in a "
               "browser):\n\n"
               "  curl -s %.*s/api/fabric/subscribers/tokens -u '%.*s:%.*s' \\\n"
               "       -H 'Content-Type: application/json' -d '{\"reference\":\"ada@example.com\"}'\n",
               len, from, OPERATOR_TEXT(answer, "project"), OPERATOR_TEXT(answer, "secret"));
    else if (is_kind(answer, "publishable"))
        printf("\nIt may stand in a page: it names the project and opens nothing by itself.\n");
    else
        printf("\nIt belongs into a backend, never into a browser.\n");
}

static void tell_created(struct json answer)
{
    static const struct operator_line token[] = {{"space", "url"},        {"project id", "project"},
                                                 {"api token", "secret"}, {"key", "id"},
                                                 {"name", "name"},        {"permissions", "permissions"}};
    static const struct operator_line client[] = {
        {"project id", "project"}, {"client id", "id"}, {"secret", "secret"}, {"name", "name"}};
    static const struct operator_line other[] = {
        {"project id", "project"}, {"secret key", "secret"}, {"key", "id"}, {"name", "name"}};

    if (is_kind(answer, "api-token"))
        operator_lines(answer, token, 6);
    else
        operator_lines(answer, is_kind(answer, "client") ? client : other, 4);
    if (operator_text(answer, "secret").len)
        printf("\nThe secret is shown this once and kept nowhere in clear.\n");
    tell_use(answer);
}

static void tell_list(struct json answer)
{
    static const struct operator_column columns[] = {{"KEY", "id", NULL},
                                                     {"KIND", "kind", NULL},
                                                     {"STATE", "state", NULL},
                                                     {"CREATED", "created_at", NULL},
                                                     {"LAST USED", "used_at", "never"},
                                                     {"NAME", "name", NULL},
                                                     {"PERMISSIONS", "permissions", NULL}};

    operator_table(answer, "keys", columns, 7,
                   "the project has no key yet: coatcheck key create api-token makes one");
}

static void tell_retired(struct json answer)
{
    if (json_type_of(json_member(answer, "was_retired")) == JSON_IS_TRUE) {
        printf("key %.*s was retired before\n", OPERATOR_TEXT(answer, "id"));
        return;
    }
    printf("key %.*s is retired: it mints nothing more. What it minted lives on; to end that, too:\n\n"
           "  coatcheck revoke key %.*s --project %.*s%s\n",
           OPERATOR_TEXT(answer, "id"), OPERATOR_TEXT(answer, "id"), OPERATOR_TEXT(answer, "project"),
           operator_where());
}

static const struct operator_verb verbs[] = {
    {"create",
     OPERATION_KEY_CREATE,
     "api-token|client|secret-key|publishable --project ID [--name N] [--permissions a,b]",
     {OPERAND_KIND},
     1,
     1,
     TAKES(OPERAND_PROJECT) | TAKES(OPERAND_NAME) | TAKES(OPERAND_PERMISSIONS),
     NULL,
     NULL,
     tell_created},
    {"list",
     OPERATION_KEY_LIST,
     "--project ID",
     {0},
     0,
     0,
     TAKES(OPERAND_PROJECT) | TAKES(OPERAND_AFTER),
     NULL,
     NULL,
     tell_list},
    {"retire", OPERATION_KEY_RETIRE, "KEY", {OPERAND_ID}, 1, 1, 0, NULL, NULL, tell_retired},
};
static const struct operator_noun key = {
    "key",
    "Make one key for each program that uses it, so that one can be taken away without the others. An api\n"
    "token may do what --permissions names: calling, chat, datasphere, fax, management, messaging, numbers,\n"
    "pubsub, storage, tasking, video, or all; without it what mints tokens: calling,fax,messaging,video.\n"
    "Last used is told to the minute. A retired key stays in the list.\n",
    verbs, sizeof verbs / sizeof verbs[0]};

int cli_key(int argc, char **argv)
{
    return operator_main(&key, argc, argv);
}
