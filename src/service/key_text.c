#include "service/key_text.h"

#include <string.h>

#include "base/hex.h"
#include "base/secret.h"

struct form { /* prefix, public hex digits, secret hex digits; two-part kinds have a prefix for each part */
    const char *live, *test;
    size_t public_hex, secret_hex;
    const char *secret_prefix; /* NULL: the secret is the whole text */
};

static const struct form forms[] = {
    [KEY_API_TOKEN] = {"PT", "PT", 16, 40, NULL},
    [KEY_CLIENT] = {"cli_", "cli_", 24, 48, "sec_"},
    [KEY_SECRET] = {"sk_live_", "sk_test_", 16, 40, NULL},
    [KEY_PUBLISHABLE] = {"pk_live_", "pk_test_", 24, 0, NULL},
    [KEY_CLICK_TO_CALL] = {"c2c_", "c2c_", 16, 16, NULL},
};

static size_t put(char *out, size_t at, const char *text)
{
    memcpy(out + at, text, strlen(text));
    return at + strlen(text);
}

static size_t put_hex(char *out, size_t at, const uint8_t *random, size_t digits)
{
    hex_write(out + at, bytes_of(random, digits / 2));
    return at + digits;
}

void key_text_draw(struct key_text *out, enum key_kind kind, bool is_test, const struct dice *dice)
{
    const struct form *form = &forms[kind];
    uint8_t random[64];

    memset(out, 0, sizeof *out);
    dice_fill(dice, random, sizeof random);
    out->id_len = put(out->id, 0, is_test ? form->test : form->live);
    out->id_len = put_hex(out->id, out->id_len, random, form->public_hex);
    if (form->secret_prefix)
        out->secret_len = put(out->secret, 0, form->secret_prefix);
    else if (form->secret_hex) {
        memcpy(out->secret, out->id, out->id_len);
        out->secret_len = out->id_len;
    }
    if (form->secret_hex)
        out->secret_len =
            put_hex(out->secret, out->secret_len, random + form->public_hex / 2, form->secret_hex);
    secret_wipe(random, sizeof random);
}

static bool all_hex(struct bytes b)
{
    size_t i;

    for (i = 0; i < b.len; i++)
        if (hex_digit(b.ptr[i]) < 0) return false;
    return true;
}

static struct bytes id_with_prefix(const struct form *form, const char *prefix, struct bytes secret)
{
    size_t prefix_len = strlen(prefix), id_len = prefix_len + form->public_hex;
    size_t whole = id_len + (form->secret_prefix ? 0 : form->secret_hex);

    if (secret.len != whole || !bytes_start_with(secret, bytes_of_text(prefix))) return BYTES_NONE;
    if (!all_hex(bytes_from(secret, prefix_len))) return BYTES_NONE;
    return bytes_part(secret, 0, id_len);
}

struct bytes key_text_public_id(enum key_kind kind, struct bytes secret)
{
    const struct form *form = &forms[kind];
    struct bytes id = id_with_prefix(form, form->live, secret);

    return bytes_is_absent(id) ? id_with_prefix(form, form->test, secret) : id;
}
