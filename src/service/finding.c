#include "service/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/instant.h"

/* bytes; the shortest secret of ours has 36, the longest word in a path of ours 13, in a method's name 25 */
#define SEGMENT_MAX 20
#define WORD_MAX    32

void finding_clear(struct finding *finding)
{
    memset(finding, 0, sizeof *finding);
}

void finding_check(struct finding *finding, const char *check)
{
    finding->check = check;
}

/* Records are shown on terminals, where control bytes are commands, and in JSON, where half a UTF-8
 * character is an error. */
static void make_printable(char *text)
{
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e) *text = '?';
}

__attribute__((format(printf, 2, 0))) static void write_text(char out[FINDING_TEXT_MAX], const char *format,
                                                             va_list arguments)
{
    (void)vsnprintf(out, FINDING_TEXT_MAX, format, arguments); /* a cut text is still a text */
    make_printable(out);
}

void finding_expected(struct finding *finding, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_text(finding->expected, format, arguments);
    va_end(arguments);
}

void finding_seen(struct finding *finding, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_text(finding->seen, format, arguments);
    va_end(arguments);
}

void finding_key(struct finding *finding, struct bytes public_id)
{
    size_t len = public_id.len < sizeof finding->key ? public_id.len : sizeof finding->key - 1;

    memset(finding->key, 0, sizeof finding->key);
    if (len) memcpy(finding->key, public_id.ptr, len);
    make_printable(finding->key);
}

void finding_cut_off(struct finding *finding, const char *check, int64_t cutoff_ms, int64_t gt_ms)
{
    char cutoff[INSTANT_SHORT_MAX], gt[INSTANT_SHORT_MAX];

    instant_write_short(cutoff, cutoff_ms / 1000);
    instant_write_short(gt, gt_ms / 1000);
    finding_check(finding, check);
    finding_expected(finding, "gt after the cutoff %lld (%s)", (long long)cutoff_ms, cutoff);
    finding_seen(finding, "gt %lld (%s)", (long long)gt_ms, gt);
}

const char *finding_field(enum ask_field field)
{
    static const char *const names[FIELD_PROFILE] = {
        [FIELD_NONE] = "",
        [FIELD_REFERENCE] = "reference",
        [FIELD_EXPIRE_AT] = "expire_at",
        [FIELD_APPLICATION] = "application",
        [FIELD_PASSWORD] = "password",
        [FIELD_FINGERPRINT] = "fingerprint",
        [FIELD_SCOPE] = "scope",
        [FIELD_ADDRESS_NAME] = "name",
        [FIELD_ADDRESSES] = "addresses",
        [FIELD_ADDRESS] = "address",
        [FIELD_TOKEN] = "token",
        [FIELD_REFRESH_TOKEN] = "refresh_token",
        [FIELD_USER_ID] = "user id",
        [FIELD_EXTERNAL_ID] = "external id",
        [FIELD_PAYLOAD] = "payload",
        [FIELD_PUBLISHABLE_KEY] = "publishable key",
        [FIELD_STUDY] = "study",
        [FIELD_INTERVIEW] = "interview",
        [FIELD_QUESTION] = "question",
        [FIELD_ANSWER] = "answer",
        [FIELD_EMAIL] = "email",
        [FIELD_NAME] = "name",
        [FIELD_PERMISSIONS] = "permissions",
        [FIELD_PAGE] = "page_token",
        [FIELD_PREVIEWS] = "enable_room_previews",
        [FIELD_SUBPROJECT] = "subproject_id",
        [FIELD_PROOF] = "proof",
        [FIELD_LIFE] = "life",
        [FIELD_GRANT_TYPE] = "grant type",
        [FIELD_TOKEN_TYPE] = "kind of token",
        [FIELD_TICKET] = "ticket",
        [FIELD_TICKET_TYPE] = "kind of ticket",
        [FIELD_WANTED_TYPE] = "wanted kind of token",
        [FIELD_TARGET] = "resource or audience",
        [FIELD_SINCE] = "since",
        [FIELD_CALL] = "callID",
        [FIELD_SDP] = "sdp",
    };

    return field >= FIELD_PROFILE ? profile_member((enum profile_field)(field - FIELD_PROFILE))
           : names[field]         ? names[field]
                                  : "";
}

