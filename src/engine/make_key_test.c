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
    struct ask_make_key ask = {.permissions = PERMISSION_CHAT};

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

static void refuses_public_keys_of_other_kinds(void)
{
    static const enum key_kind others[] = {KEY_API_TOKEN, KEY_SECRET, KEY_PUBLISHABLE, KEY_CLICK_TO_CALL};
    static uint8_t long_key[KEY_PUBLIC_MAX + 1];
    struct ask_make_key ask = {.name = BYTES("a"), .public_key = BYTES("{}")};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ask.permissions = others[i] == KEY_API_TOKEN ? PERMISSION_CHAT : 0;
        CHECK_INT(make_key_check(&ask, others[i]).field, FIELD_PUBLIC_KEY);
    }
    ask.permissions = 0;
    CHECK_INT(make_key_check(&ask, KEY_CLIENT).refusal, REFUSAL_NONE);
    ask.public_key = bytes_of(long_key, sizeof long_key);
    CHECK_INT(make_key_check(&ask, KEY_CLIENT).field, FIELD_PUBLIC_KEY);
}

static void plans_a_key_without_a_secret(void)
{
    static const struct fact_project project = {.id = {{3}}};
    static const uint8_t hash[KEY_HASH_LEN] = {9, 8}, none[KEY_HASH_LEN] = {0};
    struct ask_make_key ask = {.public_key = BYTES("{}")};
    struct plan plan;

    make_key_plan(&plan, &project, KEY_CLIENT, &ask, BYTES("cli_1"), hash, 77);
    CHECK_BYTES(plan.writes[0].key.public_key, BYTES("{}"));
    CHECK(memcmp(plan.writes[0].key.hash, none, sizeof none) == 0);
}

static void plans_one_live_key(void)
{
    static const struct fact_project project = {.id = {{3}}};
    static const uint8_t hash[KEY_HASH_LEN] = {9, 8};
    struct ask_make_key ask = {.name = BYTES("backend"), .permissions = PERMISSION_VIDEO};
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
    CHECK_RUN(refuses_public_keys_of_other_kinds);
    CHECK_RUN(plans_a_key_without_a_secret);
    CHECK_RUN(plans_one_live_key);
    CHECK_RUN(names_every_permission_once);
    return CHECK_END();
}
