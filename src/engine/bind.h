/* bind.h — a browser ties its token to a key that never leaves it, and renews the tied token by that key
 * alone: the backend that minted the first one is not asked again.
 *
 * The token must carry the scope for it. One that was minted with a fingerprint is bound already and needs
 * that key. One that was not is bound to the first key that asks, for good: the row says which. The same key
 * again gets another token; another key is refused, and because one of the two is a thief, the whole family
 * ends. A binding never disappears, and no renewal passes the family's end.
 *
 * bind_plan adds to a plan that holds the writes of the proof, each of them a gate; bind_settle decides on
 * the rows. Pure. */
#ifndef COATCHECK_ENGINE_BIND_H
#define COATCHECK_ENGINE_BIND_H

#include "base/dice.h"
#include "engine/decision.h"

struct bind_facts {
    const struct fact_project *project;
    const struct holder *holder; /* admitted already */
    struct bytes jkt;            /* of the key that made the proof, which was checked */
};

void bind_plan(struct plan *plan, const struct bind_facts *facts, const struct ask_bind *ask, int64_t now_ms,
               const struct dice *dice);
void bind_settle(struct decision *out, const struct plan *plan, const struct row *rows);
/* After REFUSAL_BOUND_ELSEWHERE: puts the family's cutoff in the place of the plan's writes. */
void bind_cut(struct plan *plan, const struct bind_facts *facts, int64_t now_ms);

#endif
