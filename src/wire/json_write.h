/* json_write.h — writes JSON straight into a buffer; no tree is built. Commas are kept by the writer.
 *
 *     struct json_writer w = json_writer_on(out);
 *     json_object_begin(&w);  json_key(&w, "token"); json_put_string(&w, token);  json_object_end(&w);
 *
 * Strings are escaped per RFC 8259 §7 (control bytes, quote, backslash; also < > & and U+2028/9, so that a
 * reply is harmless inside a page). Each byte of invalid UTF-8 becomes U+FFFD. Errors are the buffer's sticky
 * one. The values are json_put_…: json_string, json_null and json_integer are names of the JSON library,
 * which must not meet ours. */
#ifndef COATCHECK_WIRE_JSON_WRITE_H
#define COATCHECK_WIRE_JSON_WRITE_H

#include "base/buf.h"
#include "base/uuid.h"

struct json_writer {
    struct buf *out;
    bool needs_comma;
};
struct json_writer json_writer_on(struct buf *out);

void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);        /* a literal that needs no escaping */
void json_key_bytes(struct json_writer *w, struct bytes key); /* any key, escaped */
void json_put_string(struct json_writer *w, struct bytes text);
void json_put_string_or_null(struct json_writer *w, struct bytes text); /* null when absent */
void json_put_literal(struct json_writer *w, const char *text);         /* a string from a C literal */
void json_put_number(struct json_writer *w, int64_t number);
void json_put_bool(struct json_writer *w, bool value);
void json_put_null(struct json_writer *w);
void json_put_uuid(struct json_writer *w, const struct uuid *id);
void json_put_uuid_or_null(struct json_writer *w, const struct uuid *id); /* null when zero */
void json_put_verbatim(struct json_writer *w, struct bytes json);         /* already JSON */

#endif
