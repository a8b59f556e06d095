#include "wire/http_request.h"
#include "harness/check.h"
#include "harness/http_transcript.h"

/* raw, whole, byte by byte and split at every byte, must give the transcript wanted. */
static void check_stream(struct bytes raw, struct bytes wanted)
{
    struct buf whole, cut;
    buf_init(&whole, SIZE_MAX);
    buf_init(&cut, SIZE_MAX);
    (void)http_transcript(&whole, raw, raw.len, 1); /* the count is in the transcript */
    CHECK_BYTES(buf_bytes(&whole), wanted);
    for (size_t first = 0; first < raw.len; first += 1 + raw.len / 400) {
        buf_reset(&cut);
        (void)http_transcript(&cut, raw, first, first == 0 ? 1 : raw.len);
        CHECK_BYTES(buf_bytes(&cut), buf_bytes(&whole));
    }
    buf_release(&whole);
    buf_release(&cut);
}

struct row {
    const char *raw, *wanted;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CHECK_NOTE("%s", rows[i].raw);
        check_stream(bytes_of_text(rows[i].raw), bytes_of_text(rows[i].wanted));
    }
}
#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

#define GET(fields)   "GET / HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define POST(fields)  "POST / HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define CHUNKED(body) POST("Transfer-Encoding: chunked\r\n") body

