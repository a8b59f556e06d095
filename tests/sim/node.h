/* node.h — the node of a world: the real lanes, connections, sockets and service on simulated doors; started,
 * stopped, killed and started again over one disk.
 *
 * A crash may come between two steps or inside one, after any number of further writes and commits have left
 * the doors: from then on nothing leaves, and when the step has ended the process is gone. */
#ifndef COATCHECK_TESTS_SIM_NODE_H
#define COATCHECK_TESTS_SIM_NODE_H

#include "server/node.h"

void node_prepare(void);            /* once a seed: settings, from its dice */
struct config *node_settings(void); /* the same, to be changed before it boots */
void node_is_founded(void);         /* its disk has the projects already */
void node_boot(void);               /* may fail for lack of memory; then it is tried again later */
void node_stop_now(void);           /* as SIGTERM does: waits for its loops, stepping the world */
void node_end(void);                /* the seed is over: it stops, and nothing of it may be left */
void node_crash_if_dead(void);

/* Faults. */
void node_kill(unsigned doors); /* after so many uses of a door */
void node_want_restart(void);
bool node_wants_restart(void);
void node_toggle_key(void);
void node_rotate_ring(void); /* an operator's order, mostly an emergency */
void node_trouble_store(void);
void node_confirm_clock(void);
void node_drop_buffers(void); /* between two steps, where memory fails */

bool node_is_up(void); /* accepts */
bool node_is_stopping(void);
unsigned node_life(void);        /* 1 for the first process, and so on */
struct node *node_running(void); /* NULL: no lanes to look at */
const struct config *node_config(void);
struct listener *node_listener(void); /* where the kernel sends the next connection; NULL: nobody listens */
bool node_parking_is_full(const struct loop *loop, const char *peer);

#endif
