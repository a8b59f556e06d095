#include "server/limits.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_MOST 1000000000

struct limits {
    uint64_t seed;
    struct limit_rule rules[LIMIT_COUNT];
    _Atomic int64_t full_at_us[LIMIT_SLOTS];
};

enum err limits_new(struct limits **out, uint64_t seed)
{
    struct limits *limits = calloc(1, sizeof *limits); /* pages that nobody touches are not there */
    enum limit limit;

    *out = limits;
    if (!limits) return ERR_NO_MEMORY;
    limits->seed = seed;
    for (limit = LIMIT_NONE; limit < LIMIT_COUNT; limit++)
        limits->rules[limit] = limit_standard(limit);
    return ERR_OK;
}

void limits_free(struct limits *limits)
{
    free(limits);
}

void limits_set(struct limits *limits, enum limit limit, struct limit_rule rule)
{
    limits->rules[limit] = rule;
}

/* name=per_minute/burst */
static bool read_rule(enum limit *limit, struct limit_rule *rule, struct bytes word)
{
    struct bytes name, numbers, per_minute, burst;
    uint64_t a, b;

    if (!bytes_split(&name, &numbers, word, '=') || !bytes_split(&per_minute, &burst, numbers, '/'))
        return false;
    if (!limit_of(limit, name) || !bytes_to_u64(&a, per_minute, LIMIT_MOST) ||
        !bytes_to_u64(&b, burst, LIMIT_MOST))
        return false;
    *rule = (struct limit_rule){(int64_t)a, (int64_t)b};
    return b > 0;
}

bool limits_set_all(struct limits *limits, struct bytes text, struct bytes *word)
{
    struct limit_rule rule;
    enum limit limit;

    for (text = bytes_trim(text); text.len; text = bytes_trim(text)) {
        *word = bytes_part(text, 0, bytes_index(text, ' '));
        text = bytes_from(text, word->len);
        if (!read_rule(&limit, &rule, *word)) return false;
        limits_set(limits, limit, rule);
    }
    return true;
}

bool limits_know(const struct limits *limits, enum limit limit)
{
    return limits->rules[limit].per_minute > 0;
}

static size_t slot_of(const struct limits *limits, enum limit limit, struct bytes of)
{
    return bytes_hash(of, limits->seed + limit) % LIMIT_SLOTS;
}

bool limits_would_take(const struct limits *limits, int64_t *wait_ms, enum limit limit, struct bytes of,
                       int64_t now_us)
{
    const struct limit_rule *rule = &limits->rules[limit];
    int64_t next,
        seen = atomic_load_explicit(&limits->full_at_us[slot_of(limits, limit, of)], memory_order_relaxed);

    *wait_ms = 0;
    return !rule->per_minute || limit_allows(&next, wait_ms, rule, seen, now_us);
}

bool limits_take(struct limits *limits, int64_t *wait_ms, enum limit limit, struct bytes of, int64_t now_us)
{
    const struct limit_rule *rule = &limits->rules[limit];
    _Atomic int64_t *slot;
    int64_t seen, next;

    *wait_ms = 0;
    if (!rule->per_minute) return true;
    slot = &limits->full_at_us[slot_of(limits, limit, of)];
    seen = atomic_load_explicit(slot, memory_order_relaxed);
    do {
        if (!limit_allows(&next, wait_ms, rule, seen, now_us)) return false;
    } while (!atomic_compare_exchange_weak_explicit(slot, &seen, next, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

struct bytes limits_peer(uint8_t room[16], const char *text)
{
    if (inet_pton(AF_INET, text, room) == 1) return bytes_of(room, 4);
    if (inet_pton(AF_INET6, text, room) != 1) return bytes_of_text(text);
    /* ::ffff:192.0.2.1 is an IPv4 peer on a socket for both */
    if (memcmp(room, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0) return bytes_of(room + 12, 4);
    return bytes_of(room, 8);
}
