/* keys.h — the key ring: what signs access tokens, seals refresh credentials and hashes secrets.
 *
 * Stored wrapped under the master key, opened into one immutable struct keyring that all lanes share; opened
 * keys lie in the vault. When the stored ring changes, a newer one takes its place, and whoever holds the
 * older one last wipes it. Each lane makes its own struct key_bench of ready contexts from it, because
 * contexts belong to one thread. The ring of an empty store is made here: one ES256 key, one seal key, one
 * hash key. When a key takes which step is engine/ring.h's to say. */
#ifndef COATCHECK_SERVICE_KEYS_H
#define COATCHECK_SERVICE_KEYS_H

#include "engine/ring.h"
#include "store/store.h"
#include "token/crypto.h"
#include "token/seal.h"

#define KEYRING_MAX      RING_USE_MAX /* keys of one use */
#define KEYRING_KEYS_MAX (3 * RING_USE_MAX)

struct json_writer;
struct keyring;
MUST_USE enum err keyring_open(struct keyring **out, struct store *store, const struct secret *master,
                               const struct dice *dice, int64_t now_ms, const char **why);
/* The ring as it is stored now: `present` itself, held once more, if no key came, went or changed its state.
 * Blocks. The master key is used for keys that present does not have. */
MUST_USE enum err keyring_refresh(struct keyring **out, struct keyring *present, struct store *store,
                                  const struct secret *master);
/* The writes that put every key under another master key, at most KEYRING_KEYS_MAX; to be one commit. */
MUST_USE enum err keyring_rewrap(struct write *writes, size_t *count, const struct keyring *ring,
                                 const struct secret *master, struct arena *arena);
struct keyring *keyring_hold(struct keyring *ring); /* from any thread that holds it; returns ring */
void keyring_free(struct keyring *ring); /* gives one hold back: the last one wipes it. NULL is fine */
struct bytes keyring_jwks(const struct keyring *ring); /* the published key set, as JSON */
struct ring_view keyring_view(const struct keyring *ring);
/* All keys without their secrets, as a JSON array: [{"id":…, "use":"sign", "state":"signing", "alg":"ES256",
 * "since_ms":…, "next":"retired", "next_ms":…}], the last two if a next step is planned. */
void ring_list(struct json_writer *w, struct ring_view ring, const struct ring_timetable *timetable);

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
    bool can_seal;
};
MUST_USE enum err key_bench_open(struct key_bench *out, const struct keyring *ring, uint64_t epoch);
void key_bench_release(struct key_bench *bench); /* harmless on a zeroed one */

/* What a secret of ours is stored as: HMAC-SHA-256 under the ring's hash key. Random secrets
 * need no slow hash. */
MUST_USE enum err keyring_hash(uint8_t out[KEY_HASH_LEN], struct key_bench *bench, struct bytes secret);

#endif
