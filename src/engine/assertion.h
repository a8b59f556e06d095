/* assertion.h — is this assertion good for saying, here and now, that one is this client? (RFC 7523 §3, and
 * its revision by draft-ietf-oauth-rfc7523bis)
 *
 * Form and signature were checked before (token/client_jwt.h); here the claims meet the key they were signed
 * with and the server they are for. The audience is the issuer's identifier alone: an assertion that names a
 * URL of ours could have been made for another server that told its clients that URL. Whether it was used
 * before is the store's answer; not, though, of one that a restored backup may have forgotten: it has to say
 * itself that it was made since. Pure. */
#ifndef COATCHECK_ENGINE_ASSERTION_H
#define COATCHECK_ENGINE_ASSERTION_H

#include "base/bytes.h"

#define ASSERTION_LIFE_MAX_S 300 /* exp may be this far ahead: so long a stolen one could be of use */
#define ASSERTION_AHEAD_S    5   /* iat and nbf may be: clocks differ */

enum assertion_check {
    ASSERTION_GOOD,
    ASSERTION_TYP,
    ASSERTION_ISS,
    ASSERTION_SUB,
    ASSERTION_CLIENT_ID,
    ASSERTION_AUD,
    ASSERTION_EXP,
    ASSERTION_EXP_FAR,
    ASSERTION_IAT,
    ASSERTION_NBF,
    ASSERTION_JTI,
    ASSERTION_FORGOTTEN
};
const char *assertion_check_name(enum assertion_check check); /* "assertion.exp" */

struct assertion_facts { /* borrowed; absent, or -1, where there is no such member */
    struct bytes typ, iss, sub, aud, jti;
    int64_t exp_s, iat_s, nbf_s;
};

struct assertion_policy {
    struct bytes client;    /* public id of the key whose signature it bears */
    struct bytes client_id; /* as the request names it; absent: it does not */
    struct bytes issuer;
    int64_t now_s;
    int64_t restored_s; /* when the database was restored from a backup; 0: it was not */
};

enum assertion_check assertion_check(const struct assertion_facts *facts,
                                     const struct assertion_policy *policy);

#endif
