#include "server/seats.h"

#include "harness/check.h"

#include <pthread.h>
#include <string.h>

#define CREDENTIALS 1000

static struct seats *seats;

static struct uuid id_of(unsigned number)
{
    struct uuid id = {{0x7f}};

    memcpy(id.byte + 4, &number, sizeof number);
    return id;
}

static struct seat *take(unsigned number, int64_t most)
{
    struct uuid id = id_of(number);
    struct seat *seat;

    CHECK_INT(seats_take(&seat, seats, &id, most), ERR_OK);
    return seat;
}

static void refuses_the_first_beyond_the_bound(void)
{
    struct seat *taken[3];
    size_t i;

    CHECK_INT(seats_new(&seats, 1), ERR_OK);
    CHECK(!take(1, 0));
    for (i = 0; i < 3; i++)
        CHECK((taken[i] = take(1, 3)) != NULL);
    CHECK(!take(1, 3));
    CHECK(!take(1, 2)); /* the bound was lowered meanwhile */
    seats_give_back(seats, taken[1]);
    taken[1] = take(1, 3);
    CHECK(taken[1] && !take(1, 3));
    for (i = 0; i < 3; i++)
        seats_give_back(seats, taken[i]);
    seats_give_back(seats, NULL);
    seats_give_back(seats, take(1, 1)); /* it starts anew */
    seats_free(seats);
}

static void keeps_credentials_apart_however_many(void)
{
    static struct seat *taken[CREDENTIALS];
    unsigned i;

    CHECK_INT(seats_new(&seats, 2), ERR_OK);
    for (i = 0; i < CREDENTIALS; i++)
        CHECK((taken[i] = take(i, 1)) != NULL);
    for (i = 0; i < CREDENTIALS; i++)
        CHECK(!take(i, 1));
    for (i = 0; i < CREDENTIALS; i += 2)
        seats_give_back(seats, taken[i]);
    for (i = 0; i < CREDENTIALS; i++)
        CHECK((take(i, 1) != NULL) == (i % 2 == 0));
    seats_free(seats); /* with all that are taken */
}

/* ---- lanes ---- */

#define LANES 4
#define TURNS 20000
#define MOST  3

static _Atomic int open_now, most_seen, refused;

static void *work(void *unused)
{
    int i;

    (void)unused;
    for (i = 0; i < TURNS; i++) {
        struct seat *seat = take(7, MOST);
        if (seat) {
            int now = ++open_now;
            if (now > most_seen) most_seen = now;
            --open_now;
        } else
            refused++;
        seats_give_back(seats, seat);
    }
    return NULL;
}

static void never_lets_too_many_in_from_many_lanes(void)
{
    pthread_t lanes[LANES];
    size_t i;

    CHECK_INT(seats_new(&seats, 3), ERR_OK);
    for (i = 0; i < LANES; i++)
        CHECK_INT(pthread_create(&lanes[i], NULL, work, NULL), 0);
    for (i = 0; i < LANES; i++)
        CHECK_INT(pthread_join(lanes[i], NULL), 0);
    CHECK(most_seen <= MOST);
    CHECK(take(7, 1) != NULL); /* all were given back */
    seats_free(seats);
}

int main(void)
{
    CHECK_RUN(refuses_the_first_beyond_the_bound);
    CHECK_RUN(keeps_credentials_apart_however_many);
    CHECK_RUN(never_lets_too_many_in_from_many_lanes);
    return CHECK_END();
}
