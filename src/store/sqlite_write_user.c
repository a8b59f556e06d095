/* sqlite_write_user.c — writes of users: made, changed, removed. */
#include "store/rows.h"
#include "store/sqlite.h"

/* The wished name, else the other; with both taken nothing can be written, and a new draw of the
 * other will do. */
static enum err choose_name(struct bytes *out, struct db *db, int64_t project, struct bytes wished,
                            struct bytes other)
{
    bool is_taken = false;
    enum err e = ERR_OK;
    *out = wished;
    if (!bytes_is_absent(wished)) e = sqlite_name_is_taken(&is_taken, db, project, wished);
    if (e != ERR_OK || !is_taken) return e;
    *out = other;
    e = bytes_is_absent(other) ? ERR_OK : sqlite_name_is_taken(&is_taken, db, project, other);
    return e == ERR_OK && is_taken ? ERR_STORE_FAILED : e;
}

static enum err find_by_id(bool *found, struct sqlite_writing *w, const struct uuid *project,
                           const struct uuid *id)
{
    struct user_wanted wanted = {
        .by = QUERY_USER_BY_ID, .project = *project, .project_number = w->project, .id = id};
    return sqlite_find_user(found, &w->row->user, w->db, &wanted, w->arena);
}

static enum err find_same(bool *found, struct sqlite_writing *w, const struct user *user)
{
    struct user_wanted wanted = {.by = QUERY_USER_BY_REFERENCE,
                                 .project = user->project,
                                 .project_number = w->project,
                                 .text = user->reference};
    if (bytes_is_absent(user->reference)) return find_by_id(found, w, &user->project, &user->id);
    return sqlite_find_user(found, &w->row->user, w->db, &wanted, w->arena);
}

enum err sqlite_write_user(struct sqlite_writing *w)
{
    struct user chosen = w->write->user.user;
    bool exists;
    enum err e;
    TRY(e = find_same(&exists, w, &chosen), done);
    w->row->state = exists ? ROW_EXISTS : ROW_WRITTEN;
    if (exists) return ERR_OK;
    if (chosen.address.type == 0) chosen.address = (struct address){0};
    TRY(e = choose_name(&chosen.address.name, w->db, w->project, chosen.address.name,
                        w->write->user.address_name_alt),
        done);
    if (chosen.address.type != 0) chosen.address.project = chosen.project;
    TRY(e = user_copy(&w->row->user, &chosen, w->arena), done);
    e = sqlite_insert_user(w->db, &w->row->user, w->project, w->write->user.password_hash);
done:
    return e;
}

static enum err update_profile(struct sqlite_writing *w)
{
    const struct write *write = w->write;
    struct query_run run;
    query_start(&run, w->db, QUERY_USER_UPDATE, NULL);
    query_bind_number(&run, w->project);
    query_bind_uuid(&run, &write->profile.user);
    query_bind_blob(&run, write->profile.password_hash);
    query_bind_number(&run, write->profile.now_ms);
    for (size_t i = 0; i < PROFILE_COUNT; i++)
        query_bind_text(&run, write->profile.profile.value[i]);
    return sqlite_end_write(w->row, &run);
}

enum err sqlite_write_profile(struct sqlite_writing *w)
{
    struct user *user = &w->row->user;
    bool exists;
    enum err e;
    TRY(e = find_by_id(&exists, w, &w->write->profile.project, &w->write->profile.user), done);
    if (!exists) return ERR_OK;
    TRY(e = profile_overlay(&user->profile, &w->write->profile.profile, w->arena), done);
    user->updated_ms = w->write->profile.now_ms;
    e = update_profile(w);
done:
    return e;
}

static enum err update_payload(struct sqlite_writing *w)
{
    struct query_run run;
    query_start(&run, w->db, QUERY_PAYLOAD_UPDATE, NULL);
    query_bind_number(&run, w->project);
    query_bind_uuid(&run, &w->write->payload.user);
    query_bind_text(&run, w->write->payload.payload);
    query_bind_text(&run, w->write->payload.external_id);
    query_bind_number(&run, w->row->user.updated_ms);
    return sqlite_end_write(w->row, &run);
}

enum err sqlite_write_payload(struct sqlite_writing *w)
{
    const struct write *write = w->write;
    struct user *user = &w->row->user;
    bool exists;
    enum err e;
    TRY(e = find_by_id(&exists, w, &write->payload.project, &write->payload.user), done);
    if (!exists || user->kind != USER_EMBEDDED) {
        *user = (struct user){0};
        return ERR_OK;
    }
    w->row->state = ROW_EXISTS;
    if (user->updated_ms != write->payload.if_updated_ms) return ERR_OK;
    user->updated_ms = updated_after(user->updated_ms, write->payload.now_ms);
    if (!bytes_is_absent(write->payload.payload))
        TRY(e = text_copy(&user->payload, write->payload.payload, w->arena), done);
    if (!bytes_is_absent(write->payload.external_id))
        TRY(e = text_copy(&user->external_id, write->payload.external_id, w->arena), done);
    e = update_payload(w);
done:
    return e;
}

static enum err run_for_user(struct sqlite_writing *w, enum query query)
{
    struct query_run run;
    query_start(&run, w->db, query, NULL);
    query_bind_number(&run, w->project);
    query_bind_uuid(&run, &w->write->user_gone.user);
    (void)query_step(&run); /* query_end tells */
    return query_end(&run);
}

enum err sqlite_write_user_gone(struct sqlite_writing *w)
{
    enum err e;
    bool was_there;
    TRY(e = run_for_user(w, QUERY_USER_DELETE), done);
    was_there = db_has_changed(w->db);
    TRY(e = run_for_user(w, QUERY_ANSWERS_DELETE), done);
    TRY(e = run_for_user(w, QUERY_INTERVIEWS_DELETE), done);
    if (was_there || db_has_changed(w->db)) w->row->state = ROW_WRITTEN;
done:
    return e;
}
