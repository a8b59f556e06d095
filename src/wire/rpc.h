/* rpc.h — JSON-RPC 2.0 envelopes, one per WebSocket text message. Batches are refused; so are ids other than
 * strings of 1..RPC_ID_MAX bytes, because the clients we serve send no others. */
#ifndef COATCHECK_WIRE_RPC_H
#define COATCHECK_WIRE_RPC_H

#include "base/buf.h"
#include "wire/json_read.h"

#define RPC_ID_MAX     128
#define RPC_METHOD_MAX 128

enum rpc_kind { RPC_REQUEST, RPC_REPLY };

struct rpc_message {
    enum rpc_kind kind;
    struct json document;      /* free with rpc_message_release */
    struct bytes id;           /* borrowed from document */
    struct bytes method;       /* requests */
    struct json params;        /* requests; absent, or an object */
    struct json result, error; /* replies */
};

enum {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL = -32603,
    RPC_UNAUTHENTICATED = -32002,
    RPC_VALIDATION_FAILED = -32003
};

/* On failure *code is RPC_PARSE_ERROR or RPC_INVALID_REQUEST (RPC_INTERNAL with ERR_NO_MEMORY), and out->id
 * holds the id if one could be read. Release it either way. */
MUST_USE enum err rpc_read(struct rpc_message *out, int *code, struct bytes text);
void rpc_message_release(struct rpc_message *message);

/* Envelopes for json_write users: prefix, then your result or params as JSON, then the suffix. An
 * absent id is null. */
void rpc_result_begin(struct buf *out, struct bytes id);
void rpc_request_begin(struct buf *out, struct bytes id, const char *method);
void rpc_end(struct buf *out);
/* data, if not absent, is JSON to stand as error.data. */
void rpc_error(struct buf *out, struct bytes id, int code, const char *message, struct bytes data);

#endif
