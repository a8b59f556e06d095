#include "engine/limit.h"

#define MINUTE_US INT64_C(60000000)

static const struct {
    const char *text;
    struct limit_rule rule;
} rows[LIMIT_COUNT] = {
    [LIMIT_NONE] = {"", {0, 1}},
#define LIMIT_ROW(name, text, per_minute, burst, doc) [LIMIT_##name] = {text, {per_minute, burst}},
#include "engine/limit.def"
#undef LIMIT_ROW
};

const char *limit_text(enum limit limit)
{
    return rows[limit].text;
}

bool limit_of(enum limit *out, struct bytes text)
{
    enum limit limit;

    *out = LIMIT_NONE;
    for (limit = LIMIT_NONE + 1; limit < LIMIT_COUNT; limit++)
        if (bytes_equal(text, bytes_of_text(rows[limit].text))) *out = limit;
    return *out != LIMIT_NONE;
}

struct limit_rule limit_standard(enum limit limit)
{
    return rows[limit].rule;
}

bool limit_allows(int64_t *next_us, int64_t *wait_ms, const struct limit_rule *rule, int64_t full_at_us,
                  int64_t now_us)
{
    int64_t each_us, begin_us;

    *next_us = full_at_us;
    *wait_ms = 0;
    if (!rule->per_minute) return true;
    each_us = MINUTE_US / rule->per_minute;
    if (each_us < 1) each_us = 1;
    begin_us = full_at_us > now_us ? full_at_us : now_us;
    /* one more would put it further ahead than a whole burst: it has to wait for what is too much */
    if (begin_us + each_us - now_us > rule->burst * each_us) {
        *wait_ms = (begin_us + each_us - now_us - rule->burst * each_us + 999) / 1000;
        return false;
    }
    *next_us = begin_us + each_us;
    return true;
}

enum guess guess_of(enum refusal refusal)
{
    static const enum refusal wrong[] = {REFUSAL_KEY_UNKNOWN,       REFUSAL_KEY_SECRET_WRONG,
                                         REFUSAL_TOKEN_MALFORMED,   REFUSAL_TOKEN_KEY_UNKNOWN,
                                         REFUSAL_TOKEN_SIGNATURE,   REFUSAL_TICKET_INVALID,
                                         REFUSAL_REFRESH_MALFORMED, REFUSAL_ASSERTION_INVALID};
    static const enum refusal like[] = {REFUSAL_TICKET_USED,         REFUSAL_ASSERTION_REPLAYED,
                                        REFUSAL_TICKET_EXPIRED,      REFUSAL_TOKEN_CUT_OFF,
                                        REFUSAL_USER_GONE,           REFUSAL_KEY_RETIRED,
                                        REFUSAL_SECRET_FROM_BROWSER, REFUSAL_REFRESH_FOREIGN};
    size_t i;

    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (refusal == wrong[i]) return GUESS_WRONG;
    for (i = 0; i < sizeof like / sizeof like[0]; i++)
        if (refusal == like[i]) return GUESS_LIKE;
    return GUESS_NONE;
}
