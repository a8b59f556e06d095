#include "base/instant.h"

#include "base/bytes.h"
#include "harness/check.h"

static void writes_moments(void)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {951868800000, "2000-03-01T00:00:00.000Z"},
        {1709251199999, "2024-02-29T23:59:59.999Z"},
        {1767225600000, "2026-01-01T00:00:00.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0000-03-01T00:00:00.000Z"},
    };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[INSTANT_TEXT_LEN];
        instant_write(text, rows[i].ms);
        CHECK_NOTE("%s", rows[i].text);
        CHECK_BYTES(bytes_of(text, sizeof text), bytes_of_text(rows[i].text));
    }
}

static void writes_http_dates(void)
{
    char text[INSTANT_HTTP_LEN];

    instant_write_http(text, 784111777000); /* the example of RFC 9110 §5.6.7 */
    CHECK_BYTES(bytes_of(text, sizeof text), BYTES("Sun, 06 Nov 1994 08:49:37 GMT"));
    instant_write_http(text, 0);
    CHECK_BYTES(bytes_of(text, sizeof text), BYTES("Thu, 01 Jan 1970 00:00:00 GMT"));
    instant_write_http(text, -5);
    CHECK_BYTES(bytes_of(text, sizeof text), BYTES("Thu, 01 Jan 1970 00:00:00 GMT"));
}

static void writes_spans_for_people(void)
{
    static const struct {
        int64_t at_s, now_s;
        const char *wanted;
    } rows[] = {
        {100, 100, "0 s ago"},
        {99, 100, "1 s ago"},
        {101, 100, "in 1 s"},
        {0, 119, "119 s ago"},
        {0, 120, "2 min ago"},
        {7200, 0, "in 2 h"},
        {7199, 0, "in 119 min"},
        {0, 172799, "47 h ago"},
        {0, 172800, "2 d ago"},
        {INT64_MAX, 0, "in 106751991167300 d"},
        {INT64_MIN, INT64_MIN, "0 s ago"},
        {INT64_MIN, INT64_MAX, "106751991167300 d ago"},
    };
    char text[INSTANT_SPAN_MAX];
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        instant_write_span(text, rows[i].at_s, rows[i].now_s);
        CHECK_NOTE("%s, wanted %s", text, rows[i].wanted);
        CHECK(strcmp(text, rows[i].wanted) == 0);
    }
}

static void writes_seconds_for_people(void)
{
    char text[INSTANT_SHORT_MAX];

    instant_write_short(text, 0);
    CHECK(strcmp(text, "1970-01-01T00:00:00Z") == 0);
    instant_write_short(text, INT64_MAX);
    CHECK(strcmp(text, "9999-12-31T23:59:59Z") == 0);
    instant_write_short(text, INT64_MIN);
    CHECK(strcmp(text, "1970-01-01T00:00:00Z") == 0);
}

int main(void)
{
    CHECK_RUN(writes_moments);
    CHECK_RUN(writes_http_dates);
    CHECK_RUN(writes_spans_for_people);
    CHECK_RUN(writes_seconds_for_people);
    return CHECK_END();
}
