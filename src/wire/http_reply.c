#include "wire/http_reply.h"

#include <string.h>

static const struct {
    int status;
    const char *text;
} statuses[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

const char *http_status_text(int status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].status == status) return statuses[i].text;
    return "Unknown";
}

void http_reply_begin(struct buf *out, int status)
{
    buf_append(out, BYTES("HTTP/1.1 "));
    buf_append_i64(out, status);
    buf_append_byte(out, ' ');
    buf_append_text(out, http_status_text(status));
    buf_append(out, BYTES("\r\n"));
}

/* RFC 9110 §5.5: CR, LF and NUL are what splits a response; the other control bytes have no
 * place there either. */
static bool value_is_safe(struct bytes value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((value.ptr[i] < 0x20 && value.ptr[i] != '\t') || value.ptr[i] == 0x7F) return false;
    return true;
}

/* Our names are letters, digits and '-', all of which RFC 9110 §5.6.2 allows. */
static bool name_is_safe(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];
        if ((uint8_t)((c | 0x20) - 'a') > 25 && (uint8_t)(c - '0') > 9 && c != '-') return false;
    }
    return name.len > 0;
}

void http_reply_field(struct buf *out, struct bytes name, struct bytes value)
{
    if (!name_is_safe(name) || !value_is_safe(value)) {
        if (out->error == ERR_OK) out->error = ERR_MALFORMED;
        return;
    }
    buf_append(out, name);
    buf_append(out, BYTES(": "));
    buf_append(out, value);
    buf_append(out, BYTES("\r\n"));
}

static void append_connection(struct buf *out, bool keep_alive)
{
    if (!keep_alive) buf_append(out, BYTES("Connection: close\r\n"));
}

void http_reply_end(struct buf *out, struct bytes body, bool keep_alive)
{
    append_connection(out, keep_alive);
    buf_append(out, BYTES("Content-Length: "));
    buf_append_u64(out, body.len);
    buf_append(out, BYTES("\r\n\r\n"));
    buf_append(out, body);
}

void http_reply_end_empty(struct buf *out, bool keep_alive)
{
    append_connection(out, keep_alive);
    buf_append(out, BYTES("\r\n"));
}
