/* expiry.h — a life that a caller asked for: in the future, and no further ahead than the
 * project allows. Pure. */
#ifndef COATCHECK_ENGINE_EXPIRY_H
#define COATCHECK_ENGINE_EXPIRY_H

#include "engine/outcome.h"

/* Not asked for: nothing to refuse. */
struct refused expiry_check(bool is_asked, int64_t expire_at_s, int64_t life_max_s, int64_t now_s);

#endif
