/* seal.h — sealed credentials: refresh tokens, tickets, resume states. AES-256-SIV (RFC 5297), no nonce:
 * every root carries a random 128-bit id, and a successor is meant to come out byte for byte the same.
 *
 * Wire form: <prefix><key id>.<base64url>, two dot-separated parts. The key is derived by HKDF from a seal
 * key and the kind, so no kind can be opened as another; version, key id, kind and deployment epoch are
 * associated data. The project is a sealed field and compared after opening. Too long is refused before
 * any cryptography. */
#ifndef COATCHECK_TOKEN_SEAL_H
#define COATCHECK_TOKEN_SEAL_H

#include "base/uuid.h"
#include "token/claims.h"
#include "token/crypto.h"

enum seal_kind { SEAL_REFRESH, SEAL_BOOTSTRAP, SEAL_LAUNCH, SEAL_RESUME, SEAL_KIND_COUNT };

#define SEAL_REFRESH_MAX   512 /* characters of the whole text, by kind */
#define SEAL_BOOTSTRAP_MAX 1024
#define SEAL_LAUNCH_MAX    4096
#define SEAL_RESUME_MAX    1024
#define SEAL_KEY_ID_LEN    8 /* hex characters */

struct sealed {     /* zeroed fields are left out of the sealed form */
    struct uuid id; /* family or ticket: random, 128 bits */
    struct uuid project, user;
    uint32_t generation;
    int64_t gt_ms, iat_s, exp_s, absolute_end_s;
    enum claims_kind claims_kind; /* which kind of access token it renews */
    uint8_t jkt[SHA256_LEN];
    bool is_bound;
    bool may_self_refresh; /* scope sat:refresh */
    bool is_new_user;
    struct uuid application;
    struct uuid addresses[CLAIMS_ADDRESSES_MAX];
    size_t address_count;
    struct uuid resource;
    struct bytes parent_key;  /* public id of the minting key, at most 32 bytes */
    struct bytes external_id; /* at most 255 bytes */
    struct bytes payload;     /* at most 2048 bytes */
    struct uuid inviter;
    int64_t age_ms;
    struct uuid family; /* of a session; of others it is the id */
    uint32_t lane;      /* of a session: where it was */
};

struct seal_key; /* one thread's: all kinds derived */
MUST_USE enum err seal_key_new(struct seal_key **out, struct crypto *crypto, const struct secret *root,
                               struct bytes key_id, uint64_t epoch);
void seal_key_free(struct seal_key *key);
struct bytes seal_key_id(const struct seal_key *key);

/* A failure is the buffer's sticky error: ERR_TOO_LARGE past the kind's limit, also ERR_CRYPTO. */
void seal_write(struct buf *out, struct seal_key *key, enum seal_kind kind, const struct sealed *sealed);

/* Which key a sealed text names, without opening it; absent if the form is wrong or too long for its kind. */
struct bytes seal_named_key(enum seal_kind kind, struct bytes text);
/* ERR_MALFORMED for anything not sealed by this key, kind and epoch. Strings are copied into the arena. */
MUST_USE enum err seal_read(struct sealed *out, struct arena *arena, struct seal_key *key,
                            enum seal_kind kind, struct bytes text);

#endif
