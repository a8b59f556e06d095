#include "wire/ws_handshake.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/base64url.h"

#define KEY_LEN      16 /* bytes, decoded: RFC 6455 §4.1 */
#define KEY_TEXT_LEN 24 /* of which the last two are "=" */
#define SHA1_LEN     20

static bool list_has(struct bytes list, struct bytes word)
{
    struct bytes item;
    bool has_more;

    do {
        has_more = bytes_split(&item, &list, list, ',');
        if (bytes_equal_nocase(bytes_trim(item), word)) return true;
    } while (has_more);
    return false;
}

/* RFC 9110 §7.8: Upgrade is a list, and several lines of it are one list. */
static bool asks_for_websocket(const struct http_request *request, const uint8_t *in)
{
    for (uint32_t i = 0; i < request->field_count; i++) {
        if (!bytes_equal_nocase(http_span_of(request->fields[i].name, in), BYTES("Upgrade"))) continue;
        if (list_has(http_span_of(request->fields[i].value, in), BYTES("websocket"))) return true;
    }
    return false;
}

/* RFC 6455 §4.2.2: SHA-1 of key and GUID. It proves that we speak WebSocket and guards nothing. */
static enum err accept_of(char accept[WS_ACCEPT_LEN], struct bytes key)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t text[KEY_TEXT_LEN + sizeof guid - 1], digest[SHA1_LEN];
    struct buf encoded;
    enum err e;

    memcpy(text, key.ptr, KEY_TEXT_LEN);
    memcpy(text + KEY_TEXT_LEN, guid, sizeof guid - 1);
    if (!EVP_Digest(text, sizeof text, digest, NULL, EVP_sha1(), NULL)) return ERR_CRYPTO;
    buf_init(&encoded, WS_ACCEPT_LEN);
    base64_append(&encoded, bytes_of(digest, sizeof digest));
    e = buf_error(&encoded);
    if (!e) memcpy(accept, encoded.ptr, WS_ACCEPT_LEN);
    buf_release(&encoded);
    return e;
}

static bool is_key(struct bytes key)
{
    uint8_t decoded[KEY_LEN];
    size_t len;

    return base64_read(decoded, sizeof decoded, &len, key) == ERR_OK && len == sizeof decoded;
}

/* RFC 6455 §4.2.1; a body has no place before frames, and no browser sends one. */
static int judge(const struct http_request *request, const uint8_t *in)
{
    unsigned versions, keys, origins;
    struct bytes version = http_request_field(request, in, BYTES("Sec-WebSocket-Version"), &versions);
    struct bytes key = http_request_field(request, in, BYTES("Sec-WebSocket-Key"), &keys);

    (void)http_request_field(request, in, BYTES("Origin"), &origins);
    if (request->method != HTTP_GET) return 405;
    if (request->version_minor < 1 || request->has_body) return 400;
    if (!request->wants_upgrade || !asks_for_websocket(request, in)) return 400;
    if (versions != 1 || !bytes_equal(version, BYTES("13"))) return 426; /* §4.4 */
    if (keys != 1 || !is_key(key)) return 400;
    return origins > 1 ? 403 : 101;
}

void ws_handshake_read(struct ws_handshake *out, const struct http_request *request, const uint8_t *in)
{
    enum err e;

    *out = (struct ws_handshake){.status = judge(request, in)};
    if (out->status != 101) return;
    out->origin = http_request_field(request, in, BYTES("Origin"), NULL);
    e = accept_of(out->accept, http_request_field(request, in, BYTES("Sec-WebSocket-Key"), NULL));
    if (e) out->status = err_http_status(e);
}

void ws_handshake_reply(struct buf *out, const struct ws_handshake *handshake)
{
    buf_append_text(out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: ");
    buf_append(out, bytes_of(handshake->accept, sizeof handshake->accept));
    buf_append_text(out, "\r\n\r\n");
}
