/* seed.h — the test project of `coatcheck dev`: made once, and its credentials kept beside the data so that
 * the next start shows the same ones. They are for this machine only; a live project's secrets are never
 * stored in clear. */
#ifndef COATCHECK_CLI_SEED_H
#define COATCHECK_CLI_SEED_H

#include "cli/folder.h"
#include "service/keys.h"
#include "service/key_text.h"

struct seed { /* NUL-terminated texts; the names are those of the contract line */
    char project_id[37], api_token[KEY_TEXT_MAX], client_id[KEY_TEXT_MAX], client_secret[KEY_TEXT_MAX];
    char secret_key[KEY_TEXT_MAX], publishable_key[KEY_TEXT_MAX], c2c_token[KEY_TEXT_MAX];
    char address_id[37], study_id[37], admin_token[KEY_TEXT_MAX];
};
#define SEED_ADDRESS "/public/front-desk"

/* Reads the folder's seed.json, or makes the project and writes it. ERR_CORRUPT: seed.json is there
 * but not readable. */
MUST_USE enum err seed_open(struct seed *out, const struct folder *folder, struct store *store,
                            const struct keyring *ring, const struct dice *dice, int64_t now_ms);

#endif
