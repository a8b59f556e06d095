/* advance.h — a test project's clock goes forward: checked, stored, and answered when every lane knows and
 * the deadlines of its live sessions follow. Begun on any lane, by the command line (admin_clock.c) or by the
 * start page (showroom_door.c). */
#ifndef COATCHECK_SERVER_ADVANCE_H
#define COATCHECK_SERVER_ADVANCE_H

#include "server/lane.h"
#include "server/watch.h"

struct advance { /* embed it in what waits, and keep it until done; the store and the watch hold it for a
                    while */
    /* yours */
    struct lane *home;
    struct uuid project;
    int64_t by_ms;
    void (*done)(struct advance *advance); /* on the home lane, once; it may free it */
    /* the answer */
    const char *refused; /* why not, a clause; NULL: it was done */
    enum err error;      /* with refused: of the store; ERR_STOPPING: it came when the server was stopping */
    int64_t age_ms;
    /* its own */
    struct store_commit commit;
    struct watch_ask published;
    struct write write;
    struct row row;
};

/* By the lane's facts; NULL: it may go forward so far. */
const char *advance_refusal(const struct lane *lane, const struct uuid *project, int64_t by_ms);
void advance_begin(struct advance *advance);

#endif
