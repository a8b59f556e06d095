#include "engine/user.h"

#include "engine/limits.h"
#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define NOW_MS      INT64_C(1767225600321)

static const struct fact_project project = {.id = {{1}}};
static const struct user ada = {.id = {{7}},
                                .project = {{1}},
                                .kind = USER_SUBSCRIBER,
                                .reference = {(const uint8_t *)"ada@example.com", 15},
                                .created_ms = 5};
static char long_text[300];

static struct ask_user ask_of(enum object_step step, const char *email)
{
    return (struct ask_user){.step = step, .reference = bytes_of_text(email)};
}

static void refuses_keys_that_may_not_mint(void)
{
    struct fact_key key = {.permissions = PERMISSION_ALL & ~PERMISSIONS_TO_MINT};
    struct ask_user ask = ask_of(OBJECT_CREATE, "");
    enum object_step step;

    for (step = OBJECT_READ; step <= OBJECT_DELETE; step++) {
        ask.step = step;
        CHECK_INT(user_check(&ask, &key).refusal, REFUSAL_KEY_PERMISSION);
    }
    key.permissions = PERMISSION_FAX;
    ask.step = OBJECT_READ;
    CHECK_INT(user_check(&ask, &key).refusal, REFUSAL_NONE);
}

static void refuses_members(void)
{
    static const struct fact_key key = {.permissions = PERMISSION_CALLING};
    static const struct {
        struct bytes email, password, first_name;
        enum refusal refusal;
        enum ask_field field;
    } rows[] = {
        {BYTES_NONE, BYTES_NONE, BYTES_NONE, REFUSAL_PARAMETER_MISSING, FIELD_EMAIL},
        {{(const uint8_t *)" \t", 2}, BYTES_NONE, BYTES_NONE, REFUSAL_PARAMETER_MISSING, FIELD_EMAIL},
        {{(const uint8_t *)"a\0@b", 4}, BYTES_NONE, BYTES_NONE, REFUSAL_PARAMETER_INVALID, FIELD_EMAIL},
        {{(const uint8_t *)"ada", 3}, BYTES_NONE, BYTES_NONE, REFUSAL_PARAMETER_INVALID, FIELD_EMAIL},
        {{(const uint8_t *)long_text, 256}, BYTES_NONE, BYTES_NONE, REFUSAL_PARAMETER_INVALID, FIELD_EMAIL},
        {{(const uint8_t *)long_text, 255}, BYTES_NONE, BYTES_NONE, REFUSAL_NONE, FIELD_NONE},
        {{(const uint8_t *)"a@b", 3},
         {(const uint8_t *)"", 0},
         BYTES_NONE,
         REFUSAL_PARAMETER_INVALID,
         FIELD_PASSWORD},
        {{(const uint8_t *)"a@b", 3},
         {(const uint8_t *)"1234567", 7},
         BYTES_NONE,
         REFUSAL_PARAMETER_INVALID,
         FIELD_PASSWORD},
        {{(const uint8_t *)"a@b", 3}, {(const uint8_t *)"12345678", 8}, BYTES_NONE, REFUSAL_NONE, FIELD_NONE},
        {{(const uint8_t *)"a@b", 3},
         {(const uint8_t *)long_text, 73},
         BYTES_NONE,
         REFUSAL_PARAMETER_INVALID,
         FIELD_PASSWORD},
        {{(const uint8_t *)"a@b", 3},
         BYTES_NONE,
         {(const uint8_t *)long_text, 256},
         REFUSAL_PARAMETER_INVALID,
         FIELD_PROFILE},
        {{(const uint8_t *)"a@b", 3},
         BYTES_NONE,
         {(const uint8_t *)"\n", 1},
         REFUSAL_PARAMETER_INVALID,
         FIELD_PROFILE},
    };
    size_t i;

    memset(long_text, '@', sizeof long_text);
    for (i = 0; i < COUNT(rows); i++) {
        struct ask_user ask = {
            .step = OBJECT_CREATE, .reference = rows[i].email, .password = rows[i].password};
        struct refused refused;
        ask.profile.value[PROFILE_FIRST_NAME] = rows[i].first_name;
        CHECK_NOTE("row %zu", i);
        refused = user_check(&ask, &key);
        CHECK_INT(refused.refusal, rows[i].refusal);
        CHECK_INT(refused.field, rows[i].field);
        CHECK((refused.because != NULL) == (rows[i].refusal != REFUSAL_NONE));
        ask.step = OBJECT_DELETE; /* which has no members */
        CHECK_INT(user_check(&ask, &key).refusal, REFUSAL_NONE);
    }
}

struct planned {
    struct plan plan;
    struct arena arena;
};

static void plan(struct planned *out, const struct ask_user *ask, const struct user *user)
{
    struct user_facts facts = {.project = &project, .user = user};
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 1);

    arena_init(&out->arena, 4096);
    CHECK_INT(user_plan(&out->plan, &out->arena, &facts, ask, NOW_MS, &dice), ERR_OK);
}

static enum refusal settle(struct decision *out, const struct planned *planned, const struct user *user,
                           struct row *rows)
{
    struct user_facts facts = {.project = &project, .user = user};

    user_settle(out, &planned->plan, &facts, rows);
    return out->refused.refusal;
}

