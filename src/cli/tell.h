/* tell.h — what a command found out, as lines for people or as one JSON object: the same facts in both. What
 * a stranger wrote is printed as printable ASCII: on a terminal control bytes are commands. */
#ifndef COATCHECK_CLI_TELL_H
#define COATCHECK_CLI_TELL_H

#include "wire/json_read.h"

struct tell {
    struct buf out;
    struct json_writer w;
    bool is_json;
};
void tell_begin(struct tell *tell, bool is_json);
void tell_line(struct tell *tell, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void tell_bytes(struct tell *tell, const char *label, struct bytes text); /* nothing if absent or empty */
void tell_value(struct tell *tell, const char *label, struct json value); /* JSON in both */
/* Prints all to stdout and frees; false: not enough memory, or stdout does not take it. */
bool tell_end(struct tell *tell);

#endif
