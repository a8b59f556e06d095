#include "store/rows.h"
#include "store/sqlite.h"

#include "engine/age.h"

static enum err name_is_taken(bool *out, struct db *db, int64_t project, struct bytes name)
{
    struct query_run run;
    query_start(&run, db, QUERY_NAME_IS_TAKEN, NULL);
    query_bind_number(&run, project);
    query_bind_text(&run, name);
    *out = query_step(&run);
    return query_end(&run);
}

/* Ends a statement that writes at most one row: if it met none to write, there was one that stays as it is.
 */
static enum err end_write(struct row *row, struct query_run *run)
{
    (void)query_step(run); /* query_end tells */
    enum err e = query_end(run);
    if (e == ERR_OK) row->state = db_has_changed(run->db) ? ROW_WRITTEN : ROW_EXISTS;
    return e;
}

/* The wished name, else the other; with both taken nothing can be written, and a new draw of the other will
 * do. */
static enum err choose_name(struct bytes *out, struct db *db, int64_t project, struct bytes wished,
                            struct bytes other)
{
    bool is_taken = false;
    enum err e = ERR_OK;
    *out = wished;
    if (!bytes_is_absent(wished)) e = name_is_taken(&is_taken, db, project, wished);
    if (e != ERR_OK || !is_taken) return e;
    *out = other;
    e = bytes_is_absent(other) ? ERR_OK : name_is_taken(&is_taken, db, project, other);
    return e == ERR_OK && is_taken ? ERR_STORE_FAILED : e;
}

static enum err write_user(struct row *row, struct db *db, const struct write *write, int64_t project,
                           struct arena *arena)
{
    const struct user *user = &write->user.user;
    struct user_wanted same = {.by = QUERY_USER_BY_REFERENCE,
                               .project = user->project,
                               .project_number = project,
                               .text = user->reference};
    struct user chosen = *user;
    bool exists;
    enum err e;
    TRY(e = sqlite_find_user(&exists, &row->user, db, &same, arena), done);
    if (exists) {
        row->state = ROW_EXISTS;
        return ERR_OK;
    }
    TRY(e = choose_name(&chosen.address.name, db, project, user->address.name, write->user.address_name_alt),
        done);
    chosen.address.project = user->project;
    TRY(e = user_copy(&row->user, &chosen, arena), done);
    row->state = ROW_WRITTEN;
    e = sqlite_insert_user(db, &row->user, project, write->user.password_hash);
done:
    return e;
}

static enum err update_user(struct db *db, const struct write *write, int64_t project)
{
    struct query_run run;
    query_start(&run, db, QUERY_USER_UPDATE, NULL);
    query_bind_number(&run, project);
    query_bind_uuid(&run, &write->profile.user);
    query_bind_blob(&run, write->profile.password_hash);
    query_bind_number(&run, write->profile.now_ms);
    for (size_t i = 0; i < PROFILE_COUNT; i++)
        query_bind_text(&run, write->profile.profile.value[i]);
    (void)query_step(&run); /* query_end tells */
    return query_end(&run);
}

static enum err write_profile(struct row *row, struct db *db, const struct write *write, int64_t project,
                              struct arena *arena)
{
    struct user_wanted same = {.by = QUERY_USER_BY_ID,
                               .project = write->profile.project,
                               .project_number = project,
                               .id = &write->profile.user};
    bool exists;
    enum err e;
    row->state = ROW_ABSENT;
    TRY(e = sqlite_find_user(&exists, &row->user, db, &same, arena), done);
    if (!exists) return ERR_OK;
    TRY(e = profile_overlay(&row->user.profile, &write->profile.profile, arena), done);
    row->user.updated_ms = write->profile.now_ms;
    row->state = ROW_WRITTEN;
    e = update_user(db, write, project);
done:
    return e;
}

static enum err write_once(struct row *row, struct db *db, const struct write *write)
{
    struct query_run run;
    query_start(&run, db, QUERY_ONCE_INSERT, NULL);
    query_bind_number(&run, write->once.bucket_s);
    query_bind_blob(&run, uuid_bytes(&write->once.id)); /* as bytes: 16 zeros are an id like any other */
    return end_write(row, &run);
}

/* That they are forgotten is written first. */
static enum err write_pruned(struct db *db, int64_t through_s)
{
    struct query_run run;
    query_start(&run, db, QUERY_ONCE_PRUNED, NULL);
    query_bind_number(&run, through_s);
    (void)query_step(&run); /* query_end tells */
    return query_end(&run);
}

static enum err write_prune(struct row *row, struct db *db, int64_t through_s)
{
    struct query_run run;
    enum err e = write_pruned(db, through_s);
    if (e != ERR_OK) return e;
    query_start(&run, db, QUERY_ONCE_PRUNE, NULL);
    query_bind_number(&run, through_s);
    query_bind_number(&run, PRUNE_ROWS_MAX);
    e = end_write(row, &run);
    if (row->state == ROW_EXISTS) row->state = ROW_ABSENT; /* nothing was changed: nothing is left */
    return e;
}

