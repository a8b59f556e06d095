/* upgrade.h — somebody becomes more: who came as an anonymous visitor, or by a guest's token, has signed in,
 * and wants to go on with what is going on.
 *
 * An identity never changes in place, so it is a new session that names the old one. It has the new token's
 * rights and no others, and descends from the new token alone; the old one ends when it has begun. Decided
 * in this order: token, proof, state, and whether this kind may follow on that one; then, where the old
 * session is, as a resume of it would be (resume_settle), so that a copied tab takes nothing from who
 * answers. Pure. */
#ifndef COATCHECK_ENGINE_UPGRADE_H
#define COATCHECK_ENGINE_UPGRADE_H

#include "engine/resume.h"

/* Upwards only: a visitor of a button, then who was invited or let in as a guest, then a subscriber. */
bool upgrade_may(enum token_kind from, enum token_kind to);

/* RESUME_UPGRADE, or why not. What is wrong with the token is told as of any connect; everything else as of a
 * state that is not good, and the old session stays as it is. */
struct resume_decision upgrade_judge(const struct resume_facts *facts);

/* The place was taken already, by a session of this very user from whose client nothing has come since its
 * welcome: that one was lost, and it asks again. last: the newest state that the old session had given out.
 * By what key is asked afterwards, as of any who comes back (resume_settle). */
bool upgrade_asks_again(const struct holder *next, const struct resume_state *state, uint32_t last,
                        const struct holder *taken_by, bool is_heard);

/* What goes over. A call that the new token was not made to reach does not, nor one of which it is not known
 * yet whom it is for. */
bool upgrade_moves_call(const struct holder *next, bool is_caller, const struct address *dialled);

#endif
