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

int main(void)
{
    CHECK_RUN(writes_moments);
    CHECK_RUN(writes_http_dates);
    return CHECK_END();
}
