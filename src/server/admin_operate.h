/* admin_operate.h — the running server carries out an operation (operate.h) for the command line: on a pool
 * thread, and answers when every lane decides by what has changed. Nothing but the asker's answer is lost
 * when the server stops in between. */
#ifndef COATCHECK_SERVER_ADMIN_OPERATE_H
#define COATCHECK_SERVER_ADMIN_OPERATE_H

#include "server/admin.h"
#include "server/admin_ask.h"

/* On lane 0, for a connection that waits (admin_wait). line: an ask that admin_ask_read has taken. */
void admin_operate(struct lane *lane, uint64_t serial, struct bytes line);

#endif
