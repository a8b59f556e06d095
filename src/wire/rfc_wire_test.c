/* The values that RFCs print for what this folder and base do: Basic, the upgrade's answer,
 * frames, base64. */
#include "base/base64url.h"
#include "harness/check.h"
#include "harness/vector_json.h"
#include "wire/basic_auth.h"
#include "wire/ws_frame.h"
#include "wire/ws_handshake.h"

static json_t *facts;

static const json_t *fact(const char *name)
{
    const json_t *entry = json_object_get(json_object_get(facts, "vectors"), name);

    CHECK_NOTE("%s", name);
    CHECK(entry != NULL);
    return entry;
}

static void rfc_4648_base64(void)
{
    const json_t *row, *cases = json_object_get(fact("rfc4648_10"), "cases");
    size_t i;

    json_array_foreach(cases, i, row)
    {
        const char *plain = json_string_value(json_array_get(row, 0));
        const char *encoded = json_string_value(json_array_get(row, 1));
        uint8_t decoded[16];
        size_t len;
        struct buf out;

        buf_init(&out, 100);
        base64url_append(&out, bytes_of_text(plain));
        CHECK_BYTES(buf_bytes(&out), bytes_of_text(encoded));
        CHECK_INT(base64url_read(decoded, sizeof decoded, &len, bytes_of_text(encoded)), ERR_OK);
        CHECK_BYTES(bytes_of(decoded, len), bytes_of_text(plain));
        buf_release(&out);
    }
    CHECK_INT(json_array_size(cases), 7);
}

static void rfc_7617_basic(void)
{
    const json_t *row, *cases = json_object_get(fact("rfc7617_basic"), "cases");
    size_t i;

    json_array_foreach(cases, i, row)
    {
        struct basic_auth auth;
        struct arena arena;
        size_t len = 0;
        uint8_t *hex =
            json_object_get(row, "password_utf8_hex") ? vector_hex(row, "password_utf8_hex", &len) : NULL;

        arena_init(&arena, 4096);
        CHECK_INT(basic_auth_read(&auth, &arena, vector_text(row, "header")), ERR_OK);
        CHECK_BYTES(auth.user, vector_text(row, "user"));
        CHECK_BYTES(auth.password, hex ? bytes_of(hex, len) : vector_text(row, "password"));
        arena_release(&arena);
        free(hex);
    }
    CHECK_INT(json_array_size(cases), 2);
}

static void rfc_6455_accept(void)
{
    const json_t *entry = fact("rfc6455_1_3_accept");
    struct ws_handshake handshake;
    struct http_request request;
    struct buf text;

    buf_init(&text, 1000);
    buf_append_text(&text, "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
    buf_append(&text, vector_text(entry, "sec_websocket_key"));
    buf_append_text(&text, "\r\n\r\n");
    http_request_init(&request);
    CHECK_INT(http_request_feed(&request, text.ptr, text.len), HTTP_HEAD);
    CHECK_INT(http_request_feed(&request, text.ptr, text.len), HTTP_DONE);
    ws_handshake_read(&handshake, &request, text.ptr);
    CHECK_INT(handshake.status, 101);
    CHECK_BYTES(bytes_of(handshake.accept, sizeof handshake.accept),
                vector_text(entry, "sec_websocket_accept"));
    buf_release(&text);
}

/* What a client may send: masked frames, read to their payload. */
static void reads_hello(struct bytes wire, enum ws_opcode opcode)
{
    struct ws_frame frame = {0};
    struct ws_frame_step step;
    uint8_t copy[32];
    size_t at = 0;

    if (!CHECK(wire.len <= sizeof copy)) return;
    memcpy(copy, wire.ptr, wire.len);
    do {
        step = ws_frame_feed(&frame, copy + at, wire.len - at, 100);
        at += step.used;
        CHECK_INT(step.opcode, opcode);
        if (step.event == WS_FRAME_PAYLOAD) CHECK_BYTES(step.payload, BYTES("Hello"));
    } while (step.event != WS_FRAME_END &&
             CHECK(step.event != WS_FRAME_BROKEN && step.event != WS_FRAME_MORE));
}

static void refuses_from_a_client(struct bytes wire)
{
    struct ws_frame frame = {0};
    uint8_t copy[32];

    if (!CHECK(wire.len <= sizeof copy)) return;
    memcpy(copy, wire.ptr, wire.len);
    CHECK_INT(ws_frame_feed(&frame, copy, wire.len, 100000).close_code, 1002); /* §5.1: not masked */
}

/* What we send: the head, or the whole frame if it is Hello. */
static void writes(struct bytes wire, enum ws_opcode opcode, size_t len)
{
    uint8_t *zeros = calloc(1, len + 1);
    struct buf out;

    buf_init(&out, 100000);
    ws_frame_write(&out, opcode, len == 5 ? BYTES("Hello") : bytes_of(zeros, len));
    CHECK_BYTES(bytes_part(buf_bytes(&out), 0, wire.len), wire);
    CHECK_INT(out.len, len == 5 ? wire.len : wire.len + len);
    buf_release(&out);
    free(zeros);
}

static void rfc_6455_frames(void)
{
    const json_t *row, *frames = json_object_get(fact("rfc6455_5_7_frames"), "frames");
    size_t i, len;

    json_array_foreach(frames, i, row)
    {
        const char *what = json_string_value(json_object_get(row, "what"));
        uint8_t *owned = vector_hex(row, "hex", &len);
        struct bytes wire = bytes_of(owned, len);

        CHECK_NOTE("%s", what);
        if (strstr(what, "unmasked text")) writes(wire, WS_TEXT, 5);
        if (strstr(what, "unmasked ping")) writes(wire, WS_PING, 5);
        if (strstr(what, "256-byte")) writes(wire, WS_BINARY, 256);
        if (strstr(what, "65536-byte")) writes(wire, WS_BINARY, 65536);
        if (!strncmp(what, "masked text", 11)) reads_hello(wire, WS_TEXT);
        if (!strncmp(what, "masked pong", 11)) reads_hello(wire, WS_PONG);
        if (strncmp(what, "masked", 6) != 0) refuses_from_a_client(wire);
        free(owned);
    }
    CHECK_INT(json_array_size(frames), 7);
}

int main(void)
{
    facts = vector_own("rfc/rfc_facts.json");
    CHECK_RUN(rfc_4648_base64);
    CHECK_RUN(rfc_7617_basic);
    CHECK_RUN(rfc_6455_accept);
    CHECK_RUN(rfc_6455_frames);
    json_decref(facts);
    return CHECK_END();
}
