#include "base/utf8.h"
#include "harness/check.h"
#include "harness/vector_json.h"

/* Whole, and in two pieces at every split point. */
static void check_text(struct bytes text, bool wanted)
{
    CHECK(utf8_is_valid(text) == wanted);
    for (size_t at = 0; at <= text.len; at++) {
        struct utf8 state = {0};
        bool is_valid = utf8_feed(&state, bytes_part(text, 0, at)) && utf8_feed(&state, bytes_from(text, at));
        CHECK((is_valid && utf8_is_complete(&state)) == wanted);
    }
}

static void keeps_to_the_sequences(void)
{
    json_t *file = vector_foreign("utf8/utf8_sequences.json"), *row;
    size_t i, len;
    if (file == NULL) return;
    json_array_foreach(json_object_get(file, "cases"), i, row)
    {
        uint8_t *text = vector_hex(row, "hex", &len);
        CHECK_NOTE("%s", json_string_value(json_object_get(row, "id")));
        check_text(bytes_of(text, len), bytes_equal(vector_text(row, "expect"), BYTES("valid")));
        free(text);
    }
    json_decref(file);
}

static size_t encode(uint8_t out[4], uint32_t c)
{
    if (c < 0x80) return out[0] = (uint8_t)c, 1;
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3F));
    out[0] = (uint8_t)((0xF00u >> len & 0xFFu) | c);
    return len;
}

/* RFC 3629 §3: every character but the surrogates, up to U+10FFFF. */
static void takes_every_character(void)
{
    for (uint32_t c = 0; c < 0x120000; c++) {
        uint8_t text[4];
        size_t len = encode(text, c);
        bool wanted = c < 0x110000 && (c < 0xD800 || c > 0xDFFF);
        if (utf8_is_valid(bytes_of(text, len)) != wanted) {
            CHECK_NOTE("U+%04X", c);
            CHECK_INT(!wanted, wanted);
        }
    }
}

static void refuses_overlong_and_broken_forms(void)
{
    static const struct bytes refused[] = {BYTES("\xC0\x80"),
                                           BYTES("\xC1\xBF"),
                                           BYTES("\xE0\x9F\xBF"),
                                           BYTES("\xF0\x8F\xBF\xBF"),
                                           BYTES("\xF8\x88\x80\x80\x80"),
                                           BYTES("\xFE"),
                                           BYTES("\xFF"),
                                           BYTES("\x80"),
                                           BYTES("a\xBF"),
                                           BYTES("\xC3"),
                                           BYTES("\xC3\x28"),
                                           BYTES("\xE2\x82"),
                                           BYTES("\xE2\x28\xA1"),
                                           BYTES("\xE2\x82\xC3"),
                                           BYTES("\xED\xA0\x80"),
                                           BYTES("12345678\xF5\x80\x80\x80"),
                                           BYTES("1234567\xC3")};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_NOTE("row %zu", i);
        check_text(refused[i], false);
    }
    check_text(BYTES(""), true);
    check_text(BYTES("a\0b"), true);
    check_text(BYTES("12345678\xC3\xA4 23456789 \xF0\x9F\x98\x80 long enough for words"), true);
}

int main(void)
{
    CHECK_RUN(refuses_overlong_and_broken_forms);
    CHECK_RUN(takes_every_character);
    CHECK_RUN(keeps_to_the_sequences);
    return CHECK_END();
}
