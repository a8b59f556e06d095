#include "engine/visit.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define NOW_S       1767225600
#define NOW_MS      ((int64_t)NOW_S * 1000 + 321)

static const struct fact_project project = {
    .id = {{1}}, .age_ms = 7, .setting = {[SETTING_ANONYMOUS_LIFE] = 14400}};
static const struct study study = {.id = {{4}}, .project = {{1}}};
static const struct fact_key ours = {
    .kind = KEY_PUBLISHABLE, .project = {{1}}, .public_id = {(const uint8_t *)"pk_test_0", 9}};
static const struct fact_key foreign = {.kind = KEY_PUBLISHABLE, .project = {{2}}};
static const struct fact_key retired = {.kind = KEY_PUBLISHABLE, .project = {{1}}, .is_retired = true};
static const struct fact_key secret = {.kind = KEY_SECRET, .project = {{1}}};

static void names_the_project_or_is_refused(void)
{
    static const struct {
        bool has_study;
        const struct study *study;
        bool names_key;
        const struct fact_key *key;
        enum refusal wanted;
    } rows[] = {
        {false, NULL, false, NULL, REFUSAL_PARAMETER_MISSING},
        {true, NULL, false, NULL, REFUSAL_NOT_FOUND},
        {false, NULL, true, NULL, REFUSAL_PUBLISHABLE_KEY},
        {true, &study, true, NULL, REFUSAL_PUBLISHABLE_KEY},
        {false, NULL, true, &retired, REFUSAL_PUBLISHABLE_KEY},
        {false, NULL, true, &secret, REFUSAL_PUBLISHABLE_KEY},
        {true, NULL, true, &ours, REFUSAL_NOT_FOUND},
        {true, &study, true, &foreign, REFUSAL_NOT_FOUND},
        {true, &study, false, NULL, REFUSAL_NONE},
        {false, NULL, true, &ours, REFUSAL_NONE},
        {true, &study, true, &ours, REFUSAL_NONE},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct ask_visit ask = {.has_study = rows[i].has_study};
        struct visit_facts facts = {.study = rows[i].study, .publishable = rows[i].key};
        struct refused refused;
        struct uuid found = {{8}};
        if (rows[i].names_key) ask.publishable_key = BYTES("pk");
        CHECK_NOTE("visit row %zu", i);
        refused = visit_check(&found, &facts, &ask);
        CHECK_INT(refused.refusal, rows[i].wanted);
        if (rows[i].wanted)
            CHECK(uuid_is_zero(&found));
        else
            CHECK(uuid_equal(&found, &project.id));
    }
}

static void grants_a_stranger_a_session(void)
{
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 1);
    struct grant first, second;

    visit_grant(&first, &project, NULL, INT64_MIN, NOW_MS, &dice);
    visit_grant(&second, &project, &ours, NOW_MS + 5, NOW_MS, &dice);
    CHECK_INT(first.kind, TOKEN_PARTICIPANT);
    CHECK_INT(first.user_kind, USER_ANONYMOUS);
    CHECK(uuid_equal(&first.project, &project.id));
    CHECK(!uuid_is_zero(&first.user) && !uuid_is_zero(&first.jti) && !uuid_is_zero(&first.family));
    CHECK(!uuid_equal(&first.user, &second.user) && !uuid_equal(&first.family, &second.family));
    CHECK_INT(first.exp_s, NOW_S + 14400);
    CHECK_INT(first.absolute_end_s, first.exp_s);
    CHECK_INT(first.gt_ms, NOW_MS);
    CHECK_INT(first.age_ms, 7);
    CHECK(!first.has_refresh && bytes_is_absent(first.parent_key));
    CHECK_INT(second.gt_ms, NOW_MS + 6);
    CHECK_BYTES(second.parent_key, ours.public_id);
}

int main(void)
{
    CHECK_RUN(names_the_project_or_is_refused);
    CHECK_RUN(grants_a_stranger_a_session);
    return CHECK_END();
}
