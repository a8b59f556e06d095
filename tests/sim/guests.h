/* guests.h — guests of a world, whose tokens run out: how many sessions each may open, and how many at once.
 * They were made with the world, so that what is counted of them is looked at over every crash. */
#ifndef COATCHECK_TESTS_SIM_GUESTS_H
#define COATCHECK_TESTS_SIM_GUESTS_H

#include "service/keys.h"
#include "sim/model.h"

#define GUESTS         1 /* of each project */
#define GUEST_USES     3 /* in the test project */
#define GUEST_SESSIONS 1 /* in the live one: each bound by itself, so that no other excuses a refusal */

void guests_set(struct fact_project *project); /* the bounds, at its founding */
void guests_found(struct key_bench *bench);    /* their tokens, into the model */

const struct token *guests_pick(void); /* one of them; NULL: this world has none */

/* A connect was written, granted, or refused in this very step. */
void guests_tried(const struct token *token);
void guests_granted(const struct token *token);
bool guests_may_be_refused(const struct token *token);
void guests_check(void); /* after each step: no more sessions are open than may be */

#endif
