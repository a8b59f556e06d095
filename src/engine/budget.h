/* budget.h — how often a credential that was handed out may be used, and how often at once: the part of its
 * pin that runs out.
 *
 * A use is what the credential is for. Of a guest's, an invite's or an exchanged token it is a session that
 * is opened, of a click-to-call token an exchange. Uses in a whole life, an hour or a day are counted by rows
 * of the store in the very commit that a use waits for, and each of them is a gate: of many uses at once
 * exactly as many pass as are left, nothing else of a commit that is refused is written, and what was counted
 * stays so over a restart. A credential that is renewed keeps its budget, so a family counts as one; an
 * invite counts by itself, because its family is the inviter's. Hours and days are UTC's. Without a bound
 * nothing is written. Sessions at once are counted by whoever holds them. Pure. */
#ifndef COATCHECK_ENGINE_BUDGET_H
#define COATCHECK_ENGINE_BUDGET_H

#include "engine/decision.h"

struct budget {
    struct uuid project, of;           /* what is counted */
    int64_t until_s;                   /* from then on nothing that counts to it is good any more */
    int64_t most[BUDGET_PARTS];        /* 0: no bound */
    const char *setting[BUDGET_PARTS]; /* what bounds it, for people; NULL: nothing can */
};

/* Of a token that opens a session. Kinds without a budget have no bound in any part. ERR_MALFORMED: an invite
 * whose jti is not one of ours. */
MUST_USE enum err budget_of_token(struct budget *out, const struct holder *holder,
                                  const struct fact_project *project);
/* Of a click-to-call token, and so of all together that it is exchanged for. */
void budget_of_click(struct budget *out, const struct resource *resource, const struct fact_project *project);

/* A button has bounds of its own under the names that its project's have: "click_uses_day". */
enum setting budget_setting(enum budget_part part);
bool budget_part_of(enum budget_part *out, struct bytes text);

/* Adds the writes by which one use is counted. False: the plan has no room for them. */
bool budget_plan(struct plan *plan, const struct budget *budget, int64_t now_ms);

/* Whether a row of the commit says that a part is used up: then what to tell, and nothing was counted. The
 * writes of the plan are of this budget or of none. */
struct budget_spent {
    enum refusal refusal; /* REFUSAL_NONE: counted */
    enum budget_part part;
    int64_t wait_ms; /* until the hour or the day is over; 0: there is nothing to wait for */
};
void budget_settle(struct budget_spent *out, const struct plan *plan, const struct row *rows, int64_t now_ms);

#endif
