/* tortus.h — the TORTUS dialect: launch tokens for an embedded app, and what the app swaps them for.
 *
 * Where each rule comes from is in README.md beside this file. */
#ifndef COATCHECK_DIALECT_TORTUS_TORTUS_H
#define COATCHECK_DIALECT_TORTUS_TORTUS_H

#include "dialect/dialect.h"

extern const struct dialect tortus_dialect;

ask_decode_fn tortus_decode_launch, tortus_decode_exchange;
outcome_encode_fn tortus_encode_launch, tortus_encode_exchange, tortus_encode_refused;

/* "tortus|" and 32 lower-case hex digits: how a user's id is written here. */
#define TORTUS_USER_PREFIX "tortus|"
#define TORTUS_USER_LEN    (sizeof TORTUS_USER_PREFIX - 1 + 32)
void tortus_user_write(char out[TORTUS_USER_LEN], const struct uuid *id); /* no NUL */
bool tortus_user_of(struct uuid *out, struct bytes text);                 /* exactly as it is written */

#endif
