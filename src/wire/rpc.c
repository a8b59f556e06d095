#include "wire/rpc.h"

#include "wire/json_write.h"

/* A string of 1..max bytes without NUL. */
static bool is_word(struct json value, size_t max)
{
    struct bytes text = json_text(value);

    return text.len >= 1 && text.len <= max && json_text_is_clean(value);
}

static bool is_present(struct json value)
{
    return json_type_of(value) != JSON_IS_ABSENT;
}

/* JSON-RPC 2.0 §4: params may be left out; the clients we serve send them by name only. */
static bool read_request(struct rpc_message *out, struct json method)
{
    if (!is_word(method, RPC_METHOD_MAX)) return false;
    out->kind = RPC_REQUEST;
    out->method = json_text(method);
    out->params = json_member(out->document, "params");
    return !is_present(out->params) || json_type_of(out->params) == JSON_IS_OBJECT;
}

/* JSON-RPC 2.0 §5: result or error, never both; an error is an object. */
static bool read_reply(struct rpc_message *out)
{
    out->kind = RPC_REPLY;
    out->result = json_member(out->document, "result");
    out->error = json_member(out->document, "error");
    if (is_present(out->result)) return !is_present(out->error);
    return json_type_of(out->error) == JSON_IS_OBJECT;
}

static bool read_envelope(struct rpc_message *out)
{
    struct json method = json_member(out->document, "method"), id = json_member(out->document, "id");

    if (is_word(id, RPC_ID_MAX)) out->id = json_text(id);
    if (bytes_is_absent(out->id)) return false;
    if (!bytes_equal(json_text(json_member(out->document, "jsonrpc")), BYTES("2.0"))) return false;
    if (!is_present(method)) return read_reply(out);
    if (is_present(json_member(out->document, "result"))) return false;
    if (is_present(json_member(out->document, "error"))) return false;
    return read_request(out, method);
}

enum err rpc_read(struct rpc_message *out, int *code, struct bytes text)
{
    enum err e;

    *out = (struct rpc_message){.kind = RPC_REQUEST};
    *code = 0;
    e = json_read(&out->document, text);
    if (e != ERR_OK) {
        *code = e == ERR_MALFORMED ? RPC_PARSE_ERROR : RPC_INTERNAL;
        return e;
    }
    if (read_envelope(out)) return ERR_OK;
    *out = (struct rpc_message){.document = out->document, .id = out->id};
    *code = RPC_INVALID_REQUEST;
    return ERR_MALFORMED;
}

void rpc_message_release(struct rpc_message *message)
{
    json_free(message->document);
    *message = (struct rpc_message){.kind = RPC_REQUEST};
}

/* {"jsonrpc":"2.0","id":…, left open for the rest. */
static struct json_writer envelope_begin(struct buf *out, struct bytes id)
{
    struct json_writer w = json_writer_on(out);

    json_object_begin(&w);
    json_key(&w, "jsonrpc");
    json_put_literal(&w, "2.0");
    json_key(&w, "id");
    json_put_string_or_null(&w, id);
    return w;
}

void rpc_result_begin(struct buf *out, struct bytes id)
{
    struct json_writer w = envelope_begin(out, id);

    json_key(&w, "result");
}

void rpc_request_begin(struct buf *out, struct bytes id, const char *method)
{
    struct json_writer w = envelope_begin(out, id);

    json_key(&w, "method");
    json_put_literal(&w, method);
    json_key(&w, "params");
}

void rpc_end(struct buf *out)
{
    buf_append_byte(out, '}');
}

void rpc_error(struct buf *out, struct bytes id, int code, const char *message, struct bytes data)
{
    struct json_writer w = envelope_begin(out, id);

    json_key(&w, "error");
    json_object_begin(&w);
    json_key(&w, "code");
    json_put_number(&w, code);
    json_key(&w, "message");
    json_put_literal(&w, message);
    if (!bytes_is_absent(data)) {
        json_key(&w, "data");
        json_put_verbatim(&w, data);
    }
    json_object_end(&w);
    json_object_end(&w);
}
