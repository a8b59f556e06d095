/* rows.h — what all stores do with rows: copy them into the asker's arena, and tell whose they are.
 * ERR_NO_MEMORY: the arena is full. */
#ifndef COATCHECK_STORE_ROWS_H
#define COATCHECK_STORE_ROWS_H

#include "engine/decision.h"

MUST_USE enum err text_copy(struct bytes *out, struct bytes text, struct arena *arena);
MUST_USE enum err address_copy(struct address *out, const struct address *from, struct arena *arena);
MUST_USE enum err user_copy(struct user *out, const struct user *from, struct arena *arena);

/* The given fields of `given` over those of profile; absent ones stay. */
MUST_USE enum err profile_overlay(struct profile *profile, const struct profile *given, struct arena *arena);

const struct uuid *write_belongs_to(const struct write *write); /* the project; NULL: to none */

#endif
