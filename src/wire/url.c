#include "wire/url.h"

#include "base/hex.h"
#include "base/utf8.h"

#include <string.h>

static bool is_letter(uint8_t c)
{
    return (uint8_t)((c | 0x20) - 'a') < 26;
}
static bool is_lower(uint8_t c)
{
    return (uint8_t)(c - 'a') < 26;
}
static bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') < 10;
}

static bool is_one_of(uint8_t c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

/* The byte that "%xy" at the start of b stands for, or -1. */
static int escaped_byte(struct bytes b)
{
    if (b.len < 3 || b.ptr[0] != '%') return -1;
    int high = hex_digit(b.ptr[1]), low = hex_digit(b.ptr[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* --- Targets --- */

/* RFC 3986 §3.3: pchar, and '|' because browsers leave it as it is. */
static bool is_path_byte(uint8_t c)
{
    return is_letter(c) || is_digit(c) || is_one_of(c, "-._~!$&'()*+,;=:@|");
}

/* What an escape in a path may stand for. An encoded slash or backslash would be a second spelling of a
 * boundary, and
 * "%25" before two more digits is an escape inside an escape: whoever decodes twice sees another path. */
static bool escape_is_harmless(int c, struct bytes after)
{
    if (c < 0x20 || c == 0x7F || c == '/' || c == '\\') return false;
    return c != '%' || after.len < 2 || hex_digit(after.ptr[0]) < 0 || hex_digit(after.ptr[1]) < 0;
}

/* The decoded byte at the start of rest, which is moved past it; -1 if it may not stand in a path. */
static int next_path_byte(struct bytes *rest)
{
    uint8_t c = rest->ptr[0];
    if (c == '/' || is_path_byte(c)) {
        *rest = bytes_of(rest->ptr + 1, rest->len - 1);
        return c;
    }
    int decoded = escaped_byte(*rest);
    *rest = bytes_from(*rest, 3);
    return decoded >= 0 && escape_is_harmless(decoded, *rest) ? decoded : -1;
}

static bool path_is_valid(struct bytes path)
{
    struct utf8 utf8 = {0};
    size_t segment_len = 0, dots = 0;
    if (path.len == 0 || path.ptr[0] != '/') return false;
    while (path.len > 0) {
        bool is_slash = path.ptr[0] == '/';
        int c = next_path_byte(&path);
        if (c < 0) return false;
        if ((c >= 0x80 || !utf8_is_complete(&utf8)) && !utf8_feed(&utf8, bytes_of(&(uint8_t){(uint8_t)c}, 1)))
            return false;
        if (is_slash) {
            /* RFC 3986 §6.2.2.3 would have us remove "." and ".." segments; nobody honest leaves them in. */
            if (dots > 0 && dots == segment_len && dots <= 2) return false;
            segment_len = dots = 0;
            continue;
        }
        segment_len++;
        if (c == '.') dots++;
    }
    return utf8_is_complete(&utf8) && !(dots > 0 && dots == segment_len && dots <= 2);
}

static bool query_is_valid(struct bytes query)
{
    for (size_t i = 0; i < query.len; i++)
        if (query.ptr[i] <= 0x20 || query.ptr[i] >= 0x7F || query.ptr[i] == '#') return false;
    return true;
}

enum err url_target_read(struct url_target *out, struct bytes target)
{
    struct bytes path, query;
    *out = (struct url_target){BYTES_NONE, BYTES_NONE};
    (void)bytes_split(&path, &query, target, '?'); /* without '?' the query is absent, as it should be */
    if (!path_is_valid(path) || !query_is_valid(query)) return ERR_MALFORMED;
    out->path = path;
    out->query = query;
    return ERR_OK;
}

/* --- Queries: application/x-www-form-urlencoded, as the URL standard of browsers has it --- */

/* The next decoded byte of rest, which is moved past it; -1 for a bad escape. */
static int next_query_byte(struct bytes *rest)
{
    uint8_t c = rest->ptr[0];
    if (c != '%') {
        *rest = bytes_from(*rest, 1);
        return c == '+' ? ' ' : c;
    }
    int decoded = escaped_byte(*rest);
    *rest = bytes_from(*rest, 3);
    return decoded;
}

static bool name_matches(struct bytes raw, struct bytes name)
{
    size_t at = 0;
    for (; raw.len > 0; at++) {
        int c = next_query_byte(&raw);
        if (at == name.len || c != name.ptr[at]) return false;
    }
    return at == name.len;
}

static enum err decode_value(struct bytes *out, struct arena *arena, struct bytes raw)
{
    uint8_t *text = arena_alloc(arena, raw.len);
    size_t len = 0;
    if (text == NULL) return ERR_NO_MEMORY;
    while (raw.len > 0) {
        int c = next_query_byte(&raw);
        if (c <= 0) return ERR_MALFORMED; /* a bad escape, or a NUL */
        text[len++] = (uint8_t)c;
    }
    if (!utf8_is_valid(bytes_of(text, len))) return ERR_MALFORMED;
    *out = bytes_of(text, len);
    return ERR_OK;
}

enum err url_query_value(struct bytes *out, struct arena *arena, struct bytes query, struct bytes name)
{
    struct bytes member, raw_name, raw_value;
    bool has_more = !bytes_is_absent(query);
    *out = BYTES_NONE;
    while (has_more) {
        has_more = bytes_split(&member, &query, query, '&');
        if (member.len == 0) continue;
        (void)bytes_split(&raw_name, &raw_value, member, '='); /* "a" means the same as "a=" */
        if (name_matches(raw_name, name)) return decode_value(out, arena, raw_value);
    }
    return ERR_OK;
}

/* --- Origins --- */

/* RFC 6454 §6.2 leaves the default port out, so that one origin has one text. */
static const struct {
    struct bytes scheme;
    uint64_t port;
} default_ports[] = {
    {{(const uint8_t *)"http", 4}, 80},
    {{(const uint8_t *)"https", 5}, 443},
    {{(const uint8_t *)"ws", 2}, 80},
    {{(const uint8_t *)"wss", 3}, 443},
};

static bool scheme_is_valid(struct bytes scheme)
{
    if (scheme.len == 0 || !is_lower(scheme.ptr[0])) return false;
    for (size_t i = 1; i < scheme.len; i++)
        if (!is_lower(scheme.ptr[i]) && !is_digit(scheme.ptr[i]) && !is_one_of(scheme.ptr[i], "+-."))
            return false;
    return true;
}

static bool is_name_byte(uint8_t c)
{
    return is_lower(c) || is_digit(c) || is_one_of(c, "-._");
}
static bool is_ipv6_byte(uint8_t c)
{
    return is_digit(c) || is_one_of(c, "abcdef:.");
}

/* A name as browsers send it, lower-case and in Punycode, or an address in brackets. 253: RFC 1035 §3.1. */
static bool host_is_valid(struct bytes host)
{
    bool is_bracketed = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (is_bracketed) host = bytes_part(host, 1, host.len - 2);
    for (size_t i = 0; i < host.len; i++)
        if (is_bracketed ? !is_ipv6_byte(host.ptr[i]) : !is_name_byte(host.ptr[i])) return false;
    return host.len > 0 && host.len <= 253;
}

static bool port_is_valid(struct bytes port, struct bytes scheme)
{
    uint64_t number;
    if (!bytes_to_u64(&number, port, 65535) || number == 0) return false;
    for (size_t i = 0; i < sizeof default_ports / sizeof default_ports[0]; i++)
        if (bytes_equal(scheme, default_ports[i].scheme) && number == default_ports[i].port) return false;
    return true;
}

bool url_is_origin(struct bytes origin)
{
    struct bytes scheme, rest;
    if (bytes_equal(origin, BYTES("null"))) return true;
    if (!bytes_split(&scheme, &rest, origin, ':') || !scheme_is_valid(scheme)) return false;
    if (!bytes_start_with(rest, BYTES("//"))) return false;
    rest = bytes_from(rest, 2);
    size_t host_len = rest.len;
    if (rest.len > 0 && rest.ptr[0] == '[') {
        size_t end = bytes_index(rest, ']');
        if (end == BYTES_NOT_FOUND) return false;
        host_len = end + 1;
    } else if (bytes_have(rest, ':')) {
        host_len = bytes_index(rest, ':');
    }
    if (!host_is_valid(bytes_part(rest, 0, host_len))) return false;
    rest = bytes_from(rest, host_len);
    return rest.len == 0 || (rest.ptr[0] == ':' && port_is_valid(bytes_from(rest, 1), scheme));
}
