/* sqlite_user.c — rows of users: looked up, read, inserted. */
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

/* As a user's columns and an address's own are: a type that is NULL says that there is none. */
void sqlite_read_address(struct address *out, const struct uuid *project, struct query_run *run)
{
    query_read_uuid(&out->id, run);
    query_read_uuid(&out->resource, run);
    out->name = query_read_text(run);
    out->display_name = query_read_text(run);
    out->type = (enum address_type)query_read_choice_or_none(run, ADDRESS_SUBSCRIBER);
    out->created_ms = query_read_number(run);
    out->project = *project;
    if (out->type == 0) *out = (struct address){0};
}

/* The order of USER_COLUMNS, as in sqlite_insert_user. */
void sqlite_read_user(struct user *out, const struct uuid *project, struct query_run *run)
{
    out->project = *project;
    query_read_uuid(&out->id, run);
    out->kind = (enum user_kind)query_read_choice(run, USER_EMBEDDED);
    out->reference = query_read_text(run);
    out->external_id = query_read_text(run);
    out->payload = query_read_text(run);
    out->created_ms = query_read_number(run);
    out->updated_ms = query_read_number(run);
    sqlite_read_address(&out->address, project, run);
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
    if (wanted->id != NULL)
        query_bind_uuid(&run, wanted->id);
    else
        query_bind_text(&run, wanted->text);
    if (query_step(&run)) {
        sqlite_read_user(out, &wanted->project, &run);
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
    query_bind_text(&run, user->external_id);
    query_bind_text(&run, user->payload);
    query_bind_number(&run, user->created_ms);
    query_bind_number(&run, user->updated_ms);
    query_bind_uuid(&run, &user->address.id);
    query_bind_uuid(&run, &user->address.resource);
    query_bind_text(&run, user->address.name);
    query_bind_text(&run, user->address.display_name);
    query_bind_number_or_none(&run, user->address.type);
    query_bind_number(&run, user->address.created_ms);
    for (size_t i = 0; i < PROFILE_COUNT; i++)
        query_bind_text(&run, user->profile.value[i]);
    (void)query_step(&run); /* query_end tells */
    return query_end(&run);
}
