/* admit.h — may the holder of a verified access token do this? The token's signature, claims and times have
 * been checked (token/claims.h); here it is about kind, binding and cutoffs. Pure. */
#ifndef COATCHECK_ENGINE_ADMIT_H
#define COATCHECK_ENGINE_ADMIT_H

#include "engine/capability.h"
#include "engine/outcome.h"
#include "engine/proof.h"

struct admit_facts {
    const struct fact_project *project; /* NULL: the token's project does not exist here */
    enum capability needs;              /* what this call takes: a kind of token that may do it */
    int64_t cutoff_ms;                  /* greatest that applies; INT64_MIN: none */
    const struct proof_facts *proof;    /* NULL: none was sent, or it did not verify (proof_broken) */
    bool proof_broken;
    bool needs_proof;           /* even of an unbound token: whoever binds it shows the key */
    bool takes_bound_as_bearer; /* a column of the route table: two GETs only */
};

/* Whether a holder whose token is bound has proved it, and nothing else is in the way. */
enum refusal admit(const struct holder *holder, const struct admit_facts *facts,
                   const struct proof_policy *policy);

#endif
