#include "engine/facts.h"

#include "harness/check.h"

#define TEXT(literal) bytes_of(literal, sizeof(literal) - 1)
#define COUNT(list)   (sizeof(list) / sizeof(list)[0])

static struct uuid id_of(uint8_t first, uint8_t last)
{
    return (struct uuid){.byte = {[0] = first, [15] = last}};
}

struct world {
    struct fact_project projects[3];
    struct fact_key keys[4];
    struct address addresses[5];
    struct bytes origins[3], test_origins[1];
    struct facts facts;
};

/* Filled in an order that no look-up could use; then sorted. */
static void world_build(struct world *w)
{
    static const struct bytes shop[] = {{(const uint8_t *)"https://shop.example", 20},
                                        {(const uint8_t *)"https://a.example", 17}};
    *w = (struct world){
        .projects = {{.id = id_of(9, 1), .origins = shop, .origin_count = 2},
                     {.id = id_of(1, 9)},
                     {.id = id_of(1, 2)}},
        .keys = {{.public_id = TEXT("PTbb")},
                 {.public_id = TEXT("cli_9")},
                 {.public_id = TEXT("PTb")},
                 {.public_id = TEXT("PTa\0b")}},
        .addresses = {{.project = id_of(9, 1), .name = TEXT("/public/b")},
                      {.project = id_of(1, 2), .name = TEXT("/public/b"), .created_ms = 7},
                      {.project = id_of(9, 1), .name = TEXT("/public/a")},
                      {.project = id_of(1, 2), .name = TEXT("/public/")},
                      {.project = id_of(1, 9), .name = TEXT("/private/b")}},
        .origins = {TEXT("null"), shop[0], shop[1]},
        .test_origins = {TEXT("null")},
    };
    facts_sort(w->projects, COUNT(w->projects), w->keys, COUNT(w->keys), w->addresses, COUNT(w->addresses),
               w->origins, COUNT(w->origins));
    facts_sort(NULL, 0, NULL, 0, NULL, 0, w->test_origins, COUNT(w->test_origins));
    w->facts = (struct facts){.projects = w->projects,
                              .project_count = COUNT(w->projects),
                              .keys = w->keys,
                              .key_count = COUNT(w->keys),
                              .addresses = w->addresses,
                              .address_count = COUNT(w->addresses),
                              .origins = w->origins,
                              .origin_count = COUNT(w->origins),
                              .test_origins = w->test_origins,
                              .test_origin_count = COUNT(w->test_origins)};
}

static void finds_nothing_in_empty_facts(void)
{
    struct facts none = {0};
    struct fact_project bare = {0};
    struct uuid id = id_of(1, 2);
    CHECK(facts_project(&none, &id) == NULL);
    CHECK(facts_key(&none, TEXT("PTb")) == NULL);
    CHECK(facts_address(&none, &id, TEXT("/public/b")) == NULL);
    CHECK(!facts_any_lists(&none, TEXT("null")));
    CHECK(!facts_any_test_lists(&none, TEXT("null")));
    CHECK(!facts_project_lists(&bare, TEXT("null")));
    facts_sort(NULL, 0, NULL, 0, NULL, 0, NULL, 0);
}

static void finds_nothing_that_is_only_near(void)
{
    struct world w;
    struct uuid id = id_of(1, 3), project = id_of(1, 9);
    static const struct bytes keys[] = {{(const uint8_t *)"PT", 2},
                                        {(const uint8_t *)"PTbbb", 5},
                                        {(const uint8_t *)"PTa", 3},
                                        {(const uint8_t *)"ptb", 3},
                                        {NULL, 0}};
    world_build(&w);
    CHECK(facts_project(&w.facts, &id) == NULL);
    for (size_t i = 0; i < COUNT(keys); i++) {
        CHECK_NOTE("key %zu", i);
        CHECK(facts_key(&w.facts, keys[i]) == NULL);
    }
    CHECK(facts_address(&w.facts, &project, TEXT("/public/b")) == NULL); /* another project's */
    CHECK(facts_address(&w.facts, &id, TEXT("/public/b")) == NULL);
    CHECK(!facts_any_lists(&w.facts, TEXT("https://shop.example.evil")));
    CHECK(!facts_any_lists(&w.facts, TEXT("HTTPS://shop.example")));
    CHECK(!facts_any_test_lists(&w.facts, TEXT("https://shop.example")));
}

