/* master.h — the one key that wraps all stored keys: 32 bytes, from the environment or from a file in the
 * data folder.
 *
 * The environment wins (COATCHECK_MASTER_KEY, base64url) and is unset after reading, so that no child or dump
 * of the environment holds it. The file is `master.key`, mode 0600; it is made on first use. A file others
 * can read, or a key without enough different bytes to be random, is refused. */
#ifndef COATCHECK_SERVICE_MASTER_H
#define COATCHECK_SERVICE_MASTER_H

#include "base/dice.h"
#include "base/secret.h"

#define MASTER_KEY_LEN 32

/* ERR_CONFIG with *why (a static string that says what to do) for a bad key, ERR_IO if the file cannot be
 * used. */
/* may_make: there is no data yet that an older key would be needed for. */
MUST_USE enum err master_load(struct secret *out, const char *folder, bool may_make, const struct dice *dice,
                              const char **why);

#endif
