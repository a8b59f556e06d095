#include "wire/rpc.h"

#include "harness/check.h"

#define TEN    "0123456789"
#define ID_128 TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "12345678"

static void refuses_what_is_no_envelope(void)
{
    static const struct {
        struct bytes text;
        int code;
        struct bytes id;
    } rows[] = {
        {BYTES(""), RPC_PARSE_ERROR, BYTES_NONE},
        {BYTES("\0"), RPC_PARSE_ERROR, BYTES_NONE},
        {BYTES("{"), RPC_PARSE_ERROR, BYTES_NONE},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"id\":\"b\",\"method\":\"m\"}"), RPC_PARSE_ERROR,
         BYTES_NONE},
        {BYTES("[]"), RPC_INVALID_REQUEST, BYTES_NONE},
        {BYTES("[{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"m\"}]"), RPC_INVALID_REQUEST, BYTES_NONE},
        {BYTES("null"), RPC_INVALID_REQUEST, BYTES_NONE},
        {BYTES("{}"), RPC_INVALID_REQUEST, BYTES_NONE},
        {BYTES("{\"jsonrpc\":\"2.0\",\"method\":\"m\"}"), RPC_INVALID_REQUEST, BYTES_NONE},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"m\"}"), RPC_INVALID_REQUEST, BYTES_NONE},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}"), RPC_INVALID_REQUEST, BYTES_NONE},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"m\"}"), RPC_INVALID_REQUEST, BYTES_NONE},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":[\"a\"],\"method\":\"m\"}"), RPC_INVALID_REQUEST, BYTES_NONE},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"\",\"method\":\"m\"}"), RPC_INVALID_REQUEST, BYTES_NONE},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\\u0000\",\"method\":\"m\"}"), RPC_INVALID_REQUEST,
         BYTES_NONE},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"" ID_128 "9\",\"method\":\"m\"}"), RPC_INVALID_REQUEST,
         BYTES_NONE},
        {BYTES("{\"id\":\"a\",\"method\":\"m\"}"), RPC_INVALID_REQUEST, BYTES("a")},
        {BYTES("{\"jsonrpc\":2.0,\"id\":\"a\",\"method\":\"m\"}"), RPC_INVALID_REQUEST, BYTES("a")},
        {BYTES("{\"jsonrpc\":\"1.0\",\"id\":\"a\",\"method\":\"m\"}"), RPC_INVALID_REQUEST, BYTES("a")},
        {BYTES("{\"jsonrpc\":\"2.0\\u0000\",\"id\":\"a\",\"method\":\"m\"}"), RPC_INVALID_REQUEST,
         BYTES("a")},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\"}"), RPC_INVALID_REQUEST, BYTES("a")},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":1}"), RPC_INVALID_REQUEST, BYTES("a")},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"\"}"), RPC_INVALID_REQUEST, BYTES("a")},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"m\\u0000x\"}"), RPC_INVALID_REQUEST,
         BYTES("a")},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"" ID_128 "9\"}"), RPC_INVALID_REQUEST,
         BYTES("a")},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":null,\"result\":1}"), RPC_INVALID_REQUEST,
         BYTES("a")},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"m\",\"params\":[]}"), RPC_INVALID_REQUEST,
         BYTES("a")},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"m\",\"params\":null}"), RPC_INVALID_REQUEST,
         BYTES("a")},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"m\",\"result\":{}}"), RPC_INVALID_REQUEST,
         BYTES("a")},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"m\",\"error\":{}}"), RPC_INVALID_REQUEST,
         BYTES("a")},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{},\"error\":{}}"), RPC_INVALID_REQUEST,
         BYTES("a")},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"error\":\"e\"}"), RPC_INVALID_REQUEST, BYTES("a")},
        {BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"error\":null}"), RPC_INVALID_REQUEST, BYTES("a")},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rpc_message message;
        int code;
        CHECK_NOTE("%.*s", (int)rows[i].text.len, (const char *)rows[i].text.ptr);
        CHECK_INT(rpc_read(&message, &code, rows[i].text), ERR_MALFORMED);
        CHECK_INT(code, rows[i].code);
        CHECK_BYTES(message.id, rows[i].id);
        CHECK_INT(bytes_is_absent(message.id), bytes_is_absent(rows[i].id));
        CHECK(bytes_is_absent(message.method));
        CHECK(!message.params.node && !message.result.node && !message.error.node);
        rpc_message_release(&message);
    }
}

