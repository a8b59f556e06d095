#include "wire/http_request.h"

#include <string.h>

/* Where the reader is. Each place is entered with `at` and `line_start` at the first byte not yet used. */
enum place {
    AT_START, /* the request line, or one empty line before it */
    AT_FIELDS,
    AT_BODY,     /* HTTP_HEAD has been told; nothing of the body has been looked at */
    AT_FIXED,    /* a body of known length */
    AT_SIZE,     /* a chunk-size line */
    AT_DATA,     /* inside a chunk */
    AT_DATA_END, /* CRLF after a chunk */
    AT_TRAILERS,
    AT_DONE,
    AT_REFUSED
};

/* Bits of request->seen. */
enum {
    SEEN_EMPTY_LINE = 1,
    SEEN_HOST = 2,
    SEEN_LENGTH = 4,
    SEEN_CHUNKED = 8,
    SEEN_CLOSE = 16,
    SEEN_KEEP_ALIVE = 32,
    SEEN_UPGRADE_LISTED = 64,
    SEEN_UPGRADE = 128,
    SEEN_EXPECT = 256,
};

#define METHOD_MAX       32 /* longer than any registered one */
#define REQUEST_LINE_MAX (METHOD_MAX + 1 + HTTP_TARGET_MAX + sizeof " HTTP/1.1\r\n" - 1)

/* Classes of bytes, as bits. */
enum {
    IS_TCHAR = 1,     /* RFC 9110 §5.6.2 */
    IS_METHOD = 2,    /* tchar without lower-case letters: every registered method is upper-case */
    IS_TARGET = 4,    /* visible ASCII without '#': RFC 9112 §3.2 has no fragment in a target */
    IS_VALUE = 8,     /* RFC 9110 §5.5: no control byte but tab */
    IS_REG_NAME = 16, /* RFC 3986 §3.2.2 with '%', but no ',': that would be two Hosts joined */
    IS_IPV6 = 32,     /* hexadecimal digits, ':' and '.' */
};
/* clang-format off */
static const uint8_t classes[256] = {
     0,  0,  0,  0,  0,  0,  0,  0,  0,  8,  0,  0,  0,  0,  0,  0,
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
     8, 31, 12, 11, 31, 31, 31, 31, 28, 28, 31, 31, 12, 31, 63, 12,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 44, 28, 12, 28, 12, 12,
    12, 63, 63, 63, 63, 63, 63, 31, 31, 31, 31, 31, 31, 31, 31, 31,
    31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 12, 12, 12, 15, 31,
    15, 61, 61, 61, 61, 61, 61, 29, 29, 29, 29, 29, 29, 29, 29, 29,
    29, 29, 29, 29, 29, 29, 29, 29, 29, 29, 29, 12, 15, 12, 31,  0,
     8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,
     8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,
     8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,
     8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,
     8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,
     8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,
     8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,
     8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,
};
/* clang-format on */

void http_request_init(struct http_request *request)
{
    /* Not the fields: 1600 bytes that field_count already says are unused. */
    const size_t after_fields = offsetof(struct http_request, head_len);
    memset(request, 0, offsetof(struct http_request, fields));
    memset((uint8_t *)request + after_fields, 0, sizeof *request - after_fields);
    request->body_max = HTTP_BODY_MAX;
}

static bool refuse(struct http_request *request, uint16_t status, const char *reason)
{
    request->state = AT_REFUSED;
    request->status = status;
    request->reason = reason;
    request->keep_alive = false;
    return false;
}

/* The next line without its CRLF. False: not all there yet, or refused. A line whose LF is not among the
 * first `max` bytes is too long, however it is cut into pieces. */
static bool next_line(struct http_request *request, struct bytes *line, const uint8_t *in, size_t len,
                      size_t max, uint16_t status_if_long)
{
    size_t end = len - request->line_start < max ? len : request->line_start + max;
    const uint8_t *lf = memchr(in + request->at, '\n', end - request->at);
    if (lf == NULL) {
        request->at = (uint32_t)end;
        return end - request->line_start < max ? false : refuse(request, status_if_long, "line_too_long");
    }
    size_t line_len = (size_t)(lf - in) - request->line_start;
    /* RFC 9112 §2.2 allows a lone LF as the end; two readers that differ on it are how
     * requests are smuggled. */
    if (line_len == 0 || lf[-1] != '\r') return refuse(request, 400, "bare_lf");
    *line = bytes_of(in + request->line_start, line_len - 1);
    request->at = request->line_start = (uint32_t)(lf - in) + 1;
    return true;
}

