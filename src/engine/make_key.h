/* make_key.h — a project gets one more key. Many per project on purpose: each caller has its own, so that one
 * can be taken away without the others. Pure: what the key looks like is drawn elsewhere. */
#ifndef COATCHECK_ENGINE_MAKE_KEY_H
#define COATCHECK_ENGINE_MAKE_KEY_H

#include "engine/decision.h"

struct refused make_key_check(const struct ask_make_key *ask, enum key_kind kind);
/* Whether this key may make others; a key that may mint only may not. */
struct refused make_key_may(const struct fact_key *key);

/* public_id and hash of the key that was drawn. */
void make_key_plan(struct plan *out, const struct fact_project *project, enum key_kind kind,
                   const struct ask_make_key *ask, struct bytes public_id, const uint8_t hash[KEY_HASH_LEN],
                   int64_t now_ms);
/* False: another key has this public id; draw again. */
bool make_key_settle(const struct plan *plan, const struct row *rows);

#endif
