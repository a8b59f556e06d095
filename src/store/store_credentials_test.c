/* One suite for every store: gates, families, cutoffs, and what is forgotten. */
#include "harness/check.h"
#include "harness/store_round.h"

#define BUCKET_S 90000

static struct write family_write(uint32_t number, uint32_t generation, uint32_t from)
{
    return (struct write){.kind = WRITE_FAMILY,
                          .family = {.family = {.id = id_of(8, number),
                                                .project = shop,
                                                .user = id_of(1, 1),
                                                .state = FAMILY_LIVE,
                                                .generation = generation,
                                                .rotated_ms = 1000 + generation,
                                                .succ_exp_s = 2000 + generation,
                                                .age_ms = 3000 + generation,
                                                .bucket_s = BUCKET_S,
                                                .holder = TEXT("it's;--\0\xff"),
                                                .holder_is_bound = true,
                                                .seal_key = TEXT("0000000a")},
                                     .from_generation = from}};
}

static void check_same_family(const struct family *a, const struct family *b)
{
    CHECK(uuid_equal(&a->id, &b->id) && uuid_equal(&a->project, &b->project));
    CHECK(uuid_equal(&a->user, &b->user));
    CHECK_INT(a->state, b->state);
    CHECK_INT(a->generation, b->generation);
    CHECK_INT(a->rotated_ms, b->rotated_ms);
    CHECK_INT(a->succ_exp_s, b->succ_exp_s);
    CHECK_INT(a->age_ms, b->age_ms);
    CHECK_INT(a->bucket_s, b->bucket_s);
    CHECK_BYTES(a->holder, b->holder);
    CHECK(a->holder_is_bound == b->holder_is_bound);
    CHECK_BYTES(a->seal_key, b->seal_key);
}

static bool look_up_family(struct family *out, const struct uuid *project, uint32_t number, int64_t bucket_s)
{
    struct store_read read = {
        .kind = READ_FAMILY, .project = *project, .id = id_of(8, number), .bucket_s = bucket_s};
    CHECK_INT(read_wait(&read), ERR_OK);
    *out = read.family;
    return read.found;
}

static uint64_t version_now(void)
{
    uint64_t version;
    CHECK_INT(store->ops->facts_version(store, &version), ERR_OK);
    return version;
}

/* --- gates --- */

static void writes_nothing_past_a_closed_gate(void)
{
    struct row rows[4];
    struct user found;
    struct family family;
    begin();
    struct write ticket = {.kind = WRITE_ONCE, .is_gate = true, .once = {.id = id_of(6, 1), .bucket_s = 60}};
    CHECK_INT(write_one(rows, &ticket), ROW_WRITTEN);
    CHECK_INT(write_one(rows, &ticket), ROW_EXISTS); /* alone it is like any other */
    uint64_t before = version_now();
    for (size_t place = 0; place < 4; place++) {
        struct write writes[4] = {
            {.kind = WRITE_ORIGIN, .origin = {.project = shop, .origin = TEXT("https://a.example")}},
            user_write(&shop, 1, TEXT("ada"), TEXT("/private/ada")),
            family_write(1, 1, 0)};
        for (size_t i = 3; i > place; i--)
            writes[i] = writes[i - 1];
        writes[place] = ticket;
        CHECK_NOTE("gate at %zu", place);
        CHECK_INT(store_commit_wait(store, writes, 4, rows, &arena), ERR_OK);
        for (size_t i = 0; i < 4; i++) {
            CHECK_INT(rows[i].state, i == place ? ROW_EXISTS : ROW_SKIPPED);
            CHECK(uuid_is_zero(&rows[i].user.id) && uuid_is_zero(&rows[i].family.id));
        }
        CHECK_INT(version_now(), before);
        CHECK(!look_up(&found, READ_USER_BY_REFERENCE, &shop, TEXT("ada"), NULL));
        CHECK(!look_up_family(&family, &shop, 1, BUCKET_S));
    }
    end();
}