static void refuses_request_lines(void)
{
    static const struct row rows[] = {
        {"get / HTTP/1.1\r\n", "REFUSED 400 method_malformed\n"},
        {" GET / HTTP/1.1\r\n", "REFUSED 400 method_malformed\n"},
        {"GET\r\n", "REFUSED 400 method_malformed\n"},
        {"GET\t/ HTTP/1.1\r\n", "REFUSED 400 method_malformed\n"},
        {"G(T / HTTP/1.1\r\n", "REFUSED 400 method_malformed\n"},
        {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n", "REFUSED 400 method_malformed\n"},
        {"TRACE / HTTP/1.1\r\n", "REFUSED 501 method_unknown\n"},
        {"XXGET / HTTP/1.1\r\n", "REFUSED 501 method_unknown\n"},
        {"CONNECT a:443 HTTP/1.1\r\n", "REFUSED 501 method_unknown\n"},
        {"GET  / HTTP/1.1\r\n", "REFUSED 400 target_form\n"},
        {"GET x HTTP/1.1\r\n", "REFUSED 400 target_form\n"},
        {"GET * HTTP/1.1\r\n", "REFUSED 400 target_form\n"},
        {"GET http://a/ HTTP/1.1\r\n", "REFUSED 400 target_form\n"},
        {"GET /#x HTTP/1.1\r\n", "REFUSED 400 target_malformed\n"},
        {"GET /\xC3\xA4 HTTP/1.1\r\n", "REFUSED 400 target_malformed\n"},
        {"GET /\x7F HTTP/1.1\r\n", "REFUSED 400 target_malformed\n"},
        {"GET /\r\n", "REFUSED 400 target_malformed\n"},
        {"GET /a b HTTP/1.1\r\n", "REFUSED 400 version_malformed\n"},
        {"GET / HTTP/1.1 \r\n", "REFUSED 400 version_malformed\n"},
        {"GET / http/1.1\r\n", "REFUSED 400 version_malformed\n"},
        {"GET / HTTP/1.10\r\n", "REFUSED 400 version_malformed\n"},
        {"GET / HTTP/2.0\r\n", "REFUSED 505 version_unsupported\n"},
        {"GET / HTTP/1.2\r\n", "REFUSED 505 version_unsupported\n"},
        {"GET / HTTP/0.9\r\n", "REFUSED 505 version_unsupported\n"},
        {"GET / HTTP/1.1\n", "REFUSED 400 bare_lf\n"},
        {"\nGET / HTTP/1.1\r\n", "REFUSED 400 bare_lf\n"},
        {"\r\n\r\n", "REFUSED 400 empty_lines\n"},
    };
    CHECK_ROWS(rows);
}

static void refuses_fields(void)
{
    static const struct row rows[] = {
        {GET(" X: y\r\n"), "REFUSED 400 folded_line\n"},
        {GET("X: a\r\n\tb\r\n"), "REFUSED 400 folded_line\n"},
        {GET("X : y\r\n"), "REFUSED 400 field_name_malformed\n"},
        {GET("X\r\n"), "REFUSED 400 field_name_malformed\n"},
        {GET(": y\r\n"), "REFUSED 400 field_name_malformed\n"},
        {GET("X\xC3\xA4: y\r\n"), "REFUSED 400 field_name_malformed\n"},
        {GET("X(: y\r\n"), "REFUSED 400 field_name_malformed\n"},
        {GET("X: y\rZ: 1\r\n"), "REFUSED 400 field_value_malformed\n"},
        {GET("X: 0123456789\x01\r\n"), "REFUSED 400 field_value_malformed\n"},
        {GET("X: \x7F 0123456789\r\n"), "REFUSED 400 field_value_malformed\n"},
        {GET("X: 0123456\t\x1F\r\n"), "REFUSED 400 field_value_malformed\n"},
        {GET("X: y\n"), "REFUSED 400 bare_lf\n"},
        {GET("Host: a\r\n"), "REFUSED 400 host_twice\n"},
        {"GET / HTTP/1.1\r\n\r\n", "REFUSED 400 host_missing\n"},
        {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "REFUSED 400 host_twice\n"},
        {GET("Expect: 200-maybe\r\n"), "REFUSED 417 expectation_unknown\n"},
    };
    CHECK_ROWS(rows);
    check_stream(BYTES(GET("X: a\0b\r\n")), BYTES("REFUSED 400 field_value_malformed\n"));
    check_stream(BYTES(GET("X\0: b\r\n")), BYTES("REFUSED 400 field_name_malformed\n"));
    check_stream(BYTES("GET /\0 HTTP/1.1\r\n"), BYTES("REFUSED 400 target_malformed\n"));
}

static void knows_hosts(void)
{
    static const char *const refused[] = {"",     "a@b",  "a/x",   "a b",    "a:b",     "a:123456",
                                          ":80",  "[::1", "[]",    "[::1]x", "a,b",     "a?",
                                          "a%zz", "a%2",  "\"a\"", "a\\",    "\xC3\xA4"};
    static const char *const taken[] = {
        "a",  "A.example.com", "127.0.0.1:8080", "[::1]", "[::ffff:1.2.3.4]:65535", "a_b",
        "a:", "a%41",          "0.0.0.0=5000"};
    char raw[200];
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_NOTE("%s", refused[i]);
        (void)snprintf(raw, sizeof raw, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", refused[i]);
        check_stream(bytes_of_text(raw), BYTES("REFUSED 400 host_malformed\n"));
    }
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        CHECK_NOTE("%s", taken[i]);
        (void)snprintf(raw, sizeof raw, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", taken[i]);
        check_stream(bytes_of_text(raw), BYTES("DONE GET / 0=\n"));
    }
}

static void refuses_doubtful_framing(void)
{
    static const struct row rows[] = {
        {POST("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"), "REFUSED 400 both_lengths\n"},
        {POST("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n"), "REFUSED 400 both_lengths\n"},
        {POST("Content-Length: 2\r\nContent-Length: 2\r\n"), "REFUSED 400 length_twice\n"},
        {POST("Content-Length: 2, 2\r\n"), "REFUSED 400 length_malformed\n"},
        {POST("Content-Length: +2\r\n"), "REFUSED 400 length_malformed\n"},
        {POST("Content-Length: -2\r\n"), "REFUSED 400 length_malformed\n"},
        {POST("Content-Length: 0x2\r\n"), "REFUSED 400 length_malformed\n"},
        {POST("Content-Length: 2 2\r\n"), "REFUSED 400 length_malformed\n"},
        {POST("Content-Length:\r\n"), "REFUSED 400 length_malformed\n"},
        {POST("Content-Length: 18446744073709551618\r\n"), "REFUSED 400 length_malformed\n"},
        {POST("Content-Length: 1099511627776\r\n"), "REFUSED 413 body_too_large\n"},
        {POST("Content-Length: 262145\r\n"), "REFUSED 413 body_too_large\n"},
        {POST("Transfer-Encoding: identity\r\n"), "REFUSED 501 coding_unsupported\n"},
        {POST("Transfer-Encoding: gzip, chunked\r\n"), "REFUSED 501 coding_unsupported\n"},
        {POST("Transfer-Encoding: chunked, chunked\r\n"), "REFUSED 501 coding_unsupported\n"},
        {POST("Transfer-Encoding: xchunked\r\n"), "REFUSED 501 coding_unsupported\n"},
        {POST("Transfer-Encoding:\r\n"), "REFUSED 501 coding_unsupported\n"},
        {POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), "REFUSED 400 coding_twice\n"},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "REFUSED 400 chunked_in_1_0\n"},
    };
    CHECK_ROWS(rows);
}

