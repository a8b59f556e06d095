#include "server/admin_ask.h"

#include <string.h>

#include "base/base64url.h"
#include "engine/revoke.h"
#include "wire/json_read.h"

static enum err read_error_id(struct admin_ask *out, struct bytes text)
{
    uint8_t random[RECORD_ID_LEN / 4 * 3];
    size_t len;

    if (text.len != RECORD_ID_LEN || base64url_read(random, sizeof random, &len, text)) return ERR_MALFORMED;
    memcpy(out->error_id, text.ptr, RECORD_ID_LEN);
    return ERR_OK;
}

static enum err read_project(struct admin_ask *out, struct json document, bool is_required)
{
    struct json project = json_member(document, "project");

    if (!is_required && json_type_of(project) == JSON_IS_ABSENT) return ERR_OK;
    return uuid_read(&out->project, json_text(project));
}

static enum err read_clock(struct admin_ask *out, struct json document)
{
    if (read_project(out, document, true)) return ERR_MALFORMED;
    return json_int64(&out->by_ms, json_member(document, "by_ms")) ? ERR_OK : ERR_MALFORMED;
}

static enum err read_revoke(struct admin_ask *out, struct json document)
{
    struct bytes name = json_text(json_member(document, "name"));

    if (read_project(out, document, true)) return ERR_MALFORMED;
    if (!cutoff_of_read(&out->of, json_text(json_member(document, "of")))) return ERR_MALFORMED;
    if (!name.len || name.len > sizeof out->name) return ERR_MALFORMED;
    memcpy(out->name, name.ptr, name.len);
    out->name_len = name.len;
    return ERR_OK;
}

static bool read_flag(bool *out, struct json document, const char *name)
{
    struct json flag = json_member(document, name);
    enum json_type type = json_type_of(flag);

    *out = type == JSON_IS_TRUE;
    return type == JSON_IS_ABSENT || type == JSON_IS_TRUE || type == JSON_IS_FALSE;
}

static enum err read_keyring(struct admin_ask *out, struct json document)
{
    struct bytes want = json_text(json_member(document, "want")), id = json_text(json_member(document, "id"));

    if (!read_flag(&out->ring.is_emergency, document, "emergency") ||
        !read_flag(&out->ring.is_look, document, "look"))
        return ERR_MALFORMED;
    if (bytes_equal(want, BYTES("rewrap"))) return ERR_OK;
    if (bytes_equal(want, BYTES("rotate"))) {
        out->ring.want = RING_WANT_ROTATE;
        return ring_use_of_text(&out->ring.use, json_text(json_member(document, "use"))) ? ERR_OK
                                                                                         : ERR_MALFORMED;
    }
    out->ring.want = bytes_equal(want, BYTES("retire")) ? RING_WANT_RETIRE : RING_WANT_REMOVE;
    if (out->ring.want == RING_WANT_REMOVE && !bytes_equal(want, BYTES("remove"))) return ERR_MALFORMED;
    if (id.len != sizeof out->ring.id) return ERR_MALFORMED;
    memcpy(out->ring.id, id.ptr, id.len);
    return ERR_OK;
}

enum err admin_ask_read(struct admin_ask *out, struct bytes line)
{
    struct json document = {NULL};
    struct bytes command;
    enum err e;

    memset(out, 0, sizeof *out);
    if (line.len >= ADMIN_LINE_MAX) return ERR_TOO_LARGE;
    TRY(e = json_read(&document, line), done);
    command = json_text(json_member(document, "command"));
    e = ERR_MALFORMED;
    if (bytes_equal(command, BYTES("why"))) {
        out->command = ADMIN_WHY;
        e = read_error_id(out, json_text(json_member(document, "error_id")));
    } else if (bytes_equal(command, BYTES("keys"))) {
        out->command = ADMIN_KEYS;
        e = read_project(out, document, false);
    } else if (bytes_equal(command, BYTES("clock"))) {
        out->command = ADMIN_CLOCK;
        e = read_clock(out, document);
    } else if (bytes_equal(command, BYTES("time"))) {
        out->command = ADMIN_TIME;
        e = ERR_OK;
    } else if (bytes_equal(command, BYTES("keyring"))) {
        out->command = ADMIN_KEYRING;
        e = read_keyring(out, document);
    } else if (bytes_equal(command, BYTES("confirm"))) {
        out->command = ADMIN_CONFIRM;
        e = ERR_OK;
    } else if (bytes_equal(command, BYTES("revoke"))) {
        out->command = ADMIN_REVOKE;
        e = read_revoke(out, document);
    } else if (bytes_equal(command, BYTES("operate"))) {
        struct operation operation; /* whoever carries it out reads it again, with the document at hand */
        out->command = ADMIN_OPERATE;
        e = operation_read(&operation, document);
    }
done:
    json_free(document);
    if (e) memset(out, 0, sizeof *out);
    return e;
}
