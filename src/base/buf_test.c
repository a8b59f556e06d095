#include "base/buf.h"
#include "harness/check.h"

static void a_failure_sticks_and_hides_the_rest(void)
{
    struct buf buf;
    buf_init(&buf, 4);
    buf_append_text(&buf, "abc");
    buf_append_text(&buf, "de");
    CHECK(buf_error(&buf) == ERR_TOO_LARGE);
    buf_append_text(&buf, "d"); /* would fit, but comes after a gap */
    CHECK(buf_extend(&buf, 0) == NULL);
    CHECK_BYTES(buf_bytes(&buf), BYTES(""));
    buf_reset(&buf);
    buf_append_text(&buf, "wxyz");
    CHECK(buf_error(&buf) == ERR_OK);
    CHECK_BYTES(buf_bytes(&buf), BYTES("wxyz"));
    buf_release(&buf);
}

static void a_huge_length_does_not_wrap(void)
{
    struct buf buf;
    buf_init(&buf, SIZE_MAX);
    buf_append_text(&buf, "abc");
    CHECK(buf_extend(&buf, SIZE_MAX) == NULL);
    CHECK(buf_error(&buf) == ERR_TOO_LARGE);
    buf_wipe(&buf);
}

static void grows_to_its_limit(void)
{
    struct buf buf;
    buf_init(&buf, 100000);
    for (int i = 0; i < 100000; i++)
        buf_append_byte(&buf, (uint8_t)i);
    CHECK(buf_error(&buf) == ERR_OK);
    CHECK_INT(buf_bytes(&buf).len, 100000);
    size_t kept = 0;
    while (kept < 100000 && buf.ptr[kept] == (uint8_t)kept)
        kept++;
    CHECK_INT(kept, 100000);
    buf_append_byte(&buf, 0);
    CHECK(buf_error(&buf) == ERR_TOO_LARGE);
    buf_wipe(&buf);
    CHECK(buf.ptr == NULL && buf_error(&buf) == ERR_OK);
}

static void writes_numbers(void)
{
    struct buf buf;
    buf_init(&buf, 200);
    buf_append_u64(&buf, 0);
    buf_append_byte(&buf, ' ');
    buf_append_u64(&buf, UINT64_MAX);
    buf_append_byte(&buf, ' ');
    buf_append_i64(&buf, INT64_MIN);
    buf_append_byte(&buf, ' ');
    buf_append_i64(&buf, -1);
    CHECK_BYTES(buf_bytes(&buf), BYTES("0 18446744073709551615 -9223372036854775808 -1"));
    buf_release(&buf);
}

static void drops_and_truncates(void)
{
    struct buf buf;
    buf_init(&buf, 200);
    buf_drop_front(&buf, 3); /* nothing there, nothing allocated */
    CHECK(!bytes_is_absent(buf_bytes(&buf)));
    buf_append(&buf, BYTES_NONE);
    buf_append_text(&buf, "abcdef");
    buf_drop_front(&buf, 2);
    CHECK_BYTES(buf_bytes(&buf), BYTES("cdef"));
    buf_truncate(&buf, 9);
    buf_truncate(&buf, 3);
    CHECK_BYTES(buf_bytes(&buf), BYTES("cde"));
    buf_drop_front(&buf, 9);
    CHECK_BYTES(buf_bytes(&buf), BYTES(""));
    buf_release(&buf);
    buf_init(&buf, 0);
    CHECK(buf_extend(&buf, 0) != NULL);
    CHECK(buf_extend(&buf, 1) == NULL);
    buf_release(&buf);
}

int main(void)
{
    CHECK_RUN(a_failure_sticks_and_hides_the_rest);
    CHECK_RUN(a_huge_length_does_not_wrap);
    CHECK_RUN(grows_to_its_limit);
    CHECK_RUN(writes_numbers);
    CHECK_RUN(drops_and_truncates);
    return CHECK_END();
}