static void refuses_doubtful_chunks(void)
{
    static const struct row rows[] = {
        {CHUNKED("0x2\r\n"), "REFUSED 400 chunk_size_malformed\n"},
        {CHUNKED("-2\r\n"), "REFUSED 400 chunk_size_malformed\n"},
        {CHUNKED("+2\r\n"), "REFUSED 400 chunk_size_malformed\n"},
        {CHUNKED(" 2\r\n"), "REFUSED 400 chunk_size_malformed\n"},
        {CHUNKED("2 \r\n"), "REFUSED 400 chunk_size_malformed\n"},
        {CHUNKED("1_0\r\n"), "REFUSED 400 chunk_size_malformed\n"},
        {CHUNKED("\r\n"), "REFUSED 400 chunk_size_malformed\n"},
        {CHUNKED("00000000000000002\r\n"), "REFUSED 400 chunk_size_malformed\n"},
        {CHUNKED("2;\r\n"), "REFUSED 400 chunk_size_malformed\n"},
        {CHUNKED("2;a=\r\n"), "REFUSED 400 chunk_size_malformed\n"},
        {CHUNKED("2;a=\"b\r\n"), "REFUSED 400 chunk_size_malformed\n"},
        {CHUNKED("2;a=\"b\\\"\r\n"), "REFUSED 400 chunk_size_malformed\n"},
        {CHUNKED("2;a=\"b\"c\r\n"), "REFUSED 400 chunk_size_malformed\n"},
        {CHUNKED("2;a\rb\r\n"), "REFUSED 400 chunk_size_malformed\n"},
        {CHUNKED("2\n"), "REFUSED 400 bare_lf\n"},
        {CHUNKED("2;a\nxx\r\n"), "REFUSED 400 bare_lf\n"},
        {CHUNKED("ffffffffffffffff\r\n"), "REFUSED 413 body_too_large\n"},
        {CHUNKED("40001\r\n"), "REFUSED 413 body_too_large\n"},
        {CHUNKED("2\r\nabX"), "REFUSED 400 chunk_unterminated\n"},
        {CHUNKED("2\r\nab\rX"), "REFUSED 400 chunk_unterminated\n"},
        {CHUNKED("2\r\nab\n"), "REFUSED 400 chunk_unterminated\n"},
        {CHUNKED("0\r\nContent-Length: 5\r\n"), "REFUSED 400 trailer_forbidden\n"},
        {CHUNKED("0\r\nHost: b\r\n"), "REFUSED 400 trailer_forbidden\n"},
        {CHUNKED("0\r\nX : y\r\n"), "REFUSED 400 field_name_malformed\n"},
        {CHUNKED("0\r\n\n"), "REFUSED 400 bare_lf\n"},
    };
    CHECK_ROWS(rows);
}

static void append_times(struct buf *out, const char *text, size_t times)
{
    while (times-- > 0)
        buf_append_text(out, text);
}

/* before, then text so many times, then after. */
static void check_repeated(const char *before, const char *text, size_t times, const char *after,
                           const char *wanted)
{
    struct buf raw;
    buf_init(&raw, SIZE_MAX);
    buf_append_text(&raw, before);
    append_times(&raw, text, times);
    buf_append_text(&raw, after);
    CHECK_NOTE("%s + %zu * %s", before, times, text);
    check_stream(buf_bytes(&raw), bytes_of_text(wanted));
    buf_release(&raw);
}

