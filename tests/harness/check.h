/* check.h — the whole test framework: a test is a function, a check is a line, a failure names the place.
 *
 *     static void refuses_padding(void) { CHECK(base64url_read(...) == ERR_MALFORMED); }
 *     int main(void) { CHECK_RUN(refuses_padding); return CHECK_END(); }
 *
 * A failed check is reported and the test goes on, so that one run shows all of them. CHECK_NOTE names the
 * row of a table the following checks speak of. The last line is "N passed, N failed", counted in tests. */
#ifndef COATCHECK_TESTS_CHECK_H
#define COATCHECK_TESTS_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_passed_, check_failed_;
static bool check_ok_;
static char check_note_[256];

static inline bool check_(bool ok, const char *what, const char *file, int line)
{
    if (!ok) {
        check_ok_ = false;
        fprintf(stderr, "%s:%d: %s%s%s%s\n", file, line, what, check_note_[0] ? "  [" : "", check_note_,
                check_note_[0] ? "]" : "");
    }
    return ok;
}

#define CHECK(condition) check_((condition), #condition, __FILE__, __LINE__)
#define CHECK_INT(got, wanted)                                                                               \
    do {                                                                                                     \
        long long got_ = (long long)(got), wanted_ = (long long)(wanted);                                    \
        if (!check_(got_ == wanted_, #got " == " #wanted, __FILE__, __LINE__))                               \
            fprintf(stderr, "    got %lld, wanted %lld\n", got_, wanted_);                                   \
    } while (0)
#define CHECK_BYTES(got, wanted)                                                                             \
    do {                                                                                                     \
        struct bytes got_ = (got), wanted_ = (wanted);                                                       \
        if (!check_(bytes_equal(got_, wanted_), #got " == " #wanted, __FILE__, __LINE__))                    \
            fprintf(stderr, "    got \"%.*s\", wanted \"%.*s\"\n", (int)got_.len, (const char *)got_.ptr,    \
                    (int)wanted_.len, (const char *)wanted_.ptr);                                            \
    } while (0)
#define CHECK_NOTE(...) ((void)snprintf(check_note_, sizeof check_note_, __VA_ARGS__))
#define CHECK_RUN(test)                                                                                      \
    do {                                                                                                     \
        check_ok_ = true;                                                                                    \
        check_note_[0] = 0;                                                                                  \
        test();                                                                                              \
        if (check_ok_)                                                                                       \
            check_passed_++;                                                                                 \
        else                                                                                                 \
            check_failed_++;                                                                                 \
        printf("%s %s\n", check_ok_ ? "ok  " : "FAIL", #test);                                               \
    } while (0)

static inline int check_end_(void)
{
    printf("%d passed, %d failed\n", check_passed_, check_failed_);
    return check_failed_ || !check_passed_ ? EXIT_FAILURE : EXIT_SUCCESS;
}
#define CHECK_END() check_end_()

#endif
