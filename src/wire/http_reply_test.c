#include "wire/http_reply.h"
#include "harness/check.h"

static void no_value_splits_a_reply(void)
{
    static const struct bytes refused[] = {BYTES("a\r\nX: y"), BYTES("a\nb"),     BYTES("a\rb"),
                                           BYTES("a\0b"),      BYTES("a\x1b[0m"), BYTES("\x7f")};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct buf out;
        CHECK_NOTE("row %zu", i);
        buf_init(&out, 1000);
        http_reply_begin(&out, 302);
        http_reply_field(&out, BYTES("Location"), refused[i]);
        http_reply_end(&out, BYTES("x"), true);
        CHECK(buf_error(&out) != ERR_OK);
        CHECK_BYTES(buf_bytes(&out), BYTES(""));
        buf_reset(&out);
        http_reply_field(&out, refused[i], BYTES("x"));
        CHECK(buf_error(&out) != ERR_OK);
        buf_release(&out);
    }
}

static void a_full_buffer_sends_nothing(void)
{
    struct buf out;
    buf_init(&out, 60);
    http_reply_begin(&out, 200);
    http_reply_end(&out, BYTES("a body that does not fit any more into it"), true);
    CHECK(buf_error(&out) == ERR_TOO_LARGE);
    CHECK_BYTES(buf_bytes(&out), BYTES(""));
    buf_release(&out);
    buf_init(&out, 5);
    http_reply_begin(&out, 200);
    http_reply_end(&out, BYTES_NONE, true);
    CHECK(buf_error(&out) == ERR_TOO_LARGE);
    buf_release(&out);
}

static void writes_whole_replies(void)
{
    struct buf out;
    buf_init(&out, 1000);
    http_reply_begin(&out, 200);
    http_reply_field(&out, BYTES("Content-Type"), BYTES("text/plain; a=\"\xC3\xA4\""));
    http_reply_end(&out, BYTES("hello"), true);
    CHECK_BYTES(
        buf_bytes(&out),
        BYTES(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; a=\"\xC3\xA4\"\r\nContent-Length: 5\r\n\r\nhello"));
    buf_reset(&out);
    http_reply_begin(&out, 204);
    http_reply_end_empty(&out, false);
    CHECK_BYTES(buf_bytes(&out), BYTES("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"));
    buf_reset(&out);
    http_reply_begin(&out, 299);
    http_reply_end(&out, BYTES_NONE, false);
    CHECK_BYTES(buf_bytes(&out),
                BYTES("HTTP/1.1 299 Unknown\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
    buf_release(&out);
}

int main(void)
{
    CHECK_RUN(no_value_splits_a_reply);
    CHECK_RUN(a_full_buffer_sends_nothing);
    CHECK_RUN(writes_whole_replies);
    return CHECK_END();
}
