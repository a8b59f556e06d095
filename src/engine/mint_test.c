#include "engine/mint.h"

#include "engine/limits.h"
#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define NOW_S       1767225600
#define NOW_MS      ((int64_t)NOW_S * 1000 + 321)
#define THUMBPRINT  "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

static const struct fact_project project = {.id = {{1}},
                                            .setting = {[SETTING_SAT_LIFE] = 7200,
                                                        [SETTING_SAT_LIFE_MAX] = 86400,
                                                        [SETTING_FAMILY_MAX_AGE] = 30 * 86400,
                                                        [SETTING_FAMILY_MAX_AGE_BOUND] = 86400}};
static const struct fact_key key = {
    .kind = KEY_API_TOKEN,
    .project = {{1}},
    .public_id = {(const uint8_t *)"PT00", 4},
    .permissions = PERMISSION_VIDEO,
};

static struct ask_mint ask_of(const char *reference)
{
    return (struct ask_mint){.reference = bytes_of_text(reference)};
}

struct planned { /* one plan with everything it points to */
    struct plan plan;
    struct arena arena;
    enum err error;
};

static const struct plan *plan_with(struct planned *out, const struct mint_facts *facts,
                                    const struct ask_mint *ask, uint64_t seed)
{
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, seed);

    arena_init(&out->arena, 4096);
    out->error = mint_plan(&out->plan, &out->arena, facts, ask, NOW_MS, &dice);
    CHECK_INT(out->error, ERR_OK);
    return &out->plan;
}

static const struct plan *plan_for(struct planned *out, const struct ask_mint *ask, const struct user *user)
{
    struct mint_facts facts = {.project = &project, .key = &key, .user = user, .cutoff_ms = INT64_MIN};

    return plan_with(out, &facts, ask, 1);
}

/* A refused ask: by mint_check and by mint_plan, the same, and nothing is planned. */
static void check_refused(const struct ask_mint *ask, enum refusal refusal, enum ask_field field)
{
    struct refused refused = mint_check(ask, &project, &key, NOW_MS);
    struct planned planned;
    struct decision decision;

    CHECK_INT(refused.refusal, refusal);
    CHECK_INT(refused.field, refusal ? field : FIELD_NONE);
    CHECK((refused.because != NULL) == (refusal != REFUSAL_NONE));
    plan_for(&planned, ask, NULL);
    CHECK_INT(planned.plan.refused.refusal, refusal);
    if (refusal) {
        CHECK_INT(planned.plan.write_count, 0);
        CHECK(uuid_is_zero(&planned.plan.grant.jti));
        mint_settle(&decision, &planned.plan, NULL);
        CHECK_INT(decision.refused.refusal, refusal);
        CHECK(uuid_is_zero(&decision.grant.family));
        CHECK(!decision.has_user);
    }
    arena_release(&planned.arena);
}

static void refuses_keys_that_may_not_mint(void)
{
    struct ask_mint ask = ask_of("ada");
    uint32_t bit;

    for (bit = 0; bit < 11; bit++) {
        struct fact_key one = {.permissions = 1u << bit};
        bool may =
            (1u << bit) & (PERMISSION_CALLING | PERMISSION_MESSAGING | PERMISSION_FAX | PERMISSION_VIDEO);
        CHECK_NOTE("permission bit %u", bit);
        CHECK_INT(mint_check(&ask, &project, &one, NOW_MS).refusal,
                  may ? REFUSAL_NONE : REFUSAL_KEY_PERMISSION);
    }
    struct fact_key none = {.permissions = 0};
    ask.reference = BYTES_NONE; /* "you may not" comes before "you said it wrong" */
    CHECK_INT(mint_check(&ask, &project, &none, NOW_MS).refusal, REFUSAL_KEY_PERMISSION);
}

