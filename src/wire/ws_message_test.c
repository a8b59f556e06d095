#include "wire/ws_message.h"

#include "base/hex.h"
#include "harness/check.h"
#include "harness/vector_json.h"
#include "harness/ws_client.h"

/* Events of a feeding as text, for example `text(hi) ping() close(1000)`. */
static struct buf events;
static bool takes_binary;

static void note(const struct ws_message_step *step)
{
    static const char *const names[] = {"", "text(", "binary(", "ping(", "pong(", "close(", "broken("};

    if (step->event == WS_MESSAGE_MORE) return;
    if (events.len > 0) buf_append_byte(&events, ' ');
    buf_append_text(&events, names[step->event]);
    if (step->close_code) buf_append_u64(&events, step->close_code);
    if (step->close_code && step->payload.len > 0) buf_append_byte(&events, ' ');
    buf_append(&events, step->payload);
    buf_append_byte(&events, ')');
}

/* Each piece in memory of its own, so that a view which outlives its piece is found by the sanitizer. */
static void feed_piece(struct ws_message *message, struct bytes piece)
{
    uint8_t *copy = malloc(piece.len + 1);
    size_t used = 0;
    struct ws_message_step step;

    if (piece.len > 0) memcpy(copy, piece.ptr, piece.len);
    do {
        step = ws_message_feed(message, copy + used, piece.len - used);
        CHECK(step.used <= piece.len - used);
        used += step.used;
        note(&step);
    } while (step.event != WS_MESSAGE_MORE);
    CHECK_INT(used, piece.len);
    free(copy);
}

static struct bytes feed(struct bytes wire, size_t first, size_t then)
{
    struct ws_message message;

    ws_message_init(&message);
    message.takes_binary = takes_binary;
    buf_reset(&events);
    for (size_t at = 0, piece = first; at < wire.len; at += piece, piece = then)
        feed_piece(&message, bytes_part(wire, at, piece));
    if (message.fragments == 0 && message.frame.head_len == 0) CHECK(message.text.ptr == NULL);
    ws_message_release(&message);
    return buf_bytes(&events);
}

/* Whole, split in two at each byte, and byte by byte. */
static void wanted_events(struct bytes wire, const char *wanted)
{
    CHECK_BYTES(feed(wire, wire.len, 1), bytes_of_text(wanted));
    CHECK_BYTES(feed(wire, 1, 1), bytes_of_text(wanted));
    CHECK_BYTES(feed(wire, 3, 5), bytes_of_text(wanted));
    for (size_t first = 1; first < wire.len; first++)
        CHECK_BYTES(feed(wire, first, wire.len), bytes_of_text(wanted));
}

struct client_frame {
    uint8_t first;
    struct bytes payload;
};