static void opens_all_gates_or_none(void)
{
    struct row rows[3];
    struct family family;
    begin();
    struct write first = {.kind = WRITE_ONCE, .is_gate = true, .once = {.id = id_of(6, 1), .bucket_s = 60}},
                 second = first, step = family_write(1, 2, 1);
    second.once.id = id_of(6, 2);
    step.is_gate = true; /* absent: closed */
    CHECK_INT(store_commit_wait(store, (struct write[]){first, second, step}, 3, rows, &arena), ERR_OK);
    CHECK_INT(rows[0].state, ROW_SKIPPED);
    CHECK_INT(rows[1].state, ROW_SKIPPED);
    CHECK_INT(rows[2].state, ROW_ABSENT);
    step = family_write(1, 1, 0);
    step.is_gate = true;
    CHECK_INT(store_commit_wait(store, (struct write[]){first, second, step}, 3, rows, &arena), ERR_OK);
    for (size_t i = 0; i < 3; i++)
        CHECK_INT(rows[i].state, ROW_WRITTEN); /* the proof was not burnt by the commit before */
    step = family_write(1, 3, 2);
    step.is_gate = true; /* it is at 1: its row comes back, and the other's proof is not burnt */
    second.once.id = id_of(6, 3);
    CHECK_INT(store_commit_wait(store, (struct write[]){second, step}, 2, rows, &arena), ERR_OK);
    CHECK_INT(rows[0].state, ROW_SKIPPED);
    CHECK_INT(rows[1].state, ROW_EXISTS);
    CHECK_INT(rows[1].family.generation, 1);
    CHECK_INT(write_one(rows, &second), ROW_WRITTEN);
    CHECK(look_up_family(&family, &shop, 1, BUCKET_S) && family.generation == 1);
    end();
}

/* Facts raise the version, which must stay where it was: a process would rebuild its snapshot for nothing. */
static void takes_facts_for_gates(void)
{
    struct row rows[3];
    begin();
    struct write origin = {.kind = WRITE_ORIGIN,
                           .is_gate = true,
                           .origin = {.project = shop, .origin = TEXT("https://a.example")}};
    struct write gone = origin, other = origin,
                 ticket = {.kind = WRITE_ONCE, .once = {.id = id_of(6, 1), .bucket_s = 60}};
    gone.kind = WRITE_ORIGIN_GONE;
    other.origin.origin = TEXT("https://b.example");
    CHECK_INT(store_commit_wait(store, (struct write[]){ticket, other, gone}, 3, rows, &arena), ERR_OK);
    CHECK(rows[0].state == ROW_SKIPPED && rows[1].state == ROW_SKIPPED && rows[2].state == ROW_ABSENT);
    uint64_t before = version_now();
    CHECK_INT(store_commit_wait(store, (struct write[]){ticket, other, origin}, 3, rows, &arena), ERR_OK);
    for (size_t i = 0; i < 3; i++)
        CHECK_INT(rows[i].state, ROW_WRITTEN);
    CHECK(version_now() > before);
    before = version_now();
    ticket.once.id = id_of(6, 2);
    CHECK_INT(store_commit_wait(store, (struct write[]){gone, ticket, other}, 3, rows, &arena), ERR_OK);
    CHECK(rows[0].state == ROW_SKIPPED && rows[1].state == ROW_SKIPPED && rows[2].state == ROW_EXISTS);
    CHECK_INT(version_now(), before);
    CHECK_INT(write_one(rows, &origin), ROW_EXISTS); /* it is not gone */
    CHECK_INT(version_now(), before);
    struct write nowhere = origin;
    nowhere.origin.project = nobody; /* without its project a row is absent */
    CHECK_INT(store_commit_wait(store, (struct write[]){ticket, nowhere}, 2, rows, &arena), ERR_OK);
    CHECK(rows[0].state == ROW_SKIPPED && rows[1].state == ROW_ABSENT);
    CHECK_INT(write_one(rows, &ticket), ROW_WRITTEN);
    end();
}

