/* watch.h — keeps the facts fresh: polls the store's version row each second, off the loops, and publishes a
 * new snapshot to every lane when it has moved, and the key ring with it. Who has changed facts and must not
 * answer before they hold everywhere asks for it now. Runs on lane 0. */
#ifndef COATCHECK_SERVER_WATCH_H
#define COATCHECK_SERVER_WATCH_H

#include "server/node.h"

struct watch;
MUST_USE enum err watch_start(struct watch **out, struct node *node); /* before the loops run */
void watch_stop(struct watch *watch); /* on lane 0's thread; a poll under way still ends */
void watch_free(struct watch *watch); /* after the loops have ended and were drained; ends what was asked */

struct watch_ask { /* embed it in what waits, and keep it until done */
    struct watch_ask *next;
    void (*done)(struct watch_ask *ask, enum err error);
};
/* On lane 0's thread. done comes on it too, once, when every lane decides by facts that were read after
 * this call and the deadlines of its live sessions follow them; or with what went wrong: then the next
 * poll tries again. */
void watch_now(struct watch *watch, struct watch_ask *ask);

#endif
