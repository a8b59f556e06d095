/* words.h — what people may call things: not blank, no control bytes; and the part of an address made
 * of a name. Pure. */
#ifndef COATCHECK_ENGINE_WORDS_H
#define COATCHECK_ENGINE_WORDS_H

#include "base/bytes.h"
#include "engine/limits.h"

bool words_are_blank(struct bytes words);
/* A NUL or line break would be a way to make one name look like another. */
bool words_have_control(struct bytes words);

/* "Ada.L@example.com" -> "ada.l": what people expect to dial. `otherwise` stands in where nothing is left of
 * the words. Returns the length; no NUL. */
size_t words_slug(char out[ADDRESS_SLUG_MAX], struct bytes words, const char *otherwise);

/* "/public/front-desk": context and one segment of letters, digits, '.', '_', '-'. */
bool words_are_address(struct bytes name);

#endif
