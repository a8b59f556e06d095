/* watch.h — keeps the facts fresh: polls the store's version row each second, off the loops, and publishes a
 * new snapshot to every lane when it has moved. Runs on lane 0. */
#ifndef COATCHECK_SERVER_WATCH_H
#define COATCHECK_SERVER_WATCH_H

#include "server/node.h"

struct watch;
MUST_USE enum err watch_start(struct watch **out, struct node *node); /* on lane 0's thread */
void watch_stop(struct watch *watch); /* the same; a poll under way still ends */
void watch_free(struct watch *watch); /* after the loops have ended */

#endif
