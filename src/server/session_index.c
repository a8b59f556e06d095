#include "server/session_index.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 64
#define PLACE_OF_USER 2 /* in session_links: whom it speaks for, not who invited it */

/* Of each place in session_links: what a cutoff would call it. */
static const enum cutoff_of named[SESSION_NAMES] = {CUTOFF_PROJECT, CUTOFF_KEY,    CUTOFF_USER,
                                                    CUTOFF_USER,    CUTOFF_FAMILY, CUTOFF_RESOURCE};

static struct bytes unless_zero(const struct uuid *id)
{
    return uuid_is_zero(id) ? BYTES_NONE : uuid_bytes(id);
}

static struct bytes name_of(const struct holder *holder, size_t place)
{
    switch (place) {
    case 0:
        return uuid_bytes(&holder->project);
    case 1:
        return holder->parent_key;
    case 2:
        return unless_zero(&holder->user);
    case 3:
        return unless_zero(&holder->inviter);
    case 4:
        return unless_zero(&holder->family);
    default:
        return unless_zero(&holder->resource);
    }
}

/* The lowest bits of a link's hash say which of its session's names it is, and so where the session's
 * memory begins. */
#define PLACE_BITS 7
#define PLACE_WALK 7 /* it is no session's */
_Static_assert(SESSION_NAMES <= PLACE_WALK, "a place fits its bits");

static size_t place_of(const struct index_link *link)
{
    return (size_t)(link->hash & PLACE_BITS);
}

static struct index_link **bucket_of(struct index_link **buckets, size_t count, uint64_t hash)
{
    return &buckets[hash / (PLACE_BITS + 1) & (count - 1)];
}

static uint64_t hash_of(const struct session_index *index, enum cutoff_of of, const struct uuid *project,
                        struct bytes id)
{
    return bytes_hash(id, bytes_hash(uuid_bytes(project), index->seed + of));
}

enum err session_index_init(struct session_index *index, uint64_t seed)
{
    *index = (struct session_index){.bucket_count = BUCKETS_FIRST, .seed = seed};
    index->buckets = calloc(BUCKETS_FIRST, sizeof(struct index_link *));
    return index->buckets ? ERR_OK : ERR_NO_MEMORY;
}

void session_index_release(struct session_index *index)
{
    free(index->buckets);
    index->buckets = NULL;
}

static void hang(struct index_link **bucket, struct index_link *link)
{
    link->next = *bucket;
    link->at = bucket;
    if (link->next) link->next->at = &link->next;
    *bucket = link;
}

static void unhang(struct index_link *link)
{
    *link->at = link->next;
    if (link->next) link->next->at = link->at;
    link->at = NULL;
}

static struct index_link *turned(struct index_link *chain)
{
    struct index_link *back = NULL, *next;

    for (; chain; chain = next) {
        next = chain->next;
        chain->next = back;
        back = chain;
    }
    return back;
}

/* Without memory the chains get longer, and nothing else happens. Each chain keeps its order, in which some
 * may be on a walk: hanging puts what comes last first. */
static void grow(struct session_index *index)
{
    size_t i, count = index->bucket_count * 2;
    struct index_link **buckets = calloc(count, sizeof(struct index_link *)), *link, *next;

    if (!buckets) return;
    for (i = 0; i < index->bucket_count; i++)
        for (link = turned(index->buckets[i]); link; link = next) {
            next = link->next;
            hang(bucket_of(buckets, count, link->hash), link);
        }
    free(index->buckets);
    index->buckets = buckets;
    index->bucket_count = count;
}

static void take_link(struct session_index *index, struct index_link *link)
{
    if (!link->at) return;
    unhang(link);
    index->link_count--;
}

static void put_link(struct session_index *index, struct index_link *link, uint64_t hash)
{
    if (link->at && link->hash == hash) return;
    take_link(index, link);
    if (index->link_count >= index->bucket_count) grow(index);
    link->hash = hash;
    hang(bucket_of(index->buckets, index->bucket_count, hash), link);
    index->link_count++;
}

void session_index_put(struct session_index *index, struct session_links *links, const struct holder *holder)
{
    size_t i;

    links->holder = holder;
    for (i = 0; i < SESSION_NAMES; i++) {
        struct bytes id = name_of(holder, i);
        if (id.len)
            put_link(index, &links->link[i],
                     (hash_of(index, named[i], &holder->project, id) & ~(uint64_t)PLACE_BITS) | i);
        else
            take_link(index, &links->link[i]);
    }
}

void session_index_take(struct session_index *index, struct session_links *links)
{
    size_t i;

    for (i = 0; i < SESSION_NAMES; i++)
        take_link(index, &links->link[i]);
}

/* The session that this link belongs to. */
static struct session_links *links_of(struct index_link *link)
{
    return (struct session_links *)(void *)((char *)(link - place_of(link)) -
                                            offsetof(struct session_links, link));
}

static bool is_concerned(const struct holder *holder, size_t place, const struct cutoff *cutoff)
{
    return named[place] == cutoff->of && holder->gt_ms <= cutoff->t_ms &&
           uuid_equal(&holder->project, &cutoff->project) && bytes_equal(name_of(holder, place), cutoff->id);
}

struct session_links *session_index_find(const struct session_index *index, const struct cutoff *cutoff)
{
    uint64_t hash = hash_of(index, cutoff->of, &cutoff->project, cutoff->id);
    struct index_link *link = *bucket_of(index->buckets, index->bucket_count, hash);

    for (; link; link = link->next)
        if (place_of(link) != PLACE_WALK && (link->hash | PLACE_BITS) == (hash | PLACE_BITS) &&
            is_concerned(links_of(link)->holder, place_of(link), cutoff))
            return links_of(link);
    return NULL;
}

void session_index_walk_end(struct index_walk *walk)
{
    if (walk->place.at) unhang(&walk->place);
}

/* Where it left off; it stands nowhere then. */
static struct index_link *walk_on(const struct session_index *index, struct index_walk *walk, uint64_t hash)
{
    struct index_link *link = walk->place.next;

    if (!walk->place.at) return *bucket_of(index->buckets, index->bucket_count, hash);
    unhang(&walk->place);
    return link;
}

static void walk_stays(struct index_walk *walk, struct index_link *before, uint64_t hash)
{
    walk->place.hash = hash | PLACE_WALK;
    hang(before->at, &walk->place);
}

bool session_index_some_of_user(const struct session_index *index, struct index_walk *walk,
                                const struct uuid *project, const struct uuid *user,
                                void (*visit)(void *arg, struct session_links *links), void *arg,
                                unsigned *room)
{
    uint64_t hash = hash_of(index, CUTOFF_USER, project, uuid_bytes(user));
    struct index_link *link = walk_on(index, walk, hash);

    for (; link && *room; link = link->next) {
        struct session_links *links;
        if (place_of(link) == PLACE_WALK) continue; /* a bookmark of another walk: nothing to look at */
        --*room;
        if (place_of(link) != PLACE_OF_USER || (link->hash | PLACE_BITS) != (hash | PLACE_BITS)) continue;
        links = links_of(link);
        if (uuid_equal(&links->holder->project, project) && uuid_equal(&links->holder->user, user))
            visit(arg, links);
    }
    if (link) walk_stays(walk, link, hash);
    return !link;
}
