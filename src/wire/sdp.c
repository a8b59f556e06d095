#include "wire/sdp.h"

/* The next line with its end; absent: no more. */
static struct bytes next_line(struct bytes *rest)
{
    size_t end = bytes_index(*rest, '\n');
    struct bytes line = bytes_part(*rest, 0, end == BYTES_NOT_FOUND ? rest->len : end + 1);

    *rest = bytes_from(*rest, line.len);
    return line.len ? line : BYTES_NONE;
}

static struct bytes without_end(struct bytes line)
{
    if (line.len && line.ptr[line.len - 1] == '\n') line.len--;
    if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
    return line;
}

enum err sdp_check(struct bytes sdp)
{
    struct bytes rest = sdp, line;

    if (sdp.len > SDP_MAX) return ERR_TOO_LARGE;
    if (!sdp.len || bytes_have(sdp, 0)) return ERR_MALFORMED;
    /* a CR inside would end a line for some readers and not for others (RFC 8866 §5) */
    while (!bytes_is_absent(line = next_line(&rest)))
        if (bytes_have(without_end(line), '\r')) return ERR_MALFORMED;
    return ERR_OK;
}

/* Whether words of the line are " typ host" (RFC 8839 §5.1), which stands before every extension. */
static bool is_host(struct bytes line)
{
    struct bytes word, before = BYTES_NONE;

    while (line.len) {
        size_t end = bytes_index(line, ' ');
        word = bytes_part(line, 0, end == BYTES_NOT_FOUND ? line.len : end);
        if (bytes_equal(before, BYTES("typ"))) return bytes_equal(word, BYTES("host"));
        before = word;
        line = bytes_from(line, end == BYTES_NOT_FOUND ? line.len : end + 1);
    }
    return false;
}

static bool is_bundle(struct bytes line)
{
    static const struct bytes group = BYTES("a=group:BUNDLE"); /* RFC 9143 §5 */

    return bytes_equal(line, group) ||
           (bytes_start_with(line, group) && bytes_start_with(bytes_from(line, group.len), BYTES(" ")));
}

static bool goes(struct bytes line, bool in_session, size_t media, enum sdp_candidates candidates)
{
    if (in_session && media > 1 && is_bundle(line)) return true;
    if (candidates == SDP_ALL || !bytes_start_with(line, BYTES("a=candidate:"))) return false;
    return candidates == SDP_NONE || is_host(line);
}

static bool begins_media(struct bytes line)
{
    return bytes_start_with(line, BYTES("m="));
}

enum err sdp_rewrite_offer(struct buf *out, struct bytes sdp, enum sdp_candidates candidates)
{
    struct bytes rest = sdp, line;
    bool in_session = true;
    size_t media = 0;
    enum err e = sdp_check(sdp);

    if (e) return e;
    while (!bytes_is_absent(line = next_line(&rest)))
        media += begins_media(line);
    rest = sdp;
    while (!bytes_is_absent(line = next_line(&rest))) {
        in_session = in_session && !begins_media(line);
        if (!goes(without_end(line), in_session, media, candidates)) buf_append(out, line);
    }
    return buf_error(out);
}
