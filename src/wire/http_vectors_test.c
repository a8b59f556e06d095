/* http_vectors_test.c — the HTTP reader against files of raw requests: our own, and those of llhttp, whose
 * strict mode is more lenient than ours in the ways named in `stricter` below and in no other. */
#include "wire/http_request.h"
#include "wire/url.h"
#include "harness/check.h"
#include "harness/http_transcript.h"
#include "harness/vector_json.h"

/* The transcript of raw, which must be the same for every way to cut it. */
static unsigned transcribe(struct buf *out, struct bytes raw)
{
    struct buf cut;
    buf_init(&cut, SIZE_MAX);
    buf_reset(out);
    unsigned done = http_transcript(out, raw, raw.len, 1);
    for (size_t first = 0; first < raw.len; first += 1 + raw.len / 400) {
        buf_reset(&cut);
        (void)http_transcript(&cut, raw, first,
                              first == 0 ? 1 : raw.len); /* the count is in the transcript */
        CHECK_BYTES(buf_bytes(&cut), buf_bytes(out));
    }
    buf_release(&cut);
    return done;
}

static bool holds(struct bytes text, const char *part)
{
    return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

static void append_replaced(struct buf *out, struct bytes text, const char *from, const char *to)
{
    size_t len = strlen(from);
    while (text.len > 0) {
        bool is_here = text.len >= len && memcmp(text.ptr, from, len) == 0;
        if (is_here)
            buf_append_text(out, to);
        else
            buf_append_byte(out, text.ptr[0]);
        text = bytes_from(text, is_here ? len : 1);
    }
}

/* --- Our own --- */

/* Requests that reached a route: whole, and with a target that names a path. */
static unsigned count_routed(struct bytes transcript)
{
    struct bytes line, method, target;
    unsigned routed = 0;
    while (bytes_split(&line, &transcript, transcript, '\n')) {
        struct url_target read;
        if (!bytes_start_with(line, BYTES("DONE "))) continue;
        (void)bytes_split(&method, &target, bytes_from(line, 5), ' '); /* our own text: both are there */
        (void)bytes_split(&target, &method, target, ' ');
        CHECK(!holds(target, "smuggled"));
        if (url_target_read(&read, target) == ERR_OK) routed++;
    }
    return routed;
}

static void check_own(const json_t *row)
{
    struct buf raw, with_path, transcript;
    size_t len;
    uint8_t *template = vector_base64(row, "raw_b64", &len);
    struct bytes expect = vector_text(row, "expect");
    buf_init(&with_path, SIZE_MAX);
    buf_init(&raw, SIZE_MAX);
    buf_init(&transcript, SIZE_MAX);
    append_replaced(&with_path, bytes_of(template, len), "{PATH}", "/api/health");
    append_replaced(&raw, buf_bytes(&with_path), "{HOST}", "127.0.0.1:8080");
    unsigned done = transcribe(&transcript, buf_bytes(&raw)), routed = count_routed(buf_bytes(&transcript));
    bool is_refused = holds(buf_bytes(&transcript), "REFUSED ");
    CHECK(done + is_refused <= json_integer_value(json_object_get(row, "max_responses")));
    if (bytes_equal(expect, BYTES("accept"))) CHECK(routed >= 1 && !is_refused);
    if (bytes_equal(expect, BYTES("reject"))) CHECK(routed == 0 && (is_refused || done > 0));
    buf_release(&transcript);
    buf_release(&raw);
    buf_release(&with_path);
    free(template);
}

static void run_own(json_t *file)
{
    json_t *row;
    size_t i;
    json_array_foreach(json_object_get(file, "cases"), i, row)
    {
        CHECK_NOTE("%s", json_string_value(json_object_get(row, "id")));
        check_own(row);
    }
    json_decref(file);
}

static void keeps_to_our_raw_requests(void)
{
    vector_each("http/own_raw_requests.json", run_own);
}

/* --- llhttp --- */

/* What llhttp takes and we refuse: our reason, and a sign of it in the input without which the reason
 * does not count. */
static const struct {
    const char *reason, *sign, *why;
} stricter[] = {
    {"target_form", "://", "absolute-form is for proxies; it brings a second host"},
    {"target_malformed", "#", "RFC 9112 §3.2: a target has no fragment"},
    {"coding_unsupported", ", chunked", "no coding but chunked is decoded here"},
    {"empty_lines", "\r\n\r\n", "RFC 9112 §2.2 asks to forgive one empty line, not many"},
};
/* llhttp knows these methods and takes them; here no route could have them, and they are 501 at once. */
static const char *const foreign_methods[] = {
    "ACL ",       "BIND ",      "CHECKOUT ",   "CONNECT ",    "COPY ",   "LINK ",        "LOCK ",
    "M-SEARCH ",  "MERGE ",     "MKACTIVITY ", "MKCALENDAR ", "MKCOL ",  "MOVE ",        "NOTIFY ",
    "PROPFIND ",  "PROPPATCH ", "PURGE ",      "QUERY ",      "REBIND ", "REPORT ",      "SEARCH ",
    "SUBSCRIBE ", "TRACE ",     "UNBIND ",     "UNLINK ",     "UNLOCK ", "UNSUBSCRIBE ",
};

static bool is_stricter(struct bytes transcript, struct bytes raw)
{
    for (size_t i = 0; i < sizeof stricter / sizeof stricter[0]; i++)
        if (holds(transcript, stricter[i].reason) && holds(raw, stricter[i].sign)) return true;
    for (size_t i = 0; i < sizeof foreign_methods / sizeof foreign_methods[0]; i++)
        if (holds(transcript, "method_unknown") && holds(raw, foreign_methods[i])) return true;
    return false;
}

/* llhttp does not ask for a Host, so few of its cases have one. First the case as it is must be refused for
 * that; then one is put in, so that the rest of it is tried as well. */
static void add_host(struct buf *out, struct bytes raw)
{
    struct buf transcript;
    if (holds(raw, "\nHost:") || !holds(raw, " HTTP/1.1\r\n")) {
        buf_append(out, raw);
        return;
    }
    append_replaced(out, raw, " HTTP/1.1\r\n", " HTTP/1.1\r\nHost: a\r\n");
    buf_init(&transcript, SIZE_MAX);
    if (!holds(raw, "HTTP/1.0")) CHECK_INT(transcribe(&transcript, raw), 0);
    buf_release(&transcript);
}

static void check_llhttp(const json_t *row)
{
    struct buf raw, transcript;
    size_t len;
    uint8_t *as_it_is = vector_base64(row, "input_b64", &len);
    struct bytes expect = vector_text(row, "expect");
    bool is_reject = bytes_equal(expect, BYTES("reject"));
    json_int_t complete = json_integer_value(json_object_get(row, "messages_complete"));
    buf_init(&raw, SIZE_MAX);
    buf_init(&transcript, SIZE_MAX);
    add_host(&raw, bytes_of(as_it_is, len));
    unsigned done = transcribe(&transcript, buf_bytes(&raw));
    /* The conversion of these cases lost the last empty line: where llhttp saw the message end, it is put
     * back. And what is to be refused must be so once its line is whole. */
    if (holds(buf_bytes(&transcript), "MORE\n") && (is_reject || done < complete)) {
        buf_append_text(&raw, is_reject ? "\r\n\r\n" : "\r\n");
        done = transcribe(&transcript, buf_bytes(&raw));
    }
    struct bytes text = buf_bytes(&transcript);
    bool is_refused = holds(text, "REFUSED ");
    if (is_reject)
        CHECK(is_refused && done == 0);
    else if (bytes_equal(expect, BYTES("accept")))
        CHECK(done >= complete || is_stricter(text, buf_bytes(&raw)));
    else if (bytes_equal(expect, BYTES("incomplete")))
        CHECK(!is_refused && done == complete);
    else if (bytes_equal(expect, BYTES("accept-first-then-close")))
        CHECK(done == 1 && holds(text, "CLOSE\n"));
    else
        CHECK(is_refused || done == 1); /* upgrade-or-reject: what an upgrade is, is decided elsewhere */
    if (!check_ok_)
        fprintf(stderr, "    %.*s    %.*s", (int)raw.len, (const char *)raw.ptr, (int)text.len,
                (const char *)text.ptr);
    buf_release(&raw);
    buf_release(&transcript);
    free(as_it_is);
}

static void differs_from_llhttp_only_as_named(void)
{
    json_t *file = vector_foreign("http/llhttp_request_strict.json"), *row;
    size_t i;
    if (file == NULL) return;
    json_array_foreach(json_object_get(file, "cases"), i, row)
    {
        CHECK_NOTE("%s", json_string_value(json_object_get(row, "id")));
        check_llhttp(row);
    }
    json_decref(file);
}

int main(void)
{
    CHECK_RUN(keeps_to_our_raw_requests);
    CHECK_RUN(differs_from_llhttp_only_as_named);
    return CHECK_END();
}
