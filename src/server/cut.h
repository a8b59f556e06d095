/* cut.h — a cutoff on its way: to every lane, which from then on refuses what it voids and closes the
 * sessions it concerns, some each turn, and home again with how many they were.
 *
 * The commit came first: what is told here is durable already, so telling it must not fail. A lane therefore
 * owns the letters from its start on and sends them once at a time; what is asked meanwhile waits and
 * travels together. */
#ifndef COATCHECK_SERVER_CUT_H
#define COATCHECK_SERVER_CUT_H

#include <stdatomic.h>

#include "base/mailbox.h"
#include "engine/facts.h"

struct lane;
struct cuts; /* one lane's letters */
MUST_USE enum err cuts_new(struct cuts **out, struct lane *home, unsigned lane_count);
void cuts_free(struct cuts *cuts);

struct cut { /* embed it in what waits, and keep it until done */
    struct cut *next;
    struct cutoff cutoff; /* its id points into `id` */
    uint8_t id[KEY_PUBLIC_ID_MAX];
    _Atomic size_t closed; /* sessions, over all lanes */
    void (*done)(struct cut *cut);
};
/* On the home lane's thread; copies the cutoff. done comes on it too, once, when every lane refuses what the
 * cutoff voids and has closed its sessions. */
void cut_tell(struct cuts *cuts, struct cut *cut, const struct cutoff *cutoff, void (*done)(struct cut *cut));

#endif
