/* json_read.h — strict JSON (RFC 8259) as a read-only tree. With json_read.c the only file that
 * knows the library.
 *
 * Refused: duplicate members, invalid UTF-8, NUL inside member names, a byte-order mark, trailing bytes,
 * depth over JSON_DEPTH_MAX, lone surrogates, integers beyond 64 bits, fractions a double cannot hold (never
 * silently another value). Strings may hold NUL: every accessor gives lengths, and json_text_is_clean says
 * whether there is one. A zeroed struct json is "absent"; every accessor takes it and gives absent again, so
 * chains need no checks between. */
#ifndef COATCHECK_WIRE_JSON_READ_H
#define COATCHECK_WIRE_JSON_READ_H

#include "base/bytes.h"
#include "base/err.h"
#include "wire/json_write.h"

#define JSON_DEPTH_MAX 32

enum json_type {
    JSON_IS_ABSENT,
    JSON_IS_NULL,
    JSON_IS_FALSE,
    JSON_IS_TRUE,
    JSON_IS_INTEGER,
    JSON_IS_REAL,
    JSON_IS_STRING,
    JSON_IS_ARRAY,
    JSON_IS_OBJECT
};

struct json {
    void *node; /* the library's; NULL is absent */
};

/* Any top-level type. ERR_MALFORMED, ERR_NO_MEMORY. */
MUST_USE enum err json_read(struct json *out, struct bytes text);
void json_free(struct json document); /* only for what json_read gave */

enum json_type json_type_of(struct json value);
struct json json_member(struct json object, const char *name); /* absent if missing or not an object */
size_t json_count(struct json array_or_object);
struct json json_item(struct json array, size_t index);
struct bytes json_text(struct json string);  /* absent unless a string; lives as long as the document */
bool json_text_is_clean(struct json string); /* a string without U+0000 */
/* true only for a JSON integer (no fraction, no exponent) */
bool json_int64(int64_t *out, struct json number);

/* Writes the value again; null if it is absent. Keeps the order of members, drops white space. */
void json_put_value(struct json_writer *w, struct json value);
/* Writes one object made of two: each member of over, then those of under that over has not. What is inside
 * a member is not merged. What is no object counts as an empty one. */
void json_put_merged(struct json_writer *w, struct json under, struct json over);

#endif
