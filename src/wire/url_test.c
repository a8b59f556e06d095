#include "wire/url.h"
#include "harness/check.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void refuses_second_spellings_of_a_path(void)
{
    static const char *const refused[] = {"",
                                          "*",
                                          "a",
                                          "http://a/",
                                          "?a",
                                          "/..",
                                          "/../a",
                                          "/a/..",
                                          "/a/../b",
                                          "/.",
                                          "/./a",
                                          "/a/.",
                                          "/%2e%2e/a",
                                          "/.%2E/a",
                                          "/%2e",
                                          "/a%2fb",
                                          "/a%2Fb",
                                          "/a%5cb",
                                          "/a\\b",
                                          "/..\\..",
                                          "/%00",
                                          "/a%0d%0ab",
                                          "/%7f",
                                          "/%1f",
                                          "/%",
                                          "/%a",
                                          "/%zz",
                                          "/a%2",
                                          "/%252e%252e%252fetc/passwd",
                                          "/%252f",
                                          "/%c0%ae%c0%ae/etc",
                                          "/%ff",
                                          "/%c3",
                                          "/%c3/%a4",
                                          "/%ed%a0%80",
                                          "/a b",
                                          "/\xC3\xA4",
                                          "/a\"b",
                                          "/a<b",
                                          "/a{b}",
                                          "/a^b",
                                          "/a`b",
                                          "/a#b",
                                          "/a?b#c",
                                          "/a?\x01",
                                          "/a?\xC3\xA4",
                                          "/a? "};
    static const struct bytes with_nul[] = {BYTES("/a\0b"), BYTES("/a?b\0c")};
    struct url_target target;
    for (size_t i = 0; i < COUNT(refused); i++) {
        CHECK_NOTE("%s", refused[i]);
        memset(&target, 1, sizeof target);
        CHECK(url_target_read(&target, bytes_of_text(refused[i])) == ERR_MALFORMED);
        CHECK(bytes_is_absent(target.path) && bytes_is_absent(target.query));
    }
    for (size_t i = 0; i < COUNT(with_nul); i++)
        CHECK(url_target_read(&target, with_nul[i]) == ERR_MALFORMED);
}

static void takes_targets_apart(void)
{
    static const char *const rows[][3] = {{"/", "/", NULL},
                                          {"/?", "/", ""},
                                          {"/api/v1/a.b-c_d~e", "/api/v1/a.b-c_d~e", NULL},
                                          {"/a?b=c&d=/?:@", "/a", "b=c&d=/?:@"},
                                          {"/...", "/...", NULL},
                                          {"/a..b/..c/.d", "/a..b/..c/.d", NULL},
                                          {"/%C3%A4", "/%C3%A4", NULL},
                                          {"/100%25", "/100%25", NULL},
                                          {"/a|b;c=d,e+f", "/a|b;c=d,e+f", NULL},
                                          {"/+49%40x", "/+49%40x", NULL},
                                          {"/a?{\"b\"}|^`\\", "/a", "{\"b\"}|^`\\"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct url_target target;
        CHECK_NOTE("%s", rows[i][0]);
        CHECK(url_target_read(&target, bytes_of_text(rows[i][0])) == ERR_OK);
        CHECK_BYTES(target.path, bytes_of_text(rows[i][1]));
        CHECK_BYTES(target.query, bytes_of_text(rows[i][2]));
        CHECK(bytes_is_absent(target.query) == (rows[i][2] == NULL));
    }
}

static void refuses_bad_query_values(void)
{
    static const char *const refused[] = {"a=%",   "a=%4",  "a=%zz",    "a=%00",          "a=b%00c",
                                          "a=%ff", "a=%c3", "a=%c0%80", "b=1&a=%ed%a0%80"};
    struct arena arena;
    struct bytes value;
    arena_init(&arena, 1000);
    for (size_t i = 0; i < COUNT(refused); i++) {
        CHECK_NOTE("%s", refused[i]);
        CHECK(url_query_value(&value, &arena, bytes_of_text(refused[i]), BYTES("a")) == ERR_MALFORMED);
        CHECK(bytes_is_absent(value));
    }
    arena_release(&arena);
    arena_init(&arena, 2);
    CHECK(url_query_value(&value, &arena, BYTES("a=long"), BYTES("a")) == ERR_NO_MEMORY &&
          bytes_is_absent(value));
    arena_release(&arena);
}

static void finds_query_values(void)
{
    static const char *const rows[][3] = {{"a=1", "a", "1"},
                                          {"b=2&a=1&a=3", "a", "1"},
                                          {"a", "a", ""},
                                          {"a=", "a", ""},
                                          {"&&a=x&", "a", "x"},
                                          {"a=b=c", "a", "b=c"},
                                          {"a=x+y%20z%2B", "a", "x y z+"},
                                          {"%61=1", "a", "1"},
                                          {"aa=1", "a", NULL},
                                          {"A=1", "a", NULL},
                                          {"", "a", NULL},
                                          {"%zz=1&a=2", "a", "2"},
                                          {"a=%C3%A4", "a", "\xC3\xA4"},
                                          {"x%00=1", "x", NULL}};
    struct arena arena;
    struct bytes value;
    arena_init(&arena, 10000);
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_NOTE("%s", rows[i][0]);
        CHECK(url_query_value(&value, &arena, bytes_of_text(rows[i][0]), bytes_of_text(rows[i][1])) ==
              ERR_OK);
        CHECK_BYTES(value, bytes_of_text(rows[i][2]));
        CHECK(bytes_is_absent(value) == (rows[i][2] == NULL));
    }
    CHECK(url_query_value(&value, &arena, BYTES_NONE, BYTES("a")) == ERR_OK && bytes_is_absent(value));
    arena_release(&arena);
}

