/* visit.h — a session for somebody nobody vouches for: no ticket, no identity, no row in the store.
 *
 * The caller must name a study or a publishable key, so that it is always some project that is visited, and
 * its limits and origins apply. Pure. */
#ifndef COATCHECK_ENGINE_VISIT_H
#define COATCHECK_ENGINE_VISIT_H

#include "base/dice.h"
#include "engine/decision.h"

struct visit_facts {
    const struct study *study;          /* as named; NULL: none of that id */
    const struct fact_key *publishable; /* as named; NULL: nothing that is one */
};

/* Whose project is visited; refused if that cannot be told. */
struct refused visit_check(struct uuid *project, const struct visit_facts *facts,
                           const struct ask_visit *ask);

/* publishable: NULL if none was named. cutoff_ms as in mint.h. */
void visit_grant(struct grant *out, const struct fact_project *project, const struct fact_key *publishable,
                 int64_t cutoff_ms, int64_t now_ms, const struct dice *dice);

#endif
