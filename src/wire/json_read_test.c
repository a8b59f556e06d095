#include "wire/json_read.h"

#include <dirent.h>
#include <jansson.h>

#include "base/base64url.h"
#include "harness/check.h"
#include "harness/vector_file.h"
#include "harness/vector_json.h"

static enum err read_of(struct bytes text)
{
    struct json document;
    enum err e = json_read(&document, text);

    CHECK((e == ERR_OK) == (document.node != NULL));
    json_free(document);
    return e;
}

static void refuses_what_a_lax_reader_takes(void)
{
    static const struct bytes rows[] = {
        BYTES(""),
        BYTES(" "),
        BYTES("{\"a\":1,\"a\":2}"),
        BYTES("{\"a\":1,\"\\u0061\":2}"),
        BYTES("{\"a\\u0000\":1}"),
        BYTES("\"\\ud800\""),
        BYTES("\"\\udc00\""),
        BYTES("\"\\ud800\\u0041\""),
        BYTES("\"\xff\""),
        BYTES("\"\xed\xa0\x80\""),
        BYTES("\xef\xbb\xbf{}"),
        BYTES("{}\0"),
        BYTES("{}{}"),
        BYTES("{} x"),
        BYTES("[1,]"),
        BYTES("// c\n1"),
        BYTES("NaN"),
        BYTES("Infinity"),
        BYTES("01"),
        BYTES("+1"),
        BYTES("1."),
        BYTES(".5"),
        BYTES("\"a\tb\""),
        BYTES("9223372036854775808"),
        BYTES("-9223372036854775809"),
        BYTES("1e400"),
        BYTES("-1e400"),
        BYTES("1e-400"),
        BYTES("0.1e-310"),
        BYTES("123e-10000000"),
        BYTES("1e99999999999999999999"),
        BYTES("1.000000000000000005"),
        BYTES("123456789012345678e0"),
        BYTES("\""),
        BYTES("\"\\"),
        BYTES("[\"\\\""),
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_NOTE("%.*s", (int)rows[i].len, (const char *)rows[i].ptr);
        CHECK_INT(read_of(rows[i]), ERR_MALFORMED);
    }
}

