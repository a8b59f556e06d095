#include "service/finding.h"

#include "harness/check.h"

static void cuts_what_is_long(void)
{
    char text[1000];
    struct finding finding;

    memset(text, 'a', sizeof text);
    finding_clear(&finding);
    finding_seen(&finding, "%.*s", (int)sizeof text, text);
    CHECK_INT(strlen(finding.seen), FINDING_TEXT_MAX - 1);
    finding_key(&finding, bytes_of(text, sizeof text));
    CHECK_INT(strlen(finding.key), KEY_PUBLIC_ID_MAX);
}

static void shows_only_printable_ascii(void)
{
    struct finding finding;

    finding_clear(&finding);
    finding_expected(&finding, "%s", "a\x1b[2J\r\n\x7f\xc3\xa9\"b");
    CHECK(strcmp(finding.expected, "a?[2J?????\"b") == 0);
}

static void shows_ids_by_their_beginning(void)
{
    struct bytes id = BYTES("0123456789abcdef");
    struct finding finding;

    finding_clear(&finding);
    finding_seen(&finding, "kid %.*s", FINDING_ID(id));
    CHECK(strcmp(finding.seen, "kid 012345") == 0);
    finding_seen(&finding, "kid %.*s.", FINDING_ID(BYTES_NONE));
    CHECK(strcmp(finding.seen, "kid .") == 0);
}

static void keeps_credentials_out_of_paths(void)
{
    static const struct {
        const char *path, *wanted;
    } rows[] = {
        {"", ""},
        {"/", "/"},
        {"*", "*"},
        {"/api/fabric/addresses", "/api/fabric/addresses"},
        {"/api/PT0123456789abcdef0123456789abcdef01234567/x", "/api/{42 bytes}/x"},
        {"/c2c_0123456789abcdef0123456789abcdef", "/{36 bytes}"},
        {"//a//", "//a//"},
        {"/\x1b[31m", "/?[31m"},
    };
    char path[FINDING_PATH_MAX];
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        finding_path(path, bytes_of_text(rows[i].path));
        CHECK_NOTE("%s: %s", rows[i].path, path);
        CHECK(strcmp(path, rows[i].wanted) == 0);
    }
}

static void cuts_long_paths(void)
{
    char text[8192], path[FINDING_PATH_MAX];
    size_t i;

    for (i = 0; i < sizeof text; i++)
        text[i] = i % 10 ? 'a' : '/';
    finding_path(path, bytes_of(text, sizeof text));
    CHECK_INT(strlen(path), FINDING_PATH_MAX - 1);
}

static void keeps_credentials_out_of_words(void)
{
    char word[FINDING_WORD_MAX];

    finding_word(word, BYTES("subscriber.online"));
    CHECK(strcmp(word, "subscriber.online") == 0);
    finding_word(word, BYTES("c2c_0123456789abcdef0123456789abcdef"));
    CHECK(strcmp(word, "{36 bytes}") == 0);
    finding_word(word, BYTES_NONE);
    CHECK(strcmp(word, "") == 0);
}

/* Whatever the table says, a finding can be told. */
static void completes_every_row(void)
{
    struct finding finding;
    int r;

    for (r = 1; r < REFUSAL_COUNT; r++) {
        struct refused refused = {(enum refusal)r, FIELD_REFERENCE, NULL};
        finding_clear(&finding);
        finding_complete(&finding, &refused, ERR_OK);
        CHECK_NOTE("%s", finding_name(&finding));
        CHECK(finding.check && finding.expected[0] && finding.seen[0]);
        CHECK(finding_slug(&finding)[0] && finding_fix(&finding)[0] && finding_doc(&finding)[0]);
    }
    for (r = 1; r < ERR_COUNT; r++) {
        finding_clear(&finding);
        finding_complete(&finding, &(struct refused){0}, (enum err)r);
        CHECK_NOTE("%s", finding_name(&finding));
        CHECK(finding.check && finding.expected[0] && finding.seen[0]);
        CHECK(finding_slug(&finding)[0] && finding_fix(&finding)[0] && finding_doc(&finding)[0]);
    }
}

/* A socket has no Authorization field, a request no connect: what is said fits both. */
static void explains_a_missing_credential_anywhere(void)
{
    struct refused refused = {REFUSAL_CREDENTIAL_MISSING, FIELD_NONE, NULL};
    struct finding finding;

    finding_clear(&finding);
    finding_complete(&finding, &refused, ERR_OK);
    CHECK(strcmp(finding.check, "credential.present") == 0);
    CHECK(strstr(finding.expected, "Authorization") && strstr(finding.expected, "connect"));
    CHECK(strstr(finding_fix(&finding), "Authorization") && strstr(finding_fix(&finding), "socket"));
}

static void leaves_finer_findings_alone(void)
{
    struct refused refused = {REFUSAL_TOKEN_EXPIRED, FIELD_NONE, NULL};
    struct finding finding;

    finding_clear(&finding);
    finding_check(&finding, "token.exp");
    finding_seen(&finding, "long ago");
    finding_complete(&finding, &refused, ERR_OK);
    CHECK(strcmp(finding.check, "token.exp") == 0 && strcmp(finding.seen, "long ago") == 0);
    CHECK_INT(finding.refusal, REFUSAL_TOKEN_EXPIRED);
}

int main(void)
{
    CHECK_RUN(cuts_what_is_long);
    CHECK_RUN(shows_only_printable_ascii);
    CHECK_RUN(shows_ids_by_their_beginning);
    CHECK_RUN(keeps_credentials_out_of_paths);
    CHECK_RUN(cuts_long_paths);
    CHECK_RUN(keeps_credentials_out_of_words);
    CHECK_RUN(completes_every_row);
    CHECK_RUN(explains_a_missing_credential_anywhere);
    CHECK_RUN(leaves_finer_findings_alone);
    return CHECK_END();
}
