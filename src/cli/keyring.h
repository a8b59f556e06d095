/* keyring.h — `coatcheck keyring`: the key ring told, moved on and rewrapped, in the running server if there
 * is one, else in the data folder itself. */
#ifndef COATCHECK_CLI_KEYRING_H
#define COATCHECK_CLI_KEYRING_H

#include "engine/ring.h"
#include "wire/json_read.h"

struct keyring_order {
    const char *data, *id, *use, *new_key; /* as given; NULL: not */
    struct ring_order order;
    bool wants_json, is_look;
};

/* Without a server: the same answer as a server would give (service/ring_answer.h), to be freed; or an exit
 * code, and why has been said. -1: answered. */
int keyring_list_in_folder(struct json *answer, const char *folder);
int keyring_order_in_folder(struct json *answer, const char *folder, const struct keyring_order *asked);
/* `coatcheck keyring rewrap` as a whole (rewrap.c). */
int keyring_rewrap_master(const char *folder, const char *new_key, bool wants_json);

#endif
