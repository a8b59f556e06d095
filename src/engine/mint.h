/* mint.h — a backend asks for an access token for one of its users.
 *
 * mint_plan checks everything that can be refused without the store and says what must be stored: a user seen
 * for the first time, or a changed profile; for a known user with nothing new it plans no write at all.
 * mint_settle turns the rows into the grant: when another request created the user in between, the grant is
 * for that user. Both are pure. */
#ifndef COATCHECK_ENGINE_MINT_H
#define COATCHECK_ENGINE_MINT_H

#include "base/dice.h"
#include "engine/decision.h"

struct mint_facts {
    const struct fact_project *project;
    const struct fact_key *key; /* authenticated already */
    const struct user *user;    /* NULL: no such reference yet */
    struct bytes password_hash; /* PASSWORD_HASH_LEN bytes if the ask carries a password, else absent */
    int64_t cutoff_ms;          /* greatest cutoff that applies to project, key or user; INT64_MIN: none */
};

/* ERR_NO_MEMORY only. A refusal is in out->refused. */
MUST_USE enum err mint_plan(struct plan *out, struct arena *arena, const struct mint_facts *facts,
                            const struct ask_mint *ask, int64_t now_ms, const struct dice *dice);
void mint_settle(struct decision *out, const struct plan *plan, const struct row *rows);

/* The checks that need no facts about the user; mint_plan makes them too. Called first so that nothing is
 * read from the store, and no password hashed, for an ask that will be refused anyway. */
struct refused mint_check(const struct ask_mint *ask, const struct fact_project *project,
                          const struct fact_key *key, int64_t now_ms);

#endif