static struct http_span span_of(const uint8_t *in, struct bytes b)
{
    return (struct http_span){(uint32_t)(b.ptr - in), (uint32_t)b.len};
}

static size_t count_class(struct bytes b, uint8_t class)
{
    size_t count = 0;
    while (count < b.len && (classes[b.ptr[count]] & class) != 0)
        count++;
    return count;
}

/* --- The request line: RFC 9112 §3 --- */

static const struct {
    struct bytes text;
    enum http_method method;
} methods[] = {
    {{(const uint8_t *)"GET", 3}, HTTP_GET},       {{(const uint8_t *)"HEAD", 4}, HTTP_HEAD_METHOD},
    {{(const uint8_t *)"POST", 4}, HTTP_POST},     {{(const uint8_t *)"PUT", 3}, HTTP_PUT},
    {{(const uint8_t *)"DELETE", 6}, HTTP_DELETE}, {{(const uint8_t *)"OPTIONS", 7}, HTTP_OPTIONS},
    {{(const uint8_t *)"PATCH", 5}, HTTP_OTHER},
};

static bool read_method(struct http_request *request, struct bytes text)
{
    if (text.len == 0 || text.len > METHOD_MAX) return refuse(request, 400, "method_malformed");
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (!bytes_equal(text, methods[i].text)) continue;
        request->method = methods[i].method;
        return true;
    }
    /* RFC 9110 §9.1. Not left to the routes: a word like XXGET means that we and the peer disagree on where a
     * request begins. TRACE, which would send credentials back to a page, and CONNECT fall under it too. */
    return refuse(request, 501, "method_unknown");
}

static bool read_target(struct http_request *request, struct bytes text)
{
    if (text.len > HTTP_TARGET_MAX) return refuse(request, 414, "target_too_long");
    if (text.len > 0 && text.ptr[0] == '/') return true;
    if (bytes_equal(text, BYTES("*")) && request->method == HTTP_OPTIONS) return true;
    /* Absolute-form too: it would bring a second host, and only a proxy has a use for it. */
    return refuse(request, 400, "target_form");
}

static bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') < 10;
}

static bool read_version(struct http_request *request, struct bytes text)
{
    if (text.len != 8 || memcmp(text.ptr, "HTTP/", 5) != 0 || !is_digit(text.ptr[5]) || text.ptr[6] != '.' ||
        !is_digit(text.ptr[7]))
        return refuse(request, 400, "version_malformed");
    if (text.ptr[5] != '1' || text.ptr[7] > '1') return refuse(request, 505, "version_unsupported");
    request->version_minor = (uint8_t)(text.ptr[7] - '0');
    return true;
}

static bool read_request_line(struct http_request *request, const uint8_t *in, struct bytes line)
{
    struct bytes method = bytes_part(line, 0, count_class(line, IS_METHOD));
    line = bytes_from(line, method.len);
    if (line.len == 0 || line.ptr[0] != ' ') return refuse(request, 400, "method_malformed");
    line = bytes_from(line, 1);
    struct bytes target = bytes_part(line, 0, count_class(line, IS_TARGET));
    line = bytes_from(line, target.len);
    if (line.len == 0 || line.ptr[0] != ' ') return refuse(request, 400, "target_malformed");
    request->method_text = span_of(in, method);
    request->target = span_of(in, target);
    return read_method(request, method) && read_target(request, target) &&
           read_version(request, bytes_from(line, 1));
}

/* --- Field lines: RFC 9112 §5 --- */

enum known {
    KNOWN_NOT,
    KNOWN_HOST,
    KNOWN_LENGTH,
    KNOWN_CODING,
    KNOWN_CONNECTION,
    KNOWN_UPGRADE,
    KNOWN_EXPECT
};

