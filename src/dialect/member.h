/* member.h — members of a request as dialects read them, and what is wrong with one. null means not given, as
 * absent does. Of several broken rules the first is the one that is told. */
#ifndef COATCHECK_DIALECT_MEMBER_H
#define COATCHECK_DIALECT_MEMBER_H

#include "engine/outcome.h"
#include "wire/json_read.h"

bool member_is_given(struct json value);
/* Absent if it is not given, or no string without NUL: then that is refused. */
struct bytes member_text(struct json body, const char *name, enum ask_field field, struct refused *refused);

/* because: a literal, read behind the member's name: "must be a string". */
void member_refuse(struct refused *refused, enum refusal refusal, enum ask_field field, const char *because);
void member_refuse_invalid(struct refused *refused, enum ask_field field, const char *because);

#endif
