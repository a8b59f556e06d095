#include "engine/words.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static void tells_blank_and_control(void)
{
    CHECK(words_are_blank(BYTES_NONE) && words_are_blank(BYTES("")) && words_are_blank(BYTES(" \t\r\n")));
    CHECK(!words_are_blank(BYTES(" a ")) && !words_are_blank(BYTES("\0")));
    CHECK(words_have_control(BYTES("a\0b")) && words_have_control(BYTES("\x7f")) &&
          words_have_control(BYTES("a\n")));
    CHECK(!words_have_control(BYTES("a b\xc3\xa4")) && !words_have_control(BYTES_NONE));
}

static void makes_slugs(void)
{
    static const struct {
        const char *words, *slug;
    } rows[] = {
        {"Ada.L@example.com", "ada.l"},
        {"Board Room", "board-room"},
        {"  a  b  ", "a-b"},
        {"@x", "word"},
        {"", "word"},
        {"...", "word"},
        {".hidden", "word"},
        {"--a--", "--a"},
        {"a.", "a"},
        {"\xc3\x84rger", "rger"},
        {"A_1-z", "a_1-z"},
        {"!!!", "word"},
    };
    char out[ADDRESS_SLUG_MAX], long_words[200];
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        CHECK_NOTE("%s", rows[i].words);
        CHECK_BYTES(bytes_of(out, words_slug(out, bytes_of_text(rows[i].words), "word")),
                    bytes_of_text(rows[i].slug));
    }
    memset(long_words, 'a', sizeof long_words);
    CHECK_INT(words_slug(out, bytes_of(long_words, sizeof long_words), "word"), ADDRESS_SLUG_MAX);
}

static void knows_addresses(void)
{
    static const char *const bad[] = {
        "",          "/",           "/public",          "/public/",   "public/x",
        "/public/.", "/public/..",  "/public/.x",       "/public/a/", "/public/a/b",
        "/other/a",  "/public/a b", "/public/\xc3\xa4", "/Public/a",  "//public/a"};
    static const char *const good[] = {"/public/a", "/private/Ada.L", "/public/1", "/public/a_b-c.d",
                                       "/public/-"};
    char long_name[260] = "/public/";
    size_t i;

    for (i = 0; i < COUNT(bad); i++) {
        CHECK_NOTE("%s", bad[i]);
        CHECK(!words_are_address(bytes_of_text(bad[i])));
    }
    for (i = 0; i < COUNT(good); i++) {
        CHECK_NOTE("%s", good[i]);
        CHECK(words_are_address(bytes_of_text(good[i])));
    }
    memset(long_name + 8, 'x', sizeof long_name - 8);
    CHECK(words_are_address(bytes_of(long_name, 200)));
    CHECK(!words_are_address(bytes_of(long_name, 201)));
}

int main(void)
{
    CHECK_RUN(tells_blank_and_control);
    CHECK_RUN(makes_slugs);
    CHECK_RUN(knows_addresses);
    return CHECK_END();
}
