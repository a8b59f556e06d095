#include "base/log.h"
#include "harness/check.h"

static struct {
    char text[2 * LOG_LINE_MAX];
    size_t len;
    int64_t now_ms;
} seen;

static void take_line(void *state, enum log_level level, const char *line, size_t len)
{
    (void)state; /* there is one recorder */
    (void)level; /* it is in the line */
    memcpy(seen.text, line, len);
    seen.len = len;
}

static int64_t tell_time(void *state)
{
    (void)state; /* there is one recorder */
    return seen.now_ms;
}

static void open_at(int64_t now_ms, enum log_level least)
{
    seen.len = 0;
    seen.now_ms = now_ms;
    log_open(take_line, tell_time, NULL, least);
}

static struct bytes last_line(void)
{
    return bytes_of(seen.text, seen.len);
}

static bool is_stalled;
static size_t lines;
static char kept[4][LOG_LINE_MAX];

static void take_or_lose(void *state, enum log_level level, const char *line, size_t len)
{
    (void)state;
    (void)level;
    if (is_stalled)
        log_lost();
    else if (CHECK(lines < 4 && len < LOG_LINE_MAX)) {
        memcpy(kept[lines], line, len);
        kept[lines++][len] = 0;
    }
}

static void tells_how_many_lines_were_lost(void)
{
    int64_t before = log_lost_total();

    log_open(take_or_lose, tell_time, NULL, LOG_INFO);
    is_stalled = true;
    for (int i = 0; i < 5; i++)
        log_info("lost", log_number("n", i));
    CHECK_INT(log_lost_total() - before, 5);
    is_stalled = false;
    log_info("taken", log_number("n", 5));
    log_info("taken", log_number("n", 6));
    CHECK_INT(lines, 3);
    CHECK(strstr(kept[0], "taken n=5") && strstr(kept[2], "taken n=6"));
    CHECK(strstr(kept[1], " warn log_lines_lost lines=5 since_start="));
    CHECK_INT(log_lost_total() - before, 5);
}

static void says_nothing_before_it_is_open(void)
{
    CHECK(!log_is_on(LOG_ERROR));
    log_error("lost", log_number("n", 1));
    CHECK_INT(seen.len, 0);
}

static void no_value_forges_a_line(void)
{
    open_at(0, LOG_INFO);
    log_info("event", log_bytes("v", BYTES("a\"b\\c\r\nd\0e\x1b[f\x7f\xC2\x85\xE2\x80\xA8")));
    CHECK_BYTES(last_line(),
                BYTES("1970-01-01T00:00:00.000Z info event v=\"a\\\"b\\\\c\\r\\nd\\x00e\\x1b[f\\x7f"
                      "\\xc2\\x85\\xe2\\x80\\xa8\"\n"));
}

static void lines_stay_bounded(void)
{
    static uint8_t many[1 << 20];
    memset(many, 'x', sizeof many);
    open_at(0, LOG_INFO);
    log_info("event", log_bytes("v", bytes_of(many, sizeof many)), log_number("n", 1));
    CHECK(seen.len < 64 + LOG_VALUE_MAX);
    CHECK_BYTES(bytes_from(last_line(), seen.len - 10), BYTES("x…\" n=1\n"));
    memset(many, 0, sizeof many);
    struct bytes worst = bytes_of(many, sizeof many);
    log_info("event", log_bytes("a", worst), log_bytes("b", worst), log_bytes("c", worst));
    CHECK(seen.len <= LOG_LINE_MAX);
    CHECK_INT(bytes_index(last_line(), '\n'), seen.len - 1);
    CHECK_BYTES(bytes_from(last_line(), seen.len - 5), BYTES(" …\n"));
}

static void levels_are_kept(void)
{
    open_at(0, LOG_WARN);
    log_info("quiet", log_number("n", 1));
    CHECK_INT(seen.len, 0);
    log_set_level(LOG_DEBUG);
    log_debug("loud", log_number("n", INT64_MIN), log_text("absent", NULL));
    CHECK_BYTES(last_line(),
                BYTES("1970-01-01T00:00:00.000Z debug loud n=-9223372036854775808 absent=\"\"\n"));
}

static void dates_are_civil(void)
{
    static const struct {
        int64_t now_ms;
        const char *text;
    } rows[] = {
        {-1, "1969-12-31T23:59:59.999Z"},
        {951782399999, "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {951868800000, "2000-03-01T00:00:00.000Z"},
        {1735689599001, "2024-12-31T23:59:59.001Z"},
        {1795262400123, "2026-11-21T12:00:00.123Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_at(rows[i].now_ms, LOG_INFO);
        log_info("event", log_number("n", 5));
        CHECK_BYTES(bytes_part(last_line(), 0, 24), bytes_of_text(rows[i].text));
    }
}

int main(void)
{
    CHECK_RUN(says_nothing_before_it_is_open);
    CHECK_RUN(tells_how_many_lines_were_lost);
    CHECK_RUN(no_value_forges_a_line);
    CHECK_RUN(lines_stay_bounded);
    CHECK_RUN(levels_are_kept);
    CHECK_RUN(dates_are_civil);
    return CHECK_END();
}
