#include "wire/form.h"

#include "base/hex.h"
#include "base/utf8.h"

#include <string.h>

/* The next decoded byte of rest, which is moved past it; -1 for a bad escape, or what may not stand there. */
static int next_byte(struct bytes *rest)
{
    int c = rest->ptr[0], high, low;

    if (c == '%') {
        if (rest->len < 3) return -1;
        high = hex_digit(rest->ptr[1]);
        low = hex_digit(rest->ptr[2]);
        *rest = bytes_from(*rest, 3);
        c = high < 0 || low < 0 ? -1 : high << 4 | low;
        return c < 0x20 || c == 0x7F ? -1 : c;
    }
    *rest = bytes_from(*rest, 1);
    if (c == '+') return ' ';
    return c <= 0x20 || c >= 0x7F ? -1 : c;
}

enum err form_text(struct bytes *out, struct arena *arena, struct bytes raw)
{
    uint8_t *text = arena_alloc(arena, raw.len + 1); /* never empty: absent means something else */
    size_t len = 0;

    *out = BYTES_NONE;
    if (!text) return ERR_NO_MEMORY;
    while (raw.len > 0) {
        int c = next_byte(&raw);
        if (c < 0) return ERR_MALFORMED;
        text[len++] = (uint8_t)c;
    }
    if (!utf8_is_valid(bytes_of(text, len))) return ERR_MALFORMED;
    *out = bytes_of(text, len);
    return ERR_OK;
}

static bool has_name(const struct form *form, struct bytes name)
{
    size_t i;

    for (i = 0; i < form->count; i++)
        if (bytes_equal(form->field[i].name, name)) return true;
    return false;
}

static enum err read_pair(struct form *out, struct arena *arena, struct bytes pair)
{
    struct bytes raw_name, raw_value, name, value;
    enum err e;

    if (out->count == FORM_FIELDS_MAX) return ERR_MALFORMED;
    if (!bytes_split(&raw_name, &raw_value, pair, '=') || !raw_name.len) return ERR_MALFORMED;
    if (bytes_have(raw_value, '=')) return ERR_MALFORMED; /* an encoder writes %3D */
    TRY(e = form_text(&name, arena, raw_name), done);
    TRY(e = form_text(&value, arena, raw_value), done);
    if (has_name(out, name)) return ERR_MALFORMED;
    out->field[out->count].name = name;
    out->field[out->count].value = value;
    out->count++;
done:
    return e;
}

enum err form_read(struct form *out, struct arena *arena, struct bytes text)
{
    struct bytes pair;
    bool has_more = text.len > 0;
    enum err e = ERR_OK;

    memset(out, 0, sizeof *out);
    while (has_more && !e) {
        has_more = bytes_split(&pair, &text, text, '&');
        e = read_pair(out, arena, pair);
    }
    if (e) memset(out, 0, sizeof *out);
    return e;
}

struct bytes form_value(const struct form *form, struct bytes name)
{
    size_t i;

    for (i = 0; i < form->count; i++)
        if (bytes_equal(form->field[i].name, name))
            return form->field[i].value.len ? form->field[i].value : BYTES_NONE;
    return BYTES_NONE;
}
