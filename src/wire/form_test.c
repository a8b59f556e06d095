#include "wire/form.h"

#include "harness/check.h"

#include <stdio.h>

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static enum err read_one(struct form *out, struct arena *arena, const char *text)
{
    arena_init(arena, 65536);
    return form_read(out, arena, bytes_of_text(text));
}

static void refuses_what_has_two_meanings(void)
{
    static const char *const texts[] = {
        "&",         "a",       "=b",          "a=b&",       "&a=b",     "a=b&&c=d", "a=b&a=c",
        "a=b&%61=c", "a=b&a=b", "a=b=c",       "a=%",        "a=%4",     "a=%4g",    "a=%g4",
        "a=%00",     "a=%0a",   "a=%7F",       "a=%1f",      "a=b c",    "a=\tb",    "a=\x80",
        "a=%80",     "a=%C3",   "a=%ED%A0%80", "a=%F5%80",   "%=b",      "%zz=b",    "a b=c",
        "a=b\r\n",   "a=\x7F",  "a=%u0041",    "a=b;c=d&;=", "a=%C0%AF", "a=b&b",    "a==",
    };
    size_t i;

    for (i = 0; i < COUNT(texts); i++) {
        struct arena arena;
        struct form form;
        CHECK_NOTE("%s", texts[i]);
        CHECK_INT(read_one(&form, &arena, texts[i]), ERR_MALFORMED);
        CHECK_INT(form.count, 0);
        arena_release(&arena);
    }
}

static void refuses_one_pair_too_many(void)
{
    char text[8 * (FORM_FIELDS_MAX + 1)];
    struct arena arena;
    struct form form;
    size_t i, len = 0;

    for (i = 0; i <= FORM_FIELDS_MAX; i++) {
        if (i == FORM_FIELDS_MAX) {
            arena_init(&arena, 65536);
            CHECK_INT(form_read(&form, &arena, bytes_of(text, len - 1)), ERR_OK);
            CHECK_INT(form.count, FORM_FIELDS_MAX);
            arena_release(&arena);
        }
        len += (size_t)snprintf(text + len, sizeof text - len, "n%zu=v&", i);
    }
    arena_init(&arena, 65536);
    CHECK_INT(form_read(&form, &arena, bytes_of(text, len - 1)), ERR_MALFORMED);
    arena_release(&arena);
}

static void refuses_without_memory(void)
{
    struct arena arena;
    struct form form;

    arena_init(&arena, 4);
    CHECK_INT(form_read(&form, &arena, BYTES("name=a+long+value")), ERR_NO_MEMORY);
    CHECK_INT(form.count, 0);
    arena_release(&arena);
}

static void reads_names_and_values(void)
{
    static const struct {
        const char *text, *name, *value; /* value NULL: absent */
    } rows[] = {
        {"", "a", NULL},
        {"a=", "a", NULL},
        {"a=b", "a", "b"},
        {"a=b", "A", NULL},
        {"a=b&c=d", "c", "d"},
        {"a=b%20c+d", "a", "b c d"},
        {"grant%5Ftype=x", "grant_type", "x"},
        {"a=%26%3D%25%2B", "a", "&=%+"},
        {"a=%c3%A9", "a", "\xC3\xA9"},
        {"grant_type=urn:ietf:params:oauth:grant-type:token-exchange", "grant_type",
         "urn:ietf:params:oauth:grant-type:token-exchange"},
        {"a=;,/?", "a", ";,/?"},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct form form;
        struct bytes value;
        CHECK_NOTE("%s", rows[i].text);
        CHECK_INT(read_one(&form, &arena, rows[i].text), ERR_OK);
        value = form_value(&form, bytes_of_text(rows[i].name));
        CHECK(bytes_is_absent(value) == !rows[i].value);
        if (rows[i].value) CHECK(bytes_equal(value, bytes_of_text(rows[i].value)));
        arena_release(&arena);
    }
}

int main(void)
{
    CHECK_RUN(refuses_what_has_two_meanings);
    CHECK_RUN(refuses_one_pair_too_many);
    CHECK_RUN(refuses_without_memory);
    CHECK_RUN(reads_names_and_values);
    return CHECK_END();
}