static void keeps_its_limits(void)
{
    check_repeated("GET /", "a", HTTP_TARGET_MAX, " HTTP/1.1\r\n", "REFUSED 414 target_too_long\n");
    check_repeated("GET /", "a", 65536, " HTTP/1.1\r\n", "REFUSED 414 line_too_long\n");
    check_repeated("", "a", 65536, "", "REFUSED 414 line_too_long\n");
    check_repeated("GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", HTTP_FIELDS_MAX, "\r\n",
                   "REFUSED 431 fields_too_many\n");
    check_repeated("GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", HTTP_FIELDS_MAX - 1, "\r\n",
                   "DONE GET / 0=\n");
    check_repeated("GET / HTTP/1.1\r\nX", "y", HTTP_NAME_MAX, ": z\r\n", "REFUSED 431 field_name_too_long\n");
    check_repeated("GET / HTTP/1.1\r\nX: ", "y", 20000, "\r\n\r\n", "REFUSED 431 line_too_long\n");
    check_repeated("GET / HTTP/1.1\r\nHost: a\r\nX:", "y", HTTP_HEAD_MAX - 31, "\r\n\r\n", "DONE GET / 0=\n");
    check_repeated("GET / HTTP/1.1\r\nHost: a\r\nX:", "y", HTTP_HEAD_MAX - 30, "\r\n\r\n",
                   "REFUSED 431 line_too_long\n");
    check_repeated(CHUNKED("2"), ";a", 200, "\r\n", "REFUSED 400 line_too_long\n");
    check_repeated(CHUNKED("0\r\n"), "X: y\r\n", HTTP_TRAILERS_MAX + 1, "\r\n",
                   "REFUSED 400 trailers_too_many\n");
    check_repeated(CHUNKED("0\r\n"), "X: y\r\n", HTTP_TRAILERS_MAX, "\r\n", "DONE POST / 0=\n");
    check_repeated(CHUNKED("0\r\nX: "), "y", HTTP_TRAILER_MAX, "\r\n", "REFUSED 400 line_too_long\n");
    check_repeated(CHUNKED(""), "1\r\na\r\n", 5000, "0\r\n\r\n", "REFUSED 400 chunks_too_small\n");
}

static void reads_what_clients_send(void)
{
    static const struct row rows[] = {
        {GET(""), "DONE GET / 0=\n"},
        {"\r\n" GET("X:\r\n"), "DONE GET / 0=\n"},
        {GET("X: \t a\tb \xC3\xA4 0123456789\t 01234567 \t\r\n"), "DONE GET / 0=\n"},
        {GET("Connection: Close\r\n") GET(""), "DONE GET / 0=\nCLOSE\n"},
        {GET("Connection: x, close ,keep-alive\r\n"), "DONE GET / 0=\nCLOSE\n"},
        {GET("") POST("Content-Length: 3\r\n") "abc\r\n" GET(""),
         "DONE GET / 0=\nDONE POST / 3=abc\nDONE GET / 0=\n"},
        {"GET / HTTP/1.0\r\n\r\n", "DONE GET / 0=\nCLOSE\n"},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "DONE GET / 0=\n"},
        {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "DONE OPTIONS * 0=\n"},
        {"PATCH /a?b=c|d HTTP/1.1\r\nHost: a\r\n\r\n", "DONE PATCH /a?b=c|d 0=\n"},
        {POST("CONTENT-LENGTH: 003\r\n") "abc", "DONE POST / 3=abc\n"},
        {POST("Content-Length: 3\r\n") "ab", "MORE\n"},
        {CHUNKED("3\r\nabc\r\nA\r\n0123456789\r\n000\r\n\r\n") GET(""),
         "DONE POST / 13=abc0123456789\nDONE GET / 0=\n"},
        {CHUNKED("3;a;b=c;d=\"e \\\" f\"\r\nabc\r\n0;x\r\nX-T: 1\r\n\r\n"), "DONE POST / 3=abc\n"},
        {CHUNKED("3\r\nabc\r\n0\r\n"), "MORE\n"},
        {POST("Transfer-Encoding: Chunked \r\n") "0\r\n\r\n", "DONE POST / 0=\n"},
    };
    CHECK_ROWS(rows);
}

