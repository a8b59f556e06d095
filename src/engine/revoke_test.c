#include "engine/revoke.h"

#include "harness/check.h"

#define ID "00000000-0000-4000-8000-000000000001"

static const struct uuid project = {{0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}};

static void refuses_names_of_another_kind(void)
{
    static const struct {
        enum cutoff_of of;
        const char *text;
    } rows[] = {
        {CUTOFF_USER, ""},
        {CUTOFF_USER, "ada"},
        {CUTOFF_USER, "00000000-0000-0000-0000-000000000000"},
        {CUTOFF_FAMILY, "PT0123456789abcdef"},
        {CUTOFF_RESOURCE, ID "0"},
        {CUTOFF_PROJECT, "00000000-0000-4000-8000-000000000002"}, /* not the project it is asked in */
        {CUTOFF_KEY, ""},
        {CUTOFF_KEY, "PT' OR 1=1"},
        {CUTOFF_KEY, "PT0123456789abcdefPT0123456789abcdef"},
    };
    uint8_t room[KEY_PUBLIC_ID_MAX];
    struct cutoff cutoff;
    enum cutoff_of of;
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_NOTE("%s", rows[i].text);
        CHECK(!cutoff_name_read(&cutoff, room, rows[i].of, &project, bytes_of_text(rows[i].text)));
    }
    CHECK(!cutoff_of_read(&of, BYTES("users")) && !cutoff_of_read(&of, BYTES_NONE));
}

static void reads_every_kind_of_name(void)
{
    uint8_t room[KEY_PUBLIC_ID_MAX];
    struct cutoff cutoff;
    enum cutoff_of of, read;

    for (of = CUTOFF_PROJECT; of <= CUTOFF_RESOURCE; of++) {
        struct bytes text = of == CUTOFF_KEY ? BYTES("PT0123456789abcdef") : BYTES(ID);
        CHECK(cutoff_of_read(&read, bytes_of_text(cutoff_of_text(of))) && read == of);
        CHECK(cutoff_name_read(&cutoff, room, of, &project, text));
        CHECK(cutoff.of == of && uuid_equal(&cutoff.project, &project));
        CHECK_BYTES(cutoff.id, of == CUTOFF_KEY ? text : uuid_bytes(&project));
    }
}

static void refuses_keys_that_the_project_does_not_have(void)
{
    const struct fact_key keys[] = {
        {.public_id = {.ptr = (const uint8_t *)"PTaa", .len = 4}, .project = project},
        {.public_id = {.ptr = (const uint8_t *)"PTbb", .len = 4}},
        {.public_id = {.ptr = (const uint8_t *)"PTcc", .len = 4}, .project = project, .is_retired = true}};
    const struct facts facts = {.keys = keys, .key_count = 3};
    const struct {
        enum cutoff_of of;
        struct bytes id;
        bool is_refused;
    } rows[] = {{CUTOFF_KEY, BYTES("PTxx"), true},       {CUTOFF_KEY, BYTES("PTbb"), true},
                {CUTOFF_KEY, BYTES("PTa"), true},        {CUTOFF_KEY, BYTES("PTaa"), false},
                {CUTOFF_KEY, BYTES("PTcc"), false},      {CUTOFF_USER, BYTES("PTxx"), false},
                {CUTOFF_RESOURCE, BYTES("PTxx"), false}, {CUTOFF_FAMILY, BYTES("PTxx"), false}};
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct cutoff cutoff = {rows[i].of, project, rows[i].id, 0};
        CHECK_NOTE("row %zu", i);
        CHECK(!revoke_refused(&facts, &cutoff) == !rows[i].is_refused);
    }
}

static void the_store_assigns_the_moment(void)
{
    const struct cutoff asked = {CUTOFF_USER, project, BYTES("0123456789abcdef"), 5};
    struct row row = {.state = ROW_ABSENT};
    struct cutoff cutoff;
    struct plan plan;

    revoke_plan(&plan, &asked, 1000);
    CHECK(plan.write_count == 1 && plan.writes[0].kind == WRITE_CUTOFF && !plan.refused.refusal);
    CHECK_INT(plan.writes[0].cutoff.now_ms, 1000);
    CHECK_INT(revoke_settle(&cutoff, &plan, &row).refusal, REFUSAL_NOT_FOUND);
    row = (struct row){.state = ROW_WRITTEN, .t_ms = 4000};
    CHECK_INT(revoke_settle(&cutoff, &plan, &row).refusal, REFUSAL_NONE);
    CHECK(cutoff.t_ms == 4000 && cutoff.of == CUTOFF_USER && bytes_equal(cutoff.id, asked.id));
}

int main(void)
{
    CHECK_RUN(refuses_names_of_another_kind);
    CHECK_RUN(refuses_keys_that_the_project_does_not_have);
    CHECK_RUN(reads_every_kind_of_name);
    CHECK_RUN(the_store_assigns_the_moment);
    return CHECK_END();
}
