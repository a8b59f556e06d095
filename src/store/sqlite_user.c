#include "store/sqlite.h"

enum err sqlite_project_number(int64_t *out, struct db *db, const struct uuid *project)
{
    struct query_run run;
    *out = 0;
    query_start(&run, db, QUERY_PROJECT_NUMBER, NULL);
    query_bind_uuid(&run, project);
    if (query_step(&run)) *out = query_read_number(&run);
    return query_end(&run);
}

/* The order of USER_COLUMNS, as in insert_user. */
static void read_user(struct user *out, struct query_run *run)
{
    query_read_uuid(&out->id, run);
    out->kind = (enum user_kind)query_read_choice(run, USER_EMBEDDED);
    out->reference = query_read_text(run);
    out->created_ms = query_read_number(run);
    out->updated_ms = query_read_number(run);
    query_read_uuid(&out->address.id, run);
    query_read_uuid(&out->address.resource, run);
    out->address.name = query_read_text(run);
    out->address.display_name = query_read_text(run);
    out->address.type = (enum address_type)query_read_choice(run, ADDRESS_SUBSCRIBER);
    out->address.created_ms = query_read_number(run);
    for (size_t i = 0; i < PROFILE_COUNT; i++)
        out->profile.value[i] = query_read_text(run);
}

enum err sqlite_find_user(bool *found, struct user *out, struct db *db, const struct user_wanted *wanted,
                          struct arena *arena)
{
    struct query_run run;
    *found = false;
    *out = (struct user){0};
    query_start(&run, db, wanted->by, arena);
    query_bind_number(&run, wanted->project_number);
    if (wanted->by == QUERY_USER_BY_ID)
        query_bind_uuid(&run, wanted->id);
    else
        query_bind_text(&run, wanted->text);
    if (query_step(&run)) {
        out->project = out->address.project = wanted->project;
        read_user(out, &run);
        *found = true;
    }
    enum err e = query_end(&run);
    if (e == ERR_OK) return e;
    *found = false;
    *out = (struct user){0};
    return e;
}

enum err sqlite_insert_user(struct db *db, const struct user *user, int64_t project_number,
                            struct bytes password_hash)
{
    struct query_run run;
    query_start(&run, db, QUERY_USER_INSERT, NULL);
    query_bind_number(&run, project_number);
    query_bind_blob(&run, password_hash);
    query_bind_uuid(&run, &user->id);
    query_bind_number(&run, user->kind);
    query_bind_text(&run, user->reference);
    query_bind_number(&run, user->created_ms);
    query_bind_number(&run, user->updated_ms);
    query_bind_uuid(&run, &user->address.id);
    query_bind_uuid(&run, &user->address.resource);
    query_bind_text(&run, user->address.name);
    query_bind_text(&run, user->address.display_name);
    query_bind_number(&run, user->address.type);
    query_bind_number(&run, user->address.created_ms);
    for (size_t i = 0; i < PROFILE_COUNT; i++)
        query_bind_text(&run, user->profile.value[i]);
    (void)query_step(&run); /* query_end tells */
    return query_end(&run);
}
