/* sqlite_write_fact.c — writes of facts: each raises the version, by which snapshots are rebuilt. */
#include "store/rows.h"
#include "store/sqlite.h"

#include "engine/age.h"

static enum err write_setting(struct db *db, int64_t project, enum setting setting, int64_t value)
{
    int64_t standard[SETTING_COUNT];
    struct query_run run;
    settings_standard(standard);
    bool is_standard = standard[setting] == value;
    query_start(&run, db, is_standard ? QUERY_SETTING_DELETE : QUERY_SETTING_WRITE, NULL);
    query_bind_number(&run, project);
    query_bind_text(&run, bytes_of_text(setting_text(setting)));
    if (!is_standard) query_bind_number(&run, value);
    (void)query_step(&run); /* query_end tells */
    return query_end(&run);
}

static enum err write_settings(struct db *db, const struct fact_project *project)
{
    int64_t number;
    enum err e;
    TRY(e = sqlite_project_number(&number, db, &project->id), done);
    for (size_t i = 0; i < SETTING_COUNT && e == ERR_OK; i++)
        e = write_setting(db, number, (enum setting)i, project->setting[i]);
done:
    return e;
}

static enum err write_project(struct row *row, struct db *db, const struct fact_project *project)
{
    struct query_run run;
    enum err e;
    if (!settings_allowed(project->setting)) return ERR_OK;
    query_start(&run, db, QUERY_PROJECT_WRITE, NULL);
    query_bind_uuid(&run, &project->id);
    query_bind_text(&run, project->name);
    query_bind_number(&run, project->is_test);
    TRY(e = sqlite_end_write(row, &run), done);
    if (row->state == ROW_WRITTEN) e = write_settings(db, project);
done:
    return e;
}

static enum err write_one_setting(struct sqlite_writing *w)
{
    const struct write *write = w->write;
    if (!setting_allows(write->setting.setting, write->setting.value)) return ERR_OK;
    w->row->state = ROW_WRITTEN;
    return write_setting(w->db, w->project, write->setting.setting, write->setting.value);
}

/* The row that is not met is a live project's, or would pass the bounds: for the asker it is not there. */
static enum err write_age(struct row *row, struct db *db, int64_t by_ms, int64_t project)
{
    struct query_run run;
    query_start(&run, db, QUERY_AGE_WRITE, NULL);
    query_bind_number(&run, project);
    query_bind_number(&run, by_ms);
    query_bind_number(&run, AGE_STEP_MAX_MS);
    query_bind_number(&run, AGE_MAX_MS);
    enum err e = sqlite_end_write(row, &run);
    if (row->state == ROW_EXISTS) row->state = ROW_ABSENT;
    return e;
}

static enum err write_key(struct row *row, struct db *db, const struct fact_key *key, int64_t project)
{
    struct query_run run;
    query_start(&run, db, QUERY_KEY_WRITE, NULL);
    query_bind_number(&run, project);
    query_bind_text(&run, key->public_id);
    query_bind_number(&run, key->kind);
    query_bind_blob(&run, bytes_of(key->hash, sizeof key->hash));
    query_bind_number(&run, key->permissions);
    query_bind_number(&run, key->is_retired);
    query_bind_uuid(&run, &key->resource);
    query_bind_text(&run, key->name);
    query_bind_number(&run, key->created_ms);
    query_bind_text(&run, key->public_key);
    return sqlite_end_write(row, &run);
}

static enum err write_origin(struct row *row, struct db *db, struct bytes origin, int64_t project)
{
    struct query_run run;
    query_start(&run, db, QUERY_ORIGIN_INSERT, NULL);
    query_bind_number(&run, project);
    query_bind_text(&run, origin);
    return sqlite_end_write(row, &run);
}

static enum err write_address(struct row *row, struct db *db, const struct address *address, int64_t project)
{
    struct query_run run;
    bool is_taken;
    enum err e = sqlite_name_is_taken(&is_taken, db, project, address->name);
    row->state = ROW_EXISTS;
    if (e != ERR_OK || is_taken) return e;
    query_start(&run, db, QUERY_ADDRESS_INSERT, NULL);
    query_bind_number(&run, project);
    query_bind_uuid(&run, &address->id);
    query_bind_uuid(&run, &address->resource);
    query_bind_text(&run, address->name);
    query_bind_text(&run, address->display_name);
    query_bind_number(&run, address->type);
    query_bind_number(&run, address->created_ms);
    return sqlite_end_write(row, &run);
}

