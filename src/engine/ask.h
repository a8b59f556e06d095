/* ask.h — what one can ask of the engine, in nobody's dialect.
 *
 * A dialect turns a vendor's request into a struct ask; a policy in which vendors differ is a field here.
 * Strings are borrowed from the request and live as long as it does. */
#ifndef COATCHECK_ENGINE_ASK_H
#define COATCHECK_ENGINE_ASK_H

#include "engine/facts.h"

enum ask_kind { ASK_NONE, ASK_MINT_SUBSCRIBER, ASK_WHO_AM_I, ASK_ADDRESSES, ASK_CONNECT, ASK_KIND_COUNT };

enum credential_kind { CREDENTIAL_NONE, CREDENTIAL_BASIC, CREDENTIAL_BEARER, CREDENTIAL_BAD };

struct credential { /* as it came; nothing is verified yet */
    enum credential_kind kind;
    struct bytes user, password; /* BASIC */
    struct bytes token;          /* BEARER */
};

/* Members a refusal can point at; the dialect knows its own name for each. */
enum ask_field {
    FIELD_NONE,
    FIELD_REFERENCE,
    FIELD_EXPIRE_AT,
    FIELD_APPLICATION,
    FIELD_PASSWORD,
    FIELD_FINGERPRINT,
    FIELD_SCOPE,
    FIELD_ADDRESS_NAME,
    FIELD_PROFILE /* last: FIELD_PROFILE + enum profile_field names one value */
};

#define PASSWORD_HASH_LEN 48 /* 16 bytes of salt, 32 of scrypt */

struct ask_mint {
    struct bytes reference;
    struct profile profile;
    bool has_expiry;
    int64_t expire_at_s;
    bool has_application;
    struct uuid application;
    struct bytes password;    /* absent or empty: leave alone */
    struct bytes fingerprint; /* thumbprint of the key to bind to; absent: unbound */
    bool may_self_refresh;    /* scope sat:refresh */
};

struct ask_addresses {
    struct bytes name; /* absent: all the caller can see */
};

struct ask_connect {
    struct bytes token;
    struct bytes proof; /* absent if none was sent */
    bool wants_resume;  /* a state or a session name was presented */
};

struct ask {
    enum ask_kind kind;
    struct credential credential;
    struct bytes origin; /* absent: not a browser */
    union {
        struct ask_mint mint;
        struct ask_addresses addresses;
        struct ask_connect connect;
    };
};

#endif
