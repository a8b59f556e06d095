/* ask.h — what one can ask of the engine, in nobody's dialect.
 *
 * A dialect turns a vendor's request into a struct ask; a policy in which vendors differ is a field here.
 * Strings are borrowed from the request and live as long as it does. */
#ifndef COATCHECK_ENGINE_ASK_H
#define COATCHECK_ENGINE_ASK_H

#include "engine/facts.h"

enum ask_kind {
    ASK_NONE,
    /* access tokens, each with its member of the union below */
    ASK_MINT_SUBSCRIBER, /* mint */
    ASK_MINT_GUEST,      /* guest */
    ASK_MINT_INVITE,     /* invite */
    ASK_MINT_EMBED,      /* embed */
    ASK_REFRESH,         /* refresh */
    ASK_BIND,            /* bind: a browser ties its token to its key, or renews a tied one */
    /* tickets, and what they become */
    ASK_LAUNCH,    /* launch */
    ASK_BOOTSTRAP, /* bootstrap */
    ASK_REDEEM,    /* redeem */
    ASK_VISIT,     /* visit: a session without any identity */
    /* with an access token */
    ASK_WHO_AM_I,
    ASK_ADDRESSES,      /* addresses */
    ASK_ADDRESS,        /* address: one, by id */
    ASK_CONNECT,        /* connect */
    ASK_REAUTHENTICATE, /* reauthenticate: a newer token for a live session */
    ASK_DIAL,           /* dial: of a live session, whose holder is known */
    /* participants */
    ASK_PARTICIPANT, /* who am I, of a participant */
    ASK_STUDY,       /* interview.study */
    ASK_INTERVIEW,   /* interview */
    /* running a project, with its key */
    ASK_USER,        /* user */
    ASK_USERS,       /* page */
    ASK_RESOURCE,    /* resource */
    ASK_RESOURCES,   /* page */
    ASK_MAKE_KEY,    /* make_key */
    ASK_REVOKE,      /* revoke */
    ASK_INTROSPECT,  /* introspect */
    ASK_REVOCATIONS, /* revocations: what was revoked, for those who verify by themselves */
    ASK_DESCRIBE,    /* what this server offers; nobody has to be anybody */
    ASK_KIND_COUNT
};

enum credential_kind {
    CREDENTIAL_NONE,
    CREDENTIAL_BASIC,
    CREDENTIAL_BEARER,
    CREDENTIAL_DPOP,      /* an access token that is shown with a proof (RFC 9449 §7.1) */
    CREDENTIAL_ASSERTION, /* a client's (RFC 7523 §2.2) */
    CREDENTIAL_TWO,       /* of different kinds: not ours to choose (RFC 6749 §2.3) */
    CREDENTIAL_BAD
};

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

