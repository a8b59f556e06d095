/* What outlives a clock that is set back, in both stores. */
#include "harness/store_round.h"

/* A clock that was set back asks for buckets that are gone: what was used in them, nobody knows. */
static void lets_nothing_happen_in_a_forgotten_bucket(void)
{
    struct row row;
    struct write once = {.kind = WRITE_ONCE, .once = {.id = id_of(7, 1), .bucket_s = 60}};
    struct write prune = {.kind = WRITE_PRUNE, .prune = {.through_s = 90}};
    begin();
    CHECK_INT(write_one(&row, &prune), ROW_ABSENT); /* nothing is lost by it */
    CHECK_INT(write_one(&row, &once), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &prune), ROW_WRITTEN);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(write_one(&row, &once), ROW_EXISTS);
        once.once.bucket_s = 90;
        CHECK_INT(write_one(&row, &once), ROW_EXISTS);
        once.once.bucket_s = 60;
        if (is_durable) reopen_store();
    }
    once.once.bucket_s = 91;
    CHECK_INT(write_one(&row, &once), ROW_WRITTEN);
    prune.prune.through_s = 70; /* an earlier one brings nothing back */
    CHECK_INT(write_one(&row, &prune), ROW_ABSENT);
    once.once.bucket_s = 80;
    CHECK_INT(write_one(&row, &once), ROW_EXISTS);
    end();
}

struct floor_asked {
    int64_t stored_ms, wanted_ms;
    int times;
};

static int64_t tell_floor(void *state, int64_t stored_ms)
{
    struct floor_asked *asked = state;
    asked->stored_ms = stored_ms;
    asked->times++;
    return asked->wanted_ms;
}

static int64_t floor_now(void)
{
    int64_t floor_ms;
    CHECK_INT(store->ops->floor(store, &floor_ms), ERR_OK);
    return floor_ms;
}

static void keeps_the_floor_with_each_group(void)
{
    struct floor_asked asked = {.wanted_ms = 5000};
    struct row row;
    begin();
    CHECK_INT(floor_now(), 0);
    CHECK_INT(store_commit_wait(store, NULL, 0, NULL, NULL), ERR_OK); /* nobody says what it shall be */
    CHECK_INT(floor_now(), 0);
    store->floor = tell_floor;
    store->floor_state = &asked;
    CHECK_INT(store_commit_wait(store, NULL, 0, NULL, NULL), ERR_OK);
    CHECK_INT(floor_now(), 5000);
    asked.wanted_ms = 7000;
    struct write once = {.kind = WRITE_ONCE, .once = {.id = id_of(6, 1), .bucket_s = 60}};
    CHECK_INT(write_one(&row, &once), ROW_WRITTEN);
    CHECK_INT(asked.stored_ms, 5000);
    CHECK_INT(floor_now(), 7000);
    asked.wanted_ms = 6500; /* the clock's to decide: an orderly stop puts it to the exact time */
    CHECK_INT(write_one(&row, &once), ROW_EXISTS);
    CHECK_INT(floor_now(), 6500);
    CHECK_INT(asked.times, 3);
    reopen_store();
    CHECK_INT(floor_now(), 6500);
    CHECK_INT(store_commit_wait(store, NULL, 0, NULL, NULL), ERR_OK);
    CHECK_INT(floor_now(), 6500);
    end();
}

/* Its commit was decided at a time, whatever became of it. */
static void keeps_the_floor_of_a_failed_commit(void)
{
    struct floor_asked asked = {.wanted_ms = 5000};
    struct row row;
    begin();
    store->floor = tell_floor;
    store->floor_state = &asked;
    struct write ada = user_write(&shop, 1, TEXT("ada"), TEXT("/private/ada"));
    CHECK_INT(write_one(&row, &ada), ROW_WRITTEN);
    struct write bob = user_write(&shop, 2, TEXT("bob"), TEXT("/private/ada"));
    bob.user.address_name_alt = TEXT("/private/ada");
    asked.wanted_ms = 8000;
    CHECK_INT(store_commit_wait(store, &bob, 1, &row, &arena), ERR_STORE_FAILED);
    CHECK_INT(floor_now(), 8000);
    end();
}

static void suite(void)
{
    CHECK_RUN(lets_nothing_happen_in_a_forgotten_bucket);
    CHECK_RUN(keeps_the_floor_with_each_group);
    CHECK_RUN(keeps_the_floor_of_a_failed_commit);
}

int main(void)
{
    return run_rounds(suite);
}