static enum err write_study(struct row *row, struct db *db, const struct study *study, int64_t project)
{
    struct query_run run;
    query_start(&run, db, QUERY_STUDY_WRITE, NULL);
    query_bind_number(&run, project);
    query_bind_uuid(&run, &study->id);
    query_bind_text(&run, study->title);
    query_bind_text(&run, study->questions_json);
    return sqlite_end_write(row, &run);
}

static enum err write_ring_key_gone(struct row *row, struct db *db, struct bytes id)
{
    struct query_run run;
    query_start(&run, db, QUERY_RING_KEY_GONE, NULL);
    query_bind_text(&run, id);
    enum err e = sqlite_end_write(row, &run);
    if (row->state == ROW_EXISTS) row->state = ROW_ABSENT;
    return e;
}

static enum err step_ring_key(struct row *row, struct db *db, const struct ring_key *key)
{
    struct query_run run;
    query_start(&run, db, QUERY_RING_KEY_STEP, NULL);
    query_bind_text(&run, key->id);
    query_bind_number(&run, key->state);
    query_bind_number(&run, key->since_ms);
    query_bind_number(&run, key->use);
    enum err e = sqlite_end_write(row, &run);
    if (row->state == ROW_EXISTS) row->state = ROW_ABSENT;
    return e;
}

static enum err write_ring_key(struct row *row, struct db *db, const struct ring_key *key)
{
    struct query_run run;
    if (key->state == RING_GONE) return write_ring_key_gone(row, db, key->id);
    if (bytes_is_absent(key->wrapped)) return step_ring_key(row, db, key);
    query_start(&run, db, QUERY_RING_KEY_WRITE, NULL);
    query_bind_text(&run, key->id);
    query_bind_number(&run, key->use);
    query_bind_number(&run, key->state);
    query_bind_text(&run, key->algorithm);
    query_bind_blob(&run, key->wrapped);
    query_bind_number(&run, key->created_ms);
    query_bind_number(&run, key->since_ms);
    return sqlite_end_write(row, &run);
}

static enum err write_origin_gone(struct row *row, struct db *db, struct bytes origin, int64_t project)
{
    struct query_run run;
    query_start(&run, db, QUERY_ORIGIN_DELETE, NULL);
    query_bind_number(&run, project);
    query_bind_text(&run, origin);
    enum err e = sqlite_end_write(row, &run);
    if (row->state == ROW_EXISTS) row->state = ROW_ABSENT;
    return e;
}

static enum err write_resource(struct row *row, struct db *db, const struct write *write, int64_t project)
{
    const struct resource *resource = &write->resource;
    struct query_run run;
    query_start(&run, db, QUERY_RESOURCE_WRITE, NULL);
    query_bind_number(&run, project);
    query_bind_blob(&run, uuid_bytes(&resource->id));
    query_bind_number(&run, resource->type);
    query_bind_text(&run, resource->name);
    query_bind_text(&run, resource->display_name);
    query_bind_uuid(&run, &resource->user);
    query_bind_number(&run, resource->is_disabled);
    query_bind_number(&run, resource->created_ms);
    query_bind_number(&run, resource->updated_ms);
    for (size_t i = 0; i < BUDGET_PARTS; i++)
        query_bind_number(&run, resource->budget[i]);
    query_bind_number(&run, write->if_updated_ms);
    return sqlite_end_write(row, &run);
}

static enum err run_for_resource(struct sqlite_writing *w, enum query query)
{
    struct query_run run;
    query_start(&run, w->db, query, NULL);
    query_bind_number(&run, w->project);
    query_bind_blob(&run, uuid_bytes(&w->write->resource.id));
    (void)query_step(&run); /* query_end tells */
    return query_end(&run);
}

static enum err write_resource_gone(struct sqlite_writing *w)
{
    enum err e;
    TRY(e = run_for_resource(w, QUERY_RESOURCE_DELETE), done);
    if (!db_has_changed(w->db)) return ERR_OK;
    w->row->state = ROW_WRITTEN;
    TRY(e = run_for_resource(w, QUERY_ADDRESSES_OF_RESOURCE_DELETE), done);
    TRY(e = run_for_resource(w, QUERY_USES_DELETE), done);
    e = run_for_resource(w, QUERY_KEYS_OF_RESOURCE_RETIRE);
done:
    return e;
}