/* The fields that decide about framing and the connection. By length first: few others share one. */
static enum known known_field(struct bytes name)
{
    switch (name.len) {
    case 4:
        return bytes_equal_nocase(name, BYTES("Host")) ? KNOWN_HOST : KNOWN_NOT;
    case 6:
        return bytes_equal_nocase(name, BYTES("Expect")) ? KNOWN_EXPECT : KNOWN_NOT;
    case 7:
        return bytes_equal_nocase(name, BYTES("Upgrade")) ? KNOWN_UPGRADE : KNOWN_NOT;
    case 10:
        return bytes_equal_nocase(name, BYTES("Connection")) ? KNOWN_CONNECTION : KNOWN_NOT;
    case 14:
        return bytes_equal_nocase(name, BYTES("Content-Length")) ? KNOWN_LENGTH : KNOWN_NOT;
    case 17:
        return bytes_equal_nocase(name, BYTES("Transfer-Encoding")) ? KNOWN_CODING : KNOWN_NOT;
    default:
        return KNOWN_NOT;
    }
}

#define EACH_BYTE(c) (0x0101010101010101u * (c))

/* Eight bytes at a time: a byte below 0x20 or equal to 0x7F borrows into its own top bit. Tab is let through
 * by the second look, which only words with such a byte get. */
static bool value_is_clean(struct bytes b)
{
    uint64_t word;
    for (; b.len >= sizeof word; b = bytes_of(b.ptr + sizeof word, b.len - sizeof word)) {
        memcpy(&word, b.ptr, sizeof word);
        uint64_t is_delete = word ^ EACH_BYTE(0x7F);
        uint64_t marks = ((word - EACH_BYTE(0x20)) & ~word) | ((is_delete - EACH_BYTE(1)) & ~is_delete);
        if ((marks & EACH_BYTE(0x80)) == 0) continue;
        if (count_class(bytes_of(b.ptr, sizeof word), IS_VALUE) < sizeof word) return false;
    }
    return count_class(b, IS_VALUE) == b.len;
}

static bool split_field(struct http_request *request, struct bytes *name, struct bytes *value,
                        struct bytes line)
{
    size_t name_len = count_class(line, IS_TCHAR);
    /* RFC 9112 §5.2: a folded line could hide a field from a reader in front of us. */
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t') return refuse(request, 400, "folded_line");
    /* RFC 9112 §5.1: no white space before the colon, for the same reason. */
    if (name_len == 0 || name_len == line.len || line.ptr[name_len] != ':')
        return refuse(request, 400, "field_name_malformed");
    if (name_len > HTTP_NAME_MAX) return refuse(request, 431, "field_name_too_long");
    *name = bytes_of(line.ptr, name_len);
    *value = bytes_trim(bytes_of(line.ptr + name_len + 1, line.len - name_len - 1));
    return value_is_clean(*value) || refuse(request, 400, "field_value_malformed");
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || (uint8_t)((c | 0x20) - 'a') < 6;
}

/* RFC 3986 §3.2.2 and §3.2.3: host [":" port], without user part. An empty host names nobody, so
 * it is refused. */
static bool host_is_valid(struct bytes text)
{
    struct bytes host, port;
    if (text.len > 0 && text.ptr[0] == '[') {
        size_t inside = count_class(bytes_from(text, 1), IS_IPV6);
        if (inside < 2 || inside + 1 >= text.len || text.ptr[inside + 1] != ']') return false;
        port = bytes_from(text, inside + 2);
    } else {
        host = bytes_part(text, 0, count_class(text, IS_REG_NAME));
        if (host.len == 0) return false;
        for (size_t i = 0; i < host.len; i++)
            if (host.ptr[i] == '%' &&
                (host.len - i < 3 || !is_hex(host.ptr[i + 1]) || !is_hex(host.ptr[i + 2])))
                return false;
        port = bytes_from(text, host.len);
    }
    if (port.len == 0) return true;
    if (port.ptr[0] != ':' || port.len > 6) return false; /* 65535 has five digits */
    for (size_t i = 1; i < port.len; i++)
        if (!is_digit(port.ptr[i])) return false;
    return true;
}

