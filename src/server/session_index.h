/* session_index.h — which of a lane's live sessions a cutoff concerns: found by what they descend from
 * and speak for.
 *
 * A session stands in it from its welcome to its end, under its project, its minting key, its user, its
 * inviter, its family and its resource, as far as it has them. The links are the session's own memory, so
 * that putting one in cannot fail; the table grows when it can. One thread's. */
#ifndef COATCHECK_SERVER_SESSION_INDEX_H
#define COATCHECK_SERVER_SESSION_INDEX_H

#include "engine/outcome.h"

#define SESSION_NAMES 6 /* by which one can be found */

struct index_link {
    struct index_link *next, **at; /* at NULL: not in the index */
    uint64_t hash;
};

struct session_links { /* embed zeroed; not in the index */
    struct index_link link[SESSION_NAMES];
    const struct holder *holder; /* whose names count; when they change, put it in again at once */
};

struct session_index {
    struct index_link **buckets; /* a power of two of them */
    size_t bucket_count, link_count;
    uint64_t seed;
};

MUST_USE enum err session_index_init(struct session_index *index, uint64_t seed); /* seed: from dice */
void session_index_release(struct session_index *index); /* whoever is still in it is not touched */

/* One that is in already gets the places of its new names, and keeps those of names that are the same. */
void session_index_put(struct session_index *index, struct session_links *links, const struct holder *holder);
/* harmless if it is not in */
void session_index_take(struct session_index *index, struct session_links *links);

/* One of the sessions that a cutoff voids, NULL if there is none left: whoever ends the one found takes it
 * out, and asks again. What was granted after the cutoff's t is not meant. */
struct session_links *session_index_find(const struct session_index *index, const struct cutoff *cutoff);

/* Looks at a user's sessions some at a time: its place is kept in the index meanwhile, so that each
 * session that stands there all the while is visited once, whoever comes and goes. One that comes later
 * may be missed. */
struct index_walk { /* embed zeroed: to begin */
    struct index_link place;
};
/* visit(arg, links) for each that speaks for this user; visit must not change the index. Looks at *room links
 * at most, and lowers it; visit may lower it further, for what else it does in this turn. True: done. */
bool session_index_some_of_user(const struct session_index *index, struct index_walk *walk,
                                const struct uuid *project, const struct uuid *user,
                                void (*visit)(void *arg, struct session_links *links), void *arg,
                                unsigned *room);
void session_index_walk_end(struct index_walk *walk); /* before its time; harmless if it is done */

#endif
