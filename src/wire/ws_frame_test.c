#include "wire/ws_frame.h"

#include "harness/check.h"
#include "harness/ws_client.h"

#define LENGTH_MAX 1000

/* What one frame came to, fed in pieces of the given size. */
struct seen {
    unsigned begins, ends;
    enum ws_opcode opcode;
    bool is_final;
    uint64_t length;
    uint16_t close_code;
    size_t used;
    uint8_t payload[70000];
    size_t payload_len;
};

static struct seen seen;

static void note(const struct ws_frame_step *step)
{
    if (step->event == WS_FRAME_BEGIN) {
        seen.begins++;
        seen.length = step->length;
    }
    if (step->event == WS_FRAME_PAYLOAD) {
        memcpy(seen.payload + seen.payload_len, step->payload.ptr, step->payload.len);
        seen.payload_len += step->payload.len;
    }
    if (step->event == WS_FRAME_END) seen.ends++;
    if (step->event != WS_FRAME_MORE && step->event != WS_FRAME_BROKEN) {
        seen.opcode = step->opcode;
        seen.is_final = step->is_final;
    }
    seen.close_code = step->close_code;
    seen.used += step->used;
}

static void feed(const uint8_t *data, size_t len, size_t first, size_t then, uint64_t length_max)
{
    static uint8_t copy[70100];
    struct ws_frame frame = {0};
    struct ws_frame_step step = {.event = WS_FRAME_MORE};

    memset(&seen, 0, sizeof seen);
    memcpy(copy, data, len);
    for (size_t at = 0, piece = first; at < len && step.event != WS_FRAME_BROKEN; at += piece, piece = then) {
        if (piece > len - at) piece = len - at;
        size_t used = 0;
        do {
            step = ws_frame_feed(&frame, copy + at + used, piece - used, length_max);
            CHECK(step.used <= piece - used);
            used += step.used;
            note(&step);
        } while (step.event != WS_FRAME_MORE && step.event != WS_FRAME_BROKEN);
        CHECK(step.event == WS_FRAME_BROKEN || used == piece);
    }
}

static void breaks_the_rules(void)
{
    static const struct {
        const char *what;
        struct bytes head;
        uint16_t code;
    } rows[] = {
        {"unmasked text", BYTES("\x81\x05"), 1002},
        {"unmasked empty", BYTES("\x81\x00"), 1002},
        {"unmasked close", BYTES("\x88\x02"), 1002},
        {"RSV1", BYTES("\xc1"), 1002},
        {"RSV2", BYTES("\xa1"), 1002},
        {"RSV3", BYTES("\x91"), 1002},
        {"opcode 3", BYTES("\x83"), 1002},
        {"opcode 7", BYTES("\x87"), 1002},
        {"opcode 11", BYTES("\x8b"), 1002},
        {"opcode 15", BYTES("\x8f"), 1002},
        {"fragmented ping", BYTES("\x09\x80"), 1002},
        {"fragmented close", BYTES("\x08\x80"), 1002},
        {"ping of 126", BYTES("\x89\xfe"), 1002},
        {"pong of 64 bits", BYTES("\x8a\xff"), 1002},
        {"16 bits for 125", BYTES("\x81\xfe\x00\x7d"), 1002},
        {"16 bits for 0", BYTES("\x82\xfe\x00\x00"), 1002},
        {"64 bits for 65535", BYTES("\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff"), 1002},
        {"64 bits for 1", BYTES("\x81\xff\x00\x00\x00\x00\x00\x00\x00\x01"), 1002},
        {"top bit", BYTES("\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00"), 1002},
        {"all bits", BYTES("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 1002},
        {"2^63 - 1", BYTES("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff"), 1009},
        {"2^40", BYTES("\x81\xff\x00\x00\x01\x00\x00\x00\x00\x00"), 1009},
        {"2^32", BYTES("\x01\xff\x00\x00\x00\x01\x00\x00\x00\x00"), 1009},
        {"one too many", BYTES("\x80\xfe\x03\xe9"), 1009},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_NOTE("%s", rows[i].what);
        for (size_t first = 1; first <= rows[i].head.len; first++) {
            feed(rows[i].head.ptr, rows[i].head.len, first, 1, LENGTH_MAX);
            CHECK_INT(seen.close_code, rows[i].code);
            CHECK_INT(seen.begins, 0);
            CHECK_INT(seen.used, rows[i].head.len);
        }
    }
}

static void reads_frames_in_any_pieces(void)
{
    static const size_t lengths[] = {0, 1, 3, 4, 7, 8, 9, 64, 125, 126, 127, LENGTH_MAX};
    static const uint8_t firsts[] = {0x81, 0x01, 0x80, 0x00, 0x82, 0x88, 0x89, 0x8a};
    uint8_t text[LENGTH_MAX];

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7 + 1);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        for (size_t j = 0; j < sizeof firsts; j++) {
            struct buf bytes;
            struct bytes wire;
            if ((firsts[j] & 8) && lengths[i] > 125) continue;
            buf_init(&bytes, 4096);
            ws_client_frame(&bytes, firsts[j], bytes_of(text, lengths[i]));
            wire = buf_bytes(&bytes);
            CHECK_NOTE("first byte %02x, length %zu", firsts[j], lengths[i]);
            for (size_t first = 1; first <= wire.len; first += wire.len > 200 ? 13 : 1) {
                for (size_t then = 1; then <= wire.len; then += then < 20 ? 1 : wire.len) {
                    feed(wire.ptr, wire.len, first, then, LENGTH_MAX);
                    CHECK_INT(seen.begins, 1);
                    CHECK_INT(seen.ends, 1);
                    CHECK_INT(seen.opcode, firsts[j] & 15);
                    CHECK_INT(seen.is_final, firsts[j] >> 7);
                    CHECK_INT(seen.length, lengths[i]);
                    CHECK_BYTES(bytes_of(seen.payload, seen.payload_len), bytes_of(text, lengths[i]));
                }
            }
            buf_release(&bytes);
        }
    }
}