static enum err greatest_cutoff(int64_t *out, struct db *db, int64_t project)
{
    struct query_run run;
    *out = 0;
    query_start(&run, db, QUERY_CUTOFF_GREATEST, NULL);
    query_bind_number(&run, project);
    if (query_step(&run)) *out = query_read_number(&run); /* NULL, which is 0: none yet */
    return query_end(&run);
}

static enum err write_cutoff(struct sqlite_writing *w)
{
    const struct cutoff *cutoff = &w->write->cutoff.cutoff;
    struct query_run run;
    int64_t greatest_ms;
    enum err e;
    TRY(e = greatest_cutoff(&greatest_ms, w->db, w->project), done);
    w->row->t_ms = cutoff_next_ms(w->write->cutoff.now_ms, greatest_ms);
    query_start(&run, w->db, QUERY_CUTOFF_INSERT, NULL);
    query_bind_number(&run, w->project);
    query_bind_number(&run, w->row->t_ms);
    query_bind_number(&run, cutoff->of);
    query_bind_blob(&run, cutoff->id);
    query_bind_number(&run, cutoff_until_s(w->row->t_ms, w->write->cutoff.keep_s));
    e = sqlite_end_write(w->row, &run);
done:
    return e;
}

static enum err write_key_used(struct row *row, struct db *db, struct bytes public_id, int64_t used_ms)
{
    struct query_run run;
    enum err e;
    query_start(&run, db, QUERY_KEY_USED, NULL);
    query_bind_text(&run, public_id);
    query_bind_number(&run, used_ms);
    TRY(e = sqlite_end_write(row, &run), done);
    if (row->state == ROW_WRITTEN) return ERR_OK;
    query_start(&run, db, QUERY_KEY_IS_THERE, NULL);
    query_bind_text(&run, public_id);
    if (!query_step(&run)) row->state = ROW_ABSENT;
    e = query_end(&run);
done:
    return e;
}

static enum err write_epoch(struct row *row, struct db *db)
{
    struct query_run run;
    query_start(&run, db, QUERY_EPOCH_RAISE, NULL);
    return sqlite_end_write(row, &run);
}

static enum err write_of_resource(struct sqlite_writing *w)
{
    if (w->write->kind == WRITE_RESOURCE) return write_resource(w->row, w->db, w->write, w->project);
    if (w->write->kind == WRITE_RESOURCE_GONE) return write_resource_gone(w);
    return write_address(w->row, w->db, &w->write->address, w->project);
}

enum err sqlite_write_fact(struct sqlite_writing *w)
{
    const struct write *write = w->write;
    switch (write->kind) {
    case WRITE_PROJECT:
        return write_project(w->row, w->db, &write->project);
    case WRITE_AGE:
        return write_age(w->row, w->db, write->age.by_ms, w->project);
    case WRITE_KEY:
        return write_key(w->row, w->db, &write->key, w->project);
    case WRITE_ORIGIN:
        return write_origin(w->row, w->db, write->origin.origin, w->project);
    case WRITE_ORIGIN_GONE:
        return write_origin_gone(w->row, w->db, write->origin.origin, w->project);
    case WRITE_ADDRESS:
    case WRITE_RESOURCE:
    case WRITE_RESOURCE_GONE:
        return write_of_resource(w);
    case WRITE_STUDY:
        return write_study(w->row, w->db, &write->study, w->project);
    case WRITE_RING_KEY:
        return write_ring_key(w->row, w->db, &write->ring_key);
    case WRITE_SETTING:
        return write_one_setting(w);
    case WRITE_EPOCH:
        return write_epoch(w->row, w->db);
    case WRITE_CUTOFF:
        return write_cutoff(w);
    case WRITE_KEY_USED:
        return write_key_used(w->row, w->db, write->key_used.public_id, write->key_used.used_ms);
    case WRITE_NONE:
    case WRITE_USER: /* the others are no facts */
    case WRITE_PROFILE:
    case WRITE_ONCE:
    case WRITE_BOUND:
    case WRITE_USE:
    case WRITE_PRUNE:
    case WRITE_PAYLOAD:
    case WRITE_USER_GONE:
    case WRITE_FAMILY:
    case WRITE_INTERVIEW:
    case WRITE_INTERVIEW_STEP:
    case WRITE_ANSWER:
        break;
    }
    return ERR_OK;
}
