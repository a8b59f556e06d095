/* sqlite_family.c — refresh families: inserted, moved on, ended. */
#include "store/rows.h"
#include "store/sqlite.h"

static void bind_key(struct query_run *run, int64_t project, const struct family *family)
{
    query_bind_number(run, project);
    query_bind_number(run, family->bucket_s);
    query_bind_blob(run, uuid_bytes(&family->id));
}

enum err sqlite_find_family(bool *found, struct family *out, struct db *db, int64_t project,
                            const struct family *wanted, struct arena *arena)
{
    struct query_run run;
    *found = false;
    *out = (struct family){0};
    query_start(&run, db, QUERY_FAMILY, arena);
    bind_key(&run, project, wanted);
    if (query_step(&run)) {
        out->id = wanted->id;
        out->project = wanted->project;
        out->bucket_s = wanted->bucket_s;
        query_read_exactly(out->user.byte, sizeof out->user.byte, &run);
        out->state = (enum family_state)query_read_choice(&run, FAMILY_DEAD);
        out->generation = (uint32_t)query_read_number(&run); /* within its bounds: the schema sees to it */
        out->rotated_ms = query_read_number(&run);
        out->succ_exp_s = query_read_number(&run);
        out->age_ms = query_read_number(&run);
        out->holder = query_read_text(&run);
        out->holder_is_bound = query_read_number(&run) != 0;
        out->seal_key = query_read_text(&run);
        *found = true;
    }
    enum err e = query_end(&run);
    if (e == ERR_OK) return e;
    *found = false;
    *out = (struct family){0};
    return e;
}

/* To FAMILY_LIVE all fields are bound, in one order for both statements. */
static enum err write_fields(struct sqlite_writing *w, enum query query)
{
    const struct family *family = &w->write->family.family;
    struct query_run run;
    query_start(&run, w->db, query, NULL);
    bind_key(&run, w->project, family);
    query_bind_blob(&run, uuid_bytes(&family->user));
    query_bind_number(&run, family->state);
    query_bind_number(&run, family->generation);
    query_bind_number(&run, family->rotated_ms);
    query_bind_number(&run, family->succ_exp_s);
    query_bind_number(&run, family->age_ms);
    query_bind_text(&run, family->holder);
    query_bind_number(&run, family->holder_is_bound);
    query_bind_text(&run, family->seal_key);
    if (query == QUERY_FAMILY_STEP) query_bind_number(&run, w->write->family.from_generation);
    return sqlite_end_write(w->row, &run);
}

/* A new one that was not inserted though there is none: its bucket is over, and so is whatever it was. */
static enum err give_forgotten(struct sqlite_writing *w)
{
    enum err e = family_copy(&w->row->family, &w->write->family.family, w->arena);
    if (e != ERR_OK) return e;
    w->row->state = ROW_EXISTS;
    w->row->family.state = FAMILY_DEAD;
    return ERR_OK;
}

static enum err insert_or_step(struct sqlite_writing *w)
{
    bool is_new = w->write->family.from_generation == 0, exists;
    enum err e;
    TRY(e = family_copy(&w->row->family, &w->write->family.family, w->arena), done);
    TRY(e = write_fields(w, is_new ? QUERY_FAMILY_INSERT : QUERY_FAMILY_STEP), done);
    if (w->row->state == ROW_WRITTEN) return ERR_OK;
    e = sqlite_find_family(&exists, &w->row->family, w->db, w->project, &w->write->family.family, w->arena);
    w->row->state = exists ? ROW_EXISTS : ROW_ABSENT;
    if (e == ERR_OK && !exists && is_new) e = give_forgotten(w);
done:
    return e;
}

/* What the row was is read first: a dead one keeps its fields. */
static enum err end_family(struct sqlite_writing *w)
{
    const struct family *family = &w->write->family.family;
    struct query_run run;
    bool exists;
    enum err e;
    TRY(e = sqlite_find_family(&exists, &w->row->family, w->db, w->project, family, w->arena), done);
    if (!exists) return ERR_OK;
    query_start(&run, w->db, QUERY_FAMILY_END, NULL);
    bind_key(&run, w->project, family);
    query_bind_blob(&run, uuid_bytes(&family->user));
    query_bind_number(&run, w->write->family.from_generation);
    TRY(e = sqlite_end_write(w->row, &run), done);
    if (w->row->state == ROW_WRITTEN) w->row->family.state = FAMILY_DEAD;
done:
    return e;
}

enum err sqlite_write_family(struct sqlite_writing *w)
{
    if (w->write->family.from_generation != 0 && w->write->family.family.state == FAMILY_DEAD)
        return end_family(w);
    return insert_or_step(w);
}
