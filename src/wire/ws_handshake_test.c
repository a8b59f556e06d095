#include "wire/ws_handshake.h"

#include <jansson.h>

#include "harness/check.h"
#include "harness/vector_json.h"

/* One request, read by the HTTP reader and then by us; the HTTP status, if it did not get that far. */
static int status_of(struct ws_handshake *out, struct bytes text, struct buf *storage)
{
    static struct http_request request;
    enum http_step step;

    buf_reset(storage);
    buf_append(storage, text);
    *out = (struct ws_handshake){.status = 0};
    http_request_init(&request);
    step = http_request_feed(&request, storage->ptr, storage->len);
    if (step == HTTP_REFUSED) return request.status;
    if (!CHECK(step == HTTP_HEAD)) return 0;
    ws_handshake_read(out, &request, storage->ptr);
    return out->status;
}

#define KEY  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define HEAD "GET / HTTP/1.1\r\nHost: a\r\n"
#define UP   "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define V13  "Sec-WebSocket-Version: 13\r\n"

static const struct {
    const char *what;
    int status;
    struct bytes text;
} rows[] = {
    {"POST", 405, BYTES("POST / HTTP/1.1\r\nHost: a\r\n" UP KEY V13 "\r\n")},
    {"HTTP/1.0", 400, BYTES("GET / HTTP/1.0\r\nHost: a\r\n" UP KEY V13 "\r\n")},
    {"no Upgrade", 400, BYTES(HEAD "Connection: Upgrade\r\n" KEY V13 "\r\n")},
    {"no Connection", 400, BYTES(HEAD "Upgrade: websocket\r\n" KEY V13 "\r\n")},
    {"other Connection", 400, BYTES(HEAD "Upgrade: websocket\r\nConnection: close\r\n" KEY V13 "\r\n")},
    {"other protocol", 400, BYTES(HEAD "Upgrade: h2c\r\nConnection: Upgrade\r\n" KEY V13 "\r\n")},
    {"nearly the word", 400, BYTES(HEAD "Upgrade: websockets\r\nConnection: Upgrade\r\n" KEY V13 "\r\n")},
    {"body", 400, BYTES(HEAD UP KEY V13 "Content-Length: 5\r\n\r\nhello")},
    {"chunked body", 400, BYTES(HEAD UP KEY V13 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
    {"no version", 426, BYTES(HEAD UP KEY "\r\n")},
    {"version 8", 426, BYTES(HEAD UP KEY "Sec-WebSocket-Version: 8\r\n\r\n")},
    {"version 013", 426, BYTES(HEAD UP KEY "Sec-WebSocket-Version: 013\r\n\r\n")},
    {"version list", 426, BYTES(HEAD UP KEY "Sec-WebSocket-Version: 13, 8\r\n\r\n")},
    {"version twice", 426, BYTES(HEAD UP KEY V13 V13 "\r\n")},
    {"no key", 400, BYTES(HEAD UP V13 "\r\n")},
    {"two keys", 400, BYTES(HEAD UP KEY KEY V13 "\r\n")},
    {"empty key", 400, BYTES(HEAD UP "Sec-WebSocket-Key:\r\n" V13 "\r\n")},
    {"short key", 400, BYTES(HEAD UP "Sec-WebSocket-Key: AAAA\r\n" V13 "\r\n")},
    {"15 bytes", 400, BYTES(HEAD UP "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n" V13 "\r\n")},
    {"17 bytes", 400, BYTES(HEAD UP "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n" V13 "\r\n")},
    {"no padding", 400, BYTES(HEAD UP "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n" V13 "\r\n")},
    {"foreign alphabet", 400, BYTES(HEAD UP "Sec-WebSocket-Key: dGhlIHNhbXBsZ-Bub25jZQ==\r\n" V13 "\r\n")},
    {"not base64", 400, BYTES(HEAD UP "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==\r\n" V13 "\r\n")},
    {"two origins", 403, BYTES(HEAD UP KEY V13 "Origin: https://a\r\nOrigin: https://b\r\n\r\n")},
    {"the same origin twice", 403, BYTES(HEAD UP KEY V13 "Origin: https://a\r\norigin: https://a\r\n\r\n")},
    {"plain", 101, BYTES(HEAD UP KEY V13 "\r\n")},
    {"other case", 101,
     BYTES(HEAD "UPGRADE: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n" KEY V13 "\r\n")},
    {"lists", 101, BYTES(HEAD "Upgrade: h2c , websocket\r\nConnection: Upgrade\r\n" KEY V13 "\r\n")},
    {"extension offered", 101, BYTES(HEAD UP KEY V13 "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")},
    {"protocol offered", 101, BYTES(HEAD UP KEY V13 "Sec-WebSocket-Protocol: a, b\r\n\r\n")},
};

static void upgrades_are_judged(void)
{
    struct ws_handshake handshake;
    struct buf storage;

    buf_init(&storage, 1 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_NOTE("%s", rows[i].what);
        CHECK_INT(status_of(&handshake, rows[i].text, &storage), rows[i].status);
        if (rows[i].status != 101) CHECK(bytes_is_absent(handshake.origin));
    }
    buf_release(&storage);
}

/* RFC 6455 §1.3 has this key and this answer. */
static void the_reply_is_exact(void)
{
    struct ws_handshake handshake;
    struct buf storage, out;

    buf_init(&storage, 1 << 16);
    buf_init(&out, 1000);
    CHECK_INT(
        status_of(&handshake,
                  BYTES(HEAD UP KEY V13 "Origin: https://app.example.test\r\n"
                                        "Sec-WebSocket-Extensions: x\r\nSec-WebSocket-Protocol: y\r\n\r\n"),
                  &storage),
        101);
    CHECK_BYTES(handshake.origin, BYTES("https://app.example.test"));
    ws_handshake_reply(&out, &handshake);
    CHECK_BYTES(buf_bytes(&out),
                BYTES("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
    CHECK_INT(status_of(&handshake, BYTES(HEAD UP KEY V13 "\r\n"), &storage), 101);
    CHECK(bytes_is_absent(handshake.origin));
    CHECK_INT(status_of(&handshake, BYTES(HEAD UP KEY V13 "Origin:\r\n\r\n"), &storage), 101);
    CHECK(!bytes_is_absent(handshake.origin)); /* empty is on no list */
    buf_release(&storage);
    buf_release(&out);
}

static void append_filled(struct buf *out, const char *text)
{
    static const char *const names[][2] = {
        {"{WSPATH}", "/"}, {"{HOST}", "localhost"}, {"{GOOD_ORIGIN}", "https://app.example.test"}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *at = strstr(text, names[i][0]);
        if (!at) continue;
        buf_append(out, bytes_of(text, (size_t)(at - text)));
        buf_append_text(out, names[i][1]);
        buf_append_text(out, at + strlen(names[i][0]));
        return;
    }
    buf_append_text(out, text);
}

static void vector_request(struct buf *out, const json_t *row)
{
    json_t *pair;
    size_t i;

    append_filled(out, json_string_value(json_object_get(row, "request_line")));
    buf_append_text(out, "\r\n");
    json_array_foreach(json_object_get(row, "headers"), i, pair)
    {
        const json_t *value = json_array_get(pair, 1);
        append_filled(out, json_string_value(json_array_get(pair, 0)));
        buf_append_text(out, ": ");
        if (strlen(json_string_value(value)) == json_string_length(value))
            append_filled(out, json_string_value(value));
        else
            buf_append(out, bytes_of(json_string_value(value), json_string_length(value)));
        buf_append_text(out, "\r\n");
    }
    buf_append_text(out, "\r\n");
}

/* The list of one allowed origin, which the server will keep. */
static int status_with_list(struct ws_handshake *handshake, struct bytes text, struct buf *storage)
{
    int status = status_of(handshake, text, storage);

    if (status != 101 || bytes_is_absent(handshake->origin)) return status;
    return bytes_equal(handshake->origin, BYTES("https://app.example.test")) ? 101 : 403;
}

static void run_cases(json_t *file)
{
    json_t *row;
    struct buf text, storage;
    size_t i;

    CHECK(json_array_size(json_object_get(file, "cases")) > 0);
    buf_init(&text, 1 << 16);
    buf_init(&storage, 1 << 16);
    json_array_foreach(json_object_get(file, "cases"), i, row)
    {
        const char *expect = json_string_value(json_object_get(row, "expect"));
        struct ws_handshake handshake;
        char status[12];
        buf_reset(&text);
        vector_request(&text, row);
        CHECK_NOTE("%s: %s", json_string_value(json_object_get(row, "id")), expect);
        (void)snprintf(status, sizeof status, "%d", status_with_list(&handshake, buf_bytes(&text), &storage));
        if (!CHECK(strstr(expect, status))) fprintf(stderr, "    got %s\n", status);
    }
    buf_release(&text);
    buf_release(&storage);
    json_decref(file);
}

static void our_vectors(void)
{
    vector_each("ws/own_handshakes.json", run_cases);
}

int main(void)
{
    CHECK_RUN(upgrades_are_judged);
    CHECK_RUN(the_reply_is_exact);
    CHECK_RUN(our_vectors);
    return CHECK_END();
}
