/* session_inside.h — what the files of a session share: session.c (life), session_post.c (letters and
 * traces), session_fetch.c (moving). Not for other files. */
#ifndef COATCHECK_SERVER_SESSION_INSIDE_H
#define COATCHECK_SERVER_SESSION_INSIDE_H

#include <stddef.h>

#include "server/session.h"

/* Left behind where a session was, until it ends or comes back. Or a former name: of the session that it took
 * the place of, where it is itself. */
struct trace {
    struct mail mail;       /* tells its lane that the session has ended; first */
    struct trace *next;     /* the session's next one; the session's lane's */
    struct lane *lane;      /* where it stands */
    struct name_link named; /* in that lane's table */
    char name[SESSION_NAME_LEN];
    uint32_t sequence; /* a former name's: of the newest state that was given out under it */
};

static inline bool session_owns_name(const struct name_link *link) /* and it is no former one */
{
    return link->session && link == &link->session->named;
}

/* session.c */
void session_leave(struct session *session); /* out of its lane's tables, counters and timers */
/* Detached, into another lane's. On failure it has ended. */
MUST_USE enum err session_arrive(struct session *session, struct lane *lane);

/* session_fetch.c */
void session_fetches_stop(struct lane *lane);

/* session_post.c */
/* One for each of its names, not standing anywhere yet. */
MUST_USE enum err traces_new(struct trace **out, const struct session *session);
void traces_leave(struct trace *traces, struct session *session, struct lane *moved_to);
void trace_free(struct name_link *link);              /* one that stands on a lane whose loop is gone */
void session_take_up_traces(struct session *session); /* those it left where it has come back to */
void session_drop_traces(struct session *session);    /* it ends */
/* Former names: into and out of its lane's table, and out of memory. */
MUST_USE enum err former_new(struct trace **out, const struct session *session);
void session_put_formers(struct session *session);
void session_take_formers(struct session *session);
void session_free_formers(struct session *session);

#endif
