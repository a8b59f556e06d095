#include "base/log.h"

#include <stdatomic.h>
#include <string.h>

#include "base/instant.h"

static struct {
    log_sink_fn *sink;
    log_clock_fn *clock;
    void *state;
} out;
static _Atomic int least_level = LOG_INFO;
static _Atomic int64_t lost_total, lost_untold;
static _Thread_local bool was_lost; /* the line that the sink has now */

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

void log_open(log_sink_fn *sink, log_clock_fn *clock, void *state, enum log_level least)
{
    out.sink = sink;
    out.clock = clock;
    out.state = state;
    log_set_level(least);
}

/* Relaxed: a level change need not be seen at once, and it guards no other memory. */
void log_set_level(enum log_level least)
{
    atomic_store_explicit(&least_level, (int)least, memory_order_relaxed);
}

bool log_is_on(enum log_level level)
{
    return out.sink != NULL && (int)level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

void log_lost(void)
{
    was_lost = true;
    atomic_fetch_add_explicit(&lost_total, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&lost_untold, 1, memory_order_relaxed);
}

int64_t log_lost_total(void)
{
    return atomic_load_explicit(&lost_total, memory_order_relaxed);
}

struct log_field log_bytes(const char *key, struct bytes value)
{
    return (struct log_field){.key = key, .text = value};
}

struct log_field log_text(const char *key, const char *value)
{
    return log_bytes(key, bytes_of_text(value));
}

struct log_field log_number(const char *key, int64_t value)
{
    return (struct log_field){.key = key, .number = value, .is_number = true};
}

#define CUT "…"
#define LINE_END_LEN                                                                                         \
    (sizeof(" " CUT "\n") - 1) /* always kept free: a line that is cut says so and still ends */

struct line {
    size_t len;
    bool is_full;
    char text[LOG_LINE_MAX];
};

static void put(struct line *line, const char *text, size_t len)
{
    if (len > sizeof line->text - LINE_END_LEN - line->len) line->is_full = true;
    if (line->is_full) return;
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* Decimal, with zeros in front up to width. */
static void put_digits(struct line *line, uint64_t number, int width)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
        width--;
    } while (number != 0 || width > 0);
    put(line, digits + at, sizeof digits - at);
}

static void put_number(struct line *line, int64_t number)
{
    if (number < 0) put(line, "-", 1);
    put_digits(line, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, 1);
}

/* Only printable ASCII stands as it is: control bytes could forge a line or drive a terminal, and so could
 * the control characters, line separators and direction marks among the rest of Unicode. */
static void put_escaped(struct line *line, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    if (c == '"' || c == '\\')
        put(line, (const char[]){'\\', (char)c}, 2);
    else if (c == '\n')
        put(line, "\\n", 2);
    else if (c == '\r')
        put(line, "\\r", 2);
    else if (c >= 0x20 && c < 0x7F)
        put(line, (const char[]){(char)c}, 1);
    else
        put(line, (const char[]){'\\', 'x', hex[c >> 4], hex[c & 15]}, 4);
}

static void put_field(struct line *line, const struct log_field *field)
{
    put(line, " ", 1);
    put_text(line, field->key);
    put(line, "=", 1);
    if (field->is_number) {
        put_number(line, field->number);
        return;
    }
    put(line, "\"", 1);
    for (size_t i = 0; i < field->text.len && i < LOG_VALUE_MAX; i++)
        put_escaped(line, field->text.ptr[i]);
    if (field->text.len > LOG_VALUE_MAX) put_text(line, CUT);
    put(line, "\"", 1);
}

static void put_time(struct line *line, int64_t now_ms)
{
    char text[INSTANT_TEXT_LEN];

    instant_write(text, now_ms);
    put(line, text, sizeof text);
    put(line, " ", 1);
}

/* If this line is lost as well, it counts as one more, and what it would have said goes to the next. */
static void tell_lost(void)
{
    int64_t lost = atomic_exchange_explicit(&lost_untold, 0, memory_order_relaxed);

    if (!lost) return;
    log_warn("log_lines_lost", log_number("lines", lost), log_number("since_start", log_lost_total()));
    if (was_lost) atomic_fetch_add_explicit(&lost_untold, lost, memory_order_relaxed);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
    struct line line;
    if (!log_is_on(level)) return;
    line.len = 0;
    line.is_full = false;
    put_time(&line, out.clock == NULL ? 0 : out.clock(out.state));
    put_text(&line, level_names[level]);
    put(&line, " ", 1);
    put_text(&line, event);
    for (size_t i = 0; i < count; i++)
        put_field(&line, &fields[i]);
    const char *end = line.is_full ? " " CUT "\n" : "\n";
    memcpy(line.text + line.len, end, strlen(end));
    was_lost = false;
    out.sink(out.state, level, line.text, line.len + strlen(end));
    if (!was_lost) tell_lost();
}