/* Whichever comes first decides, and neither leaves anything of the commit. */
static void fails_beside_a_gate(void)
{
    struct row rows[3];
    struct user found;
    begin();
    struct write ada = user_write(&shop, 1, TEXT("ada"), TEXT("/private/ada"));
    struct write bob = user_write(&shop, 2, TEXT("bob"), TEXT("/private/ada")); /* taken, no other is given */
    struct write open_gate = {
        .kind = WRITE_ONCE, .is_gate = true, .once = {.id = id_of(6, 1), .bucket_s = 60}};
    struct write shut_gate = open_gate;
    bob.user.address_name_alt = TEXT("/private/ada");
    shut_gate.once.id = id_of(6, 9);
    CHECK_INT(write_one(rows, &shut_gate), ROW_WRITTEN);
    CHECK_INT(write_one(rows, &ada), ROW_WRITTEN);
    CHECK_INT(store_commit_wait(store, (struct write[]){open_gate, bob}, 2, rows, &arena), ERR_STORE_FAILED);
    CHECK(rows[0].state == 0 && rows[1].state == 0 && uuid_is_zero(&rows[1].user.id));
    CHECK_INT(store_commit_wait(store, (struct write[]){bob, shut_gate}, 2, rows, &arena), ERR_STORE_FAILED);
    CHECK_INT(store_commit_wait(store, (struct write[]){shut_gate, bob}, 2, rows, &arena), ERR_OK);
    CHECK(rows[0].state == ROW_EXISTS && rows[1].state == ROW_SKIPPED);
    CHECK(!look_up(&found, READ_USER_BY_REFERENCE, &shop, TEXT("bob"), NULL));
    CHECK_INT(write_one(rows, &open_gate), ROW_WRITTEN); /* what failed has not burnt it */
    end();
}

static void ring_nothing(void *to, struct mail *mail)
{
    (void)mail;
    (void)sem_post(to);
}

/* In one durable transaction with others: theirs stay. */
static void closes_a_gate_for_its_own_commit_only(void)
{
    enum { COUNT_OF = 40 };
    struct store_commit commits[COUNT_OF];
    struct write writes[COUNT_OF][2];
    struct row rows[COUNT_OF][2];
    sem_t bell;
    begin();
    (void)sem_init(&bell, 0, 0);
    for (uint32_t i = 0; i < COUNT_OF; i++) {
        writes[i][0] = (struct write){.kind = WRITE_ONCE, .once = {.id = id_of(7, i), .bucket_s = 60}};
        writes[i][1] = family_write(i / 2, 1, 0); /* each odd one meets the row of the even one before */
        writes[i][1].is_gate = true;
        commits[i] = (struct store_commit){.post = ring_nothing,
                                           .to = &bell,
                                           .writes = writes[i],
                                           .write_count = 2,
                                           .rows = rows[i],
                                           .arena = &arena};
        store->ops->commit(store, &commits[i]);
    }
    for (size_t i = 0; i < COUNT_OF; i++)
        bell_wait(&bell);
    for (size_t i = 0; i < COUNT_OF; i++) {
        CHECK_NOTE("commit %zu", i);
        CHECK_INT(commits[i].error, ERR_OK);
        CHECK_INT(rows[i][0].state, i % 2 ? ROW_SKIPPED : ROW_WRITTEN);
        CHECK_INT(rows[i][1].state, i % 2 ? ROW_EXISTS : ROW_WRITTEN);
        CHECK_INT(put_fact(&writes[i][0]), i % 2 ? ROW_WRITTEN : ROW_EXISTS);
    }
    (void)sem_destroy(&bell);
    end();
}

/* --- families --- */

static void steps_a_family_only_from_where_it_is(void)
{
    static const struct {
        uint32_t from, state;
        bool is_dead_before, is_other_user;
    } refused[] = {{0, FAMILY_LIVE, false, false}, {0, FAMILY_DEAD, false, false},
                   {4, FAMILY_LIVE, false, false}, {6, FAMILY_LIVE, false, false},
                   {4, FAMILY_DEAD, false, false}, {5, FAMILY_LIVE, false, true},
                   {5, FAMILY_DEAD, false, true},  {FAMILY_ANY_GENERATION, FAMILY_DEAD, false, true},
                   {5, FAMILY_LIVE, true, false},  {FAMILY_ANY_GENERATION, FAMILY_LIVE, true, false},
                   {5, FAMILY_DEAD, true, false},  {FAMILY_ANY_GENERATION, FAMILY_DEAD, true, false}};
    struct row row;
    struct family found;
    begin();
    for (uint32_t i = 0; i < COUNT(refused); i++) {
        struct write write = family_write(i, 5, 0), step = family_write(i, 9, refused[i].from);
        CHECK_NOTE("row %u", (unsigned)i);
        if (refused[i].is_dead_before) write.family.family.state = FAMILY_DEAD;
        step.family.family.state = (enum family_state)refused[i].state;
        if (refused[i].is_other_user) step.family.family.user = id_of(1, 2);
        CHECK_INT(write_one(&row, &step), refused[i].from == 0 ? ROW_WRITTEN : ROW_ABSENT);
        if (refused[i].from == 0) write = step; /* that inserted it */
        if (refused[i].from != 0) CHECK_INT(write_one(&row, &write), ROW_WRITTEN);
        CHECK_INT(write_one(&row, &step), ROW_EXISTS);
        check_same_family(&row.family, &write.family.family);
        CHECK(row.family.holder.ptr != write.family.family.holder.ptr); /* in the asker's arena */
        CHECK(look_up_family(&found, &shop, i, BUCKET_S));
        check_same_family(&found, &write.family.family);
    }
    end();
}

