/* families.h — lines of refresh tokens, as their clients know them and as the disk has them; and what the
 * refresh table of design §3 says of an ask, worked out from the disk and not from what the node makes of it.
 */
#ifndef COATCHECK_TESTS_SIM_FAMILIES_H
#define COATCHECK_TESTS_SIM_FAMILIES_H

#include "sim/tap.h"

#define FAMILIES_MAX 256
#define GENERATIONS  24 /* of one family that clients go on with */

struct sim_refresh { /* one refresh token, with what was said of the access token beside it */
    char text[SEAL_REFRESH_MAX];
    size_t len; /* 0: not given out yet */
    struct uuid jti;
    int64_t token_exp_s, exp_s;
    bool is_known; /* a client has received it */
};

struct sim_family {
    struct uuid id, user_id;
    unsigned project, user;
    int browser;
    bool may_self_refresh;
    struct lineage_known line;
    int64_t end_s;
    enum sim_key key; /* that its backend uses */
    struct sim_refresh refresh[GENERATIONS];
    unsigned open[GENERATIONS]
                 [KEYS]; /* asks that have arrived and are not answered, in this life of the node */
    unsigned life;
    bool may_be_cut; /* two browsers asked for a token of it, or somebody asked that it end */
};

void families_reset(void);
struct sim_family *families_of(struct bytes id); /* NULL: not known */
/* NULL: no more room. */
struct sim_family *families_add(const struct uuid *id);
/* One of which a client has a token that can be asked for again; NULL: none. */
struct sim_family *families_pick(void);
unsigned families_newest(const struct sim_family *family); /* generation that a client has */

void families_arrived(struct request *request); /* whole, at the node */
void families_answered(const struct request *request);

/* Whether the table takes it for a reuse, were it decided now. */
bool families_is_reuse(const struct request *request);
bool families_is_dead(const struct sim_family *family);

/* The rows themselves, as the disk has them. */
void families_stored(const struct family *row);
const struct family *families_row(const struct uuid *id); /* NULL: nothing is stored of it */

#endif
