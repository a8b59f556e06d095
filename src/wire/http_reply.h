/* http_reply.h — writes HTTP/1.1 replies into a buffer. Field values are checked: one with CR, LF or NUL is
 * dropped together with the whole reply (the buffer fails), so that no input can split a response.
 *
 *     http_reply_begin(out, 200);
 *     http_reply_field(out, BYTES("Content-Type"), BYTES("application/json"));
 *     http_reply_end(out, body, keep_alive);
 *
 * The end writes Content-Length, and Connection: close where it is the last reply. */
#ifndef COATCHECK_WIRE_HTTP_REPLY_H
#define COATCHECK_WIRE_HTTP_REPLY_H

#include "base/buf.h"

void http_reply_begin(struct buf *out, int status);                            /* status line */
void http_reply_field(struct buf *out, struct bytes name, struct bytes value); /* one field */
void http_reply_end(struct buf *out, struct bytes body, bool keep_alive);      /* lengths, empty line, body */
void http_reply_end_empty(struct buf *out, bool keep_alive); /* for 204 and 304: no length at all */

const char *http_status_text(int status); /* "Not Found"; "Unknown" for a status we never send */

#endif
