/* user.h — a backend keeps its subscribers: makes one, changes one, removes one.
 *
 * A subscriber is found by its reference, which is unique in its project and never changes. user_check says
 * what can be refused without the store; user_plan also needs the user the ask is about (NULL: there is none
 * of that id here), and plans conditional writes; user_settle turns their rows into the user as it now
 * stands. Removing one voids everything that was granted to it, in the same commit. All pure. */
#ifndef COATCHECK_ENGINE_USER_H
#define COATCHECK_ENGINE_USER_H

#include "base/dice.h"
#include "engine/decision.h"

struct user_facts {
    const struct fact_project *project;
    const struct user *user;    /* whom the ask is about; NULL: unknown, or to be made */
    struct bytes password_hash; /* PASSWORD_HASH_LEN bytes if the ask carries a password, else absent */
};

struct refused user_check(const struct ask_user *ask, const struct fact_key *key);
/* ERR_NO_MEMORY only. A refusal is in out->refused; OBJECT_READ plans no write. */
MUST_USE enum err user_plan(struct plan *out, struct arena *arena, const struct user_facts *facts,
                            const struct ask_user *ask, int64_t now_ms, const struct dice *dice);
/* out->user is the user as it now stands, except after OBJECT_DELETE. */
void user_settle(struct decision *out, const struct plan *plan, const struct user_facts *facts,
                 const struct row *rows);

/* The write of a subscriber seen for the first time, with an address of its own: what every mint and every
 * create share. Strings that are made lie in the arena. */
MUST_USE enum err user_fresh(struct write *out, struct arena *arena, const struct fact_project *project,
                             struct bytes reference, const struct profile *profile,
                             struct bytes password_hash, int64_t now_ms, const struct dice *dice);
/* The two writes that remove a user of any kind: the row, and the cutoff of what was granted to it. */
void user_gone(struct plan *out, const struct uuid *project, const struct uuid *user, int64_t now_ms);

struct refused profile_check(const struct profile *profile);

#endif
