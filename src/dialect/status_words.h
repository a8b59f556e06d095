/* status_words.h — a sentence for each status, for dialects whose error bodies speak to people. It tells no
 * more than the status does, but for what is wrong with a member of the request. */
#ifndef COATCHECK_DIALECT_STATUS_WORDS_H
#define COATCHECK_DIALECT_STATUS_WORDS_H

#include "engine/outcome.h"
#include "wire/json_write.h"

const char *status_words(int status);
/* Writes it as a string; or "<member> <because>" where the refusal says why (400, 409). */
void status_words_put(struct json_writer *w, int status, const struct refused *refused, const char *member);

#endif
