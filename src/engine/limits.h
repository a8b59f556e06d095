/* limits.h — the times and sizes of policy, each with its reason. What a tenant may change is a
 * setting (engine/setting.h); these are the bounds no tenant passes. */
#ifndef COATCHECK_ENGINE_LIMITS_H
#define COATCHECK_ENGINE_LIMITS_H

#define TOKEN_LIFE_MAX_S   86400  /* the longest that any setting allows an access token ... */
#define INVITE_LIFE_MAX_S  604800 /* ... but an invite, which waits in somebody's mail */
#define SAT_LIFE_LOOSE_S   60     /* sat:refresh without a bound key: just enough to bind one */
#define BOUND_LIFE_MIN_S   60     /* a browser may ask for less or more, and gets this */
#define BOUND_LIFE_MAX_S   3600
#define REFRESH_OUTLIVES_S 300  /* a refresh token outlives its access token by exactly this */
#define JWKS_AGE_S         3600 /* verifiers may keep the key set so long before they look again */
#define PASSWORD_MIN       8    /* bytes; the REST API's own limits ... */
#define PASSWORD_MAX       72
#define ADDRESS_SLUG_MAX   64       /* bytes of the part of an address made from a reference */
#define CUTOFF_KEEP_S      31536000 /* no credential outlives its root mint by more: family_max_age's most */

#endif
