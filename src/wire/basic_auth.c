#include "wire/basic_auth.h"

#include "base/base64url.h"
#include "base/utf8.h"

/* RFC 9110 §11.4: scheme, case-insensitive, one space, and the credentials. */
static bool take_scheme(struct bytes *credentials, struct bytes authorization, struct bytes scheme)
{
    struct bytes head;
    return bytes_split(&head, credentials, authorization, ' ') && bytes_equal_nocase(head, scheme) &&
           credentials->len > 0;
}

/* RFC 7617 §2: user and password hold no control characters. NUL among them: what is compared here and what a
 * library takes for the end of a text must be the same. */
static bool is_clean(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < 0x20 || text.ptr[i] == 0x7F) return false;
    return utf8_is_valid(text);
}

enum err basic_auth_read(struct basic_auth *out, struct arena *arena, struct bytes authorization)
{
    struct bytes encoded, text, user, password;
    size_t len;
    *out = (struct basic_auth){BYTES_NONE, BYTES_NONE};
    if (!take_scheme(&encoded, authorization, BYTES("Basic")) || encoded.len > BASIC_AUTH_MAX)
        return ERR_MALFORMED;
    size_t cap = encoded.len / 4 * 3;
    uint8_t *decoded = arena_alloc(arena, cap);
    if (decoded == NULL) return ERR_NO_MEMORY;
    if (base64_read(decoded, cap, &len, encoded) != ERR_OK) return ERR_MALFORMED;
    text = bytes_of(decoded, len);
    if (!is_clean(text) || !bytes_split(&user, &password, text, ':')) return ERR_MALFORMED;
    out->user = user;
    out->password = password;
    return ERR_OK;
}

/* RFC 9110 §11.2: token68 before its padding. */
static const bool is_token68[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['-'] = true, ['.'] = true,
    ['_'] = true,         ['~'] = true,         ['+'] = true,         ['/'] = true};

static enum err read_token68(struct bytes *out, struct bytes authorization, struct bytes scheme, size_t max)
{
    struct bytes token;
    size_t at = 0;
    *out = BYTES_NONE;
    if (!take_scheme(&token, authorization, scheme) || token.len > max) return ERR_MALFORMED;
    while (at < token.len && is_token68[token.ptr[at]])
        at++;
    if (at == 0) return ERR_MALFORMED;
    while (at < token.len && token.ptr[at] == '=')
        at++;
    if (at < token.len) return ERR_MALFORMED;
    *out = token;
    return ERR_OK;
}

enum err bearer_read(struct bytes *out, struct bytes authorization, size_t max)
{
    return read_token68(out, authorization, BYTES("Bearer"), max);
}

enum err dpop_auth_read(struct bytes *out, struct bytes authorization, size_t max)
{
    return read_token68(out, authorization, BYTES("DPoP"), max);
}