static void finds_each_thing(void)
{
    struct world w;
    world_build(&w);
    for (size_t i = 0; i < COUNT(w.projects); i++)
        CHECK(facts_project(&w.facts, &w.projects[i].id) == &w.projects[i]);
    for (size_t i = 0; i < COUNT(w.keys); i++)
        CHECK(facts_key(&w.facts, w.keys[i].public_id) == &w.keys[i]);
    for (size_t i = 0; i < COUNT(w.addresses); i++)
        CHECK(facts_address(&w.facts, &w.addresses[i].project, w.addresses[i].name) == &w.addresses[i]);
    for (size_t i = 0; i < COUNT(w.origins); i++)
        CHECK(facts_any_lists(&w.facts, w.origins[i]));
    CHECK(facts_any_test_lists(&w.facts, TEXT("null")));
    struct uuid shop = id_of(9, 1), other = id_of(1, 2);
    CHECK(facts_project_lists(facts_project(&w.facts, &shop), TEXT("https://a.example")));
    CHECK(!facts_project_lists(facts_project(&w.facts, &other), TEXT("https://a.example")));
    CHECK_INT(facts_address(&w.facts, &other, TEXT("/public/b"))->created_ms, 7);
}

static void names_profile_and_address_types(void)
{
    CHECK(strcmp(profile_member(PROFILE_FIRST_NAME), "first_name") == 0);
    CHECK(strcmp(profile_member(PROFILE_COMPANY_NAME), "company_name") == 0);
    for (int i = 0; i < PROFILE_COUNT; i++)
        CHECK(profile_member((enum profile_field)i) != NULL);
    CHECK(strcmp(address_type_text(ADDRESS_APP), "app") == 0);
    CHECK(strcmp(address_type_text(ADDRESS_CALL), "call") == 0);
    CHECK(strcmp(address_type_text(ADDRESS_ROOM), "room") == 0);
    CHECK(strcmp(address_type_text(ADDRESS_SUBSCRIBER), "subscriber") == 0);
    CHECK(strcmp(address_type_text((enum address_type)0), "") == 0);
}

static void patterns_are_for_test_projects(void)
{
    static const struct bytes list[] = {{(const uint8_t *)"http://localhost:*", 18},
                                        {(const uint8_t *)"https://a.test", 14}};
    struct fact_project test = {.is_test = true, .origins = list, .origin_count = 2};
    struct fact_project live = {.is_test = false, .origins = list, .origin_count = 2};
    struct facts facts = {.origins = list, .origin_count = 2, .test_origins = list, .test_origin_count = 1};
    static const struct {
        const char *origin;
        bool in_test, in_live;
    } rows[] = {
        {"http://localhost:3000", true, false},
        {"http://localhost", true, false},
        {"https://a.test", true, true},
        {"https://localhost:3000", false, false},
        {"http://localhost.evil.test:3000", false, false},
        {"http://evil.test:80", false, false},
        {"http://localhost:3000/", false, false},
        {"http://localhost:", false, false},
        {"http://localhost:*", false, false},
        {"null", false, false},
        {"https://a.test:443", false, false},
        {"://:1", false, false},
        {"", false, false},
        {"http://", false, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes origin = bytes_of_text(rows[i].origin);
        CHECK_NOTE("%s", rows[i].origin);
        CHECK(facts_project_lists(&test, origin) == rows[i].in_test);
        CHECK(facts_project_lists(&live, origin) == rows[i].in_live);
        CHECK(facts_any_lists(&facts, origin) == rows[i].in_test);
    }
}

int main(void)
{
    CHECK_RUN(finds_nothing_in_empty_facts);
    CHECK_RUN(finds_nothing_that_is_only_near);
    CHECK_RUN(finds_each_thing);
    CHECK_RUN(names_profile_and_address_types);
    CHECK_RUN(patterns_are_for_test_projects);
    return CHECK_END();
}