static const struct row {
    struct client_frame frames[4]; /* up to the first without a first byte and payload */
    const char *wanted;
} rows[] = {
    {{{0x80, BYTES("x")}}, "broken(1002)"},
    {{{0x00, BYTES("")}}, "broken(1002)"},
    {{{0x01, BYTES("a")}, {0x81, BYTES("b")}}, "broken(1002)"},
    {{{0x01, BYTES("a")}, {0x82, BYTES("b")}}, "broken(1002)"},
    {{{0x01, BYTES("")}, {0x01, BYTES("b")}}, "broken(1002)"},
    {{{0x82, BYTES("b")}}, "broken(1003)"},
    {{{0x02, BYTES("b")}}, "broken(1003)"},
    {{{0x81, BYTES("\xff")}}, "broken(1007)"},
    {{{0x81, BYTES("ab\xe2\x82")}}, "broken(1007)"},
    {{{0x01, BYTES("\xe2")}, {0x80, BYTES("\x28")}}, "broken(1007)"},
    {{{0x01, BYTES("\xe2")}, {0x80, BYTES("")}}, "broken(1007)"},
    {{{0x01, BYTES("\xed")}, {0x00, BYTES("\xa0")}}, "broken(1007)"},
    {{{0x88, BYTES("x")}}, "close(1002)"},
    {{{0x88, BYTES("\x00\x00")}}, "close(1002)"},
    {{{0x88, BYTES("\x03\xedno")}}, "close(1002)"}, /* 1005 */
    {{{0x88, BYTES("\x03\xe8\xff")}}, "close(1007)"},
    {{{0x88, BYTES("\x03\xe8\xe2\x82")}}, "close(1007)"},
    {{{0x88, BYTES("")}}, "close(1000)"},
    {{{0x88, BYTES("\x03\xe9gone")}}, "close(1001 gone)"},
    {{{0x88, BYTES("\x0f\xa0")}, {0x81, BYTES("late")}}, "close(4000)"},
    {{{0x80, BYTES("x")}, {0x81, BYTES("late")}}, "broken(1002)"},
    {{{0x81, BYTES("hi")}}, "text(hi)"},
    {{{0x81, BYTES("")}, {0x81, BYTES("b")}}, "text() text(b)"},
    {{{0x89, BYTES("")}}, "ping()"},
    {{{0x89, BYTES("\xff")}, {0x8a, BYTES("q")}}, "ping(\xff) pong(q)"},
    {{{0x01, BYTES("a")}, {0x00, BYTES("b")}, {0x80, BYTES("c")}}, "text(abc)"},
    {{{0x01, BYTES("")}, {0x00, BYTES("")}, {0x80, BYTES("")}}, "text()"},
    {{{0x01, BYTES("")}, {0x80, BYTES("whole")}}, "text(whole)"},
    {{{0x01, BYTES("a")}, {0x89, BYTES("ping")}, {0x80, BYTES("c")}}, "ping(ping) text(ac)"},
    {{{0x01, BYTES("a")}, {0x88, BYTES("\x03\xe8 bye")}}, "close(1000  bye)"},
    {{{0x01, BYTES("\xe2")}, {0x89, BYTES("\xe2")}, {0x80, BYTES("\x82\xac")}},
     "ping(\xe2) text(\xe2\x82\xac)"},
};

static void wanted_row(const struct row *row)
{
    struct buf wire;

    buf_init(&wire, 1000);
    for (size_t j = 0; j < 4 && row->frames[j].payload.ptr; j++)
        ws_client_frame(&wire, row->frames[j].first, row->frames[j].payload);
    CHECK_NOTE("%s", row->wanted);
    wanted_events(buf_bytes(&wire), row->wanted);
    buf_release(&wire);
}

static void events_come_as_the_rules_say(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        wanted_row(&rows[i]);
}

/* A peer that takes binary is as strict about everything else, and a binary message owes nobody UTF-8. */
static void binary_comes_only_where_it_is_taken(void)
{
    static const struct row binary_rows[] = {
        {{{0x82, BYTES("a")}, {0x00, BYTES("b")}}, "binary(a) broken(1002)"},
        {{{0x02, BYTES("a")}, {0x82, BYTES("b")}}, "broken(1002)"},
        {{{0x02, BYTES("\xff")}, {0x81, BYTES("b")}}, "broken(1002)"},
        {{{0x82, BYTES("\xff")}, {0x81, BYTES("\xff")}}, "binary(\xff) broken(1007)"},
        {{{0x82, BYTES("\xe2\x82")}, {0x81, BYTES("\xac")}}, "binary(\xe2\x82) broken(1007)"},
        {{{0x82, BYTES("")}}, "binary()"},
        {{{0x02, BYTES("\xff")}, {0x89, BYTES("p")}, {0x80, BYTES("\xc0")}}, "ping(p) binary(\xff\xc0)"},
        {{{0x81, BYTES("t")}, {0x82, BYTES("\xfe")}, {0x81, BYTES("u")}}, "text(t) binary(\xfe) text(u)"},
    };

    takes_binary = true;
    for (size_t i = 0; i < sizeof binary_rows / sizeof *binary_rows; i++)
        wanted_row(&binary_rows[i]);
    takes_binary = false;
}

static void close_codes(void)
{
    static const uint16_t valid[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010,
                                     1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999};
    static const uint16_t invalid[] = {0,    1,    999,  1004, 1005, 1006, 1015, 1016,
                                       1100, 1999, 2000, 2999, 5000, 5001, 65535};

    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        CHECK_NOTE("%d", invalid[i]);
        CHECK(!ws_close_code_is_valid(invalid[i]));
    }
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++) {
        CHECK_NOTE("%d", valid[i]);
        CHECK(ws_close_code_is_valid(valid[i]));
    }
}

