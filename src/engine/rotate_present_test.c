/* Questions about refresh tokens that rotate nothing: whether one is its family's present one, and whether a
 * key may ask. The table itself is rotate_test.c's. */
#include "engine/rotate.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define END_S       1767225600

static void knows_the_present_token(void)
{
    static const struct {
        uint32_t presented, row;
        enum family_state state; /* 0: no row */
        bool is_present;
    } rows[] = {{1, 0, (enum family_state)0, false}, {4, 5, FAMILY_LIVE, false}, {6, 5, FAMILY_LIVE, false},
                {5, 5, FAMILY_DEAD, false},          {0, 1, FAMILY_LIVE, false}, {0, 1, FAMILY_DEAD, false},
                {0, 0, (enum family_state)0, true},  {5, 5, FAMILY_LIVE, true}};
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        const struct rotate_facts facts = {
            .presented = {.generation = rows[i].presented, .absolute_end_s = END_S}};
        const struct family row = {.state = rows[i].state, .generation = rows[i].row};
        CHECK_NOTE("row %zu", i);
        CHECK(rotate_is_present(&facts, rows[i].state ? &row : NULL) == rows[i].is_present);
    }
}

/* What finds a row must be what it was written under, for any time a family can end. */
static void finds_the_bucket_it_writes(void)
{
    int64_t end_s;

    for (end_s = END_S; end_s < END_S + 10000; end_s += 599) {
        const struct fact_project project = {.setting = {[SETTING_SAT_LIFE] = 7200}};
        const struct fact_key key = {.kind = KEY_SECRET};
        const struct rotate_facts facts = {.presented = {.kind = TOKEN_SUBSCRIBER,
                                                         .refresh_exp_s = end_s,
                                                         .absolute_end_s = end_s,
                                                         .gt_ms = 1},
                                           .project = &project,
                                           .key = &key,
                                           .cutoff_ms = INT64_MIN,
                                           .pruned_through_s = INT64_MIN,
                                           .has_user = true};
        struct plan plan;
        rotate_plan(&plan, &facts, (END_S - 100) * (int64_t)1000);
        CHECK_INT(plan.write_count, 1);
        CHECK_INT(plan.writes[0].family.family.bucket_s, rotate_bucket_s(&facts.presented));
        CHECK(rotate_bucket_s(&facts.presented) > end_s);
    }
}

/* Permissions are an api token's. */
static void takes_any_client_or_secret_key(void)
{
    CHECK_INT(rotate_check_key(&(struct fact_key){.kind = KEY_API_TOKEN}).refusal, REFUSAL_KEY_PERMISSION);
    CHECK_INT(rotate_check_key(&(struct fact_key){.kind = KEY_CLIENT}).refusal, REFUSAL_NONE);
    CHECK_INT(rotate_check_key(&(struct fact_key){.kind = KEY_SECRET}).refusal, REFUSAL_NONE);
}

int main(void)
{
    CHECK_RUN(knows_the_present_token);
    CHECK_RUN(finds_the_bucket_it_writes);
    CHECK_RUN(takes_any_client_or_secret_key);
    return CHECK_END();
}