static void refuses_references(void)
{
    static uint8_t wide[256];
    static const struct {
        struct bytes reference;
        enum refusal refusal;
    } rows[] = {
        {{NULL, 0}, REFUSAL_PARAMETER_MISSING},
        {{(const uint8_t *)"", 0}, REFUSAL_PARAMETER_MISSING},
        {{(const uint8_t *)" ", 1}, REFUSAL_PARAMETER_MISSING},
        {{(const uint8_t *)" \t\r\n ", 5}, REFUSAL_PARAMETER_MISSING},
        {{wide, 256}, REFUSAL_PARAMETER_INVALID},
        {{(const uint8_t *)"a\0b", 3}, REFUSAL_PARAMETER_INVALID},
        {{(const uint8_t *)"\0", 1}, REFUSAL_PARAMETER_INVALID},
        {{(const uint8_t *)"a\n", 2}, REFUSAL_PARAMETER_INVALID},
        {{(const uint8_t *)"\x1f"
                           "a",
          2},
         REFUSAL_PARAMETER_INVALID},
        {{(const uint8_t *)"a\x7f", 2}, REFUSAL_PARAMETER_INVALID},
        {{wide, 255}, REFUSAL_NONE},
        {{(const uint8_t *)"a", 1}, REFUSAL_NONE},
        {{(const uint8_t *)" a ", 3}, REFUSAL_NONE},
        {{(const uint8_t *)"\xc3\xa4@b", 4}, REFUSAL_NONE},
    };
    size_t i;

    memset(wide, 'a', sizeof wide);
    for (i = 0; i < COUNT(rows); i++) {
        struct ask_mint ask = {.reference = rows[i].reference};
        CHECK_NOTE("reference row %zu", i);
        check_refused(&ask, rows[i].refusal, FIELD_REFERENCE);
    }
}

static void refuses_expiries(void)
{
    static const struct {
        int64_t expire_at_s;
        enum refusal refusal;
    } rows[] = {
        {INT64_MIN, REFUSAL_PARAMETER_INVALID},
        {INT64_MIN + 1, REFUSAL_PARAMETER_INVALID},
        {-1, REFUSAL_PARAMETER_INVALID},
        {0, REFUSAL_PARAMETER_INVALID},
        {NOW_S - 1, REFUSAL_PARAMETER_INVALID},
        {NOW_S, REFUSAL_PARAMETER_INVALID},
        {NOW_S + 86401, REFUSAL_PARAMETER_INVALID},
        {NOW_MS, REFUSAL_PARAMETER_INVALID}, /* milliseconds */
        {INT64_MAX, REFUSAL_PARAMETER_INVALID},
        {INT64_MAX - 1, REFUSAL_PARAMETER_INVALID},
        {NOW_S + 1, REFUSAL_NONE},
        {NOW_S + 7200, REFUSAL_NONE},
        {NOW_S + 86400, REFUSAL_NONE},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct ask_mint ask = ask_of("ada");
        ask.has_expiry = true;
        ask.expire_at_s = rows[i].expire_at_s;
        CHECK_NOTE("expire_at %lld", (long long)rows[i].expire_at_s);
        check_refused(&ask, rows[i].refusal, FIELD_EXPIRE_AT);
    }
}

static void refuses_fingerprints(void)
{
    static const struct {
        const char *text;
        enum refusal refusal;
    } rows[] = {
        {"", REFUSAL_PARAMETER_INVALID},
        {"short", REFUSAL_PARAMETER_INVALID},
        {"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9X", REFUSAL_PARAMETER_INVALID},
        {"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9XsA", REFUSAL_PARAMETER_INVALID},
        {"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9X=", REFUSAL_PARAMETER_INVALID},
        {"NzbLsXh8uDCcd+6MNwXF4W/7noWXFZAfHkxZsRGC9Xs", REFUSAL_PARAMETER_INVALID},
        {"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9X ", REFUSAL_PARAMETER_INVALID},
        {"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xt",
         REFUSAL_PARAMETER_INVALID}, /* the same 32 bytes again */
        {THUMBPRINT, REFUSAL_NONE},
        {NULL, REFUSAL_NONE},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct ask_mint ask = ask_of("ada");
        ask.fingerprint = bytes_of_text(rows[i].text);
        CHECK_NOTE("fingerprint %s", rows[i].text ? rows[i].text : "absent");
        check_refused(&ask, rows[i].refusal, FIELD_FINGERPRINT);
    }
}

