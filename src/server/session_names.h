/* session_names.h — a lane's sessions by name, and where those have gone that were here before.
 *
 * Whoever knows a session by its name and the lane it was on finds it through the trace that it left there: a
 * trace stands until its session ends, so that it leads on however often the session moves. One that took the
 * place of another is found by that one's name as well. The links are their owners' own memory, so that
 * putting one in cannot fail; the table grows when it can. One thread's. */
#ifndef COATCHECK_SERVER_SESSION_NAMES_H
#define COATCHECK_SERVER_SESSION_NAMES_H

#include "base/bytes.h"
#include "base/err.h"

#define SESSION_NAME_LEN 32 /* hex of 128 random bits */

struct lane;
struct session;

struct name_link {                /* embed zeroed; not in a table */
    struct name_link *next, **at; /* at NULL: not in a table */
    const char *name;             /* SESSION_NAME_LEN characters, the owner's */
    struct session *session;      /* whose name it is, or was before an upgrade; NULL: it has moved on */
    struct lane *moved_to;        /* there */
};

struct session_names {
    struct name_link **buckets; /* a power of two of them */
    size_t bucket_count, count;
    uint64_t seed;
};

MUST_USE enum err session_names_init(struct session_names *names, uint64_t seed); /* seed: from dice */
void session_names_release(struct session_names *names); /* whoever is still in it is not touched */

void session_names_put(struct session_names *names, struct name_link *link, const char *name);
void session_names_take(struct session_names *names, struct name_link *link); /* harmless if it is not in */
struct name_link *session_names_find(const struct session_names *names, struct bytes name); /* or NULL */

#endif
