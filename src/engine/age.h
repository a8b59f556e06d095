/* age.h — time that can be moved: a test project ages by an offset that only grows.
 *
 * Every credential carries its project's age at the mint. What the project has aged since is time that the
 * credential has lived on top of real time: it is expired when now + (age − theirs) >= exp. A credential
 * minted after an advance therefore lives its full time. Nothing else moves: stamps, proofs, limits, pruning,
 * key ring and audit keep real time. Live projects have age 0, for ever. Pure. */
#ifndef COATCHECK_ENGINE_AGE_H
#define COATCHECK_ENGINE_AGE_H

#include "engine/facts.h"

#define AGE_STEP_MAX_MS INT64_C(315576000000)  /* one advance: ten years of 365.25 days */
#define AGE_MAX_MS      INT64_C(3155760000000) /* all of them together: a hundred, so that no sum overflows */

/* Now, for a credential minted when its project was `theirs_ms` old. Never behind now_ms: a credential that
 * says it is older than its project gains nothing by it. */
int64_t age_now_ms(int64_t now_ms, int64_t project_ms, int64_t theirs_ms);

enum age_step {
    AGE_MAY_STEP,
    AGE_NO_PROJECT,
    AGE_LIVE_PROJECT,
    AGE_STEP_TOO_SMALL,
    AGE_STEP_TOO_LARGE,
    AGE_TOO_OLD
};
const char *age_step_text(enum age_step step); /* why not: one clause for whoever asked */
/* project: NULL if unknown */
enum age_step age_step_check(const struct fact_project *project, int64_t by_ms);

#endif
