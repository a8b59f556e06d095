/* users.h — the users a lane has met lately: a bounded map, least recently used first to go. Found by id
 * and by reference. One thread's; entries own copies of what was put in. A look-up is good until the next
 * put or forget. */
#ifndef COATCHECK_SERVICE_USERS_H
#define COATCHECK_SERVICE_USERS_H

#include "base/err.h"
#include "engine/facts.h"

struct users;
/* seed: from dice, so that no one can aim at a chain */
MUST_USE enum err users_new(struct users **out, size_t max, uint64_t seed);
void users_free(struct users *users);

const struct user *users_by_reference(struct users *users, const struct uuid *project,
                                      struct bytes reference);
const struct user *users_by_id(struct users *users, const struct uuid *project, const struct uuid *id);
/* replaces; without memory it forgets instead: only a cache */
void users_put(struct users *users, const struct user *user);
void users_forget(struct users *users, const struct uuid *project, const struct uuid *id);
size_t users_count(const struct users *users);

#endif