static bool take_host(struct http_request *request, struct bytes value)
{
    if ((request->seen & SEEN_HOST) != 0) return refuse(request, 400, "host_twice"); /* RFC 9112 §3.2 */
    request->seen |= SEEN_HOST;
    return host_is_valid(value) || refuse(request, 400, "host_malformed");
}

/* RFC 9112 §6.3: digits and nothing else. Its allowance for a list of equal lengths is not taken up: no
 * client sends one, and a reader in front of us might take another member. 18 digits cannot overflow. */
static bool take_length(struct http_request *request, struct bytes value)
{
    if ((request->seen & SEEN_LENGTH) != 0) return refuse(request, 400, "length_twice");
    request->seen |= SEEN_LENGTH;
    if (value.len == 0 || value.len > 18) return refuse(request, 400, "length_malformed");
    for (size_t i = 0; i < value.len; i++) {
        if (!is_digit(value.ptr[i])) return refuse(request, 400, "length_malformed");
        request->body_left = request->body_left * 10 + (value.ptr[i] - '0');
    }
    return true;
}

static bool take_coding(struct http_request *request, struct bytes value)
{
    if ((request->seen & SEEN_CHUNKED) != 0) return refuse(request, 400, "coding_twice");
    request->seen |= SEEN_CHUNKED;
    /* RFC 9112 §6.1: what we cannot decode is 501. */
    return bytes_equal_nocase(value, BYTES("chunked")) || refuse(request, 501, "coding_unsupported");
}

static bool take_connection(struct http_request *request, struct bytes value)
{
    struct bytes option;
    bool has_more;
    do {
        has_more = bytes_split(&option, &value, value, ',');
        option = bytes_trim(option);
        if (bytes_equal_nocase(option, BYTES("close")))
            request->seen |= SEEN_CLOSE;
        else if (bytes_equal_nocase(option, BYTES("keep-alive")))
            request->seen |= SEEN_KEEP_ALIVE;
        else if (bytes_equal_nocase(option, BYTES("upgrade")))
            request->seen |= SEEN_UPGRADE_LISTED;
    } while (has_more);
    return true;
}

static bool take_expect(struct http_request *request, struct bytes value)
{
    request->seen |= SEEN_EXPECT;
    return bytes_equal_nocase(value, BYTES("100-continue")) || refuse(request, 417, "expectation_unknown");
}

static bool take_known(struct http_request *request, enum known known, struct bytes value)
{
    switch (known) {
    case KNOWN_NOT:
        return true;
    case KNOWN_HOST:
        return take_host(request, value);
    case KNOWN_LENGTH:
        return take_length(request, value);
    case KNOWN_CODING:
        return take_coding(request, value);
    case KNOWN_CONNECTION:
        return take_connection(request, value);
    case KNOWN_EXPECT:
        return take_expect(request, value);
    case KNOWN_UPGRADE:
        request->seen |= SEEN_UPGRADE;
        return true;
    }
    return true;
}

static bool read_field(struct http_request *request, const uint8_t *in, struct bytes line)
{
    struct bytes name, value;
    if (request->field_count == HTTP_FIELDS_MAX) return refuse(request, 431, "fields_too_many");
    if (!split_field(request, &name, &value, line)) return false;
    request->fields[request->field_count++] = (struct http_field){span_of(in, name), span_of(in, value)};
    return take_known(request, known_field(name), value);
}

/* --- The head as a whole --- */

