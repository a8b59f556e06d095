/* floor.h — keeps the clock's floor (clock.h) in the store while the node runs.
 *
 * Every group of commits brings it along; this asks for one each second, for times in which nothing
 * else is written, and looks at the clock meanwhile, so that a step is noticed on an idle server too.
 * Runs on lane 0. */
#ifndef COATCHECK_SERVER_FLOOR_H
#define COATCHECK_SERVER_FLOOR_H

#include "server/node.h"

struct floor;
MUST_USE enum err floor_begin(struct node *node); /* starts the node's clock from the store's floor */
MUST_USE enum err floor_start(struct floor **out, struct node *node); /* before the loops run */
void floor_stop(struct floor *floor); /* on lane 0's thread; a commit under way still ends */
void floor_end(struct node *node);    /* the loops have ended: the exact time is the last commit */
void floor_free(struct floor *floor); /* after the loops are drained */

#endif
