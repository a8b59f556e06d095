/* master.h — the one key that wraps all stored keys: 32 bytes, from the environment or from a file in
 * the data folder.
 *
 * The environment wins (COATCHECK_MASTER_KEY, base64url) and is unset after reading, so that no child or dump
 * of the environment holds it. The file is `master.key`, mode 0600; it is made on first use. A file others
 * can read, or a key without enough different bytes to be random, is refused. */
#ifndef COATCHECK_SERVICE_MASTER_H
#define COATCHECK_SERVICE_MASTER_H

#include "base/dice.h"
#include "base/secret.h"

#define MASTER_KEY_LEN   32
#define MASTER_TEXT_LEN  43 /* base64url of it */
#define MASTER_FILE      "master.key"
#define MASTER_NEXT_FILE "master.key.new" /* while the master key is changed: see cli/rewrap.c */

/* ERR_CONFIG with *why (a static string that says what to do) for a bad key, ERR_IO if the file cannot be
 * used. may_make: there is no data yet that an older key would be needed for. */
MUST_USE enum err master_load(struct secret *out, const char *folder, bool may_make, const struct dice *dice,
                              const char **why);

/* The same for the next master key, which is in the folder while the present one is changed. */
MUST_USE enum err master_load_next(struct secret *out, const char *folder, const char **why);
/* From a file anywhere, or from the environment under another name, unset after reading: ERR_CONFIG too if
 * there is none. */
MUST_USE enum err master_load_from(struct secret *out, const char *path, const char **why);
MUST_USE enum err master_load_variable(struct secret *out, const char *variable, const char **why);
/* By the environment; to be asked before master_load, which unsets it. */
bool master_is_given(void);
bool master_has_variable(const char *name);
/* A new file with this key, durable when this returns. ERR_IO if it is there already. */
MUST_USE enum err master_write(const char *path, const struct secret *key);
MUST_USE enum err master_draw(struct secret *out, const struct dice *dice);

#endif
