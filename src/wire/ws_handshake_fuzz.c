/* Aims at ws_handshake_read, behind the HTTP reader. Law: the status is one of the named ones; an accepted
 * upgrade is a GET with one key, its origin lies inside the request, and its reply's accept value is 28
 * characters of base64. */
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "wire/ws_handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_accepted(const struct ws_handshake *handshake, const struct http_request *request,
                           const uint8_t *in)
{
    uint8_t digest[20];
    size_t len, start;
    unsigned keys;

    if (request->method != HTTP_GET || request->has_body || !request->wants_upgrade) abort();
    (void)http_request_field(request, in, BYTES("sec-websocket-key"), &keys);
    if (keys != 1) abort();
    if (base64_read(digest, sizeof digest, &len, bytes_of(handshake->accept, WS_ACCEPT_LEN)) != ERR_OK)
        abort();
    if (len != sizeof digest) abort();
    if (bytes_is_absent(handshake->origin)) return;
    start = (size_t)(handshake->origin.ptr - in);
    if (start > request->head_len || handshake->origin.len > request->head_len - start) abort();
}

static void check_refused(const struct ws_handshake *handshake)
{
    int status = handshake->status;

    if (status != 400 && status != 403 && status != 405 && status != 426) abort();
    if (!bytes_is_absent(handshake->origin)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_request request;
    struct ws_handshake handshake;
    uint8_t *copy = malloc(size + 1);

    if (!copy) abort();
    if (size > 0) memcpy(copy, data, size);
    http_request_init(&request);
    if (http_request_feed(&request, copy, size) == HTTP_HEAD) {
        ws_handshake_read(&handshake, &request, copy);
        if (handshake.status == 101)
            check_accepted(&handshake, &request, copy);
        else
            check_refused(&handshake);
    }
    free(copy);
    return 0;
}
