/* One suite for every store: uses that are counted up to a bound. */
#include "harness/check.h"
#include "harness/store_round.h"

#define END_S 90000

static struct write use_write(uint32_t number, int64_t most)
{
    return (struct write){.kind = WRITE_USE,
                          .is_gate = true,
                          .use = {.project = shop, .of = id_of(8, number), .until_s = END_S, .most = most}};
}

static enum row_state use(uint32_t number, int64_t most)
{
    struct write write = use_write(number, most);
    return put_fact(&write);
}

static void refuses_the_first_beyond_the_bound(void)
{
    struct write write = use_write(1, 3);
    begin();
    CHECK_INT(use(1, 0), ROW_EXISTS);
    for (int i = 0; i < 3; i++)
        CHECK_INT(use(1, 3), ROW_WRITTEN);
    CHECK_INT(use(1, 3), ROW_EXISTS);
    CHECK_INT(use(1, 2), ROW_EXISTS); /* the bound was lowered */
    reopen_store();
    CHECK_INT(use(1, 3), ROW_EXISTS);
    CHECK_INT(use(1, 4), ROW_WRITTEN); /* it was raised: what is refused was not counted */
    CHECK_INT(use(1, 4), ROW_EXISTS);
    write.use.project = nobody;
    CHECK_INT(put_fact(&write), ROW_ABSENT);
    end();
}

static void counts_each_thing_and_span_by_itself(void)
{
    struct write write = use_write(1, 1);
    begin();
    CHECK_INT(put_fact(&write), ROW_WRITTEN);
    CHECK_INT(put_fact(&write), ROW_EXISTS);
    write.use.span_s = 3600;
    CHECK_INT(put_fact(&write), ROW_WRITTEN);
    write.use.from_s = 3600;
    CHECK_INT(put_fact(&write), ROW_WRITTEN);
    CHECK_INT(put_fact(&write), ROW_EXISTS);
    write.use.project = lab;
    CHECK_INT(put_fact(&write), ROW_WRITTEN);
    CHECK_INT(use(2, 1), ROW_WRITTEN);
    CHECK_INT(use(1, 1), ROW_EXISTS);
    end();
}

/* Two counts and a proof: none of them moves unless all may. */
static void counts_nothing_past_a_closed_gate(void)
{
    struct row rows[3];
    struct write writes[3] = {
        {.kind = WRITE_ONCE, .is_gate = true, .once = {.id = id_of(6, 1), .bucket_s = END_S}},
        use_write(1, 5),
        use_write(2, 1)};
    begin();
    CHECK_INT(use(2, 1), ROW_WRITTEN);
    CHECK_INT(store_commit_wait(store, writes, 3, rows, &arena), ERR_OK);
    CHECK_INT(rows[0].state, ROW_SKIPPED);
    CHECK_INT(rows[1].state, ROW_SKIPPED);
    CHECK_INT(rows[2].state, ROW_EXISTS);
    for (int i = 0; i < 5; i++)
        CHECK_INT(use(1, 5), ROW_WRITTEN); /* all five were left */
    CHECK_INT(use(1, 5), ROW_EXISTS);
    CHECK_INT(put_fact(&writes[0]), ROW_WRITTEN); /* nor is the proof used up */
    end();
}

/* --- many at once --- */

#define ASKERS 40

struct asker {
    struct store_commit commit;
    struct write write;
    struct row row;
};

static void answered(void *bell, struct mail *mail)
{
    (void)mail;
    (void)sem_post(bell);
}

static void lets_exactly_as_many_through_as_are_left(void)
{
    static struct asker askers[ASKERS];
    sem_t bell;
    int counted = 0;
    begin();
    (void)sem_init(&bell, 0, 0);
    for (size_t i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){.write = use_write(1, 7)};
        askers[i].commit = (struct store_commit){.post = answered,
                                                 .to = &bell,
                                                 .writes = &askers[i].write,
                                                 .write_count = 1,
                                                 .rows = &askers[i].row,
                                                 .arena = &arena};
        store->ops->commit(store, &askers[i].commit);
    }
    for (size_t i = 0; i < ASKERS; i++)
        bell_wait(&bell);
    for (size_t i = 0; i < ASKERS; i++) {
        CHECK_INT(askers[i].commit.error, ERR_OK);
        CHECK(askers[i].row.state == ROW_WRITTEN || askers[i].row.state == ROW_EXISTS);
        counted += askers[i].row.state == ROW_WRITTEN;
    }
    CHECK_INT(counted, 7);
    (void)sem_destroy(&bell);
    end();
}