static enum http_step feed_text(struct http_request *request, uint8_t *data, const char *text)
{
    memcpy(data, text, strlen(text));
    http_request_init(request);
    return http_request_feed(request, data, strlen(text));
}

static void tells_the_head(void)
{
    struct http_request request;
    uint8_t data[1000];
    unsigned count;
    const char *text =
        "PUT /a?b HTTP/1.1\r\nHost: a\r\nX-One:  1 \r\nx-two: 2\r\nX-TWO: 3\r\nUpgrade: websocket\r\n"
        "Connection: keep-alive, Upgrade\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    CHECK(feed_text(&request, data, text) == HTTP_HEAD);
    CHECK(request.method == HTTP_PUT && request.version_minor == 1);
    CHECK_BYTES(http_span_of(request.method_text, data), BYTES("PUT"));
    CHECK_BYTES(http_span_of(request.target, data), BYTES("/a?b"));
    CHECK(request.keep_alive && request.wants_upgrade && request.has_body && request.expects_continue);
    CHECK_INT(request.field_count, 8);
    CHECK_INT(request.head_len, strlen(text));
    CHECK_BYTES(http_request_field(&request, data, BYTES("x-one"), NULL), BYTES("1"));
    CHECK_BYTES(http_request_field(&request, data, BYTES("X-Two"), &count), BYTES("2"));
    CHECK_INT(count, 2);
    CHECK(bytes_is_absent(http_request_field(&request, data, BYTES("x"), &count)) && count == 0);
    CHECK(http_request_feed(&request, data, request.head_len) == HTTP_MORE);
    CHECK(http_request_feed(&request, data, request.head_len + 2) == HTTP_DONE);
    CHECK(http_request_feed(&request, data, request.head_len + 2) == HTTP_DONE);
    CHECK_INT(request.used, request.head_len + 2);
}

static void a_route_may_lower_the_body_limit(void)
{
    struct http_request request;
    uint8_t data[1000];
    size_t len;
    CHECK(feed_text(&request, data, POST("Content-Length: 11\r\n")) == HTTP_HEAD);
    request.body_max = 10;
    CHECK(http_request_feed(&request, data, request.head_len) == HTTP_REFUSED && request.status == 413);
    CHECK(!request.keep_alive);
    CHECK(http_request_feed(&request, data, request.head_len) == HTTP_REFUSED);
    len = strlen(CHUNKED("6\r\n123456\r\n5\r\n"));
    CHECK(feed_text(&request, data, CHUNKED("6\r\n123456\r\n5\r\n")) == HTTP_HEAD);
    request.body_max = 10;
    CHECK(http_request_feed(&request, data, len) == HTTP_REFUSED && request.status == 413);
}

static void upgrade_and_continue_need_all_their_parts(void)
{
    struct http_request request;
    uint8_t data[1000];
    CHECK(feed_text(&request, data, GET("Upgrade: websocket\r\n")) == HTTP_HEAD && !request.wants_upgrade);
    CHECK(feed_text(&request, data, GET("Connection: upgrade\r\n")) == HTTP_HEAD && !request.wants_upgrade);
    CHECK(feed_text(&request, data, GET("Expect: 100-continue\r\n")) == HTTP_HEAD &&
          !request.expects_continue);
    CHECK(feed_text(&request, data, POST("Expect: 100-continue\r\nContent-Length: 1\r\n") "x") == HTTP_HEAD);
    CHECK(!request.expects_continue);
    CHECK(feed_text(&request, data, "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n") ==
          HTTP_HEAD);
    CHECK(!request.expects_continue);
}

int main(void)
{
    CHECK_RUN(refuses_request_lines);
    CHECK_RUN(refuses_fields);
    CHECK_RUN(knows_hosts);
    CHECK_RUN(refuses_doubtful_framing);
    CHECK_RUN(refuses_doubtful_chunks);
    CHECK_RUN(keeps_its_limits);
    CHECK_RUN(reads_what_clients_send);
    CHECK_RUN(tells_the_head);
    CHECK_RUN(a_route_may_lower_the_body_limit);
    CHECK_RUN(upgrade_and_continue_need_all_their_parts);
    return CHECK_END();
}