static bool finish_head(struct http_request *request, size_t len)
{
    unsigned seen = request->seen;
    bool is_chunked = (seen & SEEN_CHUNKED) != 0, is_1_1 = request->version_minor == 1;
    if ((seen & SEEN_HOST) == 0 && is_1_1) return refuse(request, 400, "host_missing"); /* RFC 9112 §3.2 */
    /* RFC 9112 §6.1: both together, or chunked from a 1.0 client, "ought to be handled as an error". */
    if (is_chunked && (seen & SEEN_LENGTH) != 0) return refuse(request, 400, "both_lengths");
    if (is_chunked && !is_1_1) return refuse(request, 400, "chunked_in_1_0");
    if (request->body_left > HTTP_BODY_MAX) return refuse(request, 413, "body_too_large");
    request->head_len = request->at;
    request->has_body = is_chunked || request->body_left > 0;
    request->keep_alive = (seen & SEEN_CLOSE) == 0 && (is_1_1 || (seen & SEEN_KEEP_ALIVE) != 0);
    request->wants_upgrade = (seen & SEEN_UPGRADE) != 0 && (seen & SEEN_UPGRADE_LISTED) != 0;
    /* RFC 9110 §10.1.1: not for 1.0, and not once the body has begun. */
    request->expects_continue =
        (seen & SEEN_EXPECT) != 0 && is_1_1 && request->has_body && len == request->at;
    request->state = AT_BODY;
    return true;
}

static bool begin_request(struct http_request *request, const uint8_t *in, size_t len)
{
    struct bytes line;
    if (!next_line(request, &line, in, len, REQUEST_LINE_MAX, 414)) return false;
    if (line.len > 0) {
        request->state = AT_FIELDS;
        return read_request_line(request, in, line);
    }
    /* RFC 9112 §2.2: one empty line is forgiven, for clients that send CRLF after a body. */
    if ((request->seen & SEEN_EMPTY_LINE) != 0) return refuse(request, 400, "empty_lines");
    request->seen |= SEEN_EMPTY_LINE;
    return true;
}

static bool read_head(struct http_request *request, const uint8_t *in, size_t len)
{
    struct bytes line;
    while (request->state == AT_START)
        if (!begin_request(request, in, len)) return false;
    while (next_line(request, &line, in, len, HTTP_HEAD_MAX - request->line_start, 431)) {
        if (line.len == 0) return finish_head(request, len);
        if (!read_field(request, in, line)) return false;
    }
    return false;
}

/* --- Bodies: RFC 9112 §6 and §7. Each step returns whether another may follow at once. --- */

static bool finish_body(struct http_request *request, size_t body_len, size_t used)
{
    request->body = (struct http_span){request->head_len, (uint32_t)body_len};
    request->used = used;
    request->state = AT_DONE;
    return false;
}

static bool begin_body(struct http_request *request)
{
    if ((request->seen & SEEN_CHUNKED) != 0) {
        request->state = AT_SIZE;
        return true;
    }
    if (request->body_left > request->body_max) return refuse(request, 413, "body_too_large");
    request->state = AT_FIXED;
    return true;
}

static bool read_fixed(struct http_request *request, size_t len)
{
    if (len - request->head_len < request->body_left) return false;
    return finish_body(request, request->body_left, request->head_len + request->body_left);
}

/* A quoted string, RFC 9110 §5.6.4, at the start of b: how many bytes it takes, 0 if it does not end. */
static size_t quoted_len(struct bytes b)
{
    for (size_t i = 1; i < b.len; i++) {
        if (b.ptr[i] == '"') return i + 1;
        if (b.ptr[i] == '\\') i++;
    }
    return 0;
}

/* RFC 9112 §7.1.1, without its optional white space: names and values are checked and thrown away. */
static bool extensions_are_valid(struct bytes b)
{
    if (!value_is_clean(b)) return false;
    while (b.len > 0) {
        if (b.ptr[0] != ';') return false;
        size_t name_len = count_class(bytes_from(b, 1), IS_TCHAR);
        if (name_len == 0) return false;
        b = bytes_from(b, 1 + name_len);
        if (b.len == 0 || b.ptr[0] != '=') continue;
        b = bytes_from(b, 1);
        size_t value_len = b.len > 0 && b.ptr[0] == '"' ? quoted_len(b) : count_class(b, IS_TCHAR);
        if (value_len == 0) return false;
        b = bytes_from(b, value_len);
    }
    return true;
}

static uint64_t hex_value(uint8_t c)
{
    return is_digit(c) ? (uint64_t)(c - '0') : (uint64_t)((c | 0x20) - 'a' + 10);
}