static void complete_parameter(struct finding *finding, const struct refused *refused)
{
    const char *field = finding_field(refused->field);

    finding->check = refused->refusal == REFUSAL_PARAMETER_MISSING ? "parameter.present" : "parameter.valid";
    finding_expected(finding, "%s as the API defines it", *field ? field : "members");
    finding_seen(finding, "%s%s%s", field, *field ? " " : "",
                 refused->because ? refused->because : "is invalid");
}

void finding_complete(struct finding *finding, const struct refused *refused, enum err error)
{
    finding->refusal = refused->refusal;
    finding->error = refused->refusal ? ERR_OK : error;
    if (finding->check) return;
    if (refused->refusal == REFUSAL_PARAMETER_MISSING || refused->refusal == REFUSAL_PARAMETER_INVALID ||
        refused->refusal == REFUSAL_PARAMETER_TAKEN) {
        complete_parameter(finding, refused);
        return;
    }
    finding->check = refused->refusal == REFUSAL_CREDENTIAL_MISSING ? "credential.present"
                     : refused->refusal                             ? "refusal"
                                                                    : "error";
    finding_expected(finding, "%s",
                     refused->refusal == REFUSAL_CREDENTIAL_MISSING
                         ? "a credential: an Authorization field, or a token in the connect of a socket"
                     : refused->refusal ? "a request or message that breaks no rule"
                                        : "to be able to decide");
    if (refused->because)
        finding_seen(finding, "%s", refused->because);
    else
        finding_seen(finding, "%s", refused->refusal ? refusal_doc(refused->refusal) : err_doc(error));
}

const char *finding_name(const struct finding *finding)
{
    return finding->refusal ? refusal_name(finding->refusal) : err_name(finding->error);
}

const char *finding_slug(const struct finding *finding)
{
    return finding->refusal ? refusal_slug(finding->refusal) : err_slug(finding->error);
}

const char *finding_doc(const struct finding *finding)
{
    return finding->refusal ? refusal_doc(finding->refusal) : err_doc(finding->error);
}

const char *finding_fix(const struct finding *finding)
{
    return finding->refusal ? refusal_fix(finding->refusal) : err_fix(finding->error);
}

void finding_word(char out[FINDING_WORD_MAX], struct bytes word)
{
    if (word.len > WORD_MAX)
        (void)snprintf(out, FINDING_WORD_MAX, "{%zu bytes}", word.len);
    else
        (void)snprintf(out, FINDING_WORD_MAX, "%.*s", FINDING_BYTES(word, WORD_MAX));
    make_printable(out);
}

static size_t put(char out[FINDING_PATH_MAX], size_t at, struct bytes b)
{
    size_t len = b.len < FINDING_PATH_MAX - 1 - at ? b.len : FINDING_PATH_MAX - 1 - at;

    memcpy(out + at, b.ptr, len);
    return at + len;
}

void finding_path(char out[FINDING_PATH_MAX], struct bytes path)
{
    size_t at = 0;

    while (path.len) {
        struct bytes rest = bytes_from(path, 1), segment = bytes_part(rest, 0, bytes_index(rest, '/'));
        char length[32]; /* 20 digits at most, and the words around them */
        at = put(out, at, bytes_part(path, 0, 1));
        if (segment.len <= SEGMENT_MAX)
            at = put(out, at, segment);
        else {
            (void)snprintf(length, sizeof length, "{%zu bytes}", segment.len);
            at = put(out, at, bytes_of_text(length));
        }
        path = bytes_from(rest, segment.len);
    }
    out[at] = 0;
    make_printable(out);
}
