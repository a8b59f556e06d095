/* session_inside.h — what the files of a session share: session.c (life), session_post.c (letters and
 * traces), session_fetch.c (moving). Not for other files. */
#ifndef COATCHECK_SERVER_SESSION_INSIDE_H
#define COATCHECK_SERVER_SESSION_INSIDE_H

#include <stddef.h>

#include "server/session.h"

struct trace {              /* left behind where a session was, until it ends or comes back */
    struct mail mail;       /* tells its lane that the session has ended; first */
    struct trace *next;     /* the session's next one; the session's lane's */
    struct lane *lane;      /* where it stands */
    struct name_link named; /* in that lane's table */
    char name[SESSION_NAME_LEN];
};

static inline struct session *session_of_name(struct name_link *link)
{
    return (struct session *)(void *)((char *)link - offsetof(struct session, named));
}

/* session.c */
void session_leave(struct session *session); /* out of its lane's tables, counters and timers */
/* Detached, into another lane's. On failure it has ended. */
MUST_USE enum err session_arrive(struct session *session, struct lane *lane);

/* session_fetch.c */
void session_fetches_stop(struct lane *lane);

/* session_post.c */
MUST_USE enum err trace_new(struct trace **out,
                            const struct session *session); /* not standing anywhere yet */
void trace_leave(struct trace *trace, struct session *session, struct lane *moved_to);
void trace_free(struct name_link *link);             /* one that stands on a lane whose loop is gone */
void session_take_up_trace(struct session *session); /* the one it left where it has come back to */
void session_drop_traces(struct session *session);   /* it ends */

#endif