static void takes_what_is_exact(void)
{
    static const struct bytes rows[] = {
        BYTES("null"),
        BYTES(" true\r\n\t"),
        BYTES("-0"),
        BYTES("0.0e-999"),
        BYTES("0.00000"),
        BYTES("100000000000000000000000.0"), /* one digit that counts */
        BYTES("-0.000000000000000000000000000000000000000000000000000000000000000000000000000001"),
        BYTES("0.10000000000000001"),
        BYTES("1.7976931348623157e308"),
        BYTES("9223372036854775807"),
        BYTES("-9223372036854775808"),
        BYTES("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"{{{1e-999\""),
        BYTES("\"\\ud83d\\ude00\""),
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_NOTE("%.*s", (int)rows[i].len, (const char *)rows[i].ptr);
        CHECK_INT(read_of(rows[i]), ERR_OK);
    }
}

/* Brackets, then what fits inside, then the closing ones. */
static enum err read_nested(size_t depth, bool is_object, bool is_closed)
{
    struct buf text;
    enum err e;

    buf_init(&text, 1u << 20);
    for (size_t i = 0; i < depth; i++)
        buf_append_text(&text, is_object ? "{\"a\":" : "[");
    buf_append_text(&text, "1");
    for (size_t i = 0; is_closed && i < depth; i++)
        buf_append_text(&text, is_object ? "}" : "]");
    e = read_of(buf_bytes(&text));
    buf_release(&text);
    return e;
}

static void depth_ends_at_its_limit(void)
{
    static const size_t too_deep[] = {JSON_DEPTH_MAX + 1, 64, 1000, 2049, 100000};

    for (size_t i = 0; i < sizeof too_deep / sizeof *too_deep; i++) {
        CHECK_NOTE("%zu", too_deep[i]);
        CHECK_INT(read_nested(too_deep[i], false, true), ERR_MALFORMED);
        CHECK_INT(read_nested(too_deep[i], true, true), ERR_MALFORMED);
        CHECK_INT(read_nested(too_deep[i], false, false), ERR_MALFORMED);
    }
    CHECK_INT(read_nested(JSON_DEPTH_MAX, false, true), ERR_OK);
    CHECK_INT(read_nested(JSON_DEPTH_MAX, true, true), ERR_OK);
    CHECK_INT(read_nested(JSON_DEPTH_MAX, true, false), ERR_MALFORMED);
    CHECK_INT(
        read_of(BYTES("[[1],[2],[3],[4],[5],[6],[7],[8],[9],[10],[11],[12],[13],[14],[15],[16],[17],[18],"
                      "[19],[20],[21],[22],[23],[24],[25],[26],[27],[28],[29],[30],[31],[32],[33],[34]]")),
        ERR_OK);
}

static void numbers_keep_their_kind(void)
{
    static const struct {
        struct bytes text;
        bool is_int64;
        int64_t value;
    } rows[] = {
        {BYTES("1e3"), false, 0},
        {BYTES("1.0"), false, 0},
        {BYTES("-2.50e1"), false, 0},
        {BYTES("9007199254740991.0"), false, 0},
        {BYTES("1e300"), false, 0},
        {BYTES("1.5"), false, 0},
        {BYTES("\"1\""), false, 0},
        {BYTES("true"), false, 0},
        {BYTES("null"), false, 0},
        {BYTES("12"), true, 12},
        {BYTES("-9223372036854775808"), true, INT64_MIN},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json document;
        int64_t value = 99;
        CHECK_NOTE("%.*s", (int)rows[i].text.len, (const char *)rows[i].text.ptr);
        CHECK_INT(json_read(&document, rows[i].text), ERR_OK);
        CHECK_INT(json_int64(&value, document), rows[i].is_int64);
        CHECK_INT(value, rows[i].value);
        json_free(document);
    }
}

static void absent_stays_absent(void)
{
    struct json none = {NULL}, document;
    int64_t number;

    CHECK_INT(json_read(&document, BYTES("{\"a\":[1]}")), ERR_OK);
    CHECK_INT(json_type_of(none), JSON_IS_ABSENT);
    CHECK_INT(json_type_of(json_member(json_item(json_member(document, "b"), 3), "c")), JSON_IS_ABSENT);
    CHECK_INT(json_type_of(json_item(json_member(document, "a"), 1)), JSON_IS_ABSENT);
    CHECK_INT(json_type_of(json_member(json_member(document, "a"), "a")), JSON_IS_ABSENT);
    CHECK_INT(json_count(none), 0);
    CHECK(bytes_is_absent(json_text(none)));
    CHECK(bytes_is_absent(json_text(document)));
    CHECK(!json_text_is_clean(none));
    CHECK(!json_int64(&number, none));
    json_free(document);
    json_free(none);
}

static void every_kind_is_found(void)
{
    struct json d;

    CHECK_INT(
        json_read(&d, BYTES("{\"o\":{\"x\":1,\"y\":2},\"a\":[null,false,true,7,0.5],\"s\":\"a\\u0000b\","
                            "\"c\":\"clean\",\"\":\"\"}")),
        ERR_OK);
    CHECK_INT(json_type_of(d), JSON_IS_OBJECT);
    CHECK_INT(json_count(d), 5);
    CHECK_INT(json_count(json_member(d, "o")), 2);
    CHECK_INT(json_type_of(json_member(d, "a")), JSON_IS_ARRAY);
    CHECK_INT(json_count(json_member(d, "a")), 5);
    CHECK_INT(json_type_of(json_item(json_member(d, "a"), 0)), JSON_IS_NULL);
    CHECK_INT(json_type_of(json_item(json_member(d, "a"), 1)), JSON_IS_FALSE);
    CHECK_INT(json_type_of(json_item(json_member(d, "a"), 2)), JSON_IS_TRUE);
    CHECK_INT(json_type_of(json_item(json_member(d, "a"), 3)), JSON_IS_INTEGER);
    CHECK_INT(json_type_of(json_item(json_member(d, "a"), 4)), JSON_IS_REAL);
    CHECK_INT(json_type_of(json_member(d, "s")), JSON_IS_STRING);
    CHECK_BYTES(json_text(json_member(d, "s")), BYTES("a\0b"));
    CHECK(!json_text_is_clean(json_member(d, "s")));
    CHECK(json_text_is_clean(json_member(d, "c")));
    CHECK_INT(json_text(json_member(d, "")).len, 0);
    CHECK(!bytes_is_absent(json_text(json_member(d, ""))));
    json_free(d);
}

static void a_value_is_written_as_it_was_read(void)
{
    static const struct bytes rows[][2] = {
        {BYTES("{ \"b\" : [ 1 , -2.0, 1e3, 0.1 ] , \"a\" : { } }"),
         BYTES("{\"b\":[1,-2.0,1000.0,0.1],\"a\":{}}")},
        {BYTES("[\"\\u0000<\\/\\ud83d\\ude00\"]"), BYTES("[\"\\u0000\\u003c/\xf0\x9f\x98\x80\"]")},
        {BYTES("{\"\\\"\":null}"), BYTES("{\"\\\"\":null}")},
        {BYTES("1e300"), BYTES("1e+300")},
        {BYTES("0.30000000000000004"), BYTES("0.30000000000000004")},
        {BYTES("-0.0"), BYTES("-0.0")},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json document;
        struct json_writer w;
        struct buf out;
        buf_init(&out, 4096);
        w = json_writer_on(&out);
        CHECK_INT(json_read(&document, rows[i][0]), ERR_OK);
        json_put_value(&w, document);
        CHECK_BYTES(buf_bytes(&out), rows[i][1]);
        json_free(document);
        buf_release(&out);
    }
}

static size_t allocations_left;

static void *allocate_or_fail(size_t size)
{
    if (allocations_left == 0) return NULL;
    allocations_left--;
    return malloc(size);
}

/* Fails each allocation in turn: a refusal each time, nothing leaked, and the right one when
 * all are granted. */
static void survives_each_failed_allocation(void)
{
    struct bytes text = BYTES("{\"a\":[1,2.5,\"a string\",{\"b\":null}],\"c\":true,\"d\":{}}");
    bool has_named_memory = false;
    enum err e = ERR_NO_MEMORY;

    json_set_alloc_funcs(allocate_or_fail, free);
    for (size_t granted = 0; granted < 1000 && e != ERR_OK; granted++) {
        allocations_left = granted;
        e = read_of(text);
        if (e == ERR_NO_MEMORY) has_named_memory = true;
        CHECK(e == ERR_OK || e == ERR_NO_MEMORY || e == ERR_MALFORMED);
    }
    json_set_alloc_funcs(malloc, free);
    CHECK_INT(e, ERR_OK);
    CHECK(has_named_memory);
}

static void run_cases(json_t *file)
{
    json_t *row;
    static uint8_t text[2 << 20];
    size_t i, len;

    CHECK(json_array_size(json_object_get(file, "cases")) > 0);
    json_array_foreach(json_object_get(file, "cases"), i, row)
    {
        const char *expect = json_string_value(json_object_get(row, "expect"));
        enum err e, again;
        CHECK_NOTE("%s", json_string_value(json_object_get(row, "id")));
        CHECK_INT(base64_read(text, sizeof text, &len,
                              bytes_of_text(json_string_value(json_object_get(row, "text_b64")))),
                  ERR_OK);
        e = read_of(bytes_of(text, len));
        again = read_of(bytes_of(text, len));
        CHECK_INT(e, again);
        if (strcmp(expect, "either") != 0)
            CHECK_INT(e, strcmp(expect, "accept") == 0 ? ERR_OK : ERR_MALFORMED);
    }
    json_decref(file);
}

static void our_vectors(void)
{
    vector_each("own/json_security.json", run_cases);
}

/* Valid JSON that we refuse by policy: duplicate members and NUL inside a member name. */
static bool is_refused_by_policy(const char *name)
{
    return strstr(name, "object_duplicated_key") || strstr(name, "object_escaped_null_in_key");
}

static void parsing_case(const char *folder, const char *name)
{
    char path[600];
    size_t len;
    char *text;
    enum err e;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    text = vector_file_read(&len, VECTORS_THEIRS, path);
    CHECK_NOTE("%s", name);
    e = read_of(bytes_of(text, len));
    if (name[0] == 'y') CHECK_INT(e, is_refused_by_policy(name) ? ERR_MALFORMED : ERR_OK);
    if (name[0] == 'n' && name[1] == '_') CHECK_INT(e, ERR_MALFORMED);
    free(text);
}

static void folder_cases(const char *folder)
{
    char path[1024];
    struct dirent *entry;
    DIR *dir;

    vector_path(path, sizeof path, VECTORS_THEIRS, folder);
    dir = opendir(path);
    if (!dir) {
        printf("not found: %s\n", folder);
        return;
    }
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.') parsing_case(folder, entry->d_name);
    closedir(dir);
}

static void parsing_suite(void)
{
    folder_cases("json/test_parsing");
}

/* Read and written again, no value of this set may have become another one. */
static void transform_suite(void)
{
    static const struct {
        const char *name;
        struct bytes kept; /* absent: must be refused */
    } rows[] = {
        {"number_-9223372036854775808.json", BYTES("[-9223372036854775808]")},
        {"number_9223372036854775807.json", BYTES("[9223372036854775807]")},
        {"number_1.0.json", BYTES("[1.0]")},
        {"number_1000000000000000.json", BYTES("[1000000000000000]")},
        {"number_1e-999.json", BYTES_NONE},
        {"object_key_nfc_nfd.json", BYTES("{\"\xc3\xa9\":\"NFC\",\"e\xcc\x81\":\"NFD\"}")},
        {"object_same_key_different_values.json", BYTES_NONE},
        {"object_same_key_unclear_values.json", BYTES_NONE},
        {"string_1_invalid_codepoint.json", BYTES_NONE},
        {"string_2_invalid_codepoints.json", BYTES_NONE},
        {"string_3_invalid_codepoints.json", BYTES_NONE},
    };

    folder_cases("json/test_transform");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[256];
        struct json document;
        struct json_writer w;
        struct buf out;
        size_t len;
        char *text;
        (void)snprintf(path, sizeof path, "json/test_transform/%s", rows[i].name);
        text = vector_file_read(&len, VECTORS_THEIRS, path);
        if (!text) continue;
        CHECK_NOTE("%s", rows[i].name);
        buf_init(&out, 4096);
        w = json_writer_on(&out);
        CHECK_INT(json_read(&document, bytes_of(text, len)),
                  bytes_is_absent(rows[i].kept) ? ERR_MALFORMED : ERR_OK);
        if (document.node) json_put_value(&w, document);
        CHECK_BYTES(buf_bytes(&out), rows[i].kept);
        json_free(document);
        buf_release(&out);
        free(text);
    }
}

/* Members of the one over those of the other, whole: nothing is merged inside of them. */
static void two_objects_become_one(void)
{
    static const struct {
        const char *under, *over, *wanted;
    } rows[] = {
        {"{}", "{}", "{}"},
        {"{\"a\":1}", "{}", "{\"a\":1}"},
        {"{}", "{\"a\":1}", "{\"a\":1}"},
        {"{\"a\":1,\"b\":2}", "{\"a\":3}", "{\"a\":3,\"b\":2}"},
        {"{\"a\":{\"x\":1}}", "{\"a\":{\"y\":2}}", "{\"a\":{\"y\":2}}"},
        {"{\"a\":1}", "{\"a\":null,\"c\":[1]}", "{\"a\":null,\"c\":[1]}"},
        {"{\"\":1}", "{\"a\":2}", "{\"a\":2,\"\":1}"},
        {"[1]", "{\"a\":2}", "{\"a\":2}"},
        {"{\"a\":1}", "7", "{\"a\":1}"},
        {"null", "null", "{}"},
    };
    struct buf out;

    buf_init(&out, 256);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json under, over;
        struct json_writer w = json_writer_on(&out);
        CHECK_NOTE("merge row %zu", i);
        buf_reset(&out);
        CHECK_INT(json_read(&under, bytes_of_text(rows[i].under)), ERR_OK);
        CHECK_INT(json_read(&over, bytes_of_text(rows[i].over)), ERR_OK);
        json_put_merged(&w, under, over);
        CHECK_BYTES(buf_bytes(&out), bytes_of_text(rows[i].wanted));
        json_free(under);
        json_free(over);
    }
    buf_release(&out);
}

int main(void)
{
    CHECK_RUN(refuses_what_a_lax_reader_takes);
    CHECK_RUN(depth_ends_at_its_limit);
    CHECK_RUN(absent_stays_absent);
    CHECK_RUN(takes_what_is_exact);
    CHECK_RUN(numbers_keep_their_kind);
    CHECK_RUN(every_kind_is_found);
    CHECK_RUN(a_value_is_written_as_it_was_read);
    CHECK_RUN(two_objects_become_one);
    CHECK_RUN(survives_each_failed_allocation);
    CHECK_RUN(our_vectors);
    CHECK_RUN(parsing_suite);
    CHECK_RUN(transform_suite);
    return CHECK_END();
}
