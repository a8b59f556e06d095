#include "server/seats.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/bytes.h"

#define BUCKETS_FIRST 64

struct seat { /* of one credential, while at least one of its sessions is open */
    struct seat *next;
    struct uuid of;
    int64_t taken;
};

struct seats {
    pthread_mutex_t lock;  /* over all below */
    struct seat **buckets; /* a power of two of them */
    size_t bucket_count, seat_count;
    uint64_t seed;
};

enum err seats_new(struct seats **out, uint64_t seed)
{
    struct seats *seats = calloc(1, sizeof *seats);

    *out = NULL;
    if (!seats) return ERR_NO_MEMORY;
    seats->buckets = calloc(BUCKETS_FIRST, sizeof(struct seat *));
    if (!seats->buckets || pthread_mutex_init(&seats->lock, NULL)) {
        free(seats->buckets);
        free(seats);
        return ERR_NO_MEMORY;
    }
    seats->bucket_count = BUCKETS_FIRST;
    seats->seed = seed;
    *out = seats;
    return ERR_OK;
}

void seats_free(struct seats *seats)
{
    struct seat *seat, *next;
    size_t i;

    if (!seats) return;
    for (i = 0; i < seats->bucket_count; i++)
        for (seat = seats->buckets[i]; seat; seat = next) {
            next = seat->next;
            free(seat);
        }
    free(seats->buckets);
    (void)pthread_mutex_destroy(&seats->lock); /* fails only while it is held */
    free(seats);
}

static struct seat **bucket_of(const struct seats *seats, struct seat **buckets, size_t count,
                               const struct uuid *of)
{
    return &buckets[bytes_hash(uuid_bytes(of), seats->seed) & (count - 1)];
}

/* Without memory for more the chains grow longer: slower, not wrong. */
static void grow(struct seats *seats)
{
    size_t i, count = 2 * seats->bucket_count;
    struct seat **buckets = calloc(count, sizeof(struct seat *));

    if (!buckets) return;
    for (i = 0; i < seats->bucket_count; i++) {
        struct seat *seat, *next;
        for (seat = seats->buckets[i]; seat; seat = next) {
            struct seat **bucket = bucket_of(seats, buckets, count, &seat->of);
            next = seat->next;
            seat->next = *bucket;
            *bucket = seat;
        }
    }
    free(seats->buckets);
    seats->buckets = buckets;
    seats->bucket_count = count;
}

/* That of the credential, made if it has none. NULL: without memory. */
static struct seat *find_or_make(struct seats *seats, const struct uuid *of)
{
    struct seat **bucket = bucket_of(seats, seats->buckets, seats->bucket_count, of);
    struct seat *seat = *bucket;

    while (seat && !uuid_equal(&seat->of, of))
        seat = seat->next;
    if (seat || !(seat = calloc(1, sizeof *seat))) return seat;
    seat->of = *of;
    seat->next = *bucket;
    *bucket = seat;
    if (++seats->seat_count > seats->bucket_count) grow(seats);
    return seat;
}

enum err seats_take(struct seat **out, struct seats *seats, const struct uuid *of, int64_t most)
{
    struct seat *seat;
    enum err e = ERR_OK;

    *out = NULL;
    if (most < 1) return ERR_OK;
    (void)pthread_mutex_lock(&seats->lock); /* fails only for a lock that was never made */
    seat = find_or_make(seats, of);
    if (!seat)
        e = ERR_NO_MEMORY;
    else if (seat->taken < most) {
        seat->taken++;
        *out = seat;
    }
    (void)pthread_mutex_unlock(&seats->lock);
    return e;
}

void seats_give_back(struct seats *seats, struct seat *seat)
{
    struct seat **at;

    if (!seat) return;
    (void)pthread_mutex_lock(&seats->lock);
    if (!--seat->taken) {
        at = bucket_of(seats, seats->buckets, seats->bucket_count, &seat->of);
        while (*at != seat)
            at = &(*at)->next;
        *at = seat->next;
        seats->seat_count--;
        free(seat);
    }
    (void)pthread_mutex_unlock(&seats->lock);
}
