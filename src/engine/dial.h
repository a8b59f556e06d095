/* dial.h — may this holder reach that address now, and whom does it ring?
 *
 * Decided when somebody dials, not when the token was made: what it was made for must still be there. A name
 * is compared byte for byte, up to the `?` of its query, so no way of spelling it reaches further. Whatever
 * stands in the way is told as one thing: nobody is there. Whether an address exists is none of the business
 * of who may not reach it. Pure. */
#ifndef COATCHECK_ENGINE_DIAL_H
#define COATCHECK_ENGINE_DIAL_H

#include "engine/outcome.h"

/* The part of a destination that names an address: without its query. Absent: it names none. */
struct bytes dial_name(struct bytes destination);

/* Whether this token was made to reach it, leaving aside what became of it since. */
bool dial_may_reach(const struct holder *holder, const struct address *address);

struct dial_facts {
    const struct holder *holder;
    struct bytes name;               /* of dial_name */
    const struct address *address;   /* found by that name; NULL: there is none */
    const struct resource *resource; /* that it leads to; NULL: none, or it is a subscriber's own */
    const struct user *user;         /* whose own it is, or whom the resource rings; NULL: gone */
};
struct dial_decision {
    struct refused refused; /* DESTINATION_UNKNOWN in every case, and why, for the operator */
    struct uuid callee;     /* zero: whom the address leads to is not said, so nobody rings */
};
struct dial_decision dial_decide(const struct dial_facts *facts);

#endif