static enum err write_project(struct row *row, struct db *db, const struct fact_project *project)
{
    struct query_run run;
    query_start(&run, db, QUERY_PROJECT_WRITE, NULL);
    query_bind_uuid(&run, &project->id);
    query_bind_text(&run, project->name);
    query_bind_number(&run, project->is_test);
    query_bind_number(&run, project->setting[SETTING_SAT_LIFE]);
    query_bind_number(&run, project->setting[SETTING_SAT_LIFE_MAX]);
    query_bind_number(&run, project->setting[SETTING_FAMILY_MAX_AGE]);
    return end_write(row, &run);
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
    enum err e = end_write(row, &run);
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
    return end_write(row, &run);
}

static enum err write_origin(struct row *row, struct db *db, struct bytes origin, int64_t project)
{
    struct query_run run;
    query_start(&run, db, QUERY_ORIGIN_INSERT, NULL);
    query_bind_number(&run, project);
    query_bind_text(&run, origin);
    return end_write(row, &run);
}

static enum err write_address(struct row *row, struct db *db, const struct address *address, int64_t project)
{
    struct query_run run;
    bool is_taken;
    enum err e = name_is_taken(&is_taken, db, project, address->name);
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
    return end_write(row, &run);
}

static enum err write_study(struct row *row, struct db *db, const struct study *study, int64_t project)
{
    struct query_run run;
    query_start(&run, db, QUERY_STUDY_WRITE, NULL);
    query_bind_number(&run, project);
    query_bind_uuid(&run, &study->id);
    query_bind_text(&run, study->title);
    query_bind_text(&run, study->questions_json);
    return end_write(row, &run);
}

static enum err write_ring_key(struct row *row, struct db *db, const struct ring_key *key)
{
    struct query_run run;
    query_start(&run, db, QUERY_RING_KEY_WRITE, NULL);
    query_bind_text(&run, key->id);
    query_bind_number(&run, key->use);
    query_bind_number(&run, key->state);
    query_bind_text(&run, key->algorithm);
    query_bind_blob(&run, key->wrapped);
    query_bind_number(&run, key->created_ms);
    return end_write(row, &run);
}

bool sqlite_write_is_single(enum write_kind kind)
{
    return kind == WRITE_USER || kind == WRITE_PROFILE || kind == WRITE_ONCE || kind == WRITE_PRUNE;
}

static enum err write_row(struct row *row, struct db *db, const struct write *write, int64_t project,
                          struct arena *arena)
{
    switch (write->kind) {
    case WRITE_NONE:
        break;
    case WRITE_PROJECT:
        return write_project(row, db, &write->project);
    case WRITE_AGE:
        return write_age(row, db, write->age.by_ms, project);
    case WRITE_KEY:
        return write_key(row, db, &write->key, project);
    case WRITE_ORIGIN:
        return write_origin(row, db, write->origin.origin, project);
    case WRITE_ADDRESS:
        return write_address(row, db, &write->address, project);
    case WRITE_STUDY:
        return write_study(row, db, &write->study, project);
    case WRITE_RING_KEY:
        return write_ring_key(row, db, &write->ring_key);
    case WRITE_USER:
        return write_user(row, db, write, project, arena);
    case WRITE_PROFILE:
        return write_profile(row, db, write, project, arena);
    case WRITE_ONCE:
        return write_once(row, db, write);
    case WRITE_PRUNE:
        return write_prune(row, db, write->prune.through_s);
    case WRITE_SETTING:
    case WRITE_ORIGIN_GONE:
    case WRITE_RESOURCE:
    case WRITE_RESOURCE_GONE:
    case WRITE_EPOCH:
    case WRITE_CUTOFF:
    case WRITE_PAYLOAD:
    case WRITE_USER_GONE:
    case WRITE_FAMILY:
    case WRITE_KEY_USED:
    case WRITE_INTERVIEW:
    case WRITE_INTERVIEW_STEP:
    case WRITE_ANSWER:
        return ERR_UNSUPPORTED;
    }
    row->state = ROW_ABSENT;
    return ERR_OK;
}

enum err sqlite_write(struct row *row, struct db *db, const struct write *write, struct arena *arena)
{
    const struct uuid *project = write_belongs_to(write);
    int64_t number = 0;
    enum err e = ERR_OK;
    *row = (struct row){.state = ROW_ABSENT};
    if (project != NULL) {
        TRY(e = sqlite_project_number(&number, db, project), failed);
        if (number == 0) return ERR_OK; /* the project is absent, and so is the row */
    }
    TRY(e = write_row(row, db, write, number, arena), failed);
    if (row->state == ROW_WRITTEN && !sqlite_write_is_single(write->kind))
        TRY(e = db_run(db, QUERY_VERSION_RAISE), failed);
    return ERR_OK;
failed:
    *row = (struct row){0};
    return e;
}
