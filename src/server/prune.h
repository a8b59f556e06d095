/* prune.h — forgets what was kept to be found again and whose time is over: used proofs and tickets, counted
 * uses, refresh families, cutoffs (WRITE_PRUNE). So the store does not grow with every credential ever used.
 * Runs on lane 0: once a minute, a bounded write at a time, by the store's own thread. */
#ifndef COATCHECK_SERVER_PRUNE_H
#define COATCHECK_SERVER_PRUNE_H

#include "server/node.h"

struct prune;
MUST_USE enum err prune_start(struct prune **out, struct node *node); /* before the loops run */
void prune_stop(struct prune *prune); /* on lane 0's thread; a write under way still ends */
void prune_free(struct prune *prune); /* after the loops have ended and are drained */

#endif
