/* keys.h — the key ring: what signs access tokens, seals refresh credentials and hashes secrets.
 *
 * Stored wrapped under the master key, opened once at start into one immutable struct keyring that all lanes
 * share; opened keys lie in the vault. Each lane makes its own struct key_bench of ready contexts from it,
 * because contexts belong to one thread. The ring of an empty store is made here: one ES256 key, one seal
 * key, one hash key. */
#ifndef COATCHECK_SERVICE_KEYS_H
#define COATCHECK_SERVICE_KEYS_H

#include "store/store.h"
#include "token/crypto.h"
#include "token/seal.h"

#define KEYRING_MAX 16 /* keys of one use: far more than a timetable of rotations keeps alive */

struct json_writer;
struct keyring;
MUST_USE enum err keyring_open(struct keyring **out, struct store *store, const struct secret *master,
                               const struct dice *dice, int64_t now_ms, const char **why);
void keyring_free(struct keyring *ring);
struct bytes keyring_jwks(const struct keyring *ring); /* the published key set, as JSON */
/* All keys without their secrets, as a JSON array: [{"id":…, "use":"sign", "state":"signing",
 * "alg":"ES256"}]. */
void keyring_list(struct json_writer *w, const struct keyring *ring);

struct key_bench { /* one thread's */
    struct crypto *crypto;
    struct crypto_mac *mac;   /* of stored secrets */
    struct crypto_sign *sign; /* the signing key */
    struct bytes sign_kid;    /* borrowed from the ring */
    enum alg sign_alg;
    struct {
        struct bytes kid;
        enum alg alg;
        struct crypto_check *check;
    } checks[KEYRING_MAX];
    size_t check_count;
    struct seal_key *seals[KEYRING_MAX]; /* the first seals; all open */
    size_t seal_count;
};
MUST_USE enum err key_bench_open(struct key_bench *out, const struct keyring *ring, uint64_t epoch);
void key_bench_release(struct key_bench *bench); /* harmless on a zeroed one */

/* What a secret of ours is stored as: HMAC-SHA-256 under the ring's hash key. Random secrets need no slow
 * hash. */
MUST_USE enum err keyring_hash(uint8_t out[KEY_HASH_LEN], struct key_bench *bench, struct bytes secret);

#endif
