/* key_text.h — what keys look like from outside, and how a presented one is taken apart for its look-up.
 *
 *   PT<16 hex><40 hex>            api token; the user name beside it is the project id
 *   cli_<24 hex> and sec_<48 hex> client id and its secret
 *   sk_test_<16 hex><40 hex>      secret key, sk_live_ in live projects
 *   pk_test_<24 hex>              publishable key: no secret at all
 *   c2c_<16 hex><16 hex>          click-to-call token
 *
 * The first run of hex is public: the look-up goes by it, logs and lists may show it. The rest is at least
 * 160 random bits (c2c_: 64, as the form it must have allows) and is stored as a keyed hash only. */
#ifndef COATCHECK_SERVICE_KEY_TEXT_H
#define COATCHECK_SERVICE_KEY_TEXT_H

#include "base/dice.h"
#include "engine/facts.h"

#define KEY_TEXT_MAX 80

struct key_text {
    char id[KEY_TEXT_MAX]; /* what is shown again: a client id or publishable key whole, else the public part
                            */
    size_t id_len;
    char secret[KEY_TEXT_MAX]; /* shown once; equals the whole credential; empty for a publishable key. Wipe
                                  it. */
    size_t secret_len;
};
void key_text_draw(struct key_text *out, enum key_kind kind, bool is_test, const struct dice *dice);

/* The public id inside a presented secret, by its kind; absent if it does not have the form.
 * Borrows secret. */
struct bytes key_text_public_id(enum key_kind kind, struct bytes secret);

#endif
