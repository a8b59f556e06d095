/* revoke.h — everything of one thing, void from now on: a user, a key, a family, a resource, a project.
 *
 * One write ends any number of credentials: whatever was granted at or before t. The store assigns t inside
 * the commit, so that it lies after every stamp a mint under way can still take. What is minted afterwards is
 * good: a revocation is no ban. Pure. */
#ifndef COATCHECK_ENGINE_REVOKE_H
#define COATCHECK_ENGINE_REVOKE_H

#include "engine/decision.h"

const char *cutoff_of_text(enum cutoff_of of); /* "user" */
bool cutoff_of_read(enum cutoff_of *out, struct bytes text);

/* A name as people write it: a UUID, or a key's public id. False: it is none of that kind. */
bool cutoff_name_read(struct cutoff *out, uint8_t room[KEY_PUBLIC_ID_MAX], enum cutoff_of of,
                      const struct uuid *project, struct bytes text);

/* NULL, or why nothing is revoked by this name. Facts forget no key, so one that they do not have is
 * misspelt; a user, family or resource may only be unknown here, and what was granted to it live on. */
const char *revoke_refused(const struct facts *facts, const struct cutoff *cutoff);

/* keeps cutoff.id borrowed. */
void revoke_plan(struct plan *out, const struct cutoff *cutoff, int64_t now_ms);
/* REFUSAL_NOT_FOUND: there is no such project. Else the cutoff, its t assigned. */
struct refused revoke_settle(struct cutoff *out, const struct plan *plan, const struct row *row);

#endif
