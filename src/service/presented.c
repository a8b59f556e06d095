#include "service/presented.h"

#include "base/hex.h"
#include "base/uuid.h"
#include "service/key_text.h"
#include "token/seal.h"

#define SECRET_PART_HEX 48 /* digits of a client secret behind sec_ */

static const struct {
    const char *text;
    const char *prefix; /* NULL: told by its form */
    enum key_kind key;  /* 0: no key */
    bool is_secret;
} rows[] = {
    [PRESENTED_NOTHING] = {"nothing", NULL, 0, false},
    [PRESENTED_JWS] = {"a signed token of three parts", NULL, 0, true},
    [PRESENTED_REFRESH] = {"a refresh token (rt_...)", "rt_", 0, true},
    [PRESENTED_BOOTSTRAP] = {"a bootstrap token (bt_...)", "bt_", 0, true},
    [PRESENTED_LAUNCH] = {"a launch token (lt_...)", "lt_", 0, true},
    [PRESENTED_RESUME] = {"a resume state (rs_...)", "rs_", 0, true},
    [PRESENTED_API_TOKEN] = {"an api token (PT...)", "PT", KEY_API_TOKEN, true},
    [PRESENTED_CLIENT_ID] = {"a client id (cli_...)", "cli_", KEY_CLIENT, false},
    [PRESENTED_CLIENT] = {"a client secret (sec_...)", "sec_", 0, true},
    [PRESENTED_SECRET_KEY] = {"a secret key (sk_...)", "sk_", KEY_SECRET, true},
    [PRESENTED_PUBLISHABLE] = {"a publishable key (pk_...)", "pk_", KEY_PUBLISHABLE, false},
    [PRESENTED_CLICK] = {"a click-to-call token (c2c_...)", "c2c_", KEY_CLICK_TO_CALL, true},
    [PRESENTED_UUID] = {"a UUID, as project ids are", NULL, 0, false},
    [PRESENTED_UNKNOWN] = {"nothing that this server issues", NULL, 0, false},
};
#define KINDS (sizeof rows / sizeof rows[0])

static size_t dots_in(struct bytes text)
{
    size_t i, dots = 0;

    for (i = 0; i < text.len; i++)
        dots += text.ptr[i] == '.';
    return dots;
}

enum presented presented_kind(struct bytes text)
{
    struct uuid id;
    size_t i;

    if (!text.len) return PRESENTED_NOTHING;
    if (dots_in(text) == 2) return PRESENTED_JWS;
    for (i = 0; i < KINDS; i++)
        if (rows[i].prefix && bytes_start_with(text, bytes_of_text(rows[i].prefix))) return (enum presented)i;
    return uuid_read(&id, text) == ERR_OK ? PRESENTED_UUID : PRESENTED_UNKNOWN;
}

const char *presented_text(enum presented kind)
{
    return rows[kind].text;
}

bool presented_is_secret(enum presented kind)
{
    return rows[kind].is_secret;
}

static bool is_client_secret(struct bytes text)
{
    size_t i;

    for (i = 4; i < text.len; i++)
        if (hex_digit(text.ptr[i]) < 0) return false;
    return text.len == 4 + SECRET_PART_HEX;
}

bool presented_is_whole(enum presented kind, struct bytes text)
{
    switch (kind) {
    case PRESENTED_REFRESH:
        return !bytes_is_absent(seal_named_key(SEAL_REFRESH, text));
    case PRESENTED_BOOTSTRAP:
        return !bytes_is_absent(seal_named_key(SEAL_BOOTSTRAP, text));
    case PRESENTED_LAUNCH:
        return !bytes_is_absent(seal_named_key(SEAL_LAUNCH, text));
    case PRESENTED_RESUME:
        return !bytes_is_absent(seal_named_key(SEAL_RESUME, text));
    case PRESENTED_CLIENT:
        return is_client_secret(text);
    case PRESENTED_API_TOKEN:
    case PRESENTED_CLIENT_ID:
    case PRESENTED_SECRET_KEY:
    case PRESENTED_PUBLISHABLE:
    case PRESENTED_CLICK:
        return !bytes_is_absent(key_text_public_id(rows[kind].key, text));
    case PRESENTED_JWS:
    case PRESENTED_UUID:
        return true;
    case PRESENTED_NOTHING:
    case PRESENTED_UNKNOWN:
        return false;
    }
    return false;
}