/* A message of len bytes in frames of at most piece bytes; the last event's close code, or 0 for a text. */
static uint16_t feed_long(size_t len, size_t piece, size_t input)
{
    uint8_t *text = malloc(len + 1);
    struct ws_message message;
    struct ws_message_step step = {.event = WS_MESSAGE_MORE};
    struct buf wire;
    size_t at = 0;

    memset(text, 'x', len + 1);
    buf_init(&wire, 1u << 20);
    do {
        size_t count = len - at < piece ? len - at : piece;
        ws_client_frame(&wire, (uint8_t)((at == 0 ? 1 : 0) | (at + count == len ? 0x80 : 0)),
                        bytes_of(text, count));
        at += count;
    } while (at < len);
    ws_message_init(&message);
    for (at = 0; at < wire.len && step.event == WS_MESSAGE_MORE; at += step.used)
        step = ws_message_feed(&message, wire.ptr + at, wire.len - at < input ? wire.len - at : input);
    if (step.event == WS_MESSAGE_TEXT) CHECK_BYTES(step.payload, bytes_of(text, len));
    CHECK(step.event == WS_MESSAGE_TEXT || step.event == WS_MESSAGE_BROKEN);
    CHECK(message.text.cap <= WS_MESSAGE_MAX + 125);
    ws_message_release(&message);
    buf_release(&wire);
    free(text);
    return step.close_code;
}

static void limits_hold(void)
{
    struct ws_message message;
    struct ws_message_step step;
    uint8_t huge[] = {0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4};

    CHECK_INT(feed_long(WS_MESSAGE_MAX + 1, 1 << 20, 1 << 20), 1009);
    CHECK_INT(feed_long(WS_MESSAGE_MAX + 1, 1000, 999), 1009);
    CHECK_INT(feed_long(WS_MESSAGE_MAX + 1, WS_MESSAGE_MAX, 4096), 1009);
    CHECK_INT(feed_long(WS_FRAGMENTS_MAX + 1, 1, 1 << 20), 1008);
    CHECK_INT(feed_long(WS_FRAGMENTS_MAX, 1, 1 << 20), 0);
    CHECK_INT(feed_long(WS_MESSAGE_MAX, WS_MESSAGE_MAX, 1 << 20), 0);
    CHECK_INT(feed_long(WS_MESSAGE_MAX, WS_MESSAGE_MAX, 1000), 0);
    CHECK_INT(feed_long(WS_MESSAGE_MAX, 100, 77), 0);
    ws_message_init(&message);
    step = ws_message_feed(&message, huge, sizeof huge);
    CHECK_INT(step.event, WS_MESSAGE_BROKEN);
    CHECK_INT(step.close_code, 1009);
    CHECK_INT(step.used, 10); /* at the length, before the mask */
    CHECK(message.text.ptr == NULL);
    ws_message_release(&message);
}

static void empty_fragments_cost_nothing_and_end(void)
{
    struct ws_message message;
    struct ws_message_step step;
    struct buf wire;

    buf_init(&wire, 1 << 16);
    for (size_t i = 0; i < 2000; i++)
        ws_client_frame(&wire, i == 0 ? 0x01 : 0x00, BYTES(""));
    ws_message_init(&message);
    step = ws_message_feed(&message, wire.ptr, wire.len);
    CHECK_INT(step.event, WS_MESSAGE_BROKEN);
    CHECK_INT(step.close_code, 1008);
    CHECK_INT(step.used, (WS_FRAGMENTS_MAX + 1) * 6);
    CHECK(message.text.ptr == NULL);
    step = ws_message_feed(&message, wire.ptr, 600);
    CHECK_INT(step.event, WS_MESSAGE_MORE);
    CHECK_INT(step.used, 600);
    ws_message_release(&message);
    buf_release(&wire);
}