static void moves_a_family_on_and_ends_it(void)
{
    struct row row;
    struct family found;
    begin();
    struct write write = family_write(1, 1, 0);
    uint64_t before = version_now();
    CHECK_INT(write_one(&row, &write), ROW_WRITTEN);
    check_same_family(&row.family, &write.family.family);
    write = family_write(1, 2, 1);
    write.family.family.holder = BYTES_NONE;
    write.family.family.holder_is_bound = false;
    write.family.family.seal_key = TEXT("0000000b");
    CHECK_INT(write_one(&row, &write), ROW_WRITTEN);
    check_same_family(&row.family, &write.family.family);
    reopen_store();
    CHECK(look_up_family(&found, &shop, 1, BUCKET_S));
    check_same_family(&found, &write.family.family);
    CHECK_INT(write_one(&row, &write), ROW_EXISTS); /* the loser of two who came at once */
    struct write end_it = family_write(1, 77, FAMILY_ANY_GENERATION);
    end_it.family.family.state = FAMILY_DEAD;
    CHECK_INT(write_one(&row, &end_it), ROW_WRITTEN);
    write.family.family.state = FAMILY_DEAD; /* and all else is as it was */
    check_same_family(&row.family, &write.family.family);
    reopen_store();
    CHECK(look_up_family(&found, &shop, 1, BUCKET_S));
    check_same_family(&found, &write.family.family);
    end_it = family_write(2, 3, 0);
    end_it.family.family.state = FAMILY_DEAD; /* dead from the first row on */
    CHECK_INT(write_one(&row, &end_it), ROW_WRITTEN);
    check_same_family(&row.family, &end_it.family.family);
    CHECK_INT(version_now(), before);
    end();
}

static void meets_no_family_of_another_project(void)
{
    struct row row;
    struct family found;
    begin();
    struct write ours = family_write(1, 5, 0), theirs = family_write(1, 6, 5);
    CHECK_INT(write_one(&row, &ours), ROW_WRITTEN);
    theirs.family.family.project = lab;
    CHECK_INT(write_one(&row, &theirs), ROW_ABSENT);
    CHECK(!look_up_family(&found, &lab, 1, BUCKET_S) && uuid_is_zero(&found.id));
    CHECK(!look_up_family(&found, &nobody, 1, BUCKET_S));
    CHECK(!look_up_family(&found, &shop, 2, BUCKET_S));
    CHECK(!look_up_family(&found, &shop, 1, BUCKET_S + 1));
    theirs.family.from_generation = 0;
    CHECK_INT(write_one(&row, &theirs), ROW_WRITTEN);
    CHECK(look_up_family(&found, &shop, 1, BUCKET_S) && found.generation == 5);
    CHECK(look_up_family(&found, &lab, 1, BUCKET_S) && found.generation == 6);
    theirs.family.family.project = nobody;
    CHECK_INT(write_one(&row, &theirs), ROW_ABSENT);
    end();
}