static void reads_requests(void)
{
    struct rpc_message message;
    int code = 1;

    CHECK_INT(rpc_read(&message, &code,
                       BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"u\",\"method\":\"a.b\",\"params\":{\"x\":1}}")),
              ERR_OK);
    CHECK_INT(code, 0);
    CHECK_INT(message.kind, RPC_REQUEST);
    CHECK_BYTES(message.id, BYTES("u"));
    CHECK_BYTES(message.method, BYTES("a.b"));
    CHECK_INT(json_count(message.params), 1);
    rpc_message_release(&message);
    CHECK_INT(rpc_read(&message, &code,
                       BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"" ID_128 "\",\"method\":\"" ID_128 "\"}")),
              ERR_OK);
    CHECK_INT(message.id.len, RPC_ID_MAX);
    CHECK_INT(json_type_of(message.params), JSON_IS_ABSENT);
    rpc_message_release(&message);
    rpc_message_release(&message); /* harmless twice */
}

static void reads_replies(void)
{
    struct rpc_message message;
    int code;

    CHECK_INT(rpc_read(&message, &code, BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"u\",\"result\":null}")), ERR_OK);
    CHECK_INT(message.kind, RPC_REPLY);
    CHECK_INT(json_type_of(message.result), JSON_IS_NULL);
    rpc_message_release(&message);
    CHECK_INT(rpc_read(&message, &code, BYTES("{\"id\":\"u\",\"jsonrpc\":\"2.0\",\"error\":{\"code\":-1}}")),
              ERR_OK);
    CHECK_INT(message.kind, RPC_REPLY);
    CHECK_INT(json_type_of(message.error), JSON_IS_OBJECT);
    CHECK_INT(json_type_of(message.result), JSON_IS_ABSENT);
    rpc_message_release(&message);
}

static void writes_envelopes(void)
{
    struct buf out;

    buf_init(&out, 4096);
    rpc_result_begin(&out, BYTES("a\"b"));
    buf_append_text(&out, "{}");
    rpc_end(&out);
    CHECK_BYTES(buf_bytes(&out), BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"b\",\"result\":{}}"));
    buf_reset(&out);
    rpc_request_begin(&out, BYTES("7"), "x.ping");
    buf_append_text(&out, "{\"t\":1}");
    rpc_end(&out);
    CHECK_BYTES(buf_bytes(&out),
                BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"method\":\"x.ping\",\"params\":{\"t\":1}}"));
    buf_reset(&out);
    rpc_error(&out, BYTES_NONE, RPC_PARSE_ERROR, "Parse error", BYTES_NONE);
    CHECK_BYTES(buf_bytes(&out), BYTES("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,"
                                       "\"message\":\"Parse error\"}}"));
    buf_reset(&out);
    rpc_error(&out, BYTES("i"), RPC_UNAUTHENTICATED, "no", BYTES("{\"k\":[]}"));
    CHECK_BYTES(buf_bytes(&out), BYTES("{\"jsonrpc\":\"2.0\",\"id\":\"i\",\"error\":{\"code\":-32002,"
                                       "\"message\":\"no\",\"data\":{\"k\":[]}}}"));
    buf_release(&out);
}

int main(void)
{
    CHECK_RUN(refuses_what_is_no_envelope);
    CHECK_RUN(reads_requests);
    CHECK_RUN(reads_replies);
    CHECK_RUN(writes_envelopes);
    return CHECK_END();
}
