#include "wire/json_write.h"

#include "base/utf8.h"

struct json_writer json_writer_on(struct buf *out)
{
    return (struct json_writer){.out = out};
}

static void separate(struct json_writer *w)
{
    if (w->needs_comma) buf_append_byte(w->out, ',');
    w->needs_comma = true;
}

static void bracket_open(struct json_writer *w, uint8_t bracket)
{
    separate(w);
    buf_append_byte(w->out, bracket);
    w->needs_comma = false;
}

static void bracket_close(struct json_writer *w, uint8_t bracket)
{
    buf_append_byte(w->out, bracket);
    w->needs_comma = true;
}

void json_object_begin(struct json_writer *w)
{
    bracket_open(w, '{');
}
void json_object_end(struct json_writer *w)
{
    bracket_close(w, '}');
}
void json_array_begin(struct json_writer *w)
{
    bracket_open(w, '[');
}
void json_array_end(struct json_writer *w)
{
    bracket_close(w, ']');
}

/* ASCII bytes that stand for themselves in a string. A table, because every byte of a token passes here. */
static const bool stands_for_itself[256] = {
    [0x20 ... 0x21] = true, [0x23 ... 0x25] = true, [0x27 ... 0x3b] = true, /* not " and & */
    [0x3d] = true,          [0x3f ... 0x5b] = true, [0x5d ... 0x7e] = true, /* not < > \ and DEL */
};

/* U+2028 and U+2029 ended a line in JavaScript before ES2019, inside a string too. */
static bool is_line_end(struct bytes text)
{
    return text.len >= 3 && text.ptr[0] == 0xe2 && text.ptr[1] == 0x80 && (text.ptr[2] | 1) == 0xa9;
}

/* Length of the character text begins with, if it may stand as it is; else 0. */
static size_t plain_len(struct bytes text)
{
    size_t len = text.ptr[0] >= 0xf0 ? 4 : text.ptr[0] >= 0xe0 ? 3 : 2;

    if (text.ptr[0] < 0x80) return stands_for_itself[text.ptr[0]];
    if (len > text.len || !utf8_is_valid(bytes_of(text.ptr, len)) || is_line_end(text)) return 0;
    return len;
}

static void append_code_unit(struct buf *out, unsigned code_unit)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t text[6] = {'\\', 'u'};

    for (unsigned i = 0; i < 4; i++)
        text[2 + i] = (uint8_t)digits[code_unit >> (12 - 4 * i) & 15];
    buf_append(out, bytes_of(text, sizeof text));
}

static void append_ascii(struct buf *out, uint8_t c)
{
    static const char letters[128] = {
        ['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['\b'] = 'b', ['\f'] = 'f'};

    if (!letters[c]) {
        append_code_unit(out, c);
        return;
    }
    buf_append_byte(out, '\\');
    buf_append_byte(out, (uint8_t)letters[c]);
}

/* Escapes what text begins with and returns how many bytes of it that were. */
static size_t append_escaped(struct buf *out, struct bytes text)
{
    if (text.ptr[0] < 0x80) {
        append_ascii(out, text.ptr[0]);
        return 1;
    }
    if (is_line_end(text)) {
        append_code_unit(out, 0x2000u | (text.ptr[2] & 0x3fu));
        return 3;
    }
    buf_append(out, BYTES("\xef\xbf\xbd")); /* U+FFFD */
    return 1;
}

static size_t ascii_run(struct bytes text)
{
    const bool *plain = stands_for_itself;
    size_t i = 0;

    for (; text.len - i >= 4; i += 4) { /* tokens are long */
        const uint8_t *at = text.ptr + i;
        if (!(plain[at[0]] & plain[at[1]] & plain[at[2]] & plain[at[3]])) break;
    }
    while (i < text.len && plain[text.ptr[i]])
        i++;
    return i;
}

/* Copies runs that need no escape in one go. */
static void append_quoted(struct buf *out, struct bytes text)
{
    size_t run = 0, i = 0;

    buf_append_byte(out, '"');
    while ((i += ascii_run(bytes_from(text, i))) < text.len) {
        size_t plain = plain_len(bytes_from(text, i));
        if (plain) {
            i += plain;
            continue;
        }
        buf_append(out, bytes_part(text, run, i - run));
        i += append_escaped(out, bytes_from(text, i));
        run = i;
    }
    buf_append(out, bytes_from(text, run));
    buf_append_byte(out, '"');
}

void json_key(struct json_writer *w, const char *key)
{
    separate(w);
    buf_append_byte(w->out, '"');
    buf_append_text(w->out, key);
    buf_append(w->out, BYTES("\":"));
    w->needs_comma = false;
}

void json_key_bytes(struct json_writer *w, struct bytes key)
{
    separate(w);
    append_quoted(w->out, key);
    buf_append_byte(w->out, ':');
    w->needs_comma = false;
}

void json_put_string(struct json_writer *w, struct bytes text)
{
    separate(w);
    append_quoted(w->out, text);
}

void json_put_string_or_null(struct json_writer *w, struct bytes text)
{
    if (bytes_is_absent(text))
        json_put_null(w);
    else
        json_put_string(w, text);
}

void json_put_literal(struct json_writer *w, const char *text)
{
    json_put_string(w, bytes_of_text(text));
}

void json_put_number(struct json_writer *w, int64_t number)
{
    separate(w);
    buf_append_i64(w->out, number);
}

void json_put_bool(struct json_writer *w, bool value)
{
    json_put_verbatim(w, value ? BYTES("true") : BYTES("false"));
}

void json_put_null(struct json_writer *w)
{
    json_put_verbatim(w, BYTES("null"));
}

void json_put_verbatim(struct json_writer *w, struct bytes json)
{
    separate(w);
    buf_append(w->out, json);
}

/* Hex and dashes need no look for characters to escape. */
void json_put_uuid(struct json_writer *w, const struct uuid *id)
{
    char text[UUID_TEXT_LEN + 2] = {'"'};

    uuid_write(text + 1, id);
    text[UUID_TEXT_LEN + 1] = '"';
    json_put_verbatim(w, bytes_of(text, sizeof text));
}

void json_put_uuid_or_null(struct json_writer *w, const struct uuid *id)
{
    if (uuid_is_zero(id))
        json_put_null(w);
    else
        json_put_uuid(w, id);
}