struct credential { /* as it came; nothing is verified yet */
    enum credential_kind kind;
    struct bytes user;           /* BASIC; ASSERTION: the client_id beside it, absent if there is none */
    struct bytes password;       /* BASIC */
    struct bytes token;          /* BEARER, DPOP, ASSERTION */
    struct bytes proof;          /* DPOP; absent if none was sent, empty if several were */
    struct bytes assertion_type; /* ASSERTION */
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
    FIELD_ADDRESSES,
    FIELD_ADDRESS,
    FIELD_TOKEN,
    FIELD_REFRESH_TOKEN,
    FIELD_PROOF,
    FIELD_LIFE,
    FIELD_USER_ID,
    FIELD_EXTERNAL_ID,
    FIELD_PAYLOAD,
    FIELD_PUBLISHABLE_KEY,
    FIELD_STUDY,
    FIELD_INTERVIEW,
    FIELD_QUESTION,
    FIELD_ANSWER,
    FIELD_NAME,
    FIELD_PERMISSIONS,
    FIELD_EMAIL,
    FIELD_PAGE,
    FIELD_PREVIEWS,
    FIELD_SUBPROJECT,
    FIELD_GRANT_TYPE,
    FIELD_TOKEN_TYPE,
    FIELD_TICKET,
    FIELD_TICKET_TYPE,
    FIELD_WANTED_TYPE,
    FIELD_TARGET, /* for whom the token shall be */
    FIELD_SINCE,
    FIELD_CALL, /* a client's name for a call of its */
    FIELD_SDP,
    FIELD_ASSERTION,
    FIELD_PUBLIC_KEY,
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

struct ask_guest {
    struct uuid addresses[ADDRESSES_MAX];
    size_t address_count, address_count_asked; /* more were asked for than fit: refused */
    bool has_expiry;
    int64_t expire_at_s;
};

struct ask_invite {
    struct uuid address; /* one of the inviter's own */
    bool has_expiry;
    int64_t expire_at_s;
    struct bytes proof; /* absent if none was sent */
};

struct ask_embed {
    struct bytes token; /* a click-to-call token, or an access token that one was exchanged for */
};

struct ask_refresh {
    struct bytes refresh_token;
    struct bytes proof; /* absent if none was sent; a key then has to authenticate the caller */
    bool may_lack_key;  /* a bound token and its key's proof may stand for the project's key */
};

struct ask_bind {
    struct bytes proof;
    bool has_life;
    int64_t life_s; /* wished; clamped, not refused */
    bool renews;    /* the token is bound already */
};

enum ticket_kind { TICKET_BOOTSTRAP = 1, TICKET_LAUNCH };

struct ask_launch {
    bool has_user; /* false, or not known here: a new user under a fresh id */
    struct uuid user;
    struct bytes external_id; /* a label, never a key to look up by */
    struct bytes payload;     /* JSON object as text; absent: none */
};

struct ask_bootstrap {
    struct bytes external_id; /* absent: a participant nobody knows again */
};

struct ask_redeem {
    enum ticket_kind kind;
    struct bytes ticket;
    struct bytes publishable_key; /* absent if none was sent */
    bool needs_publishable_key;   /* of the ticket's own project */
    struct bytes proof;           /* strict profile: binds the session to its key; absent if none was sent */
};

struct ask_visit { /* one of the two must name a project */
    bool has_study;
    struct uuid study;
    struct bytes publishable_key;
};

enum interview_step {
    INTERVIEW_READ,
    INTERVIEW_BEGIN,
    INTERVIEW_CONSENT,
    INTERVIEW_ANSWER,
    INTERVIEW_COMPLETE
};

struct ask_interview {
    enum interview_step step;
    struct uuid study;     /* BEGIN, and ASK_STUDY */
    struct uuid id;        /* all others */
    struct bytes question; /* its id or its text; absent: by number */
    int64_t number;        /* 0 is the first */
    struct bytes answer;
};

#define PAGE_SIZE_STANDARD 50
#define PAGE_SIZE_MAX      100 /* a page of large users still fits what is kept for one connection */

struct ask_page {
    uint32_t size;       /* 1..PAGE_SIZE_MAX */
    uint32_t number;     /* of this page, from 0: only told again */
    struct bytes cursor; /* of the page before, opaque to the caller; absent: the first */
    bool has_owner;      /* addresses of one resource or user only */
    struct uuid owner;
};

enum object_step { OBJECT_READ, OBJECT_CREATE, OBJECT_UPDATE, OBJECT_DELETE };

struct ask_user { /* subscribers */
    enum object_step step;
    struct uuid id; /* all but CREATE; also the id of the user's resource is taken */
    struct bytes reference, password;
    struct profile profile;
};

struct ask_resource {
    enum object_step step;
    struct uuid id;
    enum address_type type;
    struct bytes name, display_name;
    bool is_disabled; /* UPDATE */
    bool has_budget;  /* UPDATE, of a button: and of this part ... */
    enum budget_part part;
    int64_t most; /* ... this bound; 0: as its project says */
};

struct ask_make_key {
    struct bytes name;
    uint32_t permissions;
    struct bytes public_key; /* as struct fact_key has it; absent: the key gets a secret */
};

struct ask_revoke { /* by what: one token, or (an operator's) everything of one thing */
    struct bytes token;
    enum cutoff_of of; /* 0: by token */
    struct bytes id;
    struct bytes proof; /* by token, without a key: of whoever holds a bound one. Absent if none was sent */
};

struct ask_introspect {
    struct bytes token;
};

#define REVOCATIONS_PAGE 200

struct ask_revocations {
    int64_t since_ms; /* those whose t is later; 0: all */
};

struct ask_addresses {
    struct bytes name; /* absent: all the caller can see */
};

struct ask_connect {
    struct bytes token;
    struct bytes proof;   /* absent if none was sent */
    bool wants_resume;    /* a state was presented, and a session */
    bool wants_upgrade;   /* to have a new session in its place */
    struct bytes state;   /* sealed; absent: not one that could be */
    struct bytes session; /* the name of the one it is about; absent: none that could be */
    bool takes_slots;     /* it does things when it is told to: engine/slot.h */
};

struct holder;
struct ask_reauthenticate {
    struct bytes token;
    struct bytes proof;           /* absent if none was sent */
    const struct holder *present; /* of the session; the server's to fill in */
};

struct ask_dial {
    const struct holder *holder; /* copied, strings and all, before anything is waited for */
    struct bytes destination;    /* "/private/ada?channel=audio" */
};

struct ask {
    enum ask_kind kind;
    struct credential credential;
    struct bytes origin; /* absent: not a browser */
    union {
        struct ask_mint mint;
        struct ask_guest guest;
        struct ask_invite invite;
        struct ask_embed embed;
        struct ask_refresh refresh;
        struct ask_bind bind;
        struct ask_launch launch;
        struct ask_bootstrap bootstrap;
        struct ask_redeem redeem;
        struct ask_visit visit;
        struct ask_addresses addresses;
        struct uuid address;
        struct ask_connect connect;
        struct ask_reauthenticate reauthenticate;
        struct ask_dial dial;
        struct ask_interview interview;
        struct ask_user user;
        struct ask_resource resource;
        struct ask_page page;
        struct ask_make_key make_key;
        struct ask_revoke revoke;
        struct ask_introspect introspect;
        struct ask_revocations revocations;
    };
};

#endif
