#include "engine/resource.h"

#include "engine/limits.h"
#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define NOW_MS      INT64_C(1767225600321)

static const struct fact_project project = {.id = {{1}}};
static const struct resource desk = {.id = {{5}},
                                     .project = {{1}},
                                     .type = ADDRESS_CALL,
                                     .name = {(const uint8_t *)"desk", 4},
                                     .display_name = {(const uint8_t *)"Desk", 4},
                                     .created_ms = 3,
                                     .updated_ms = 4};

static void refuses_names_and_addresses(void)
{
    static char long_text[256];
    const struct {
        struct bytes name, display_name, address;
        enum refusal refusal;
    } rows[] = {
        {BYTES_NONE, BYTES_NONE, BYTES_NONE, REFUSAL_PARAMETER_MISSING},
        {BYTES(" "), BYTES_NONE, BYTES_NONE, REFUSAL_PARAMETER_MISSING},
        {bytes_of(long_text, 101), BYTES_NONE, BYTES_NONE, REFUSAL_PARAMETER_INVALID},
        {bytes_of(long_text, 100), bytes_of(long_text, 256), BYTES_NONE, REFUSAL_PARAMETER_INVALID},
        {BYTES("a\n"), BYTES_NONE, BYTES_NONE, REFUSAL_PARAMETER_INVALID},
        {BYTES("a"), BYTES("\x01"), BYTES_NONE, REFUSAL_PARAMETER_INVALID},
        {BYTES("a"), BYTES_NONE, BYTES("a"), REFUSAL_PARAMETER_INVALID},
        {BYTES("a"), BYTES_NONE, BYTES(""), REFUSAL_PARAMETER_INVALID},
        {BYTES("a"), BYTES_NONE, BYTES("/public/a"), REFUSAL_NONE},
        {bytes_of(long_text, 100), bytes_of(long_text, 255), BYTES_NONE, REFUSAL_NONE},
    };
    size_t i;

    memset(long_text, 'x', sizeof long_text);
    for (i = 0; i < COUNT(rows); i++) {
        struct ask_resource ask = {
            .step = OBJECT_CREATE, .name = rows[i].name, .display_name = rows[i].display_name};
        CHECK_NOTE("row %zu", i);
        CHECK_INT(resource_check(&ask, rows[i].address).refusal, rows[i].refusal);
        ask.step = OBJECT_DELETE;
        CHECK_INT(resource_check(&ask, BYTES_NONE).refusal, REFUSAL_NONE);
    }
}

struct planned {
    struct plan plan;
    struct arena arena;
};

static void plan(struct planned *out, const struct ask_resource *ask, const struct resource_facts *facts)
{
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 1);

    arena_init(&out->arena, 4096);
    CHECK_INT(resource_plan(&out->plan, &out->arena, facts, ask, NOW_MS, &dice), ERR_OK);
}

static enum refusal settle(struct resource *out, const struct planned *planned,
                           const struct resource_facts *facts, const struct row *rows)
{
    struct refused refused;

    resource_settle(&refused, out, &planned->plan, facts, rows);
    CHECK(!refused.refusal || uuid_is_zero(&out->id));
    return refused.refusal;
}

static void finds_nothing(void)
{
    static const enum object_step steps[] = {OBJECT_READ, OBJECT_UPDATE, OBJECT_DELETE};
    struct resource_facts facts = {.project = &project};
    size_t i;

    for (i = 0; i < COUNT(steps); i++) {
        struct ask_resource ask = {.step = steps[i]};
        struct planned planned;
        struct resource resource;
        plan(&planned, &ask, &facts);
        CHECK_INT(planned.plan.write_count, 0);
        CHECK_INT(settle(&resource, &planned, &facts, NULL), REFUSAL_NOT_FOUND);
        arena_release(&planned.arena);
    }
}

static void makes_a_button_with_all_that_is_its(void)
{
    struct fact_key key = {.kind = KEY_CLICK_TO_CALL, .public_id = BYTES("c2c_1")};
    struct write fresh = {.kind = WRITE_USER};
    struct resource_facts facts = {.project = &project,
                                   .address = BYTES("/public/desk"),
                                   .user = {{9}},
                                   .fresh_user = &fresh,
                                   .click_key = &key};
    struct ask_resource ask = {.step = OBJECT_CREATE, .type = ADDRESS_CALL, .name = BYTES("Desk")};
    struct row rows[4] = {
        {.state = ROW_WRITTEN}, {.state = ROW_WRITTEN}, {.state = ROW_WRITTEN}, {.state = ROW_WRITTEN}};
    struct planned planned;
    const struct write *writes;
    struct resource resource;

    plan(&planned, &ask, &facts);
    writes = planned.plan.writes;
    CHECK_INT(planned.plan.write_count, 4);
    CHECK_INT(writes[0].kind, WRITE_RESOURCE);
    CHECK_BYTES(writes[0].resource.display_name, BYTES("Desk"));
    CHECK(uuid_equal(&writes[0].resource.user, &facts.user));
    CHECK_INT(writes[1].kind, WRITE_ADDRESS);
    CHECK_BYTES(writes[1].address.name, BYTES("/public/desk"));
    CHECK(uuid_equal(&writes[1].address.resource, &writes[0].resource.id));
    CHECK_INT(writes[2].kind, WRITE_KEY);
    CHECK(uuid_equal(&writes[2].key.resource, &writes[0].resource.id));
    CHECK_INT(writes[3].kind, WRITE_USER);
    CHECK(writes[1].is_gate && writes[2].is_gate && writes[3].is_gate);
    CHECK_INT(settle(&resource, &planned, &facts, rows), REFUSAL_NONE);
    CHECK(uuid_equal(&resource.id, &writes[0].resource.id));
    rows[3].state = ROW_EXISTS;
    CHECK_INT(settle(&resource, &planned, &facts, rows), REFUSAL_NOT_FOUND);
    rows[1].state = ROW_EXISTS;
    CHECK_INT(settle(&resource, &planned, &facts, rows), REFUSAL_PARAMETER_TAKEN);
    arena_release(&planned.arena);
}