static void undoes_a_family_its_asker_cannot_hold(void)
{
    struct arena tiny;
    struct row row;
    struct family found;
    begin();
    struct write write = family_write(1, 1, 0), end_it = family_write(1, 1, FAMILY_ANY_GENERATION);
    end_it.family.family.state = FAMILY_DEAD;
    for (size_t room = 1; room < 16; room += 7) {
        arena_init(&tiny, room);
        CHECK_INT(store_commit_wait(store, &write, 1, &row, &tiny), ERR_NO_MEMORY);
        CHECK(uuid_is_zero(&row.family.id));
        CHECK(!look_up_family(&found, &shop, 1, BUCKET_S));
        arena_release(&tiny);
    }
    CHECK_INT(write_one(&row, &write), ROW_WRITTEN);
    arena_init(&tiny, 1);
    struct store_read read = {.kind = READ_FAMILY, .project = shop, .id = id_of(8, 1), .bucket_s = BUCKET_S};
    CHECK_INT(store_commit_wait(store, &end_it, 1, &row, &tiny), ERR_NO_MEMORY);
    CHECK(look_up_family(&found, &shop, 1, BUCKET_S) && found.state == FAMILY_LIVE);
    CHECK_INT(read_wait(&read), ERR_OK);
    arena_release(&tiny);
    end();
}

/* --- cutoffs --- */

static struct write cutoff_write(const struct uuid *project, enum cutoff_of of, struct bytes id,
                                 int64_t now_ms)
{
    return (struct write){
        .kind = WRITE_CUTOFF,
        .cutoff = {.cutoff = {.of = of, .project = *project, .id = id}, .now_ms = now_ms, .keep_s = 100}};
}

static void gives_each_cutoff_a_later_time(void)
{
    struct row rows[3];
    struct store_cutoffs *cutoffs;
    begin();
    uint64_t before = version_now();
    CHECK_INT(store->ops->cutoffs(store, &cutoffs), ERR_OK);
    CHECK_INT(cutoffs->count, 0);
    store_cutoffs_free(cutoffs);
    struct write foreign = cutoff_write(&nobody, CUTOFF_KEY, TEXT("k"), 5000);
    CHECK_INT(write_one(rows, &foreign), ROW_ABSENT);
    CHECK_INT(rows[0].t_ms, 0);
    struct write late = cutoff_write(&shop, CUTOFF_KEY, TEXT("k'\0;"), 50000);
    CHECK_INT(write_one(rows, &late), ROW_WRITTEN);
    CHECK_INT(rows[0].t_ms, 50000 + CUTOFF_AHEAD_MS);
    struct write same[] = {late, late, cutoff_write(&lab, CUTOFF_PROJECT, uuid_bytes(&lab), 50000)};
    same[1].cutoff.now_ms = 40000; /* the clock went back */
    CHECK_INT(store_commit_wait(store, same, 3, rows, &arena), ERR_OK);
    CHECK_INT(rows[0].t_ms, 53000 + CUTOFF_APART_MS);
    CHECK_INT(rows[1].t_ms, 53000 + 2 * CUTOFF_APART_MS);
    CHECK_INT(rows[2].t_ms, 53000); /* another project's: its own order */
    late.cutoff.now_ms = 60000;
    CHECK_INT(write_one(rows, &late), ROW_WRITTEN);
    CHECK_INT(rows[0].t_ms, 63000);
    CHECK_INT(version_now(), before);
    reopen_store();
    CHECK_INT(store->ops->cutoffs(store, &cutoffs), ERR_OK);
    CHECK_INT(cutoffs->count, 5);
    size_t ours = 0;
    for (size_t i = 0; i < cutoffs->count; i++) {
        const struct cutoff *cutoff = &cutoffs->list[i];
        if (uuid_equal(&cutoff->project, &shop)) {
            ours++;
            CHECK_INT(cutoff->of, CUTOFF_KEY);
            CHECK_BYTES(cutoff->id, TEXT("k'\0;"));
        } else {
            CHECK_INT(cutoff->of, CUTOFF_PROJECT);
            CHECK_BYTES(cutoff->id, uuid_bytes(&lab));
            CHECK_INT(cutoff->t_ms, 53000);
        }
    }
    CHECK_INT(ours, 4);
    store_cutoffs_free(cutoffs);
    end();
}

/* --- forgetting --- */

static int64_t pruned_through(void)
{
    struct facts *facts;
    int64_t through_s;
    CHECK_INT(store->ops->facts(store, &facts), ERR_OK);
    through_s = facts->pruned_through_s;
    CHECK_INT(facts->version, version_now());
    facts_free(facts);
    return through_s;
}

