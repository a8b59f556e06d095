#include "dialect/status_words.h"

const char *status_words(int status)
{
    switch (status) {
    case 401:
        return "The credential is missing, wrong, or no longer good.";
    case 403:
        return "This page may not ask for it.";
    case 404:
        return "There is nothing of that name.";
    case 405:
        return "The path takes another method.";
    case 413:
        return "The request is too large.";
    case 415:
        return "The body must be application/json.";
    case 429:
        return "Too many requests; wait as long as Retry-After says.";
    case 500:
        return "Something went wrong on our side.";
    case 503:
        return "Try again in a moment.";
    default:
        return "The request is not what the API defines.";
    }
}

void status_words_put(struct json_writer *w, int status, const struct refused *refused, const char *member)
{
    struct buf text;

    if (!refused->because || (status != 400 && status != 409)) {
        json_put_literal(w, status_words(status));
        return;
    }
    buf_init(&text, 256);
    buf_append_text(&text, member);
    buf_append_byte(&text, ' ');
    buf_append_text(&text, refused->because);
    json_put_string(w, buf_bytes(&text));
    if (buf_error(&text)) w->out->error = buf_error(&text);
    buf_release(&text);
}