static void refuses_passwords_and_profiles(void)
{
    static uint8_t wide[256];
    struct ask_mint ask = ask_of("ada");
    int field;

    memset(wide, 'a', sizeof wide);
    ask.password = bytes_of(wide, 73);
    check_refused(&ask, REFUSAL_PARAMETER_INVALID, FIELD_PASSWORD);
    ask.password = bytes_of(wide, 72);
    check_refused(&ask, REFUSAL_NONE, FIELD_NONE);
    for (field = 0; field < PROFILE_COUNT; field++) {
        enum ask_field named = (enum ask_field)(FIELD_PROFILE + field);
        CHECK_NOTE("profile field %d", field);
        ask = ask_of("ada");
        ask.profile.value[field] = bytes_of(wide, 256);
        check_refused(&ask, REFUSAL_PARAMETER_INVALID, named);
        ask.profile.value[field] = bytes_of("a\0", 2);
        check_refused(&ask, REFUSAL_PARAMETER_INVALID, named);
        ask.profile.value[field] = BYTES("a\nb");
        check_refused(&ask, REFUSAL_PARAMETER_INVALID, named);
        ask.profile.value[field] = bytes_of(wide, 255);
        check_refused(&ask, REFUSAL_NONE, named);
        ask.profile.value[field] = BYTES("");
        check_refused(&ask, REFUSAL_NONE, named);
    }
}

/* exp, refresh exp and absolute end, in seconds from now. */
static void times_a_grant(void)
{
    static const struct {
        const char *fingerprint;
        bool self, has_expiry;
        int64_t expire_in_s, life_s, age_max_s;
        int64_t exp_s, refresh_s, end_s;
    } rows[] = {
        /* fingerprint, sat:refresh, expire_at | life, age | access, refresh, absolute end */
        {NULL, false, false, 0, 7200, 2592000, 7200, 7500, 2592000},
        {NULL, false, true, 1, 7200, 2592000, 1, 301, 2592000},
        {NULL, false, true, 86400, 7200, 2592000, 86400, 86700, 2592000},
        {NULL, true, false, 0, 7200, 2592000, 60, 360, 2592000},
        {NULL, true, true, 61, 7200, 2592000, 60, 360, 2592000},
        {NULL, true, true, 60, 7200, 2592000, 60, 360, 2592000},
        {NULL, true, true, 59, 7200, 2592000, 59, 359, 2592000},
        {NULL, true, false, 0, 30, 2592000, 30, 330, 2592000},
        {THUMBPRINT, false, false, 0, 7200, 2592000, 7200, 7500, 86400},
        {THUMBPRINT, true, false, 0, 7200, 2592000, 7200, 7500, 86400},
        {THUMBPRINT, true, true, 86400, 7200, 2592000, 86400, 86400, 86400}, /* nothing passes the end */
        {THUMBPRINT, true, true, 86101, 7200, 2592000, 86101, 86400, 86400},
        {THUMBPRINT, true, true, 86100, 7200, 2592000, 86100, 86400, 86400},
        {THUMBPRINT, true, false, 0, 7200, 3600, 3600, 3600, 3600}, /* a project may be stricter */
        {NULL, false, false, 0, 7200, 7200, 7200, 7200, 7200},
        {NULL, false, false, 0, 7200, 3600, 3600, 3600, 3600},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct fact_project own = project;
        struct mint_facts facts = {.project = &own, .key = &key, .cutoff_ms = INT64_MIN};
        struct ask_mint ask = ask_of("ada");
        struct planned planned;
        const struct grant *grant = &planned.plan.grant;

        own.setting[SETTING_SAT_LIFE] = rows[i].life_s;
        own.setting[SETTING_FAMILY_MAX_AGE] = rows[i].age_max_s;
        ask.fingerprint = bytes_of_text(rows[i].fingerprint);
        ask.may_self_refresh = rows[i].self;
        ask.has_expiry = rows[i].has_expiry;
        ask.expire_at_s = NOW_S + rows[i].expire_in_s;
        CHECK_NOTE("times row %zu", i);
        plan_with(&planned, &facts, &ask, 1);
        CHECK_INT(planned.plan.refused.refusal, REFUSAL_NONE);
        CHECK_INT(grant->iat_s, NOW_S);
        CHECK_INT(grant->exp_s - NOW_S, rows[i].exp_s);
        CHECK_INT(grant->refresh_exp_s - NOW_S, rows[i].refresh_s);
        CHECK_INT(grant->absolute_end_s - NOW_S, rows[i].end_s);
        CHECK(grant->has_refresh);
        CHECK_BYTES(grant->jkt, ask.fingerprint);
        CHECK(grant->may_self_refresh == rows[i].self);
        arena_release(&planned.arena);
    }
}

