#include "cli/tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LABEL_WIDTH   10
#define TELL_LINE_MAX 1024

void tell_begin(struct tell *tell, bool is_json)
{
    buf_init(&tell->out, 262144);
    tell->w = json_writer_on(&tell->out);
    tell->is_json = is_json;
    if (is_json) json_object_begin(&tell->w);
}

static void put_label(struct tell *tell, const char *label)
{
    size_t i;

    buf_append_text(&tell->out, "  ");
    buf_append_text(&tell->out, label);
    for (i = strlen(label); i < LABEL_WIDTH; i++)
        buf_append_byte(&tell->out, ' ');
}

static void put_printable(struct tell *tell, struct bytes text)
{
    size_t i;

    for (i = 0; i < text.len; i++)
        buf_append_byte(&tell->out, text.ptr[i] < 0x20 || text.ptr[i] > 0x7e ? '?' : text.ptr[i]);
    buf_append_byte(&tell->out, '\n');
}

void tell_bytes(struct tell *tell, const char *label, struct bytes text)
{
    if (!text.len) return;
    if (tell->is_json) {
        json_key(&tell->w, label);
        json_put_string(&tell->w, text);
        return;
    }
    put_label(tell, label);
    put_printable(tell, text);
}

void tell_line(struct tell *tell, const char *label, const char *format, ...)
{
    char line[TELL_LINE_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments); /* a cut line is still a line */
    va_end(arguments);
    tell_bytes(tell, label, bytes_of_text(line));
}

void tell_value(struct tell *tell, const char *label, struct json value)
{
    struct buf text;
    struct json_writer w;

    if (tell->is_json) {
        json_key(&tell->w, label);
        json_put_value(&tell->w, value);
        return;
    }
    buf_init(&text, 65536);
    w = json_writer_on(&text);
    json_put_value(&w, value);
    put_label(tell, label);
    put_printable(tell, buf_bytes(&text));
    buf_release(&text);
}

bool tell_end(struct tell *tell)
{
    bool is_good;

    if (tell->is_json) {
        json_object_end(&tell->w);
        buf_append_byte(&tell->out, '\n');
    }
    is_good = buf_error(&tell->out) == ERR_OK &&
              fwrite(tell->out.ptr, 1, tell->out.len, stdout) == tell->out.len && fflush(stdout) == 0;
    buf_release(&tell->out);
    return is_good;
}