static void finds_nobody(void)
{
    static const struct user visitor = {.id = {{8}}, .kind = USER_PARTICIPANT};
    const struct user *const nobody[] = {NULL, &visitor};
    enum object_step step;
    size_t i;

    for (i = 0; i < COUNT(nobody); i++)
        for (step = OBJECT_READ; step <= OBJECT_DELETE; step++) {
            struct ask_user ask = ask_of(step, "a@b");
            struct planned planned;
            struct decision decision;
            if (step == OBJECT_CREATE) continue;
            plan(&planned, &ask, nobody[i]);
            CHECK_INT(planned.plan.refused.refusal, REFUSAL_NOT_FOUND);
            CHECK_INT(planned.plan.write_count, 0);
            CHECK_INT(settle(&decision, &planned, nobody[i], NULL), REFUSAL_NOT_FOUND);
            CHECK(!decision.has_user);
            arena_release(&planned.arena);
        }
}

static void makes_one(void)
{
    struct ask_user ask = ask_of(OBJECT_CREATE, "Ada@example.com");
    struct row row = {.state = ROW_EXISTS, .user = ada};
    struct planned planned;
    struct decision decision;
    const struct write *write;

    plan(&planned, &ask, NULL);
    write = &planned.plan.writes[0];
    CHECK_INT(planned.plan.write_count, 1);
    CHECK_INT(write->kind, WRITE_USER);
    CHECK_BYTES(write->user.user.address.name, BYTES("/private/ada"));
    CHECK(bytes_start_with(write->user.address_name_alt, BYTES("/private/ada-")));
    CHECK_INT(write->user.user.kind, USER_SUBSCRIBER);
    CHECK_INT(settle(&decision, &planned, NULL, &row), REFUSAL_PARAMETER_TAKEN);
    CHECK(!decision.has_user);
    row.state = ROW_WRITTEN;
    CHECK_INT(settle(&decision, &planned, NULL, &row), REFUSAL_NONE);
    CHECK(decision.has_user && uuid_equal(&decision.user.id, &ada.id));
    arena_release(&planned.arena);
}

static void changes_one(void)
{
    struct ask_user ask = ask_of(OBJECT_UPDATE, "eve@example.com");
    struct row row = {.state = ROW_ABSENT};
    struct planned planned;
    struct decision decision;

    plan(&planned, &ask, &ada);
    CHECK_INT(planned.plan.refused.refusal, REFUSAL_PARAMETER_INVALID);
    CHECK_INT(planned.plan.refused.field, FIELD_EMAIL);
    CHECK_INT(planned.plan.write_count, 0);
    arena_release(&planned.arena);
    ask = ask_of(OBJECT_UPDATE, "ada@example.com");
    ask.profile.value[PROFILE_COUNTRY] = BYTES("GB");
    plan(&planned, &ask, &ada);
    CHECK_INT(planned.plan.writes[0].kind, WRITE_PROFILE);
    CHECK(uuid_equal(&planned.plan.writes[0].profile.user, &ada.id));
    CHECK(bytes_is_absent(planned.plan.writes[0].profile.profile.value[PROFILE_FIRST_NAME]));
    CHECK_INT(settle(&decision, &planned, &ada, &row), REFUSAL_NOT_FOUND);
    row = (struct row){.state = ROW_WRITTEN, .user = ada};
    CHECK_INT(settle(&decision, &planned, &ada, &row), REFUSAL_NONE);
    CHECK(decision.has_user);
    arena_release(&planned.arena);
}

static void removes_one_and_voids_what_it_had(void)
{
    struct ask_user ask = ask_of(OBJECT_DELETE, NULL);
    struct row rows[2] = {{.state = ROW_ABSENT}, {.state = ROW_SKIPPED}};
    struct planned planned;
    struct decision decision;
    const struct write *writes;

    plan(&planned, &ask, &ada);
    writes = planned.plan.writes;
    CHECK_INT(planned.plan.write_count, 2);
    CHECK_INT(writes[0].kind, WRITE_USER_GONE);
    CHECK(writes[0].is_gate);
    CHECK_INT(writes[1].kind, WRITE_CUTOFF);
    CHECK_INT(writes[1].cutoff.cutoff.of, CUTOFF_USER);
    CHECK_BYTES(writes[1].cutoff.cutoff.id, uuid_bytes(&ada.id));
    CHECK_INT(writes[1].cutoff.keep_s, CUTOFF_KEEP_S);
    CHECK_INT(settle(&decision, &planned, &ada, rows), REFUSAL_NOT_FOUND);
    rows[0].state = rows[1].state = ROW_WRITTEN;
    CHECK_INT(settle(&decision, &planned, &ada, rows), REFUSAL_NONE);
    CHECK(!decision.has_user);
    arena_release(&planned.arena);
}

static void reads_one_without_a_write(void)
{
    struct ask_user ask = ask_of(OBJECT_READ, NULL);
    struct planned planned;
    struct decision decision;

    plan(&planned, &ask, &ada);
    CHECK_INT(planned.plan.write_count, 0);
    CHECK_INT(settle(&decision, &planned, &ada, NULL), REFUSAL_NONE);
    CHECK(decision.has_user && uuid_equal(&decision.user.id, &ada.id));
    arena_release(&planned.arena);
}

int main(void)
{
    CHECK_RUN(refuses_keys_that_may_not_mint);
    CHECK_RUN(refuses_members);
    CHECK_RUN(finds_nobody);
    CHECK_RUN(makes_one);
    CHECK_RUN(changes_one);
    CHECK_RUN(removes_one_and_voids_what_it_had);
    CHECK_RUN(reads_one_without_a_write);
    return CHECK_END();
}
