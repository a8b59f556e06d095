#include "engine/expiry.h"

struct refused expiry_check(bool is_asked, int64_t expire_at_s, int64_t life_max_s, int64_t now_s)
{
    if (!is_asked) return (struct refused){REFUSAL_NONE, FIELD_NONE, NULL};
    if (expire_at_s <= now_s)
        return (struct refused){REFUSAL_PARAMETER_INVALID, FIELD_EXPIRE_AT, "must be in the future"};
    /* compared by difference: expire_at_s comes from outside and now_s + max could be passed by any int64 */
    if (expire_at_s - now_s > life_max_s)
        return (struct refused){REFUSAL_PARAMETER_INVALID, FIELD_EXPIRE_AT,
                                "is further ahead than this project allows"};
    return (struct refused){REFUSAL_NONE, FIELD_NONE, NULL};
}