static void names_a_rooms_address(void)
{
    static const struct {
        const char *name, *address;
    } rows[] = {{"Board Room", "/public/board-room"}, {"!!!", "/public/room"}};
    struct resource_facts facts = {.project = &project};
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct ask_resource ask = {
            .step = OBJECT_CREATE, .type = ADDRESS_ROOM, .name = bytes_of_text(rows[i].name)};
        struct planned planned;
        plan(&planned, &ask, &facts);
        CHECK_INT(planned.plan.write_count, 2);
        CHECK_BYTES(planned.plan.writes[1].address.name, bytes_of_text(rows[i].address));
        arena_release(&planned.arena);
    }
}

static void switches_and_removes(void)
{
    struct resource_facts facts = {.project = &project, .resource = &desk};
    struct ask_resource ask = {.step = OBJECT_UPDATE, .is_disabled = true};
    struct row rows[2] = {{.state = ROW_WRITTEN}, {.state = ROW_WRITTEN}};
    struct planned planned;
    struct resource resource;

    plan(&planned, &ask, &facts);
    CHECK_INT(planned.plan.write_count, 1);
    CHECK_INT(settle(&resource, &planned, &facts, rows), REFUSAL_NONE);
    CHECK(resource.is_disabled);
    CHECK_BYTES(resource.name, desk.name);
    CHECK_INT(resource.updated_ms, NOW_MS);
    CHECK_INT(planned.plan.writes[0].if_updated_ms, desk.updated_ms);
    rows[0].state = ROW_EXISTS;
    CHECK_INT(settle(&resource, &planned, &facts, rows), REFUSAL_NOT_FOUND);
    arena_release(&planned.arena);

    ask = (struct ask_resource){.step = OBJECT_UPDATE, .has_budget = true, .part = BUDGET_DAY, .most = 500};
    rows[0].state = ROW_WRITTEN;
    plan(&planned, &ask, &facts);
    CHECK_INT(settle(&resource, &planned, &facts, rows), REFUSAL_NONE);
    CHECK_INT(resource.budget[BUDGET_DAY], 500);
    CHECK_INT(resource.budget[BUDGET_HOUR], 0);
    arena_release(&planned.arena);

    ask = (struct ask_resource){.step = OBJECT_DELETE};
    plan(&planned, &ask, &facts);
    CHECK_INT(planned.plan.write_count, 2);
    CHECK_INT(planned.plan.writes[0].kind, WRITE_RESOURCE_GONE);
    CHECK(planned.plan.writes[0].is_gate);
    CHECK_INT(planned.plan.writes[1].cutoff.cutoff.of, CUTOFF_RESOURCE);
    CHECK_BYTES(planned.plan.writes[1].cutoff.cutoff.id, uuid_bytes(&desk.id));
    rows[0].state = ROW_ABSENT;
    CHECK_INT(settle(&resource, &planned, &facts, rows), REFUSAL_NOT_FOUND);
    rows[0].state = ROW_WRITTEN;
    CHECK_INT(settle(&resource, &planned, &facts, rows), REFUSAL_NONE);
    arena_release(&planned.arena);

    ask.step = OBJECT_READ;
    plan(&planned, &ask, &facts);
    CHECK_INT(planned.plan.write_count, 0);
    CHECK_INT(settle(&resource, &planned, &facts, NULL), REFUSAL_NONE);
    CHECK(uuid_equal(&resource.id, &desk.id));
    arena_release(&planned.arena);
}

static void fails_without_memory(void)
{
    struct resource_facts facts = {.project = &project};
    struct ask_resource ask = {.step = OBJECT_CREATE, .type = ADDRESS_ROOM, .name = BYTES("a")};
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 1);
    struct arena arena;
    struct plan out;

    arena_init(&arena, 4);
    CHECK_INT(resource_plan(&out, &arena, &facts, &ask, NOW_MS, &dice), ERR_NO_MEMORY);
    arena_release(&arena);
}

int main(void)
{
    CHECK_RUN(refuses_names_and_addresses);
    CHECK_RUN(finds_nothing);
    CHECK_RUN(makes_a_button_with_all_that_is_its);
    CHECK_RUN(names_a_rooms_address);
    CHECK_RUN(switches_and_removes);
    CHECK_RUN(fails_without_memory);
    return CHECK_END();
}
