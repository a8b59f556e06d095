/* limit.h — how often something may happen: on average so many a second, and so many at once after a pause.
 *
 * The generic cell rate algorithm: a token bucket that is a single number, the moment at which it will be
 * full again. Of whatever is limited only that number is kept, so that it fits an atomic. Real time, never a
 * moved clock. Pure. */
#ifndef COATCHECK_ENGINE_LIMIT_H
#define COATCHECK_ENGINE_LIMIT_H

#include "base/bytes.h"
#include "base/refusal.h"

enum limit {
    LIMIT_NONE, /* never refuses */
#define LIMIT_ROW(name, text, per_minute, burst, doc) LIMIT_##name,
#include "engine/limit.def"
#undef LIMIT_ROW
    LIMIT_COUNT
};

/* Is a refusal one of a credential that nobody gave out, a guess or a mistake? One that was right once and is
 * not any more counts for nothing; but while guesses are told to wait, some of those are told the same:
 * otherwise the one 401 of a flood would say that something was a ticket, or a secret, once. */
enum guess { GUESS_NONE, GUESS_LIKE, GUESS_WRONG };
enum guess guess_of(enum refusal refusal);

struct limit_rule {
    int64_t per_minute; /* 0: not limited */
    int64_t burst;      /* at least 1 */
};
const char *limit_text(enum limit limit); /* "wrong_login" */
bool limit_of(enum limit *out, struct bytes text);
struct limit_rule limit_standard(enum limit limit);

/* full_at_us: when the bucket is full again, 0 at first. True: it may happen, and *next is the new moment.
 * False: not before *wait_ms from now; nothing changes. */
bool limit_allows(int64_t *next_us, int64_t *wait_ms, const struct limit_rule *rule, int64_t full_at_us,
                  int64_t now_us);

#endif
