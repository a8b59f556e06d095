/* admin_keyring.h — `coatcheck keyring`, the server's side: an order to the key ring, done when
 * it is answered. */
#ifndef COATCHECK_SERVER_ADMIN_KEYRING_H
#define COATCHECK_SERVER_ADMIN_KEYRING_H

#include "server/admin.h"
#include "server/admin_ask.h"

/* On lane 0, for a connection that waits (admin_wait). */
void admin_keyring(struct lane *lane, uint64_t serial, const struct admin_ask *ask);

#endif
