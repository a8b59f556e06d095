/* keys_inside.h — what a key ring is, for keys.c and key_bench.c alone. */
#ifndef COATCHECK_SERVICE_KEYS_INSIDE_H
#define COATCHECK_SERVICE_KEYS_INSIDE_H

#include <stdatomic.h>

#include "service/keys.h"

struct opened_key {
    struct bytes id;
    enum ring_use use;
    enum ring_state state;
    enum alg alg;
    struct secret *secret;
};

struct keyring {
    _Atomic unsigned holders;
    struct store_ring *stored; /* owns the ids */
    struct opened_key keys[KEYRING_KEYS_MAX];
    size_t count;
    struct buf jwks;
};

#endif
