/* resource.h — what an address leads to: rooms and click-to-call buttons are made, switched off, removed.
 *
 * A resource comes with one address, and a click-to-call button with the key that opens it. Switching
 * it off loses nothing; removing it voids everything that was exchanged for its key, in the same
 * commit. All pure. */
#ifndef COATCHECK_ENGINE_RESOURCE_H
#define COATCHECK_ENGINE_RESOURCE_H

#include "base/dice.h"
#include "engine/decision.h"

struct resource_facts {
    const struct fact_project *project;
    const struct resource *resource; /* that the ask names; NULL: unknown, or to be made */
    struct bytes address;            /* of a new one; absent: "/public/" and its name */
    struct uuid user;                /* whom a new one rings; zero: nobody */
    const struct write *fresh_user;  /* who has to be made for it first; NULL: nobody */
    const struct fact_key
        *click_key; /* of a new click-to-call button; its resource is filled in; else NULL */
};

struct refused resource_check(const struct ask_resource *ask, struct bytes address);
/* ERR_NO_MEMORY only. A refusal is in out->refused; OBJECT_READ plans no write. */
MUST_USE enum err resource_plan(struct plan *out, struct arena *arena, const struct resource_facts *facts,
                                const struct ask_resource *ask, int64_t now_ms, const struct dice *dice);
/* *resource is the resource as it now stands; zeroed after a refusal or OBJECT_DELETE. */
void resource_settle(struct refused *refused, struct resource *resource, const struct plan *plan,
                     const struct resource_facts *facts, const struct row *rows);

#endif