static bool read_size(struct http_request *request, const uint8_t *in, size_t len)
{
    struct bytes line;
    uint64_t size = 0;
    size_t digits = 0;
    if (!next_line(request, &line, in, len, HTTP_CHUNK_EXT_MAX, 400)) return false;
    for (; digits < line.len && digits < 16 && is_hex(line.ptr[digits]); digits++) /* 16 fill 64 bits */
        size = size << 4 | hex_value(line.ptr[digits]);
    if (digits == 0 || !extensions_are_valid(bytes_from(line, digits)))
        return refuse(request, 400, "chunk_size_malformed");
    if (size > request->body_max || request->chunk_out > request->body_max - size)
        return refuse(request, 413, "body_too_large");
    /* One-byte chunks would let a client fill memory with what body_max does not count. */
    if (request->at - request->head_len - request->chunk_out > HTTP_CHUNK_OVERHEAD_MAX + request->chunk_out)
        return refuse(request, 400, "chunks_too_small");
    request->body_left = size;
    request->state = size == 0 ? AT_TRAILERS : AT_DATA;
    return true;
}

static bool read_data(struct http_request *request, uint8_t *in, size_t len)
{
    size_t here = len - request->at;
    if (here > request->body_left) here = (size_t)request->body_left;
    if (here == 0) return false;
    memmove(in + request->head_len + request->chunk_out, in + request->at, here);
    request->at += (uint32_t)here;
    request->chunk_out += (uint32_t)here;
    request->body_left -= here;
    if (request->body_left == 0) request->state = AT_DATA_END;
    return true;
}

static bool read_data_end(struct http_request *request, const uint8_t *in, size_t len)
{
    size_t here = len - request->at;
    if ((here > 0 && in[request->at] != '\r') || (here > 1 && in[request->at + 1] != '\n'))
        return refuse(request, 400, "chunk_unterminated");
    if (here < 2) return false;
    request->at += 2;
    request->line_start = request->at;
    request->state = AT_SIZE;
    return true;
}

static bool read_trailer(struct http_request *request, const uint8_t *in, size_t len)
{
    struct bytes line, name, value;
    if (!next_line(request, &line, in, len, HTTP_TRAILER_MAX, 400)) return false;
    if (line.len == 0) return finish_body(request, request->chunk_out, request->at);
    if (request->trailer_count++ == HTTP_TRAILERS_MAX) return refuse(request, 400, "trailers_too_many");
    if (!split_field(request, &name, &value, line)) return false;
    /* RFC 9110 §6.5.1: framing and routing may not be amended afterwards. */
    return known_field(name) == KNOWN_NOT || refuse(request, 400, "trailer_forbidden");
}

static bool read_body(struct http_request *request, uint8_t *in, size_t len)
{
    switch ((enum place)request->state) {
    case AT_BODY:
        return begin_body(request);
    case AT_FIXED:
        return read_fixed(request, len);
    case AT_SIZE:
        return read_size(request, in, len);
    case AT_DATA:
        return read_data(request, in, len);
    case AT_DATA_END:
        return read_data_end(request, in, len);
    case AT_TRAILERS:
        return read_trailer(request, in, len);
    case AT_START:
    case AT_FIELDS:
    case AT_DONE:
    case AT_REFUSED:
        return false;
    }
    return false;
}

enum http_step http_request_feed(struct http_request *request, uint8_t *in, size_t len)
{
    if (len == 0) return HTTP_MORE;
    if (request->state <= AT_FIELDS) {
        if (read_head(request, in, len)) return HTTP_HEAD;
    } else {
        while (read_body(request, in, len))
            ;
    }
    if (request->state == AT_REFUSED) return HTTP_REFUSED;
    return request->state == AT_DONE ? HTTP_DONE : HTTP_MORE;
}

struct bytes http_span_of(struct http_span span, const uint8_t *in)
{
    return bytes_of(in + span.start, span.len);
}

struct bytes http_request_field(const struct http_request *request, const uint8_t *in, struct bytes name,
                                unsigned *count)
{
    struct bytes first = BYTES_NONE;
    unsigned found = 0;
    for (uint32_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (field->name.len != name.len || !bytes_equal_nocase(http_span_of(field->name, in), name)) continue;
        if (found++ == 0) first = http_span_of(field->value, in);
    }
    if (count != NULL) *count = found;
    return first;
}