static void knows_origins(void)
{
    static const char *const refused[] = {"",
                                          "NULL",
                                          "nul",
                                          "null ",
                                          "https://",
                                          "https:///",
                                          "https:a",
                                          "https:/a",
                                          "//a",
                                          "a",
                                          "https://a/",
                                          "https://a/b",
                                          "https://a?b",
                                          "https://a#b",
                                          "https://A",
                                          "HTTPS://a",
                                          "https://a:443",
                                          "http://a:80",
                                          "https://a:",
                                          "https://a:0",
                                          "https://a:0443",
                                          "https://a:65536",
                                          "https://a:x",
                                          "https://u@a",
                                          "https://a b",
                                          "https://a,https://b",
                                          "https://a https://b",
                                          "https://*",
                                          "https://\xC3\xA4",
                                          "https://%61",
                                          "https://[::1",
                                          "https://[]",
                                          "https://[::1]x",
                                          "https://[g]",
                                          "https://a\\b",
                                          "1http://a",
                                          "https://a\r\n",
                                          "https://a:8080:1"};
    static const char *const taken[] = {"null",
                                        "https://a",
                                        "http://localhost:3000",
                                        "https://app.example.com",
                                        "https://a:80",
                                        "http://a:443",
                                        "https://xn--4ca.example",
                                        "http://[::1]:8080",
                                        "https://127.0.0.1",
                                        "capacitor://localhost",
                                        "chrome-extension://abcdef",
                                        "https://a_b:65535"};
    for (size_t i = 0; i < COUNT(refused); i++) {
        CHECK_NOTE("%s", refused[i]);
        CHECK(!url_is_origin(bytes_of_text(refused[i])));
    }
    for (size_t i = 0; i < COUNT(taken); i++) {
        CHECK_NOTE("%s", taken[i]);
        CHECK(url_is_origin(bytes_of_text(taken[i])));
    }
    CHECK(!url_is_origin(BYTES("https://a\0b")));
    CHECK(!url_is_origin(BYTES_NONE));
}

int main(void)
{
    CHECK_RUN(refuses_second_spellings_of_a_path);
    CHECK_RUN(takes_targets_apart);
    CHECK_RUN(refuses_bad_query_values);
    CHECK_RUN(finds_query_values);
    CHECK_RUN(knows_origins);
    return CHECK_END();
}
