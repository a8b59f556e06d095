#include "base/bytes.h"
#include "harness/check.h"

static void a_nul_does_not_end_a_value(void)
{
    CHECK(!bytes_equal(BYTES("a\0b"), BYTES("a")));
    CHECK(!bytes_equal(BYTES("a\0b"), BYTES("a\0c")));
    CHECK(bytes_compare(BYTES("a\0b"), BYTES("a")) > 0);
    CHECK_INT(bytes_index(BYTES("a\0b"), 'b'), 2);
}

static void absent_is_not_empty(void)
{
    CHECK(bytes_is_absent(bytes_of_text(NULL)));
    CHECK(!bytes_is_absent(BYTES("")));
    CHECK(bytes_is_absent(bytes_from(BYTES_NONE, 3)));
    CHECK(bytes_equal(BYTES_NONE, BYTES("")));
    CHECK(bytes_compare(BYTES_NONE, BYTES("")) == 0);
    CHECK(!bytes_have(BYTES_NONE, 0));
}

static void case_is_ascii_only(void)
{
    CHECK(bytes_equal_nocase(BYTES("Content-LENGTH"), BYTES("content-length")));
    CHECK(!bytes_equal_nocase(BYTES("a"), BYTES("b")));
    CHECK(!bytes_equal_nocase(BYTES("ab"), BYTES("a")));
    CHECK(!bytes_equal_nocase(BYTES("["), BYTES("{"))); /* they differ by the letter bit only */
    CHECK(!bytes_equal_nocase(BYTES("@"), BYTES("`")));
    CHECK(!bytes_equal_nocase(BYTES("\xC3\x84"), BYTES("\xC3\xA4")));
}

static void parts_are_clamped(void)
{
    CHECK_BYTES(bytes_part(BYTES("abcdef"), 2, 3), BYTES("cde"));
    CHECK_BYTES(bytes_part(BYTES("abc"), 2, SIZE_MAX), BYTES("c"));
    CHECK_BYTES(bytes_part(BYTES("abc"), 9, 1), BYTES(""));
    CHECK_BYTES(bytes_from(BYTES("abc"), 1), BYTES("bc"));
    CHECK_BYTES(bytes_trim(BYTES(" \t a b\t ")), BYTES("a b"));
    CHECK_BYTES(bytes_trim(BYTES(" \t ")), BYTES(""));
    CHECK(bytes_start_with(BYTES("abc"), BYTES("ab")));
    CHECK(!bytes_start_with(BYTES("a"), BYTES("ab")));
}

static void splits_at_the_first(void)
{
    struct bytes head, rest;
    CHECK(bytes_split(&head, &rest, BYTES("a:b:c"), ':'));
    CHECK_BYTES(head, BYTES("a"));
    CHECK_BYTES(rest, BYTES("b:c"));
    CHECK(!bytes_split(&head, &rest, BYTES("abc"), ':'));
    CHECK_BYTES(head, BYTES("abc"));
    CHECK(bytes_is_absent(rest));
}

static void numbers_are_strict(void)
{
    static const char *const refused[] = {
        "", "-1", "+1", " 1", "1 ", "01", "00", "1.0", "0x1", "1e3", "1_0", "256", "18446744073709551616"};
    uint64_t number;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_NOTE("%s", refused[i]);
        CHECK(!bytes_to_u64(&number, bytes_of_text(refused[i]), 255));
        CHECK(number == 0);
    }
    CHECK(bytes_to_u64(&number, BYTES("0"), 0) && number == 0);
    CHECK(!bytes_to_u64(&number, BYTES("5"), 3));
    CHECK(bytes_to_u64(&number, BYTES("255"), 255) && number == 255);
    CHECK(bytes_to_u64(&number, BYTES("18446744073709551615"), UINT64_MAX) && number == UINT64_MAX);
    CHECK(!bytes_to_u64(&number, BYTES("18446744073709551616"), UINT64_MAX));
    CHECK(!bytes_to_u64(&number, BYTES("99999999999999999999"), UINT64_MAX));
}

static void hashes_spread(void)
{
    unsigned used[256] = {0};
    for (unsigned i = 0; i < 4096; i++)
        used[bytes_hash(bytes_of(&i, sizeof i), 7) & 255]++;
    for (size_t i = 0; i < 256; i++)
        CHECK(used[i] > 0 && used[i] < 48); /* 16 each on average */
    CHECK(bytes_hash(BYTES("a"), 1) != bytes_hash(BYTES("a"), 2));
    CHECK(bytes_hash(BYTES("a"), 1) != bytes_hash(BYTES("a\0"), 1));
    CHECK(bytes_hash(BYTES("12345678"), 1) != bytes_hash(BYTES("12345678\0"), 1));
    CHECK(bytes_hash(BYTES("12345678"), 1) == bytes_hash(bytes_of("12345678", 8), 1));
}

int main(void)
{
    CHECK_RUN(a_nul_does_not_end_a_value);
    CHECK_RUN(absent_is_not_empty);
    CHECK_RUN(case_is_ascii_only);
    CHECK_RUN(parts_are_clamped);
    CHECK_RUN(splits_at_the_first);
    CHECK_RUN(numbers_are_strict);
    CHECK_RUN(hashes_spread);
    return CHECK_END();
}
