/* key.c — `coatcheck key`: what a project's backends authenticate with. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/operator.h"
#include "token/jwk.h"

#define KEY_FILE_MAX                                                                                         \
    16384 /* bytes; of RSA with 4096 bits a PEM has 800, a JWK with all its members few more */

/* ---- the public key ---- */

/* The whole file, or false with errno. */
static bool read_file(uint8_t room[KEY_FILE_MAX], size_t *len, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t got = 1;

    *len = 0;
    while (fd >= 0 && got > 0 && *len < KEY_FILE_MAX) {
        got = read(fd, room + *len, KEY_FILE_MAX - *len);
        if (got > 0) *len += (size_t)got;
    }
    if (fd >= 0) (void)close(fd); /* it was only read */
    return fd >= 0 && got >= 0;
}

static bool names_private_part(struct bytes text)
{
    static const char *const marks[] = {"PRIVATE KEY-----", "\"d\""};
    size_t i, at, len;

    for (i = 0; i < sizeof marks / sizeof marks[0]; i++)
        for (at = 0, len = strlen(marks[i]); at + len <= text.len; at++)
            if (memcmp(text.ptr + at, marks[i], len) == 0) return true;
    return false;
}

static enum err read_key(struct jwk *out, struct bytes text)
{
    struct json object = {NULL};
    enum err e;

    if (bytes_start_with(text, BYTES("-----BEGIN "))) return jwk_read_pem(out, text);
    e = json_read(&object, text);
    if (!e) e = jwk_read(out, object);
    json_free(object);
    return e;
}

/* The file's name becomes the key in it; what else the file holds stays here. */
static bool read_public_key(struct operation *operation)
{
    static char written[JWK_TEXT_MAX];
    struct bytes *operand = &operation->operand[OPERAND_PUBLIC_KEY], text;
    uint8_t room[KEY_FILE_MAX];
    const char *path = (const char *)operand->ptr; /* a word of the command line: it ends with NUL */
    struct jwk jwk;
    size_t len;

    if (bytes_is_absent(*operand)) return true;
    if (!read_file(room, &len, path)) {
        (void)cli_fail(EXIT_USAGE, "%.200s: %s", path, strerror(errno));
        return false;
    }
    text = bytes_trim(bytes_of(room, len));
    if (!read_key(&jwk, text)) {
        *operand = jwk_text(written, &jwk);
        return true;
    }
    if (names_private_part(text))
        (void)cli_fail(EXIT_USAGE,
                       "%.200s holds a private key: that stays with the client. Its public half:\n\n"
                       "  openssl pkey -in PRIVATE.pem -pubout -out PUBLIC.pem",
                       path);
    else
        (void)cli_fail(
            EXIT_USAGE,
            "%.200s holds no public key that is taken here: P-256, Ed25519, or RSA of 2048 to 4096 "
            "bits, as PEM (BEGIN PUBLIC KEY) or as a JWK",
            path);
    return false;
}

/* ---- what is told ---- */

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
    else if (operator_text(answer, "thumbprint").len)
        printf("\nIt has no secret. Its backend signs assertions (private_key_jwt) with the private half:\n\n"
               "  iss and sub  %.*s\n"
               "  aud          %.*s\n",
               OPERATOR_TEXT(answer, "id"), len, from);
    else if (is_kind(answer, "publishable"))
        printf("\nIt may stand in a page: it names the project and opens nothing by itself.\n");
    else if (is_kind(answer, "client"))
        printf("\nA backend asks for a launch token with it (never in a browser):\n\n"
               "  curl -s %.*s/v1/oauth/launch -u '%.*s:%.*s' \\\n"
               "       -H 'Content-Type: application/json' -d '{}'\n",
               len, from, OPERATOR_TEXT(answer, "id"), OPERATOR_TEXT(answer, "secret"));
    else
        printf("\nA backend asks for a bootstrap token with it (never in a browser):\n\n"
               "  curl -s -X POST %.*s/sdk/bootstrap-tokens -H 'Authorization: Bearer %.*s'\n",
               len, from, OPERATOR_TEXT(answer, "secret"));
}

static void tell_created(struct json answer)
{
    static const struct operator_line token[] = {{"space", "url"},        {"project id", "project"},
                                                 {"api token", "secret"}, {"key", "id"},
                                                 {"name", "name"},        {"permissions", "permissions"}};
    static const struct operator_line client[] = {{"project id", "project"},
                                                  {"client id", "id"},
                                                  {"secret", "secret"},
                                                  {"thumbprint", "thumbprint"},
                                                  {"name", "name"}};
    static const struct operator_line other[] = {
        {"project id", "project"}, {"secret key", "secret"}, {"key", "id"}, {"name", "name"}};

    if (is_kind(answer, "api-token"))
        operator_lines(answer, token, 6);
    else
        operator_lines(answer, is_kind(answer, "client") ? client : other, is_kind(answer, "client") ? 5 : 4);
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
                                                     {"PERMISSIONS", "permissions", NULL},
                                                     {"PUBLIC KEY", "thumbprint", NULL}};

    operator_table(answer, "keys", columns, 8,
                   "the project has no key yet: coatcheck key create api-token makes one");
}

static void tell_key(struct json answer)
{
    static const struct operator_line lines[] = {{"key", "id"},
                                                 {"project", "project"},
                                                 {"kind", "kind"},
                                                 {"state", "state"},
                                                 {"created", "created_at"},
                                                 {"last used", "used_at"},
                                                 {"name", "name"},
                                                 {"permissions", "permissions"},
                                                 {"resource", "resource"},
                                                 {"thumbprint", "thumbprint"}};

    operator_lines(answer, lines, 10);
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
     "api-token|client|secret-key|publishable --project ID [--name N] [--permissions a,b] "
     "[--public-key FILE]",
     {OPERAND_KIND},
     1,
     1,
     TAKES(OPERAND_PROJECT) | TAKES(OPERAND_NAME) | TAKES(OPERAND_PERMISSIONS) | TAKES(OPERAND_PUBLIC_KEY),
     NULL,
     read_public_key,
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
    {"show", OPERATION_KEY_SHOW, "KEY", {OPERAND_ID}, 1, 1, 0, NULL, NULL, tell_key},
    {"retire", OPERATION_KEY_RETIRE, "KEY", {OPERAND_ID}, 1, 1, 0, NULL, NULL, tell_retired},
};
static const struct operator_noun key = {
    "key",
    "Make one key for each program that uses it, so that one can be taken away without the others. An api\n"
    "token may do what --permissions names: calling, chat, datasphere, fax, management, messaging, numbers,\n"
    "pubsub, storage, tasking, video, or all; without it what mints tokens: calling,fax,messaging,video.\n"
    "A client made with --public-key has no secret: it signs assertions with the private half of the key in\n"
    "FILE (PEM or JWK; P-256, Ed25519, RSA), which is never sent anywhere. It can ask at the OAuth "
    "endpoints.\n"
    "Last used is told to the minute. A retired key stays in the list.\n",
    verbs, sizeof verbs / sizeof verbs[0]};

int cli_key(int argc, char **argv)
{
    return operator_main(&key, argc, argv);
}
