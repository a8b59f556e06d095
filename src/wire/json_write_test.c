#include "wire/json_write.h"

#include "harness/check.h"

static void wanted_text(struct bytes text, struct bytes wanted)
{
    struct buf out;
    struct json_writer w;

    buf_init(&out, 4096);
    w = json_writer_on(&out);
    json_put_string(&w, text);
    CHECK_INT(buf_error(&out), ERR_OK);
    CHECK_BYTES(buf_bytes(&out), wanted);
    buf_release(&out);
}

static void broken_text_becomes_replacement_characters(void)
{
    static const struct {
        struct bytes text, wanted;
    } rows[] = {
        {BYTES("a\xff z"), BYTES("\"a\xef\xbf\xbd z\"")},
        {BYTES("\xc0\xaf"), BYTES("\"\xef\xbf\xbd\xef\xbf\xbd\"")},                 /* overlong */
        {BYTES("\xed\xa0\x80"), BYTES("\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"")}, /* surrogate */
        {BYTES("x\xe2\x82"), BYTES("\"x\xef\xbf\xbd\xef\xbf\xbd\"")},               /* cut off */
        {BYTES("\xf4\x90\x80\x80."), BYTES("\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd.\"")},
        {BYTES("\xe2\x80"), BYTES("\"\xef\xbf\xbd\xef\xbf\xbd\"")},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_NOTE("row %zu", i);
        wanted_text(rows[i].text, rows[i].wanted);
    }
}

static void dangerous_characters_are_escaped(void)
{
    static const struct {
        struct bytes text, wanted;
    } rows[] = {
        {BYTES("\"\\/"), BYTES("\"\\\"\\\\/\"")},
        {BYTES("\n\r\t\b\f"), BYTES("\"\\n\\r\\t\\b\\f\"")},
        {BYTES("\0\x01\x1f\x7f"), BYTES("\"\\u0000\\u0001\\u001f\\u007f\"")},
        {BYTES("</script>&"), BYTES("\"\\u003c/script\\u003e\\u0026\"")},
        {BYTES("\xe2\x80\xa8|\xe2\x80\xa9"), BYTES("\"\\u2028|\\u2029\"")},
        {BYTES("\xe2\x80\xa7\xe2\x80\xaa"), BYTES("\"\xe2\x80\xa7\xe2\x80\xaa\"")}, /* their neighbours */
        {BYTES("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"), BYTES("\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\"")},
        {BYTES(""), BYTES("\"\"")},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_NOTE("row %zu", i);
        wanted_text(rows[i].text, rows[i].wanted);
    }
    wanted_text(BYTES_NONE, BYTES("\"\""));
}

static void write_document(struct json_writer *w)
{
    json_object_begin(w);
    json_key(w, "none");
    json_array_begin(w);
    json_array_end(w);
    json_key(w, "list");
    json_array_begin(w);
    json_put_number(w, INT64_MIN);
    json_object_begin(w);
    json_object_end(w);
    json_put_bool(w, true);
    json_put_bool(w, false);
    json_put_null(w);
    json_put_verbatim(w, BYTES("[1]"));
    json_array_end(w);
    json_key_bytes(w, BYTES("<k>"));
    json_put_string_or_null(w, BYTES_NONE);
    json_key(w, "e");
    json_put_string_or_null(w, BYTES(""));
    json_key(w, "l");
    json_put_literal(w, "lit");
    json_object_end(w);
}

static void commas_stand_between_and_nowhere_else(void)
{
    struct buf out;
    struct json_writer w;

    buf_init(&out, 4096);
    w = json_writer_on(&out);
    write_document(&w);
    CHECK_BYTES(buf_bytes(&out), BYTES("{\"none\":[],\"list\":[-9223372036854775808,{},true,false,null,[1]],"
                                       "\"\\u003ck\\u003e\":null,\"e\":\"\",\"l\":\"lit\"}"));
    buf_release(&out);
}

static void a_full_buffer_leaves_nothing_half_written(void)
{
    for (size_t max = 1; max < 100; max++) {
        struct buf out;
        struct json_writer w;
        buf_init(&out, max);
        w = json_writer_on(&out);
        write_document(&w);
        CHECK_INT(buf_error(&out), ERR_TOO_LARGE);
        CHECK_INT(buf_bytes(&out).len, 0);
        buf_release(&out);
    }
}

static void ids_are_strings_and_none_is_null(void)
{
    const struct uuid id = {.byte = {0x0f, 0xa8, [15] = 0x01}}, none = {.byte = {0}};
    struct buf out;
    struct json_writer w;

    buf_init(&out, 200);
    w = json_writer_on(&out);
    json_array_begin(&w);
    json_put_uuid(&w, &id);
    json_put_uuid_or_null(&w, &id);
    json_put_uuid_or_null(&w, &none);
    json_array_end(&w);
    CHECK_BYTES(buf_bytes(&out), BYTES("[\"0fa80000-0000-0000-0000-000000000001\","
                                       "\"0fa80000-0000-0000-0000-000000000001\",null]"));
    buf_release(&out);
}

int main(void)
{
    CHECK_RUN(broken_text_becomes_replacement_characters);
    CHECK_RUN(dangerous_characters_are_escaped);
    CHECK_RUN(a_full_buffer_leaves_nothing_half_written);
    CHECK_RUN(ids_are_strings_and_none_is_null);
    CHECK_RUN(commas_stand_between_and_nowhere_else);
    return CHECK_END();
}
