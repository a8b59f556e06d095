#include "service/cutoffs.h"

#include "harness/check.h"

static const struct uuid ours = {{1}}, theirs = {{2}};

static struct cutoff user_cutoff(uint8_t first, int64_t t_ms)
{
    static struct uuid id;

    memset(&id, 0, sizeof id);
    id.byte[0] = first;
    return (struct cutoff){CUTOFF_USER, ours, uuid_bytes(&id), t_ms};
}

static void names_that_were_not_cut_have_none(void)
{
    struct cutoffs *cutoffs;
    struct cutoff cutoff = user_cutoff(7, 1000);

    CHECK_INT(cutoffs_new(&cutoffs, 1), ERR_OK);
    CHECK_INT(cutoffs_put(cutoffs, &cutoff), ERR_OK);
    CHECK(cutoffs_of(cutoffs, CUTOFF_USER, &theirs, cutoff.id) == INT64_MIN);
    CHECK(cutoffs_of(cutoffs, CUTOFF_FAMILY, &ours, cutoff.id) == INT64_MIN);
    CHECK(cutoffs_of(cutoffs, CUTOFF_USER, &ours, bytes_part(cutoff.id, 0, 15)) == INT64_MIN);
    CHECK(cutoffs_of(cutoffs, CUTOFF_USER, &ours, BYTES_NONE) == INT64_MIN);
    CHECK_INT(cutoffs_of(cutoffs, CUTOFF_USER, &ours, cutoff.id), 1000);
    cutoffs_free(cutoffs);
}

static void refuses_names_longer_than_any(void)
{
    struct cutoffs *cutoffs;
    struct cutoff cutoff = {CUTOFF_KEY, ours, BYTES("123456789012345678901234567890123"), 5};

    CHECK_INT(cutoffs_new(&cutoffs, 1), ERR_OK);
    CHECK_INT(cutoffs_put(cutoffs, &cutoff), ERR_TOO_LARGE);
    CHECK_INT(cutoffs_count(cutoffs), 0);
    cutoffs_free(cutoffs);
}

static void the_later_of_two_holds(void)
{
    struct cutoffs *cutoffs;
    struct cutoff cutoff = user_cutoff(7, 1000);

    CHECK_INT(cutoffs_new(&cutoffs, 1), ERR_OK);
    CHECK_INT(cutoffs_put(cutoffs, &cutoff), ERR_OK);
    cutoff.t_ms = 900;
    CHECK_INT(cutoffs_put(cutoffs, &cutoff), ERR_OK);
    CHECK_INT(cutoffs_of(cutoffs, CUTOFF_USER, &ours, cutoff.id), 1000);
    cutoff.t_ms = 1100;
    CHECK_INT(cutoffs_put(cutoffs, &cutoff), ERR_OK);
    CHECK_INT(cutoffs_of(cutoffs, CUTOFF_USER, &ours, cutoff.id), 1100);
    CHECK_INT(cutoffs_count(cutoffs), 1);
    cutoffs_free(cutoffs);
}

static void keeps_them_all_while_it_grows(void)
{
    struct cutoffs *cutoffs;
    struct uuid id = {{0}};
    struct cutoff cutoff = {CUTOFF_FAMILY, ours, BYTES_NONE, 0};

    CHECK_INT(cutoffs_new(&cutoffs, 42), ERR_OK);
    for (unsigned i = 1; i <= 5000; i++) {
        memcpy(id.byte, &i, sizeof i);
        cutoff.id = uuid_bytes(&id);
        cutoff.t_ms = i;
        CHECK_INT(cutoffs_put(cutoffs, &cutoff), ERR_OK);
    }
    CHECK_INT(cutoffs_count(cutoffs), 5000);
    for (unsigned i = 1; i <= 5000; i++) {
        memcpy(id.byte, &i, sizeof i);
        CHECK_INT(cutoffs_of(cutoffs, CUTOFF_FAMILY, &ours, uuid_bytes(&id)), i);
    }
    cutoffs_free(cutoffs);
}

/* A page holds the earliest, whatever order they came in, and says whether it is the last. */
static void lists_the_earliest_of_a_project(void)
{
    struct cutoffs *cutoffs;
    struct cutoff page[4];
    bool has_more;
    uint8_t i;

    CHECK_INT(cutoffs_new(&cutoffs, 1), ERR_OK);
    CHECK_INT(cutoffs_since(page, 4, &has_more, cutoffs, &ours, 0), 0);
    CHECK(!has_more);
    for (i = 0; i < 100; i++) {
        struct cutoff cutoff = user_cutoff(i, 1000 + (i * 37) % 100);
        CHECK_INT(cutoffs_put(cutoffs, &cutoff), ERR_OK);
    }
    CHECK_INT(cutoffs_since(page, 4, &has_more, cutoffs, &theirs, 0), 0);
    CHECK_INT(cutoffs_since(page, 4, &has_more, cutoffs, &ours, 1009), 4);
    CHECK(has_more);
    for (i = 0; i < 4; i++) {
        CHECK_INT(page[i].t_ms, 1010 + i);
        CHECK_INT(page[i].of, CUTOFF_USER);
        CHECK_INT(1000 + (page[i].id.ptr[0] * 37) % 100, page[i].t_ms);
    }
    CHECK_INT(cutoffs_since(page, 4, &has_more, cutoffs, &ours, 1095), 4);
    CHECK(!has_more);
    CHECK_INT(cutoffs_since(page, 4, &has_more, cutoffs, &ours, 1097), 2);
    CHECK_INT(cutoffs_since(page, 4, &has_more, cutoffs, &ours, 1099), 0);
    cutoffs_free(cutoffs);
}

int main(void)
{
    CHECK_RUN(names_that_were_not_cut_have_none);
    CHECK_RUN(refuses_names_longer_than_any);
    CHECK_RUN(the_later_of_two_holds);
    CHECK_RUN(keeps_them_all_while_it_grows);
    CHECK_RUN(lists_the_earliest_of_a_project);
    return CHECK_END();
}
