/* say.h — how clients put requests into words. */
#ifndef COATCHECK_TESTS_SIM_SAY_H
#define COATCHECK_TESTS_SIM_SAY_H

#include "sim/tap.h"

void say(struct buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Authorization: Basic, with the last character of the secret another if it is to be wrong. */
void say_basic(struct buf *out, struct bytes user, struct bytes secret, bool is_wrong);
/* The same, by the key of its project that the request names. */
void say_key(struct buf *out, const struct request *request, bool is_wrong);
void say_body(struct buf *out, const char *type, struct bytes body); /* and the head's end */

#endif
