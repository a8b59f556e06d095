/* redeem.h — a ticket becomes a session: once.
 *
 * Everything that can be wrong is checked before anything is consumed; then the ticket's id, its user and the
 * user's payload are written in one commit, whose gates see to it that all of it happens or none. So a wrong
 * key, another tenant's ticket or a user who is gone burns nothing, and of any number who come with the same
 * ticket one gets a session. Pure. */
#ifndef COATCHECK_ENGINE_REDEEM_H
#define COATCHECK_ENGINE_REDEEM_H

#include "base/dice.h"
#include "engine/decision.h"

struct redeem_facts {
    const struct fact_project *project; /* of the ticket; NULL: not here */
    const struct fact_key *publishable; /* what the caller named; NULL: nothing that is one */
    int64_t cutoff_ms;                  /* greatest that applies to the ticket; INT64_MIN: none */
    int64_t pruned_through_s;           /* ids of tickets that ended by then are forgotten; 0: none was */
    /* for the plan alone */
    const struct user *user; /* launch of a known user: as the store has them; NULL: gone */
    struct bytes payload;    /* launch: what the user's payload becomes; absent: it stays */
};

/* The checks that need no store. The origin is not among them: see facts_project_lists. */
enum refusal redeem_check(const struct redeem_facts *facts, const struct ask_redeem *ask,
                          const struct ticket *ticket, int64_t now_ms);

/* Whether the plan needs facts->user: else nothing has to be read. */
bool redeem_needs_user(const struct ticket *ticket);

void redeem_plan(struct plan *out, const struct redeem_facts *facts, const struct ask_redeem *ask,
                 const struct ticket *ticket, int64_t now_ms, const struct dice *dice);
/* The user changed between the read and the commit, which wrote nothing: plan again on rows[1].user. */
bool redeem_met_change(const struct plan *plan, const struct row *rows);
void redeem_settle(struct decision *out, const struct plan *plan, const struct row *rows);

/* Redeemed ids lie in buckets as wide as this, each forgotten as a whole. */
#define REDEEM_BUCKET_S 900

#endif
