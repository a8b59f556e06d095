#include "service/lease.h"

#include <pthread.h>

#include "harness/check.h"
#include "store/snapshot.h"

/* Freed too early or twice, the sanitizers say so; never freed, the leak check does. */

#define LANES        4
#define PUBLICATIONS 50

static struct facts *facts_of(uint64_t version)
{
    struct facts *facts;
    struct fact_project *projects;

    if (facts_new(&facts) != ERR_OK) abort();
    projects = arena_alloc(&facts->arena, sizeof *projects);
    if (!projects) abort();
    projects[0].setting[SETTING_SAT_LIFE] = (int64_t)version;
    facts->projects = projects;
    facts->project_count = 1;
    facts->version = version;
    return facts;
}

static struct publication *publication_of(uint64_t version, unsigned lanes)
{
    struct publication *publication;

    if (publication_new(&publication, facts_of(version), lanes) != ERR_OK) abort();
    return publication;
}

static void drops_nothing(void)
{
    lease_drop(NULL);
}

static void lives_as_long_as_its_last_ask(void)
{
    struct publication *publication = publication_of(7, 2);
    struct lease *one, *two, *ask;

    CHECK_INT(lease_new(&one, publication), ERR_OK);
    CHECK_INT(lease_new(&two, publication), ERR_OK);
    ask = lease_hold(one);
    CHECK(ask == one);
    lease_drop(one); /* the lane has taken newer facts; the ask goes on */
    lease_drop(two);
    CHECK_INT(lease_facts(ask)->projects[0].setting[SETTING_SAT_LIFE], 7);
    lease_drop(ask);
}

struct lane {
    pthread_t thread;
    struct publication **publications;
    bool ok;
};

/* What a lane does all day: asks begin under the facts of the moment, end some publications later. */
static void *run_lane(void *state)
{
    struct lane *lane = state;
    struct lease *current = NULL, *slow = NULL;
    uint64_t slow_version = 0;
    size_t i;

    lane->ok = true;
    for (i = 0; i < PUBLICATIONS; i++) {
        struct lease *fresh, *ask;
        if (lease_new(&fresh, lane->publications[i]) != ERR_OK) abort();
        lease_drop(current);
        current = fresh;
        ask = lease_hold(current);
        lane->ok = lane->ok && lease_facts(ask)->version == i;
        if (i % 3 == 0) {
            lane->ok = lane->ok && (!slow || lease_facts(slow)->projects[0].setting[SETTING_SAT_LIFE] ==
                                                 (int64_t)slow_version);
            lease_drop(slow);
            slow = lease_hold(current);
            slow_version = i;
        }
        lease_drop(ask);
    }
    lease_drop(slow);
    lease_drop(current);
    return NULL;
}

static void is_freed_once_by_whoever_is_last(void)
{
    struct publication *publications[PUBLICATIONS];
    struct lane lanes[LANES];
    size_t i;

    for (i = 0; i < PUBLICATIONS; i++)
        publications[i] = publication_of(i, LANES);
    for (i = 0; i < LANES; i++) {
        lanes[i].publications = publications;
        CHECK(pthread_create(&lanes[i].thread, NULL, run_lane, &lanes[i]) == 0);
    }
    for (i = 0; i < LANES; i++) {
        CHECK(pthread_join(lanes[i].thread, NULL) == 0);
        CHECK(lanes[i].ok);
    }
}

int main(void)
{
    CHECK_RUN(drops_nothing);
    CHECK_RUN(lives_as_long_as_its_last_ask);
    CHECK_RUN(is_freed_once_by_whoever_is_last);
    return CHECK_END();
}