static size_t cutoff_count(void)
{
    struct store_cutoffs *cutoffs;
    CHECK_INT(store->ops->cutoffs(store, &cutoffs), ERR_OK);
    size_t count = cutoffs->count;
    store_cutoffs_free(cutoffs);
    return count;
}

static void forgets_families_and_cutoffs_that_are_over(void)
{
    struct row row;
    struct family found;
    struct write prune = {.kind = WRITE_PRUNE, .prune = {.through_s = BUCKET_S - 1}};
    begin();
    struct write first = family_write(1, 1, 0), step = family_write(1, 2, 1), later = family_write(2, 1, 0);
    later.family.family.bucket_s = BUCKET_S + 1;
    struct write cutoff = cutoff_write(&shop, CUTOFF_KEY, TEXT("k"), 1000 * (int64_t)(BUCKET_S - 104));
    CHECK_INT(write_one(&row, &first), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &step), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &later), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &cutoff), ROW_WRITTEN); /* over at BUCKET_S */
    uint64_t before = version_now();
    CHECK_INT(write_one(&row, &prune), ROW_ABSENT); /* nothing is over: nothing is told */
    CHECK_INT(pruned_through(), 0);
    CHECK_INT(version_now(), before);
    prune.prune.through_s = BUCKET_S;
    CHECK_INT(write_one(&row, &prune), ROW_WRITTEN);
    CHECK(!look_up_family(&found, &shop, 1, BUCKET_S));
    CHECK(look_up_family(&found, &shop, 2, BUCKET_S + 1));
    CHECK_INT(cutoff_count(), 0);
    CHECK_INT(pruned_through(), BUCKET_S);
    CHECK(version_now() > before);
    CHECK_INT(write_one(&row, &prune), ROW_ABSENT);
    prune.prune.through_s = 60; /* the clock went back: what was promised stays */
    CHECK_INT(write_one(&row, &prune), ROW_ABSENT);
    CHECK_INT(pruned_through(), BUCKET_S);
    reopen_store();
    CHECK_INT(write_one(&row, &first), ROW_EXISTS); /* nobody knows what it was: it does not begin anew */
    CHECK_INT(row.family.state, FAMILY_DEAD);
    CHECK(!look_up_family(&found, &shop, 1, BUCKET_S));
    CHECK_INT(pruned_through(), BUCKET_S);
    end();
}

static void forgets_families_a_part_at_a_time(void)
{
    struct row row;
    struct write prune = {.kind = WRITE_PRUNE, .prune = {.through_s = BUCKET_S}};
    begin();
    for (uint32_t i = 0; i < PRUNE_ROWS_MAX / 4; i++) {
        struct write writes[5];
        struct row rows[5];
        for (uint32_t j = 0; j < 5; j++)
            writes[j] = family_write(5 * i + j, 1, 0);
        CHECK_INT(store_commit_wait(store, writes, 5, rows, &arena), ERR_OK);
    }
    CHECK_INT(write_one(&row, &prune), ROW_WRITTEN);
    uint64_t before = version_now();
    CHECK_INT(write_one(&row, &prune), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &prune), ROW_ABSENT);
    CHECK_INT(version_now(), before); /* told once */
    end();
}

static void suite(void)
{
    CHECK_RUN(writes_nothing_past_a_closed_gate);
    CHECK_RUN(opens_all_gates_or_none);
    CHECK_RUN(takes_facts_for_gates);
    CHECK_RUN(fails_beside_a_gate);
    CHECK_RUN(closes_a_gate_for_its_own_commit_only);
    CHECK_RUN(steps_a_family_only_from_where_it_is);
    CHECK_RUN(moves_a_family_on_and_ends_it);
    CHECK_RUN(meets_no_family_of_another_project);
    CHECK_RUN(undoes_a_family_its_asker_cannot_hold);
    CHECK_RUN(gives_each_cutoff_a_later_time);
    CHECK_RUN(forgets_families_and_cutoffs_that_are_over);
    CHECK_RUN(forgets_families_a_part_at_a_time);
}

int main(void)
{
    return run_rounds(suite);
}
