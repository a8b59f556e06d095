/* unlock.h — from the master key of a data folder to its open key ring, also after a change of the master key
 * that was cut short. */
#ifndef COATCHECK_CLI_UNLOCK_H
#define COATCHECK_CLI_UNLOCK_H

#include "service/keys.h"

struct unlocked {
    struct secret *master;
    struct keyring *ring;
    bool master_is_given; /* by the environment */
};
/* The folder must be this process's. may_make: there is no data yet. Errors as master_load and keyring_open;
 * after one there is nothing to lock. */
MUST_USE enum err unlock(struct unlocked *out, const char *folder, struct store *store, bool may_make,
                         const char **why);
void lock(struct unlocked *unlocked); /* gives both back; harmless on a zeroed one */

/* The next master key takes the place of the present one: what is stored opens with it. */
MUST_USE enum err unlock_put_in_place(const char *folder);
MUST_USE enum err unlock_sync(const char *folder); /* names of files are on disk */

#endif