/* Void if and only if gt <= t: so a grant made now lies after the last cutoff, even one set
 * ahead of the clock. */
static void grants_after_the_last_cutoff(void)
{
    static const struct {
        int64_t cutoff_ms, gt_ms;
    } rows[] = {
        {INT64_MIN, NOW_MS},      {0, NOW_MS},
        {NOW_MS - 1, NOW_MS},     {NOW_MS, NOW_MS + 1},
        {NOW_MS + 1, NOW_MS + 2}, {NOW_MS + 3000, NOW_MS + 3001},
    };
    struct ask_mint ask = ask_of("ada");
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct mint_facts facts = {.project = &project, .key = &key, .cutoff_ms = rows[i].cutoff_ms};
        struct planned planned;
        CHECK_NOTE("cutoff %lld", (long long)rows[i].cutoff_ms);
        plan_with(&planned, &facts, &ask, 1);
        CHECK_INT(planned.plan.grant.gt_ms, rows[i].gt_ms);
        CHECK_INT(planned.plan.grant.iat_s, NOW_S); /* the stamp moves, the times do not */
        arena_release(&planned.arena);
    }
}

/* A grant remembers how old its project was; nothing else of it is moved. */
static void carries_the_age_of_its_project(void)
{
    struct fact_project old = project;
    struct mint_facts facts = {.project = &old, .key = &key, .cutoff_ms = INT64_MIN};
    struct ask_mint ask = ask_of("ada");
    struct planned planned;

    for (old.age_ms = 0; old.age_ms <= 7200001; old.age_ms += 7200001) {
        plan_with(&planned, &facts, &ask, 1);
        CHECK_INT(planned.plan.grant.age_ms, old.age_ms);
        CHECK_INT(planned.plan.grant.gt_ms, NOW_MS);
        CHECK_INT(planned.plan.grant.iat_s, NOW_S);
        CHECK_INT(planned.plan.grant.exp_s, NOW_S + 7200);
        arena_release(&planned.arena);
    }
}

static void plans_a_new_user(void)
{
    struct ask_mint ask = ask_of("Ada.L@example.com");
    struct planned planned;
    const struct plan *plan;
    const struct user *user;

    ask.profile.value[PROFILE_FIRST_NAME] = BYTES("Ada");
    ask.has_application = true;
    ask.application = (struct uuid){{9, 9}};
    plan = plan_for(&planned, &ask, NULL);
    CHECK_INT(plan->write_count, 1);
    CHECK_INT(plan->writes[0].kind, WRITE_USER);
    user = &plan->writes[0].user.user;
    CHECK(uuid_equal(&user->project, &project.id));
    CHECK(uuid_equal(&user->address.project, &project.id));
    CHECK_INT(user->kind, USER_SUBSCRIBER);
    CHECK_BYTES(user->reference, ask.reference);
    CHECK_BYTES(user->profile.value[PROFILE_FIRST_NAME], BYTES("Ada"));
    CHECK(bytes_is_absent(user->profile.value[PROFILE_LAST_NAME]));
    CHECK_BYTES(user->address.display_name, ask.reference);
    CHECK_INT(user->address.type, ADDRESS_SUBSCRIBER);
    CHECK_INT(user->created_ms, NOW_MS);
    CHECK_INT(user->updated_ms, NOW_MS);
    CHECK_INT(user->address.created_ms, NOW_MS);
    CHECK(bytes_is_absent(plan->writes[0].user.password_hash));
    CHECK(!uuid_is_zero(&user->id) && !uuid_is_zero(&user->address.id) &&
          !uuid_is_zero(&user->address.resource));
    CHECK(!uuid_equal(&user->id, &user->address.id));
    CHECK(uuid_equal(&plan->grant.project, &project.id));
    CHECK(uuid_equal(&plan->grant.application, &ask.application));
    CHECK_BYTES(plan->grant.parent_key, key.public_id);
    CHECK(!uuid_is_zero(&plan->grant.jti) && !uuid_is_zero(&plan->grant.family));
    CHECK(!uuid_equal(&plan->grant.jti, &plan->grant.family));
    arena_release(&planned.arena);

    ask.profile.value[PROFILE_DISPLAY_NAME] = BYTES("Countess");
    plan = plan_for(&planned, &ask, NULL);
    CHECK_BYTES(plan->writes[0].user.user.address.display_name, BYTES("Countess"));
    arena_release(&planned.arena);
}

