/* limits.h — who has done how much of what lately: one table for all lanes, without a lock.
 *
 * A slot is one atomic number (engine/limit.h), found by a hash of what is limited under a seed nobody knows.
 * Two that share a slot share its bucket; with LIMIT_SLOTS of them that needs a busy server, and costs
 * somebody a Retry-After. Never grows, never forgets too early, and is gone with the process: it protects the
 * machine; what must outlive a restart is the store's. */
#ifndef COATCHECK_SERVER_LIMITS_H
#define COATCHECK_SERVER_LIMITS_H

#include "base/err.h"
#include "engine/limit.h"

#define LIMIT_SLOTS 65536

struct limits;
MUST_USE enum err limits_new(struct limits **out, uint64_t seed); /* seed: from dice */
void limits_free(struct limits *limits);
void limits_set(struct limits *limits, enum limit limit, struct limit_rule rule); /* before the loops run */
/* "wrong_login=6000/2000 mint_key=60000/1000": a minute / at once, 0/1 for no limit; what is not named stays.
 * False: *word is what it cannot be read for. */
bool limits_set_all(struct limits *limits, struct bytes text, struct bytes *word);

/* False: it is not limited, and nobody need find out whose it is. */
bool limits_know(const struct limits *limits, enum limit limit);
/* Any thread. True: it may happen, and is counted. False: *wait_ms tells when to come back.
 * now_us: monotonic. */
bool limits_take(struct limits *limits, int64_t *wait_ms, enum limit limit, struct bytes of, int64_t now_us);
/* The same answer, and nothing is counted. */
bool limits_would_take(const struct limits *limits, int64_t *wait_ms, enum limit limit, struct bytes of,
                       int64_t now_us);

/* What is one peer to a limit: an IPv4 address whole, of an IPv6 address its first 64 bits, which
 * one customer has at least. Of anything else the text itself. Writes into room, which holds 16
 * bytes, or borrows text. */
struct bytes limits_peer(uint8_t room[16], const char *text);

#endif
