/* limits.h — the times and sizes of policy, each with its reason. What a tenant may change is a field of
 * struct fact_project; these are the bounds no tenant passes. */
#ifndef COATCHECK_ENGINE_LIMITS_H
#define COATCHECK_ENGINE_LIMITS_H

#define SAT_LIFE_DEFAULT_S     7200         /* two hours, as the REST API documents */
#define SAT_LIFE_MAX_S         86400        /* a day: longer would make "short-lived" an empty word */
#define SAT_LIFE_LOOSE_S       60           /* sat:refresh without a bound key: just enough to bind one */
#define REFRESH_OUTLIVES_S     300          /* a refresh token outlives its access token by exactly this */
#define FAMILY_MAX_AGE_S       (30 * 86400) /* everything that descends from one mint ends by then */
#define FAMILY_MAX_AGE_BOUND_S 86400        /* the same for a family whose key sits in a browser */
#define PASSWORD_MAX           72           /* bytes; the REST API's own limit */
#define ADDRESS_SLUG_MAX       64           /* bytes of the part of an address made from a reference */

#endif
