/* cutoffs.h — what was voided: a lane's copy of the cutoffs that still matter, found by what they name.
 *
 * Loaded whole when the lane opens; each new one comes by mail, after its commit and before the revocation is
 * answered. It only grows while the process lives, but one later than another of the same thing takes its
 * place. One thread's. */
#ifndef COATCHECK_SERVICE_CUTOFFS_H
#define COATCHECK_SERVICE_CUTOFFS_H

#include "base/err.h"
#include "engine/facts.h"

struct cutoffs;
MUST_USE enum err cutoffs_new(struct cutoffs **out, uint64_t seed); /* seed: from dice */
void cutoffs_free(struct cutoffs *cutoffs);

/* copies; ERR_NO_MEMORY */
MUST_USE enum err cutoffs_put(struct cutoffs *cutoffs, const struct cutoff *cutoff);
/* t of this thing in this project; INT64_MIN: none. */
int64_t cutoffs_of(const struct cutoffs *cutoffs, enum cutoff_of of, const struct uuid *project,
                   struct bytes id);
/* Those of a project whose t is later than since_ms, earliest first, at most max of them; *has_more: there
 * are later ones. Ids are borrowed until the next put. */
size_t cutoffs_since(struct cutoff *out, size_t max, bool *has_more, const struct cutoffs *cutoffs,
                     const struct uuid *project, int64_t since_ms);
size_t cutoffs_count(const struct cutoffs *cutoffs);

#endif
