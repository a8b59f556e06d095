/* descend.h — what a token made from another token takes over from it: project, family, minting key and the
 * stamp of the root mint, so that every cutoff that voids the one voids the other, and the end that nothing
 * of the family passes. Pure. */
#ifndef COATCHECK_ENGINE_DESCEND_H
#define COATCHECK_ENGINE_DESCEND_H

#include "base/dice.h"
#include "engine/decision.h"

/* Kind, user, reach and binding are the caller's to fill, as is exp: not past absolute_end_s, which tells the
 * family's end and may have come already. A bound family ends sooner. */
void descend(struct grant *out, const struct holder *from, bool is_bound, const struct fact_project *project,
             int64_t now_ms, const struct dice *dice);
/* A life of this length, cut at the family's end. */
int64_t descend_exp_s(const struct grant *grant, int64_t life_s);

#endif
