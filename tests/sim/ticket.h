/* ticket.h — one-time tickets in a world: backends launch users, pages redeem what they were given, often
 * more than once and from many links at a time.
 *
 * A ticket is good once, over every crash; what was answered is durable; a wrong try uses nothing up. */
#ifndef COATCHECK_TESTS_SIM_TICKET_H
#define COATCHECK_TESTS_SIM_TICKET_H

#include "sim/tap.h"

#define TICKETS_MAX 512

struct sim_ticket {
    char text[512];
    size_t len;
    unsigned project;
    struct uuid id;
    struct lineage_known line;
    int64_t exp_s, end_ms;
    bool is_known; /* a client has received it */
    unsigned sent; /* so many redeems with it, with nothing wrong in them */
    bool was_granted;
};

void tickets_reset(void);
struct bytes ticket_key(unsigned project); /* public id of the key that launches */
void tickets_found(struct store *store,
                   struct key_bench *bench); /* a client and a publishable key for each project */

const struct lineage_known *ticket_line(void); /* of any there is; NULL: there is none */

/* What a page's or backend's next request is; NULL for a page that has no ticket yet. */
struct request *ticket_send(struct buf *out, struct link *link);

/* The laws of their answers. */
bool ticket_may_say(const struct request *request, int status);
void ticket_answered(struct link *link, struct request *request, struct bytes text); /* 200 */

#endif
