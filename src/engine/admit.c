#include "engine/admit.h"

enum refusal admit(const struct holder *holder, const struct admit_facts *facts,
                   const struct proof_policy *policy)
{
    struct proof_policy with_key;

    if (!facts->project) return REFUSAL_TOKEN_FOREIGN;
    if (!capability_has(holder->kind, facts->needs)) return REFUSAL_TOKEN_KIND;
    if (holder->gt_ms <= facts->cutoff_ms) return REFUSAL_TOKEN_CUT_OFF;
    if (bytes_is_absent(holder->jkt) && !facts->needs_proof)
        return REFUSAL_NONE; /* an unbound token needs no proof, and one sent along says nothing */
    if (facts->takes_bound_as_bearer) return REFUSAL_NONE;
    if (facts->proof_broken) return REFUSAL_PROOF_INVALID;
    if (!facts->proof) return REFUSAL_PROOF_MISSING;
    with_key = *policy;
    with_key.jkt = holder->jkt;
    return proof_check(facts->proof, &with_key);
}