static void a_whole_message_is_not_copied(void)
{
    struct ws_message message;
    struct ws_message_step step;
    struct buf wire;

    buf_init(&wire, 1000);
    ws_client_frame(&wire, 0x81, BYTES("first"));
    ws_client_frame(&wire, 0x89, BYTES("ping"));
    ws_message_init(&message);
    step = ws_message_feed(&message, wire.ptr, wire.len);
    CHECK_INT(step.event, WS_MESSAGE_TEXT);
    CHECK(step.payload.ptr == wire.ptr + 6);
    CHECK_INT(step.used, 11);
    step = ws_message_feed(&message, wire.ptr + 11, wire.len - 11);
    CHECK_INT(step.event, WS_MESSAGE_PING);
    CHECK(step.payload.ptr == wire.ptr + 17);
    CHECK(message.text.ptr == NULL);
    step = ws_message_feed(&message, NULL, 0);
    CHECK_INT(step.event, WS_MESSAGE_MORE);
    CHECK_INT(sizeof message <= 120, true);
    ws_message_release(&message);
    buf_release(&wire);
}

static bool is_wanted(const char *expect, const struct ws_message_step *step)
{
    char code[24], padded[200];

    (void)snprintf(padded, sizeof padded, "|%s|", expect);
    (void)snprintf(code, sizeof code, "%d|", step->close_code); /* "close:1000|1005" */
    switch (step->event) {
    case WS_MESSAGE_MORE:
        return strstr(padded, "|wait|") || strstr(padded, "|ignore|");
    case WS_MESSAGE_PONG:
        return strstr(padded, "|ignore|") != NULL;
    case WS_MESSAGE_PING:
        return strstr(padded, "|pong|") != NULL;
    case WS_MESSAGE_TEXT:
        return strstr(padded, "|reply|") || strstr(padded, "|reply-error|");
    case WS_MESSAGE_BINARY:
        return false;
    case WS_MESSAGE_CLOSE:
    case WS_MESSAGE_BROKEN:
        return strstr(padded, "|close:") && strstr(padded, code);
    }
    return false;
}

/* Whole, then byte by byte: the first event must be what the row expects. */
static void vector_row(const char *expect, const uint8_t *wire, size_t len, size_t piece)
{
    struct ws_message message;
    struct ws_message_step step = {.event = WS_MESSAGE_MORE};
    uint8_t copy[1 << 17];

    if (!CHECK(len <= sizeof copy)) return;
    memcpy(copy, wire, len);
    ws_message_init(&message);
    for (size_t at = 0; at < len && step.event == WS_MESSAGE_MORE; at += step.used)
        step = ws_message_feed(&message, copy + at, len - at < piece ? len - at : piece);
    if (!CHECK(is_wanted(expect, &step)))
        fprintf(stderr, "    wanted %s, got event %d code %d\n", expect, step.event, step.close_code);
    ws_message_release(&message);
}

static void run_cases(json_t *file)
{
    json_t *row;
    static uint8_t wire[1 << 17];
    size_t i;

    CHECK(json_array_size(json_object_get(file, "cases")) > 0);
    json_array_foreach(json_object_get(file, "cases"), i, row)
    {
        struct bytes hex = bytes_of_text(json_string_value(json_object_get(row, "hex")));
        const char *expect = json_string_value(json_object_get(row, "expect"));
        CHECK_NOTE("%s", json_string_value(json_object_get(row, "id")));
        CHECK_INT(hex_read(wire, hex.len / 2, hex), ERR_OK);
        vector_row(expect, wire, hex.len / 2, hex.len);
        vector_row(expect, wire, hex.len / 2, 1);
        vector_row(expect, wire, hex.len / 2, 3);
    }
    json_decref(file);
}

static void our_vectors(void)
{
    vector_each("ws/own_frames.json", run_cases);
}

int main(void)
{
    int failed;

    buf_init(&events, 1 << 20);
    CHECK_RUN(events_come_as_the_rules_say);
    CHECK_RUN(binary_comes_only_where_it_is_taken);
    CHECK_RUN(limits_hold);
    CHECK_RUN(empty_fragments_cost_nothing_and_end);
    CHECK_RUN(close_codes);
    CHECK_RUN(a_whole_message_is_not_copied);
    CHECK_RUN(our_vectors);
    failed = CHECK_END();
    buf_release(&events);
    return failed;
}
