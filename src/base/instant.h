/* instant.h — a moment as text: RFC 3339 in UTC with milliseconds, "2026-11-21T12:00:00.123Z". Proleptic
 * Gregorian, years 0000..9999; anything outside is clamped. Our own arithmetic, because the C library's is
 * neither reentrant nor free of time zones. */
#ifndef COATCHECK_BASE_INSTANT_H
#define COATCHECK_BASE_INSTANT_H

#include <stdint.h>

#define INSTANT_TEXT_LEN 24

void instant_write(char out[INSTANT_TEXT_LEN], int64_t ms_since_1970); /* no NUL */

/* The same to the second, "2026-11-21T12:00:00Z", with a NUL: for people. */
#define INSTANT_SHORT_MAX 21
void instant_write_short(char out[INSTANT_SHORT_MAX], int64_t s_since_1970);
/* "3 min ago", "in 2 h": how far at_s is from now_s, in the largest unit of which there are
 * two; with a NUL. */
#define INSTANT_SPAN_MAX 40
void instant_write_span(char out[INSTANT_SPAN_MAX], int64_t at_s, int64_t now_s);

#define INSTANT_HTTP_LEN 29
/* RFC 9110 §5.6.7 IMF-fixdate, for the Date field: "Sun, 06 Nov 1994 08:49:37 GMT"; no NUL. */
void instant_write_http(char out[INSTANT_HTTP_LEN], int64_t ms_since_1970);

#endif