/* The slug becomes a path, a URL and a dialling name: only a-z, 0-9, '.', '_' and '-' may come out. */
static void makes_addresses(void)
{
    static const struct {
        const char *reference, *name;
    } rows[] = {
        {"ada", "/private/ada"},
        {"Ada.L@example.com", "/private/ada.l"},
        {"a@b@c", "/private/a"},
        {"@example.com", "/private/user"},
        {"...", "/private/user"},
        {"..", "/private/user"},
        {".hidden", "/private/user"},
        {"../../etc/passwd", "/private/user"},
        {"a/../b", "/private/a-..-b"},
        {"--", "/private/user"},
        {"\xc3\xa4\xc3\xb6", "/private/user"},
        {"\xc3\xa4"
         "da\xc3\xa4",
         "/private/da"},
        {"a b   c", "/private/a-b-c"},
        {"a?channel=audio", "/private/a-channel-audio"},
        {"a%2fb", "/private/a-2fb"},
        {"+49 (30) 1234", "/private/49-30-1234"},
        {"A_B-C.d", "/private/a_b-c.d"},
        {"0123456789012345678901234567890123456789012345678901234567890123456789",
         "/private/0123456789012345678901234567890123456789012345678901234567890123"},
    };
    size_t i, at;

    for (i = 0; i < COUNT(rows); i++) {
        struct ask_mint ask = ask_of(rows[i].reference);
        struct planned planned;
        const struct plan *plan = plan_for(&planned, &ask, NULL);
        struct bytes name = plan->writes[0].user.user.address.name,
                     alt = plan->writes[0].user.address_name_alt;

        CHECK_NOTE("reference \"%s\"", rows[i].reference);
        CHECK_BYTES(name, bytes_of_text(rows[i].name));
        CHECK(name.len <= ADDRESS_NAME_MAX && alt.len <= ADDRESS_NAME_MAX);
        CHECK_INT(alt.len, name.len + 13);
        CHECK(bytes_start_with(alt, name) && alt.ptr[name.len] == '-');
        for (at = name.len + 1; at < alt.len; at++)
            CHECK(strchr("0123456789abcdef", alt.ptr[at]) != NULL);
        arena_release(&planned.arena);
    }
}

static void keeps_addresses_plain_whatever_the_reference(void)
{
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 7);
    uint8_t text[REFERENCE_MAX];
    int round;
    size_t i;

    for (round = 0; round < 2000; round++) {
        struct ask_mint ask = {.reference = bytes_of(text, 1 + (size_t)dice_below(&dice, sizeof text))};
        struct planned planned;
        struct bytes name;

        dice_fill(&dice, text, sizeof text);
        for (i = 0; i < sizeof text; i++)
            if (text[i] < 0x20 || text[i] == 0x7f) text[i] = (uint8_t) "./@-_aZ~"[text[i] & 7];
        if (text[0] == ' ') text[0] = 'x';
        plan_for(&planned, &ask, NULL);
        name = bytes_from(planned.plan.writes[0].user.user.address.name, 9);
        CHECK(name.len >= 1 && name.len <= ADDRESS_SLUG_MAX);
        CHECK(name.ptr[0] != '.' && name.ptr[name.len - 1] != '.');
        for (i = 0; i < name.len; i++)
            CHECK(strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", name.ptr[i]) != NULL);
        arena_release(&planned.arena);
    }
}

