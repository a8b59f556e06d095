#include "engine/embed.h"

#include "harness/check.h"

#define NOW_S  1767225600
#define NOW_MS ((int64_t)NOW_S * 1000 + 321)

static const struct fact_project project = {
    .id = {{1}}, .setting = {[SETTING_EMBED_LIFE] = 3600, [SETTING_FAMILY_MAX_AGE] = 30 * 86400}};
static struct fact_key key;
static struct resource desk;
static struct holder holder;
static struct embed_facts facts;
static struct plan plan;

static void begin(bool is_exchanged)
{
    key = (struct fact_key){.kind = KEY_CLICK_TO_CALL,
                            .project = {{1}},
                            .public_id = {(const uint8_t *)"c2c_00", 6},
                            .resource = {{3}}};
    desk = (struct resource){.id = {{3}}, .project = {{1}}};
    holder = (struct holder){.kind = TOKEN_EMBED,
                             .project = {{1}},
                             .user = {{7}},
                             .family = {{5}},
                             .resource = {{3}},
                             .parent_key = key.public_id,
                             .gt_ms = NOW_MS - 1800000};
    facts = (struct embed_facts){.project = &project,
                                 .key = &key,
                                 .resource = &desk,
                                 .holder = is_exchanged ? &holder : NULL,
                                 .cutoff_ms = INT64_MIN};
}

static void check_plan(enum refusal refusal)
{
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 1);

    embed_plan(&plan, &facts, NOW_MS, &dice);
    CHECK_INT(plan.refused.refusal, refusal);
    CHECK_INT(plan.write_count, 0);
    CHECK(uuid_is_zero(&plan.grant.jti) == (refusal != REFUSAL_NONE));
    if (refusal) CHECK(plan.refused.because != NULL);
}

static void refuses_tokens_of_other_kinds(void)
{
    enum token_kind kind;

    begin(true);
    for (kind = TOKEN_NONE; kind < TOKEN_KINDS; kind++) {
        if (kind == TOKEN_EMBED) continue;
        holder.kind = kind;
        CHECK_NOTE("kind %d", kind);
        check_plan(REFUSAL_TOKEN_KIND);
    }
}

static void refuses_what_is_no_longer_in_use(void)
{
    begin(false);
    key.is_retired = true;
    check_plan(REFUSAL_NOT_FOUND);
    begin(true);
    key.is_retired = true;
    check_plan(REFUSAL_KEY_RETIRED);
    begin(true);
    facts.key = NULL;
    check_plan(REFUSAL_KEY_RETIRED);
    begin(true);
    key.kind = KEY_API_TOKEN;
    check_plan(REFUSAL_KEY_RETIRED);
}

static void refuses_what_is_switched_off_or_gone(void)
{
    begin(false);
    desk.is_disabled = true;
    check_plan(REFUSAL_RESOURCE_DISABLED);
    facts.holder = &holder;
    check_plan(REFUSAL_RESOURCE_DISABLED);
    begin(false);
    facts.resource = NULL;
    check_plan(REFUSAL_RESOURCE_DISABLED);
    begin(false);
    facts.has_nobody = true;
    check_plan(REFUSAL_RESOURCE_DISABLED);
    facts.holder = &holder;
    check_plan(REFUSAL_RESOURCE_DISABLED);
    begin(true);
    holder.resource.byte[0] = 4;
    check_plan(REFUSAL_TOKEN_FOREIGN);
}

static void reaches_its_one_resource(void)
{
    const struct grant *grant = &plan.grant;

    begin(false);
    check_plan(REFUSAL_NONE);
    CHECK_INT(grant->kind, TOKEN_EMBED);
    CHECK_INT(grant->user_kind, USER_GUEST);
    CHECK(uuid_equal(&grant->resource, &desk.id) && grant->address_count == 0);
    CHECK(bytes_equal(grant->parent_key, key.public_id));
    CHECK(!uuid_is_zero(&grant->user) && !uuid_is_zero(&grant->family));
    CHECK(!grant->has_refresh && !grant->may_self_refresh && bytes_is_absent(grant->jkt));
    CHECK_INT(grant->exp_s, NOW_S + 3600);
    CHECK_INT(grant->gt_ms, NOW_MS);
    facts.cutoff_ms = NOW_MS + 2;
    check_plan(REFUSAL_NONE);
    CHECK_INT(grant->gt_ms, NOW_MS + 3);
}

static void an_exchanged_one_gives_its_descendant(void)
{
    begin(true);
    check_plan(REFUSAL_NONE);
    CHECK_INT(plan.grant.gt_ms, holder.gt_ms);
    CHECK(uuid_equal(&plan.grant.family, &holder.family) && uuid_equal(&plan.grant.user, &holder.user));
    CHECK_INT(plan.grant.exp_s, NOW_S + 3600);
    holder.absolute_end_s = NOW_S + 60;
    check_plan(REFUSAL_NONE);
    CHECK_INT(plan.grant.exp_s, NOW_S + 60);
    holder.absolute_end_s = NOW_S;
    check_plan(REFUSAL_TOKEN_EXPIRED);
}

int main(void)
{
    CHECK_RUN(refuses_tokens_of_other_kinds);
    CHECK_RUN(refuses_what_is_no_longer_in_use);
    CHECK_RUN(refuses_what_is_switched_off_or_gone);
    CHECK_RUN(reaches_its_one_resource);
    CHECK_RUN(an_exchanged_one_gives_its_descendant);
    return CHECK_END();
}
