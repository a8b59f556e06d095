#include "sim/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64url.h"

void say(struct buf *out, const char *format, ...)
{
    char text[3000];
    va_list arguments;
    int len;

    va_start(arguments, format);
    len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof text) abort(); /* a mistake of ours */
    buf_append(out, bytes_of(text, (size_t)len));
}

void say_basic(struct buf *out, struct bytes user, struct bytes secret, bool is_wrong)
{
    struct buf plain;

    buf_init(&plain, 256);
    buf_append(&plain, user);
    buf_append_byte(&plain, ':');
    buf_append(&plain, secret);
    if (is_wrong) plain.ptr[plain.len - 1] ^= 1;
    buf_append_text(out, "Authorization: Basic ");
    base64_append(out, buf_bytes(&plain));
    buf_append_text(out, "\r\n");
    buf_release(&plain);
}

void say_key(struct buf *out, const struct request *request, bool is_wrong)
{
    const struct sim_project *project = &model.projects[request->project];
    const struct key_text *key = &project->keys[request->key];

    say_basic(out, bytes_of_text(project->text), bytes_of(key->secret, key->secret_len), is_wrong);
}

void say_body(struct buf *out, const char *type, struct bytes body)
{
    say(out, "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n", type, body.len);
    buf_append(out, body);
}