static struct user known_user(void)
{
    struct user user = {.id = {{5}}, .project = {{1}}, .kind = USER_SUBSCRIBER, .reference = BYTES("ada")};

    user.profile.value[PROFILE_FIRST_NAME] = BYTES("Ada");
    user.profile.value[PROFILE_COUNTRY] = BYTES("");
    return user;
}

static void writes_for_a_known_user_only_what_is_new(void)
{
    static const struct {
        int field;
        const char *value;
        bool writes;
    } rows[] = {
        {PROFILE_FIRST_NAME, NULL, false}, {PROFILE_FIRST_NAME, "Ada", false},
        {PROFILE_FIRST_NAME, "ada", true}, {PROFILE_FIRST_NAME, "", true},
        {PROFILE_LAST_NAME, "L", true},    {PROFILE_LAST_NAME, NULL, false},
        {PROFILE_COUNTRY, "", false},      {PROFILE_COUNTRY, "UK", true},
    };
    struct user user = known_user();
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct ask_mint ask = ask_of("ada");
        struct planned planned;
        const struct plan *plan;

        CHECK_NOTE("profile row %zu", i);
        ask.profile.value[rows[i].field] = bytes_of_text(rows[i].value);
        plan = plan_for(&planned, &ask, &user);
        CHECK(uuid_equal(&plan->grant.user, &user.id));
        CHECK_INT(plan->write_count, rows[i].writes ? 1 : 0);
        if (rows[i].writes) {
            CHECK_INT(plan->writes[0].kind, WRITE_PROFILE);
            CHECK(uuid_equal(&plan->writes[0].profile.user, &user.id));
            CHECK(uuid_equal(&plan->writes[0].profile.project, &project.id));
            CHECK_BYTES(plan->writes[0].profile.profile.value[rows[i].field], bytes_of_text(rows[i].value));
            CHECK(bytes_is_absent(plan->writes[0].profile.password_hash));
            CHECK_INT(plan->writes[0].profile.now_ms, NOW_MS);
        }
        arena_release(&planned.arena);
    }
}

static void writes_a_password(void)
{
    static const uint8_t hash[PASSWORD_HASH_LEN] = {1, 2, 3};
    struct user user = known_user();
    struct mint_facts facts = {.project = &project,
                               .key = &key,
                               .user = &user,
                               .password_hash = {hash, sizeof hash},
                               .cutoff_ms = INT64_MIN};
    struct ask_mint ask = ask_of("ada");
    struct planned planned;

    plan_with(&planned, &facts, &ask, 1);
    CHECK_INT(planned.plan.write_count, 1);
    CHECK_BYTES(planned.plan.writes[0].profile.password_hash, facts.password_hash);
    arena_release(&planned.arena);
    facts.user = NULL;
    plan_with(&planned, &facts, &ask, 1);
    CHECK_BYTES(planned.plan.writes[0].user.password_hash, facts.password_hash);
    arena_release(&planned.arena);
}

