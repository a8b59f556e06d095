/* claims.h — the claims of our access tokens, between struct and JSON.
 *
 * Times: iat and exp in whole seconds since 1970 (RFC 7519 NumericDate), gt in milliseconds: the stamp of the
 * root mint, by which cutoffs decide. Reading is strict: every claim we know must have its type; integers
 * only, no fractions, no exponents; no NUL in any string; unknown claims are ignored. Reading decides no
 * policy: claims_check does, once the signature has been verified. */
#ifndef COATCHECK_TOKEN_CLAIMS_H
#define COATCHECK_TOKEN_CLAIMS_H

#include "base/arena.h"
#include "base/refusal.h"
#include "base/uuid.h"
#include "wire/json_read.h"

#define CLAIMS_ADDRESSES_MAX 10
#define CLAIMS_TEXT_MAX      255 /* bytes of iss, aud, sub, jti, scope each */
#define CLAIMS_IAT_AHEAD_S   5   /* iat and nbf may be this far ahead of our clock */

enum claims_kind {
    KIND_NONE,
    KIND_SUBSCRIBER,
    KIND_GUEST,
    KIND_INVITE,
    KIND_EMBED,
    KIND_PARTICIPANT,
    KIND_EMBEDDED,
    KIND_COUNT
};
const char *claims_kind_text(enum claims_kind kind); /* "subscriber" */
enum claims_kind claims_kind_of(struct bytes text);  /* KIND_NONE if it is none */

struct claims {
    struct bytes iss, aud, sub, jti; /* sub: the user's uuid as text */
    int64_t iat_s, exp_s;
    int64_t nbf_s;       /* 0: absent; we never write it */
    struct uuid project; /* prj */
    enum claims_kind kind;
    struct bytes scope;  /* space-separated; absent if none */
    struct bytes client; /* client_id (RFC 9068 §2.2): written into at+jwt, never read back */
    int64_t gt_ms;
    struct uuid family;                          /* fam; zero: none */
    struct bytes parent;                         /* par: public id of the minting key; may be absent */
    struct uuid application;                     /* app; zero: none */
    struct uuid addresses[CLAIMS_ADDRESSES_MAX]; /* adr */
    size_t address_count;
    struct uuid resource; /* res; zero: none */
    struct uuid inviter;  /* inv: who made an invite; zero: none */
    struct bytes jkt;     /* cnf.jkt; absent: not bound */
    int64_t age_ms;       /* age: test projects; 0 otherwise */
    int64_t end_s;        /* end: of the family, in tokens that renew themselves; 0: not said */
};

void claims_write(struct buf *out, const struct claims *claims);
/* The strings point into the arena. aud may be a string or a list: then out->aud is `wanted_aud` if the
 * list holds it. */
MUST_USE enum err claims_read(struct claims *out, struct arena *arena, struct bytes payload,
                              struct bytes wanted_aud);

struct claims_policy {
    struct bytes iss, aud;
    int64_t now_s;
    int64_t life_max_s; /* exp - iat may not pass it */
    int64_t leeway_s;   /* 0 for our own tokens: exp is not softened */
    /* the time by which exp decides, where it is ahead of now_s: a clock that was moved */
    int64_t moved_now_s;
    int64_t age_max_ms; /* age may not pass it: a project's age only grows */
    bool requires_ours; /* jti, iat, prj, kind and gt must be there, as in all we sign; without it: iss, aud,
                           sub, exp */
};
/* The first rule broken, or REFUSAL_NONE. A token is good while now < exp + leeway. */
enum refusal claims_check(const struct claims *claims, const struct claims_policy *policy);

#endif
