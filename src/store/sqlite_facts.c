/* sqlite_facts.c — a snapshot of all facts, read in one transaction; their version, and the floor. */
#include "store/rows.h"
#include "store/snapshot.h"
#include "store/sqlite.h"

enum err sqlite_answer_version(void *out, struct db *db)
{
    struct query_run run;
    uint64_t *version = out;
    *version = 0;
    query_start(&run, db, QUERY_VERSION, NULL);
    if (query_step(&run)) *version = (uint64_t)query_read_number(&run);
    return query_end(&run);
}

/* What no clock of ours can have said is damage: sums with it must not overflow. */
enum err sqlite_answer_floor(void *out, struct db *db)
{
    struct query_run run;
    int64_t floor_ms = 0;
    enum err e;
    *(int64_t *)out = 0;
    query_start(&run, db, QUERY_FLOOR, NULL);
    if (query_step(&run)) floor_ms = query_read_number(&run);
    TRY(e = query_end(&run), done);
    e = ERR_CORRUPT;
    if (floor_ms < 0 || floor_ms > STORE_FLOOR_MAX_MS) goto done;
    *(int64_t *)out = floor_ms;
    e = ERR_OK;
done:
    return e;
}

static enum err read_counts(struct snapshot_counts *out, struct db *db)
{
    struct query_run run;
    *out = (struct snapshot_counts){0};
    query_start(&run, db, QUERY_COUNTS, NULL);
    if (query_step(&run)) {
        out->projects = (size_t)query_read_number(&run);
        out->keys = (size_t)query_read_number(&run);
        out->addresses = (size_t)query_read_number(&run);
        out->origins = (size_t)query_read_number(&run);
        out->resources = (size_t)query_read_number(&run);
        out->studies = (size_t)query_read_number(&run);
        out->settings = (size_t)query_read_number(&run);
    }
    return query_end(&run);
}

/* A row is read into the snapshot's arena and added from there, so that each text is held twice: read once
 * per change of the facts, it keeps one way of adding for all stores. */
static void read_project(struct snapshot *snapshot, struct query_run *run)
{
    struct fact_project project = {0};
    query_read_uuid(&project.id, run);
    project.name = query_read_text(run);
    project.is_test = query_read_number(run) != 0;
    settings_standard(project.setting);
    project.age_ms = query_read_number(run);
    if (run->error == ERR_OK) run->error = snapshot_add_project(snapshot, &project);
}

static void read_key(struct snapshot *snapshot, struct query_run *run)
{
    struct fact_key key = {0};
    query_read_uuid(&key.project, run);
    key.public_id = query_read_text(run);
    key.kind = (enum key_kind)query_read_choice(run, KEY_CLICK_TO_CALL);
    query_read_exactly(key.hash, sizeof key.hash, run);
    key.permissions = (uint32_t)query_read_number(run);
    key.is_retired = query_read_number(run) != 0;
    query_read_uuid(&key.resource, run);
    key.name = query_read_text(run);
    key.created_ms = query_read_number(run);
    key.public_key = query_read_text(run);
    if (run->error == ERR_OK) run->error = snapshot_add_key(snapshot, &key);
}

static void read_address(struct snapshot *snapshot, struct query_run *run)
{
    struct address address = {0};
    query_read_uuid(&address.project, run);
    query_read_uuid(&address.id, run);
    query_read_uuid(&address.resource, run);
    address.name = query_read_text(run);
    address.display_name = query_read_text(run);
    address.type = (enum address_type)query_read_choice(run, ADDRESS_SUBSCRIBER);
    address.created_ms = query_read_number(run);
    if (run->error == ERR_OK) run->error = snapshot_add_address(snapshot, &address);
}

static void read_origin(struct snapshot *snapshot, struct query_run *run)
{
    struct uuid project;
    query_read_uuid(&project, run);
    struct bytes origin = query_read_text(run);
    if (run->error == ERR_OK) run->error = snapshot_add_origin(snapshot, &project, origin);
}