static void a_wide_length_is_read(void)
{
    struct buf bytes;
    uint8_t *text = calloc(1, 65536);

    buf_init(&bytes, 70000);
    ws_client_frame(&bytes, 0x81, bytes_of(text, 65536));
    feed(bytes.ptr, bytes.len, 9, 7001, 65536);
    CHECK_INT(seen.ends, 1);
    CHECK_INT(seen.payload_len, 65536);
    CHECK(seen.payload_len == 65536 && memcmp(seen.payload, text, 65536) == 0);
    feed(bytes.ptr, bytes.len, bytes.len, 1, 65535);
    CHECK_INT(seen.close_code, 1009);
    buf_release(&bytes);
    free(text);
}

static void a_control_frame_may_pass_the_limit_of_data(void)
{
    struct buf bytes;

    buf_init(&bytes, 1000);
    ws_client_frame(&bytes, 0x89, BYTES("ping"));
    feed(bytes.ptr, bytes.len, bytes.len, 1, 0);
    CHECK_INT(seen.ends, 1);
    buf_release(&bytes);
}

static void writes_the_shortest_head(void)
{
    static const struct {
        size_t len;
        struct bytes head;
    } rows[] = {
        {0, BYTES("\x81\x00")},
        {125, BYTES("\x81\x7d")},
        {126, BYTES("\x81\x7e\x00\x7e")},
        {65535, BYTES("\x81\x7e\xff\xff")},
        {65536, BYTES("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00")},
    };
    uint8_t *text = malloc(65536);

    for (size_t i = 0; i < 65536; i++)
        text[i] = (uint8_t)(i * 31);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf whole;
        struct bytes payload = bytes_of(text, rows[i].len);
        CHECK_NOTE("%zu", rows[i].len);
        buf_init(&whole, 70000);
        buf_append_text(&whole, "before");
        ws_frame_write(&whole, WS_TEXT, payload);
        CHECK_BYTES(bytes_part(buf_bytes(&whole), 6, rows[i].head.len), rows[i].head);
        CHECK(bytes_equal(bytes_from(buf_bytes(&whole), 6 + rows[i].head.len), payload));
        buf_release(&whole);
    }
    free(text);
}

static void it_stays_small(void)
{
    CHECK(sizeof(struct ws_frame) <= 32);
}

static void a_full_buffer_holds_no_half_frame(void)
{
    uint8_t payload[136]; /* behind a head of 4 */
    struct buf out;

    memset(payload, 'x', sizeof payload);
    for (size_t max = 1; max < 4 + sizeof payload; max++) {
        buf_init(&out, max);
        ws_frame_write(&out, WS_TEXT, bytes_of(payload, sizeof payload));
        CHECK_INT(buf_error(&out), ERR_TOO_LARGE);
        CHECK_INT(buf_bytes(&out).len, 0);
        buf_release(&out);
    }
}

static void writes_close_frames(void)
{
    struct buf out;
    char reason[200];

    buf_init(&out, 1000);
    ws_frame_write_close(&out, 1008, BYTES("why"));
    CHECK_BYTES(buf_bytes(&out), BYTES("\x88\x05\x03\xf0why"));
    buf_reset(&out);
    ws_frame_write_close(&out, 1000, BYTES_NONE);
    CHECK_BYTES(buf_bytes(&out), BYTES("\x88\x02\x03\xe8"));
    buf_reset(&out);
    memset(reason, 'r', sizeof reason);
    memcpy(reason + 121, "\xe2\x82\xac", 3); /* its third byte would be the 124th: one too many */
    ws_frame_write_close(&out, 4000, bytes_of(reason, sizeof reason));
    CHECK_INT(buf_bytes(&out).len, 2 + 2 + 121);
    CHECK_INT(buf_bytes(&out).ptr[1], 2 + 121);
    buf_release(&out);
}

int main(void)
{
    CHECK_RUN(breaks_the_rules);
    CHECK_RUN(reads_frames_in_any_pieces);
    CHECK_RUN(a_wide_length_is_read);
    CHECK_RUN(a_control_frame_may_pass_the_limit_of_data);
    CHECK_RUN(writes_the_shortest_head);
    CHECK_RUN(a_full_buffer_holds_no_half_frame);
    CHECK_RUN(writes_close_frames);
    CHECK_RUN(it_stays_small);
    return CHECK_END();
}
