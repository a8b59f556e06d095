/* interview.h — a participant goes through a study: begin, consent, answer, complete.
 *
 * Which step may be taken from which state is a table in interview.c; a step that was taken
 * already and changes nothing is answered like the first time, so that a client that lost an
 * answer can ask again. Pure. */
#ifndef COATCHECK_ENGINE_INTERVIEW_H
#define COATCHECK_ENGINE_INTERVIEW_H

#include "base/dice.h"
#include "engine/decision.h"

#define QUESTION_MAX 255  /* bytes of a question's id */
#define ANSWER_MAX   8192 /* bytes of one answer */

struct interview_facts {
    const struct holder *holder;
    const struct study *study;         /* BEGIN: as named; ANSWER: the interview's; NULL: not there */
    const struct interview *interview; /* all but BEGIN: as read; NULL: there is none of this participant */
    struct bytes question;             /* ANSWER: id of the study's question that was meant; absent: none */
};

void interview_plan(struct plan *out, const struct interview_facts *facts, const struct ask_interview *ask,
                    int64_t now_ms, const struct dice *dice);
/* *interview: as it stands after it; facts as planned with. */
struct refused interview_settle(struct interview *interview, const struct plan *plan,
                                const struct interview_facts *facts, const struct ask_interview *ask,
                                const struct row *rows);

#endif
