/* rows.h — what all stores do with rows: copy them into the asker's arena, tell whose they are and what they
 * need. ERR_NO_MEMORY: the arena is full. A copy may be made onto itself. */
#ifndef COATCHECK_STORE_ROWS_H
#define COATCHECK_STORE_ROWS_H

#include "engine/decision.h"

MUST_USE enum err text_copy(struct bytes *out, struct bytes text, struct arena *arena);
MUST_USE enum err address_copy(struct address *out, const struct address *from, struct arena *arena);
MUST_USE enum err user_copy(struct user *out, const struct user *from, struct arena *arena);
MUST_USE enum err family_copy(struct family *out, const struct family *from, struct arena *arena);
MUST_USE enum err resource_copy(struct resource *out, const struct resource *from, struct arena *arena);
MUST_USE enum err study_copy(struct study *out, const struct study *from, struct arena *arena);

/* The given fields of `given` over those of profile; absent ones stay. */
MUST_USE enum err profile_overlay(struct profile *profile, const struct profile *given, struct arena *arena);

/* After a payload write: later than before even within one millisecond, or two writers who read the same row
 * could both go on from it. */
int64_t updated_after(int64_t before_ms, int64_t now_ms);

const struct uuid *write_belongs_to(const struct write *write); /* the project; NULL: to none */
bool write_raises_version(enum write_kind kind);
bool settings_allowed(const int64_t setting[SETTING_COUNT]);

const struct uuid *write_is_for(const struct write *write); /* the user a cutoff would name; NULL: gt_ms says
                                                               nothing */
/* a gate that is not met, or cut off */
bool write_stops_commit(const struct write *write, enum row_state state);
/* A gate was not met: all rows but its own are told as skipped. */
void rows_skip(struct row *rows, size_t count, size_t but);

int64_t cutoff_next_ms(int64_t now_ms, int64_t greatest_ms);            /* its t; greatest 0: none before */
int64_t cutoff_until_s(int64_t t_ms, int64_t keep_s);                   /* first second without it */
bool interview_is_in(enum interview_state state, uint32_t states_bits); /* 1u << INTERVIEW_OPEN */

/* A read answers into fields of its own struct: all are emptied before, and again if it failed. */
struct store_read;
void store_read_begin(struct store_read *read);
MUST_USE enum err store_users_room(struct user **out, struct store_read *read, size_t count);
MUST_USE enum err store_addresses_room(struct address **out, struct store_read *read); /* for all its ids */

/* A page's cursor is the id of its last user: a number would tell how many users the other projects have. */
MUST_USE enum err cursor_write(struct bytes *out, const struct user *last, struct arena *arena);

#endif
