/* Aims at rpc_read and the envelope writers. Law: an accepted message, written again by us, reads as the same
 * one; a refused one has a code, and no more than its id. */
#include <stdlib.h>

#include "wire/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(struct buf *out, const struct rpc_message *message)
{
    struct json_writer w = json_writer_on(out);
    char method[RPC_METHOD_MAX + 1] = "";

    if (message->kind == RPC_REQUEST) {
        for (size_t i = 0; i < message->method.len; i++)
            method[i] = (char)message->method.ptr[i];
        rpc_request_begin(out, message->id, method);
        if (message->params.node)
            json_put_value(&w, message->params);
        else
            buf_append_text(out, "{}");
        rpc_end(out);
        return;
    }
    if (message->error.node) {
        rpc_error(out, message->id, RPC_INTERNAL, "m", BYTES_NONE);
        return;
    }
    rpc_result_begin(out, message->id);
    json_put_value(&w, message->result);
    rpc_end(out);
}

static void compare(const struct rpc_message *a, const struct rpc_message *b)
{
    if (a->kind != b->kind || !bytes_equal(a->id, b->id) || !bytes_equal(a->method, b->method)) abort();
    if (json_count(a->params) != json_count(b->params)) abort();
    if (json_type_of(a->result) != json_type_of(b->result)) abort();
    if (json_type_of(a->error) != json_type_of(b->error)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rpc_message message, again;
    struct buf out;
    int code;

    buf_init(&out, size * 32 + 1024);
    if (rpc_read(&message, &code, bytes_of(data, size)) != ERR_OK) {
        if (code != RPC_PARSE_ERROR && code != RPC_INVALID_REQUEST) abort();
        if (message.method.ptr || message.params.node || message.result.node || message.error.node) abort();
    } else {
        if (message.id.len < 1 || message.id.len > RPC_ID_MAX || code != 0) abort();
        write_again(&out, &message);
        if (rpc_read(&again, &code, buf_bytes(&out)) != ERR_OK) abort();
        compare(&message, &again);
        rpc_message_release(&again);
    }
    rpc_message_release(&message);
    buf_release(&out);
    return 0;
}
