#include "store/snapshot.h"

#include "base/log.h"
#include "store/rows.h"
#include "store/store.h"

#include <stdlib.h>

static void *room_for(struct arena *arena, size_t count, size_t size, enum err *e)
{
    if (*e != ERR_OK || count == 0) return NULL;
    void *room = count > SIZE_MAX / size ? NULL : arena_alloc(arena, count * size);
    if (room == NULL) *e = ERR_NO_MEMORY;
    return room;
}

enum err snapshot_init(struct snapshot *snapshot, struct snapshot_counts room)
{
    enum err e;
    *snapshot = (struct snapshot){.room = room};
    TRY(e = facts_new(&snapshot->facts), done);
    struct arena *arena = &snapshot->facts->arena;
    snapshot->projects = room_for(arena, room.projects, sizeof *snapshot->projects, &e);
    snapshot->keys = room_for(arena, room.keys, sizeof *snapshot->keys, &e);
    snapshot->addresses = room_for(arena, room.addresses, sizeof *snapshot->addresses, &e);
    snapshot->origins = room_for(arena, room.origins, sizeof *snapshot->origins, &e);
    snapshot->resources = room_for(arena, room.resources, sizeof *snapshot->resources, &e);
    snapshot->studies = room_for(arena, room.studies, sizeof *snapshot->studies, &e);
    snapshot->settings = room_for(arena, room.settings, sizeof *snapshot->settings, &e);
done:
    if (e != ERR_OK) snapshot_release(snapshot);
    return e;
}

void snapshot_release(struct snapshot *snapshot)
{
    facts_free(snapshot->facts);
    *snapshot = (struct snapshot){0};
}

struct arena *snapshot_arena(struct snapshot *snapshot)
{
    return &snapshot->facts->arena;
}

enum err snapshot_add_project(struct snapshot *snapshot, const struct fact_project *project)
{
    if (snapshot->used.projects == snapshot->room.projects) return ERR_CORRUPT;
    struct fact_project *copy = &snapshot->projects[snapshot->used.projects++];
    *copy = *project;
    copy->origins = NULL;
    copy->origin_count = 0;
    return text_copy(&copy->name, project->name, snapshot_arena(snapshot));
}

enum err snapshot_add_key(struct snapshot *snapshot, const struct fact_key *key)
{
    if (snapshot->used.keys == snapshot->room.keys) return ERR_CORRUPT;
    struct fact_key *copy = &snapshot->keys[snapshot->used.keys++];
    enum err e;
    *copy = *key;
    TRY(e = text_copy(&copy->public_id, key->public_id, snapshot_arena(snapshot)), done);
    TRY(e = text_copy(&copy->public_key, key->public_key, snapshot_arena(snapshot)), done);
    e = text_copy(&copy->name, key->name, snapshot_arena(snapshot));
done:
    return e;
}

enum err snapshot_add_address(struct snapshot *snapshot, const struct address *address)
{
    if (snapshot->used.addresses == snapshot->room.addresses) return ERR_CORRUPT;
    return address_copy(&snapshot->addresses[snapshot->used.addresses++], address, snapshot_arena(snapshot));
}

enum err snapshot_add_origin(struct snapshot *snapshot, const struct uuid *project, struct bytes origin)
{
    if (snapshot->used.origins == snapshot->room.origins) return ERR_CORRUPT;
    struct snapshot_origin *copy = &snapshot->origins[snapshot->used.origins++];
    copy->project = *project;
    return text_copy(&copy->origin, origin, snapshot_arena(snapshot));
}

enum err snapshot_add_resource(struct snapshot *snapshot, const struct resource *resource)
{
    if (snapshot->used.resources == snapshot->room.resources) return ERR_CORRUPT;
    return resource_copy(&snapshot->resources[snapshot->used.resources++], resource,
                         snapshot_arena(snapshot));
}

enum err snapshot_add_study(struct snapshot *snapshot, const struct study *study)
{
    if (snapshot->used.studies == snapshot->room.studies) return ERR_CORRUPT;
    return study_copy(&snapshot->studies[snapshot->used.studies++], study, snapshot_arena(snapshot));
}

enum err snapshot_add_setting(struct snapshot *snapshot, const struct uuid *project, struct bytes name,
                              int64_t value)
{
    enum setting setting;
    if (snapshot->used.settings == snapshot->room.settings) return ERR_CORRUPT;
    if (!setting_of(&setting, name) || !setting_allows(setting, value)) {
        log_error("setting_not_known", log_bytes("name", name), log_number("value", value),
                  log_text("fix", "remove this row of the table settings"));
        return ERR_CORRUPT;
    }
    snapshot->settings[snapshot->used.settings++] =
        (struct snapshot_setting){.project = *project, .setting = setting, .value = value};
    return ERR_OK;
}

