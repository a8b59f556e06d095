/* invite.h — a subscriber lets one other person reach one of the subscriber's own addresses.
 *
 * The invite descends from the inviter's token: what voids that one voids the invite, and nothing else of the
 * inviter's is in it. It comes without a refresh token. invite_plan adds to a plan that may hold the writes
 * of a proof already; invite_settle sees that the proof was new. Pure. */
#ifndef COATCHECK_ENGINE_INVITE_H
#define COATCHECK_ENGINE_INVITE_H

#include "base/dice.h"
#include "engine/decision.h"

struct invite_facts {
    const struct fact_project *project;
    const struct holder *inviter; /* admitted already */
    const struct user *user;      /* the inviter; NULL: gone */
};

/* The checks that need no user; invite_plan makes them too. */
struct refused invite_check(const struct ask_invite *ask, const struct fact_project *project, int64_t now_ms);
void invite_plan(struct plan *plan, const struct invite_facts *facts, const struct ask_invite *ask,
                 int64_t now_ms, const struct dice *dice);
void invite_settle(struct decision *out, const struct plan *plan, const struct row *rows);

#endif