static void settles_by_what_the_store_says(void)
{
    struct user user = known_user(), other = {.id = {{6}}, .project = {{1}}};
    struct ask_mint ask = ask_of("ada");
    struct planned planned;
    struct decision decision;
    struct row row = {.state = ROW_ABSENT, .user = other};

    ask.profile.value[PROFILE_FIRST_NAME] = BYTES("new");
    plan_for(&planned, &ask, &user);
    mint_settle(&decision, &planned.plan, &row);
    CHECK_INT(decision.refused.refusal, REFUSAL_USER_GONE);
    CHECK(!decision.has_user);
    row.state = ROW_WRITTEN;
    row.user = user;
    mint_settle(&decision, &planned.plan, &row);
    CHECK_INT(decision.refused.refusal, REFUSAL_NONE);
    CHECK(decision.has_user && uuid_equal(&decision.grant.user, &user.id));
    arena_release(&planned.arena);

    plan_for(&planned, &ask, NULL); /* unknown here, but somebody else has created the user meanwhile */
    row.state = ROW_EXISTS;
    row.user = other;
    mint_settle(&decision, &planned.plan, &row);
    CHECK_INT(decision.refused.refusal, REFUSAL_NONE);
    CHECK(decision.has_user && uuid_equal(&decision.user.id, &other.id));
    CHECK(uuid_equal(&decision.grant.user, &other.id));
    CHECK(uuid_equal(&decision.grant.jti, &planned.plan.grant.jti));
    arena_release(&planned.arena);

    ask = ask_of("ada");
    plan_for(&planned, &ask, &user); /* nothing new: settled without a store */
    mint_settle(&decision, &planned.plan, NULL);
    CHECK_INT(decision.refused.refusal, REFUSAL_NONE);
    CHECK(!decision.has_user && uuid_equal(&decision.grant.user, &user.id));
    arena_release(&planned.arena);
}

static bool same_plan(const struct plan *a, const struct plan *b)
{
    const struct write *left = &a->writes[0], *right = &b->writes[0];

    return uuid_equal(&a->grant.jti, &b->grant.jti) && uuid_equal(&a->grant.family, &b->grant.family) &&
           a->grant.gt_ms == b->grant.gt_ms && a->grant.exp_s == b->grant.exp_s &&
           a->write_count == b->write_count && uuid_equal(&left->user.user.id, &right->user.user.id) &&
           uuid_equal(&left->user.user.address.id, &right->user.user.address.id) &&
           uuid_equal(&left->user.user.address.resource, &right->user.user.address.resource) &&
           bytes_equal(left->user.address_name_alt, right->user.address_name_alt);
}

static void is_pure(void)
{
    struct mint_facts facts = {.project = &project, .key = &key, .cutoff_ms = INT64_MIN};
    struct ask_mint ask = ask_of("ada");
    struct planned a, b, c;

    plan_with(&a, &facts, &ask, 42);
    plan_with(&b, &facts, &ask, 42);
    plan_with(&c, &facts, &ask, 43);
    CHECK(same_plan(&a.plan, &b.plan));
    CHECK(!same_plan(&a.plan, &c.plan));
    arena_release(&a.arena);
    arena_release(&b.arena);
    arena_release(&c.arena);
}

static void says_when_there_is_no_memory(void)
{
    struct mint_facts facts = {.project = &project, .key = &key, .cutoff_ms = INT64_MIN};
    struct ask_mint ask = ask_of("ada");
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 1);
    struct arena tiny;
    struct plan plan;

    arena_init(&tiny, 16);
    CHECK_INT(mint_plan(&plan, &tiny, &facts, &ask, NOW_MS, &dice), ERR_NO_MEMORY);
    arena_release(&tiny);
}

int main(void)
{
    CHECK_RUN(refuses_keys_that_may_not_mint);
    CHECK_RUN(refuses_references);
    CHECK_RUN(refuses_expiries);
    CHECK_RUN(refuses_fingerprints);
    CHECK_RUN(refuses_passwords_and_profiles);
    CHECK_RUN(times_a_grant);
    CHECK_RUN(grants_after_the_last_cutoff);
    CHECK_RUN(carries_the_age_of_its_project);
    CHECK_RUN(plans_a_new_user);
    CHECK_RUN(makes_addresses);
    CHECK_RUN(keeps_addresses_plain_whatever_the_reference);
    CHECK_RUN(writes_for_a_known_user_only_what_is_new);
    CHECK_RUN(writes_a_password);
    CHECK_RUN(settles_by_what_the_store_says);
    CHECK_RUN(is_pure);
    CHECK_RUN(says_when_there_is_no_memory);
    return CHECK_END();
}
