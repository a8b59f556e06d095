/* form.h — application/x-www-form-urlencoded bodies (RFC 6749 appendix B), taken apart strictly.
 *
 * One spelling, one meaning: each pair is name=value, no name comes twice (RFC 6749 §3.2), escapes are whole,
 * nothing else than visible ASCII stands between them, and what they stand for is UTF-8 without control
 * characters. Names that nobody asks for are ignored; a value that is empty counts as not sent. */
#ifndef COATCHECK_WIRE_FORM_H
#define COATCHECK_WIRE_FORM_H

#include "base/arena.h"
#include "base/err.h"

#define FORM_FIELDS_MAX 32

struct form {
    struct {
        struct bytes name, value; /* decoded, in the arena */
    } field[FORM_FIELDS_MAX];
    size_t count;
};

/* ERR_MALFORMED, also for more than FORM_FIELDS_MAX pairs; ERR_NO_MEMORY. */
MUST_USE enum err form_read(struct form *out, struct arena *arena, struct bytes text);
struct bytes form_value(const struct form *form, struct bytes name); /* absent: not sent, or empty */

/* One name or value, decoded into the arena. */
MUST_USE enum err form_text(struct bytes *out, struct arena *arena, struct bytes raw);

#endif