/* --- forgetting --- */

static void forgets_a_count_when_it_is_over(void)
{
    struct write prune = {.kind = WRITE_PRUNE, .prune = {.through_s = END_S - 1}};
    struct write longer = use_write(2, 2);
    begin();
    CHECK_INT(use(1, 1), ROW_WRITTEN);
    CHECK_INT(use(2, 2), ROW_WRITTEN);
    longer.use.until_s = END_S + 1; /* a successor that lives longer: the count follows it */
    CHECK_INT(put_fact(&longer), ROW_WRITTEN);
    CHECK_INT(put_fact(&prune), ROW_ABSENT);
    CHECK_INT(use(1, 1), ROW_EXISTS);
    prune.prune.through_s = END_S;
    CHECK_INT(put_fact(&prune), ROW_WRITTEN);
    CHECK_INT(put_fact(&prune), ROW_ABSENT);
    CHECK_INT(use(1, 1), ROW_EXISTS); /* it is over, and does not begin anew */
    CHECK_INT(put_fact(&longer), ROW_EXISTS);
    longer.use.most = 3;
    CHECK_INT(put_fact(&longer), ROW_WRITTEN);
    longer.use.until_s = END_S; /* one of its first tokens, by a clock that was set back */
    CHECK_INT(put_fact(&longer), ROW_EXISTS);
    prune.prune.through_s = END_S + 1;
    CHECK_INT(put_fact(&prune), ROW_WRITTEN);
    CHECK_INT(put_fact(&prune), ROW_ABSENT);
    end();
}

static void forgets_counts_with_their_resource(void)
{
    struct write button = {.kind = WRITE_RESOURCE,
                           .resource = {.id = id_of(8, 1), .project = shop, .type = ADDRESS_CALL}};
    struct write gone = {.kind = WRITE_RESOURCE_GONE, .resource = button.resource};
    struct write prune = {.kind = WRITE_PRUNE, .prune = {.through_s = END_S}};
    begin();
    CHECK_INT(put_fact(&button), ROW_WRITTEN);
    CHECK_INT(use(1, 2), ROW_WRITTEN);
    CHECK_INT(use(1, 2), ROW_WRITTEN);
    CHECK_INT(put_fact(&gone), ROW_WRITTEN);
    CHECK_INT(put_fact(&prune), ROW_ABSENT); /* nothing is left of it */
    end();
}

/* --- a button's own bounds --- */

static void keeps_a_buttons_bounds(void)
{
    struct write button = {.kind = WRITE_RESOURCE,
                           .resource = {.id = id_of(8, 1),
                                        .project = shop,
                                        .type = ADDRESS_CALL,
                                        .budget = {1, 2, 3, INT64_C(1000000000)}}};
    struct facts *facts = NULL;
    begin();
    CHECK_INT(put_fact(&button), ROW_WRITTEN);
    for (int i = 0; i < 2; i++) {
        reopen_store();
        CHECK_INT(store->ops->facts(store, &facts), ERR_OK);
        const struct resource *kept = facts_resource(facts, &shop, &button.resource.id);
        CHECK(memcmp(kept->budget, button.resource.budget, sizeof kept->budget) == 0);
        facts_free(facts);
        button.resource.budget[BUDGET_DAY] = 0;
        CHECK_INT(put_fact(&button), ROW_WRITTEN);
    }
    end();
}

static void suite(void)
{
    CHECK_RUN(refuses_the_first_beyond_the_bound);
    CHECK_RUN(counts_each_thing_and_span_by_itself);
    CHECK_RUN(counts_nothing_past_a_closed_gate);
    CHECK_RUN(lets_exactly_as_many_through_as_are_left);
    CHECK_RUN(forgets_a_count_when_it_is_over);
    CHECK_RUN(forgets_counts_with_their_resource);
    CHECK_RUN(keeps_a_buttons_bounds);
}

int main(void)
{
    return run_rounds(suite);
}
