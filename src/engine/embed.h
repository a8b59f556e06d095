/* embed.h — a public click-to-call token, or an access token that one was exchanged for, becomes an access
 * token that reaches the one resource it was made for.
 *
 * The click-to-call token can be read from any page, so nothing but its resource comes of it: no account, no
 * refresh token. An exchanged token gives another that descends from it. Nothing is written. Pure. */
#ifndef COATCHECK_ENGINE_EMBED_H
#define COATCHECK_ENGINE_EMBED_H

#include "base/dice.h"
#include "engine/decision.h"

struct embed_facts {
    const struct fact_project *project;
    const struct fact_key
        *key; /* the click-to-call token's, or the one the access token came from; NULL: gone */
    const struct resource *resource; /* what the key leads to; NULL: gone */
    bool has_nobody;                 /* whom the resource rings is gone */
    const struct holder *holder;     /* admitted already; NULL: a click-to-call token was shown */
    int64_t cutoff_ms; /* greatest cutoff that applies to project, key or resource; INT64_MIN: none */
};

void embed_plan(struct plan *out, const struct embed_facts *facts, int64_t now_ms, const struct dice *dice);

#endif