static void read_setting(struct snapshot *snapshot, struct query_run *run)
{
    struct uuid project;
    query_read_uuid(&project, run);
    struct bytes name = query_read_text(run);
    int64_t value = query_read_number(run);
    if (run->error == ERR_OK) run->error = snapshot_add_setting(snapshot, &project, name, value);
}

static void read_resource(struct snapshot *snapshot, struct query_run *run)
{
    struct resource resource = {0};
    query_read_uuid(&resource.project, run);
    query_read_uuid(&resource.id, run);
    resource.type = (enum address_type)query_read_choice(run, ADDRESS_SUBSCRIBER);
    resource.name = query_read_text(run);
    resource.display_name = query_read_text(run);
    query_read_uuid(&resource.user, run);
    resource.is_disabled = query_read_number(run) != 0;
    resource.created_ms = query_read_number(run);
    resource.updated_ms = query_read_number(run);
    for (size_t i = 0; i < BUDGET_PARTS; i++)
        resource.budget[i] = query_read_number(run);
    if (run->error == ERR_OK) run->error = snapshot_add_resource(snapshot, &resource);
}

static void read_study(struct snapshot *snapshot, struct query_run *run)
{
    struct study study = {0};
    query_read_uuid(&study.project, run);
    query_read_uuid(&study.id, run);
    study.title = query_read_text(run);
    study.questions_json = query_read_text(run);
    if (run->error == ERR_OK) run->error = snapshot_add_study(snapshot, &study);
}

static enum err read_all(struct snapshot *snapshot, struct db *db, enum query query,
                         void (*read)(struct snapshot *snapshot, struct query_run *run))
{
    struct query_run run;
    query_start(&run, db, query, snapshot_arena(snapshot));
    while (query_step(&run))
        read(snapshot, &run);
    return query_end(&run);
}

static enum err read_meta(struct snapshot_meta *out, struct db *db)
{
    struct query_run run;
    *out = (struct snapshot_meta){0};
    query_start(&run, db, QUERY_META, NULL);
    if (query_step(&run)) {
        out->version = (uint64_t)query_read_number(&run);
        out->epoch = (uint64_t)query_read_number(&run);
        out->pruned_through_s = query_read_number(&run);
    }
    enum err e = query_end(&run);
    return e == ERR_OK && out->version == 0 ? ERR_CORRUPT : e;
}

static enum err read_facts(struct facts **out, struct db *db)
{
    static const struct {
        enum query query;
        void (*read)(struct snapshot *snapshot, struct query_run *run);
    } parts[] = {{QUERY_PROJECTS, read_project},   {QUERY_KEYS, read_key},
                 {QUERY_ADDRESSES, read_address},  {QUERY_ORIGINS, read_origin},
                 {QUERY_RESOURCES, read_resource}, {QUERY_STUDIES, read_study},
                 {QUERY_SETTINGS, read_setting}};
    struct snapshot snapshot = {0};
    struct snapshot_counts counts;
    struct snapshot_meta meta;
    enum err e;
    TRY(e = read_counts(&counts, db), done);
    TRY(e = snapshot_init(&snapshot, counts), done);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        TRY(e = read_all(&snapshot, db, parts[i].query, parts[i].read), done);
    TRY(e = read_meta(&meta, db), done);
    e = snapshot_finish(out, &snapshot, &meta);
done:
    snapshot_release(&snapshot);
    return e;
}

/* One transaction, so that all tables are of the same version. */
enum err sqlite_answer_facts(void *out, struct db *db)
{
    enum err e;
    *(struct facts **)out = NULL;
    TRY(e = db_run(db, QUERY_BEGIN_READ), done);
    e = read_facts(out, db);
    if (db_in_transaction(db)) (void)db_run(db, QUERY_ROLLBACK); /* nothing was written */
done:
    return e;
}
