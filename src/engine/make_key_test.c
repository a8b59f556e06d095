#include "engine/make_key.h"

#include "harness/check.h"

static void refuses_keys_without_management(void)
{
    struct fact_key key = {.permissions = PERMISSION_ALL & ~(uint32_t)PERMISSION_MANAGEMENT};

    CHECK_INT(make_key_may(&key).refusal, REFUSAL_KEY_PERMISSION);
    key.permissions = PERMISSION_MANAGEMENT;
    CHECK_INT(make_key_may(&key).refusal, REFUSAL_NONE);
}

static void refuses_names_and_permissions(void)
{
    static char long_text[101];
    struct ask_make_key ask = {BYTES_NONE, PERMISSION_CHAT};

    memset(long_text, 'x', sizeof long_text);
    CHECK_INT(make_key_check(&ask, KEY_API_TOKEN).refusal, REFUSAL_PARAMETER_MISSING);
    CHECK_INT(make_key_check(&ask, KEY_CLIENT).refusal, REFUSAL_PARAMETER_INVALID);
    ask.name = BYTES("a\n");
    CHECK_INT(make_key_check(&ask, KEY_API_TOKEN).field, FIELD_NAME);
    ask.name = bytes_of(long_text, sizeof long_text);
    CHECK_INT(make_key_check(&ask, KEY_API_TOKEN).refusal, REFUSAL_PARAMETER_INVALID);
    ask.name = bytes_of(long_text, sizeof long_text - 1);
    CHECK_INT(make_key_check(&ask, KEY_API_TOKEN).refusal, REFUSAL_NONE);
    ask.permissions = 0;
    CHECK_INT(make_key_check(&ask, KEY_API_TOKEN).field, FIELD_PERMISSIONS);
    CHECK_INT(make_key_check(&ask, KEY_SECRET).refusal, REFUSAL_NONE);
    ask.name = BYTES_NONE;
    CHECK_INT(make_key_check(&ask, KEY_PUBLISHABLE).refusal, REFUSAL_NONE);
}

static void plans_one_live_key(void)
{
    static const struct fact_project project = {.id = {{3}}};
    static const uint8_t hash[KEY_HASH_LEN] = {9, 8};
    struct ask_make_key ask = {BYTES("backend"), PERMISSION_VIDEO};
    struct row row = {.state = ROW_WRITTEN};
    struct plan plan;

    make_key_plan(&plan, &project, KEY_API_TOKEN, &ask, BYTES("PT1"), hash, 77);
    CHECK_INT(plan.write_count, 1);
    CHECK_INT(plan.writes[0].kind, WRITE_KEY);
    CHECK(uuid_equal(&plan.writes[0].key.project, &project.id));
    CHECK_BYTES(plan.writes[0].key.public_id, BYTES("PT1"));
    CHECK_BYTES(plan.writes[0].key.name, BYTES("backend"));
    CHECK_INT(plan.writes[0].key.permissions, PERMISSION_VIDEO);
    CHECK_INT(plan.writes[0].key.created_ms, 77);
    CHECK(!plan.writes[0].key.is_retired && memcmp(plan.writes[0].key.hash, hash, sizeof hash) == 0);
    CHECK(make_key_settle(&plan, &row));
    row.state = ROW_EXISTS;
    CHECK(!make_key_settle(&plan, &row));
}

static void names_every_permission_once(void)
{
    enum permission back = PERMISSION_ALL;
    uint32_t bit, all = 0;

    for (bit = 1; bit < PERMISSION_ALL; bit <<= 1) {
        const char *text = permission_text((enum permission)bit);
        CHECK_NOTE("%s", text);
        CHECK(*text && permission_of(&back, bytes_of_text(text)));
        CHECK_INT(back, bit);
        all |= bit;
    }
    CHECK_INT(all, PERMISSION_ALL);
    CHECK(!permission_of(&back, BYTES("")) && !permission_of(&back, BYTES("Calling")) &&
          !permission_of(&back, BYTES("all")));
    CHECK(*permission_text((enum permission)0) == 0);
}

int main(void)
{
    CHECK_RUN(refuses_keys_without_management);
    CHECK_RUN(refuses_names_and_permissions);
    CHECK_RUN(plans_one_live_key);
    CHECK_RUN(names_every_permission_once);
    return CHECK_END();
}
