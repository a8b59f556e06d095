/* interview.h — participants in a world: they visit without anybody's word, and are interviewed: begin,
 * consent, answer, complete, often from several links at once and in the wrong order.
 *
 * An interview goes one way, over every crash; a step that was acknowledged is durable, and a refused one was
 * out of order at some moment since it was asked. */
#ifndef COATCHECK_TESTS_SIM_INTERVIEW_H
#define COATCHECK_TESTS_SIM_INTERVIEW_H

#include "engine/decision.h"
#include "sim/tap.h"

#define PARTICIPANTS_MAX 128
#define INTERVIEWS_MAX   256

struct sim_participant {
    char text[2048]; /* of its session */
    size_t len;
    unsigned project, begun;
    struct lineage_known line;
    int64_t iat_s, exp_s;
    bool is_known, is_lost;
};

struct sim_interview { /* as the disk has it */
    struct interview row;
    const struct sim_participant *of;
    bool is_known; /* a client has received it */
};

void interviews_reset(void);
void interviews_rewind(void);               /* the studies stay */
void interviews_found(struct store *store); /* a study for each project */
void interviews_boot(int64_t floor_ms);     /* a process starts: what it knows of time */
/* For the log: a write is durable; tables opened anew hold all that is. */
void interviews_stored(const struct write *write, const struct row *row);
void interviews_compare(struct store *tables, struct arena *arena, void (*post)(void *to, struct mail *mail));

struct request *interview_send(struct buf *out, struct link *link);
void interview_arrived(struct request *request);
bool interview_may_say(const struct request *request, int status);
void interview_answered(struct link *link, struct request *request, struct bytes text);
void interview_received(const struct request *request); /* by its client */

#endif
