/* operator.h — somebody at the command line who revokes: a user, a sign-in, a key, a resource, a project. */
#ifndef COATCHECK_TESTS_SIM_OPERATOR_H
#define COATCHECK_TESTS_SIM_OPERATOR_H

#include "engine/facts.h"

void operator_begin(void); /* once a seed */
void operator_end(void);
void operator_boot(void); /* a process starts: nothing is under way in it */
/* A credential of this line is on its way to the node: now and then its user is revoked in the same moment.
 */
struct lineage_known;
void operator_meets(const struct lineage_known *line);
void operator_revokes(const struct lineage_known *line); /* this sign-in, now */
/* It is asked for now, and the node has not answered. */
bool operator_asks_now(void);
bool operator_asks_for(const struct cutoff *cutoff);

#endif
