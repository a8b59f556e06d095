/* guest.h — a backend asks for an access token for somebody without an account, who may dial some addresses
 * and nothing else.
 *
 * A guest has no row: the id drawn here is all there is of it, so nothing is written and nothing to settle.
 * Every address must exist in the key's own project; whether one exists elsewhere is not told. Pure. */
#ifndef COATCHECK_ENGINE_GUEST_H
#define COATCHECK_ENGINE_GUEST_H

#include "base/dice.h"
#include "engine/decision.h"

struct guest_facts {
    const struct fact_project *project;
    const struct fact_key *key;  /* authenticated already */
    const struct address *found; /* those of the asked addresses that exist in the project, in any order */
    size_t found_count;
    int64_t cutoff_ms; /* greatest cutoff that applies to project or key; INT64_MIN: none */
};

/* The checks that need no address; guest_plan makes them too. */
struct refused guest_check(const struct ask_guest *ask, const struct fact_project *project,
                           const struct fact_key *key, int64_t now_ms);
void guest_plan(struct plan *out, const struct guest_facts *facts, const struct ask_guest *ask,
                int64_t now_ms, const struct dice *dice);

#endif