/* projects are in order and belong to this snapshot still, so that they may be written to. */
static struct fact_project *project_of(const struct snapshot *snapshot, const struct uuid *id)
{
    const struct fact_project *found = facts_project(snapshot->facts, id);
    return found == NULL ? NULL : &snapshot->projects[found - snapshot->projects];
}

static int origin_order(const void *a, const void *b)
{
    const struct snapshot_origin *left = a, *right = b;
    int order = bytes_compare(uuid_bytes(&left->project), uuid_bytes(&right->project));
    return order != 0 ? order : bytes_compare(left->origin, right->origin);
}

/* Once they are in the order of their projects, each project's origins are a part of one array. */
static enum err deal_origins(struct snapshot *snapshot)
{
    enum err e = ERR_OK;
    size_t count = snapshot->used.origins;
    struct bytes *dealt = room_for(snapshot_arena(snapshot), count, sizeof *dealt, &e);
    if (e != ERR_OK || count == 0) return e;
    qsort(snapshot->origins, count, sizeof *snapshot->origins, origin_order);
    for (size_t i = 0; i < count; i++) {
        struct fact_project *project = project_of(snapshot, &snapshot->origins[i].project);
        if (project == NULL) return ERR_CORRUPT;
        dealt[i] = snapshot->origins[i].origin;
        if (project->origin_count++ == 0) project->origins = &dealt[i];
    }
    return ERR_OK;
}

static enum err list_origins(struct facts *facts, struct snapshot *snapshot)
{
    enum err e = ERR_OK;
    size_t count = snapshot->used.origins, test_count = 0;
    struct bytes *all = room_for(&facts->arena, count, sizeof *all, &e);
    struct bytes *test = room_for(&facts->arena, count, sizeof *test, &e);
    if (e != ERR_OK) return e;
    for (size_t i = 0; i < count; i++) {
        all[i] = snapshot->origins[i].origin;
        if (project_of(snapshot, &snapshot->origins[i].project)->is_test) test[test_count++] = all[i];
    }
    facts_sort(NULL, 0, NULL, 0, NULL, 0, all, count);
    facts_sort(NULL, 0, NULL, 0, NULL, 0, test, test_count);
    facts->origins = all;
    facts->origin_count = count;
    facts->test_origins = test;
    facts->test_origin_count = test_count;
    return ERR_OK;
}

static enum err deal_settings(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->used.settings; i++) {
        const struct snapshot_setting *one = &snapshot->settings[i];
        struct fact_project *project = project_of(snapshot, &one->project);
        if (project == NULL) return ERR_CORRUPT;
        project->setting[one->setting] = one->value;
    }
    return ERR_OK;
}

static enum err list_resources(struct facts *facts, struct snapshot *snapshot)
{
    enum err e = ERR_OK;
    const struct address **by_id =
        room_for(&facts->arena, facts->address_count, sizeof(const struct address *), &e);
    if (e != ERR_OK) return e;
    for (size_t i = 0; i < facts->address_count; i++)
        by_id[i] = &facts->addresses[i];
    facts->addresses_by_id = by_id;
    facts->resources = snapshot->resources;
    facts->resource_count = snapshot->used.resources;
    facts->studies = snapshot->studies;
    facts->study_count = snapshot->used.studies;
    facts_sort_resources(snapshot->resources, facts->resource_count, snapshot->studies, facts->study_count,
                         by_id, facts->address_count);
    return ERR_OK;
}

enum err snapshot_finish(struct facts **out, struct snapshot *snapshot, const struct snapshot_meta *meta)
{
    enum err e;
    struct facts *facts = snapshot->facts;
    *out = NULL;
    facts->version = meta->version;
    facts->epoch = meta->epoch;
    facts->pruned_through_s = meta->pruned_through_s;
    facts->projects = snapshot->projects;
    facts->project_count = snapshot->used.projects;
    for (size_t i = 0; i < facts->project_count; i++)
        facts->age_total_ms += (uint64_t)snapshot->projects[i].age_ms;
    facts->keys = snapshot->keys;
    facts->key_count = snapshot->used.keys;
    facts->addresses = snapshot->addresses;
    facts->address_count = snapshot->used.addresses;
    facts_sort(snapshot->projects, facts->project_count, snapshot->keys, facts->key_count,
               snapshot->addresses, facts->address_count, NULL, 0);
    TRY(e = deal_settings(snapshot), done);
    TRY(e = list_resources(facts, snapshot), done);
    TRY(e = deal_origins(snapshot), done);
    TRY(e = list_origins(facts, snapshot), done);
    *out = facts;
    snapshot->facts = NULL;
done:
    return e;
}
