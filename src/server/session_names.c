#include "server/session_names.h"

#include <stdlib.h>

#define BUCKETS_FIRST 64

enum err session_names_init(struct session_names *names, uint64_t seed)
{
    *names = (struct session_names){.seed = seed};
    names->buckets = calloc(BUCKETS_FIRST, sizeof(struct name_link *));
    if (!names->buckets) return ERR_NO_MEMORY;
    names->bucket_count = BUCKETS_FIRST;
    return ERR_OK;
}

void session_names_release(struct session_names *names)
{
    free(names->buckets);
    *names = (struct session_names){0};
}

static struct name_link **bucket_of(struct name_link **buckets, size_t count, uint64_t seed,
                                    struct bytes name)
{
    return &buckets[bytes_hash(name, seed) & (count - 1)];
}

static void hang(struct name_link **bucket, struct name_link *link)
{
    link->next = *bucket;
    link->at = bucket;
    if (link->next) link->next->at = &link->next;
    *bucket = link;
}

/* Without memory the chains get longer, and nothing else happens. */
static void grow(struct session_names *names)
{
    size_t i, count = names->bucket_count * 2;
    struct name_link **buckets = calloc(count, sizeof(struct name_link *)), *link, *next;

    if (!buckets) return;
    for (i = 0; i < names->bucket_count; i++)
        for (link = names->buckets[i]; link; link = next) {
            next = link->next;
            hang(bucket_of(buckets, count, names->seed, bytes_of(link->name, SESSION_NAME_LEN)), link);
        }
    free(names->buckets);
    names->buckets = buckets;
    names->bucket_count = count;
}

void session_names_put(struct session_names *names, struct name_link *link, const char *name)
{
    if (names->count >= names->bucket_count) grow(names);
    link->name = name;
    hang(bucket_of(names->buckets, names->bucket_count, names->seed, bytes_of(name, SESSION_NAME_LEN)), link);
    names->count++;
}

void session_names_take(struct session_names *names, struct name_link *link)
{
    if (!link->at) return;
    *link->at = link->next;
    if (link->next) link->next->at = link->at;
    link->at = NULL;
    names->count--;
}

struct name_link *session_names_find(const struct session_names *names, struct bytes name)
{
    struct name_link *link;

    if (name.len != SESSION_NAME_LEN) return NULL;
    link = *bucket_of(names->buckets, names->bucket_count, names->seed, name);
    while (link && !bytes_equal(bytes_of(link->name, SESSION_NAME_LEN), name))
        link = link->next;
    return link;
}
