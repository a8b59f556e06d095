#include "engine/facts.h"

#include <stdlib.h>
#include <string.h>

const char *profile_member(enum profile_field field)
{
    static const char *const members[PROFILE_COUNT] = {
#define PROFILE_ROW(name, member) [PROFILE_##name] = (member),
#include "engine/profile.def"
#undef PROFILE_ROW
    };
    return members[field];
}

const char *address_type_text(enum address_type type)
{
    switch (type) {
    case ADDRESS_APP:
        return "app";
    case ADDRESS_CALL:
        return "call";
    case ADDRESS_ROOM:
        return "room";
    case ADDRESS_SUBSCRIBER:
        return "subscriber";
    }
    return "";
}

static int uuid_order(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->byte, b->byte, sizeof a->byte);
}

static int project_order(const void *a, const void *b)
{
    return uuid_order(&((const struct fact_project *)a)->id, &((const struct fact_project *)b)->id);
}

static int key_order(const void *a, const void *b)
{
    return bytes_compare(((const struct fact_key *)a)->public_id, ((const struct fact_key *)b)->public_id);
}

static int address_order(const void *a, const void *b)
{
    const struct address *left = a, *right = b;
    int order = uuid_order(&left->project, &right->project);
    return order != 0 ? order : bytes_compare(left->name, right->name);
}

static int origin_order(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* bsearch and qsort must not be given NULL, not even with a count of 0 (C11 7.22.5). */
static const void *find(const void *wanted, const void *list, size_t count, size_t size,
                        int (*order)(const void *, const void *))
{
    return count == 0 ? NULL : bsearch(wanted, list, count, size, order);
}

static void sort(void *list, size_t count, size_t size, int (*order)(const void *, const void *))
{
    if (count > 0) qsort(list, count, size, order);
}

const struct fact_project *facts_project(const struct facts *facts, const struct uuid *id)
{
    struct fact_project wanted = {.id = *id};
    return find(&wanted, facts->projects, facts->project_count, sizeof wanted, project_order);
}

const struct fact_key *facts_key(const struct facts *facts, struct bytes public_id)
{
    struct fact_key wanted = {.public_id = public_id};
    return find(&wanted, facts->keys, facts->key_count, sizeof wanted, key_order);
}

static int address_id_order(const void *a, const void *b)
{
    const struct address *left = *(const struct address *const *)a,
                         *right = *(const struct address *const *)b;
    return uuid_order(&left->id, &right->id);
}

static int resource_order(const void *a, const void *b)
{
    return uuid_order(&((const struct resource *)a)->id, &((const struct resource *)b)->id);
}

static int study_order(const void *a, const void *b)
{
    return uuid_order(&((const struct study *)a)->id, &((const struct study *)b)->id);
}

const struct address *facts_address_by_id(const struct facts *facts, const struct uuid *project,
                                          const struct uuid *id)
{
    struct address wanted = {.id = *id};
    const struct address *key = &wanted;
    const struct address *const *found = /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
        find(&key, facts->addresses_by_id, facts->address_count, sizeof key, address_id_order);
    return found && uuid_equal(&(*found)->project, project) ? *found : NULL;
}

const struct resource *facts_resource(const struct facts *facts, const struct uuid *project,
                                      const struct uuid *id)
{
    struct resource wanted = {.id = *id};
    const struct resource *found =
        find(&wanted, facts->resources, facts->resource_count, sizeof wanted, resource_order);
    return found && uuid_equal(&found->project, project) ? found : NULL;
}

const struct study *facts_study(const struct facts *facts, const struct uuid *project, const struct uuid *id)
{
    struct study wanted = {.id = *id};
    const struct study *found = find(&wanted, facts->studies, facts->study_count, sizeof wanted, study_order);
    return found && (!project || uuid_equal(&found->project, project)) ? found : NULL;
}

const struct address *facts_address(const struct facts *facts, const struct uuid *project, struct bytes name)
{
    struct address wanted = {.project = *project, .name = name};
    return find(&wanted, facts->addresses, facts->address_count, sizeof wanted, address_order);
}

/* "http://localhost:3000" and "http://localhost" -> "http://localhost:*", the pattern that test projects may
 * list. Absent for what has no host, such as "null". */
static struct bytes any_port_of(uint8_t room[ORIGIN_MAX + 2], struct bytes origin)
{
    size_t i, host_end = origin.len;
    struct bytes scheme = BYTES("://");

    for (i = 0; i + scheme.len < origin.len; i++)
        if (bytes_equal(bytes_part(origin, i, scheme.len), scheme)) break;
    if (i + scheme.len >= origin.len || origin.len > ORIGIN_MAX) return BYTES_NONE;
    for (i = origin.len; i > 0 && origin.ptr[i - 1] >= '0' && origin.ptr[i - 1] <= '9';)
        i--;
    if (i > 0 && i < origin.len && origin.ptr[i - 1] == ':') host_end = i - 1;
    memcpy(room, origin.ptr, host_end);
    memcpy(room + host_end, ":*", 2);
    return bytes_of(room, host_end + 2);
}

static bool list_holds(const struct fact_project *project, struct bytes origin)
{
    for (size_t i = 0; i < project->origin_count; i++)
        if (bytes_equal(project->origins[i], origin)) return true;
    return false;
}

/* A project lists a handful of origins, in no order: they are looked through one by one. */
bool facts_project_lists(const struct fact_project *project, struct bytes origin)
{
    uint8_t room[ORIGIN_MAX + 2];
    struct bytes pattern;

    if (bytes_have(origin, '*')) return false; /* no browser sends one; it must not match itself */
    if (list_holds(project, origin)) return true;
    pattern = project->is_test ? any_port_of(room, origin) : BYTES_NONE;
    return !bytes_is_absent(pattern) && list_holds(project, pattern);
}

bool facts_any_lists(const struct facts *facts, struct bytes origin)
{
    if (bytes_have(origin, '*')) return false;
    return find(&origin, facts->origins, facts->origin_count, sizeof origin, origin_order) != NULL ||
           facts_any_test_lists(facts, origin);
}

bool facts_any_test_lists(const struct facts *facts, struct bytes origin)
{
    uint8_t room[ORIGIN_MAX + 2];
    struct bytes pattern = any_port_of(room, origin);

    if (bytes_have(origin, '*')) return false;
    if (find(&origin, facts->test_origins, facts->test_origin_count, sizeof origin, origin_order))
        return true;
    return !bytes_is_absent(pattern) && find(&pattern, facts->test_origins, facts->test_origin_count,
                                             sizeof pattern, origin_order) != NULL;
}

void facts_sort(struct fact_project *projects, size_t project_count, struct fact_key *keys, size_t key_count,
                struct address *addresses, size_t address_count, struct bytes *origins, size_t origin_count)
{
    sort(projects, project_count, sizeof *projects, project_order);
    sort(keys, key_count, sizeof *keys, key_order);
    sort(addresses, address_count, sizeof *addresses, address_order);
    sort(origins, origin_count, sizeof *origins, origin_order);
}

void facts_sort_resources(struct resource *resources, size_t resource_count, struct study *studies,
                          size_t study_count, const struct address **by_id, size_t address_count)
{
    sort(resources, resource_count, sizeof *resources, resource_order);
    sort(studies, study_count, sizeof *studies, study_order);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
    sort(by_id, address_count, sizeof *by_id, address_id_order);
}
