#include "engine/guest.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define NOW_S       1767225600
#define NOW_MS      ((int64_t)NOW_S * 1000 + 321)

static const struct fact_project project = {
    .id = {{1}},
    .setting = {
        [SETTING_SAT_LIFE] = 7200, [SETTING_SAT_LIFE_MAX] = 86400, [SETTING_FAMILY_MAX_AGE] = 30 * 86400}};
static struct fact_key key = {.kind = KEY_API_TOKEN,
                              .project = {{1}},
                              .public_id = {(const uint8_t *)"PT00", 4},
                              .permissions = PERMISSION_VIDEO};
static struct address known[ADDRESSES_MAX + 1]; /* ids 1.., all of the project but the last */

static struct ask_guest ask_for(size_t count)
{
    struct ask_guest ask = {.address_count_asked = count};
    size_t i;

    for (i = 0; i < count && i < ADDRESSES_MAX; i++)
        ask.addresses[ask.address_count++] = known[i].id;
    return ask;
}

static const struct plan *plan_for(const struct ask_guest *ask, int64_t cutoff_ms)
{
    static struct plan plan;
    struct guest_facts facts = {.project = &project,
                                .key = &key,
                                .found = known,
                                .found_count = COUNT(known),
                                .cutoff_ms = cutoff_ms};
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 1);

    guest_plan(&plan, &facts, ask, NOW_MS, &dice);
    CHECK_INT(plan.write_count, 0);
    if (plan.refused.refusal) CHECK(plan.refused.because && uuid_is_zero(&plan.grant.jti));
    return &plan;
}

static void check_refused(const struct ask_guest *ask, enum refusal refusal, enum ask_field field)
{
    const struct plan *plan = plan_for(ask, INT64_MIN);

    CHECK_INT(plan->refused.refusal, refusal);
    CHECK_INT(plan->refused.field, field);
}

static void refuses_keys_that_may_not_mint(void)
{
    struct ask_guest ask = ask_for(1);

    key.permissions = PERMISSION_ALL & ~(uint32_t)PERMISSIONS_TO_MINT;
    check_refused(&ask, REFUSAL_KEY_PERMISSION, FIELD_NONE);
    key.permissions = PERMISSION_VIDEO;
}

static void refuses_none_and_too_many(void)
{
    struct ask_guest none = ask_for(0), many = ask_for(ADDRESSES_MAX + 1);

    check_refused(&none, REFUSAL_PARAMETER_MISSING, FIELD_ADDRESSES);
    check_refused(&many, REFUSAL_ADDRESSES_TOO_MANY, FIELD_ADDRESSES);
}

/* Whether it exists in another project or nowhere is one and the same answer. */
static void refuses_addresses_that_are_not_the_projects(void)
{
    const struct uuid wrong[] = {known[ADDRESSES_MAX].id, {{99}}, {{0}}};
    size_t i, at;

    for (i = 0; i < COUNT(wrong); i++)
        for (at = 0; at < 3; at++) {
            struct ask_guest ask = ask_for(3);
            CHECK_NOTE("wrong %zu at %zu", i, at);
            ask.addresses[at] = wrong[i];
            check_refused(&ask, REFUSAL_ADDRESS_FOREIGN, FIELD_ADDRESSES);
        }
}

static void refuses_impossible_lives(void)
{
    struct ask_guest ask = ask_for(1);

    ask.has_expiry = true;
    ask.expire_at_s = NOW_S;
    check_refused(&ask, REFUSAL_PARAMETER_INVALID, FIELD_EXPIRE_AT);
    ask.expire_at_s = NOW_S + 86401;
    check_refused(&ask, REFUSAL_PARAMETER_INVALID, FIELD_EXPIRE_AT);
}

static void grants_what_was_asked_and_nothing_else(void)
{
    struct ask_guest ask = ask_for(ADDRESSES_MAX);
    const struct grant *grant = &plan_for(&ask, INT64_MIN)->grant;
    size_t i;

    CHECK_INT(grant->kind, TOKEN_GUEST);
    CHECK_INT(grant->user_kind, USER_GUEST);
    CHECK_INT(grant->address_count, ADDRESSES_MAX);
    for (i = 0; i < ADDRESSES_MAX; i++)
        CHECK(uuid_equal(&grant->addresses[i], &known[i].id));
    CHECK(uuid_equal(&grant->project, &project.id) && bytes_equal(grant->parent_key, key.public_id));
    CHECK(!uuid_is_zero(&grant->user) && !uuid_is_zero(&grant->jti) && !uuid_is_zero(&grant->family));
    CHECK(uuid_is_zero(&grant->resource) && uuid_is_zero(&grant->inviter));
    CHECK(bytes_is_absent(grant->jkt) && !grant->may_self_refresh);
    CHECK_INT(grant->exp_s, NOW_S + 7200);
    CHECK(grant->has_refresh);
    CHECK_INT(grant->refresh_exp_s, NOW_S + 7500);
    CHECK_INT(grant->gt_ms, NOW_MS);
}

static void counts_an_address_once(void)
{
    struct ask_guest ask = ask_for(3);

    ask.addresses[2] = ask.addresses[0];
    CHECK_INT(plan_for(&ask, INT64_MIN)->grant.address_count, 2);
}

static void lies_after_the_last_cutoff(void)
{
    struct ask_guest ask = ask_for(1);

    CHECK_INT(plan_for(&ask, NOW_MS + 3000)->grant.gt_ms, NOW_MS + 3001);
    CHECK_INT(plan_for(&ask, NOW_MS - 1)->grant.gt_ms, NOW_MS);
}

int main(void)
{
    size_t i;

    for (i = 0; i < COUNT(known); i++) {
        known[i].id.byte[0] = (uint8_t)(i + 1);
        known[i].project.byte[0] = i < ADDRESSES_MAX ? 1 : 2;
    }
    CHECK_RUN(refuses_keys_that_may_not_mint);
    CHECK_RUN(refuses_none_and_too_many);
    CHECK_RUN(refuses_addresses_that_are_not_the_projects);
    CHECK_RUN(refuses_impossible_lives);
    CHECK_RUN(grants_what_was_asked_and_nothing_else);
    CHECK_RUN(counts_an_address_once);
    CHECK_RUN(lies_after_the_last_cutoff);
    return CHECK_END();
}
