/* ticket.h — a backend asks for a one-time credential: a launch token for an embedded user, a bootstrap token
 * for a participant.
 *
 * Nothing is written here: what the ticket will make of whoever redeems it first is sealed into it. A user
 * that does not exist yet is pending: its id is drawn, its row is not, so that a ticket nobody redeems leaves
 * nothing behind. Pure. */
#ifndef COATCHECK_ENGINE_TICKET_H
#define COATCHECK_ENGINE_TICKET_H

#include "base/dice.h"
#include "engine/decision.h"

struct ticket_facts {
    const struct fact_project *project;
    const struct fact_key *key;  /* authenticated already */
    const struct user *user;     /* launch: who was named, as the store knows them; NULL: nobody of that id */
    const struct uuid *known_as; /* bootstrap: the id that belongs to the external id; NULL: none was given */
    size_t payload_bytes;        /* launch: of what the user's payload would become */
    int64_t cutoff_ms;           /* greatest that applies to project, key or user; INT64_MIN: none */
};

/* The checks that need no user. Called first, so that nothing is read for an ask that is refused anyway. */
struct refused ticket_check_launch(const struct ask_launch *ask);
struct refused ticket_check_bootstrap(const struct ask_bootstrap *ask);

/* Fill out->ticket, or out->refused. */
void ticket_plan_launch(struct plan *out, const struct ticket_facts *facts, const struct ask_launch *ask,
                        int64_t now_ms, const struct dice *dice);
void ticket_plan_bootstrap(struct plan *out, const struct ticket_facts *facts,
                           const struct ask_bootstrap *ask, int64_t now_ms, const struct dice *dice);

/* Whether this user can be resumed by a launch: only embedded ones, and only those who are there. */
bool ticket_may_resume(const struct user *user);

/* The moment a ticket ends. Its times are whole seconds, but a life is counted from the very millisecond of
 * the mint, which gt_ms holds unless a cutoff pushed it ahead: otherwise a ticket minted late in a second
 * would lose the rest of it. */
int64_t ticket_end_ms(const struct ticket *ticket);

#endif
