/* log.h — one structured line per life-cycle change: time, level, event name, then key="value" pairs.
 *
 * Where lines go is injected (log_open), so that tests can read them. Values are escaped and cut at
 * LOG_VALUE_MAX bytes, so no input can forge a second line. Never pass a token, secret, proof or
 * whole header: there is no function that would redact them for you. Nothing a client can trigger in
 * bulk is above debug. */
#ifndef COATCHECK_BASE_LOG_H
#define COATCHECK_BASE_LOG_H

#include "base/bytes.h"

#define LOG_VALUE_MAX 256  /* bytes of one value; the rest is cut and marked with "…" */
#define LOG_LINE_MAX  2048 /* bytes of one line */

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* line ends in \n */
typedef void log_sink_fn(void *state, enum log_level level, const char *line, size_t len);
typedef int64_t log_clock_fn(void *state); /* ms since 1970 */

/* before any thread starts */
void log_open(log_sink_fn *sink, log_clock_fn *clock, void *state, enum log_level least);
void log_set_level(enum log_level least);
bool log_is_on(enum log_level level);
/* For a sink that cannot take the line it was given, and must not wait: it is counted. The next line that is
 * taken is followed by one that says how many were lost. */
void log_lost(void);
int64_t log_lost_total(void);

struct log_field {
    const char *key;
    struct bytes text;
    int64_t number;
    bool is_number;
};
struct log_field log_bytes(const char *key, struct bytes value);
struct log_field log_text(const char *key, const char *value);
struct log_field log_number(const char *key, int64_t value);

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count);

/* log_info("listening", log_text("url", url), log_number("loops", n)) */
#define LOG_FIELDS(...)                                                                                      \
    (const struct log_field[]){__VA_ARGS__},                                                                 \
        sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)
#define log_debug(event, ...)                                                                                \
    do {                                                                                                     \
        if (log_is_on(LOG_DEBUG)) log_write(LOG_DEBUG, event, LOG_FIELDS(__VA_ARGS__));                      \
    } while (0)
#define log_info(event, ...)  log_write(LOG_INFO, event, LOG_FIELDS(__VA_ARGS__))
#define log_warn(event, ...)  log_write(LOG_WARN, event, LOG_FIELDS(__VA_ARGS__))
#define log_error(event, ...) log_write(LOG_ERROR, event, LOG_FIELDS(__VA_ARGS__))

#endif
