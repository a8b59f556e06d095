/* sqlite_write.c — one write of a commit: what happens once, uses, pruning; the others have files of their
 * own. */
#include "store/rows.h"
#include "store/sqlite.h"

enum err sqlite_name_is_taken(bool *out, struct db *db, int64_t project, struct bytes name)
{
    struct query_run run;
    query_start(&run, db, QUERY_NAME_IS_TAKEN, NULL);
    query_bind_number(&run, project);
    query_bind_text(&run, name);
    *out = query_step(&run);
    return query_end(&run);
}

enum err sqlite_end_write(struct row *row, struct query_run *run)
{
    (void)query_step(run); /* query_end tells */
    enum err e = query_end(run);
    if (e == ERR_OK) row->state = db_has_changed(run->db) ? ROW_WRITTEN : ROW_EXISTS;
    return e;
}

static enum err write_once(struct row *row, struct db *db, const struct write *write)
{
    struct query_run run;
    query_start(&run, db, QUERY_ONCE_INSERT, NULL);
    query_bind_number(&run, write->once.bucket_s);
    query_bind_blob(&run, uuid_bytes(&write->once.id)); /* as bytes: 16 zeros are an id like any other */
    return sqlite_end_write(row, &run);
}

static enum err read_bound(struct bytes *jkt, struct sqlite_writing *w)
{
    struct query_run run;
    query_start(&run, w->db, QUERY_BOUND_KEY, w->arena);
    query_bind_number(&run, w->write->bound.bucket_s);
    query_bind_blob(&run, uuid_bytes(&w->write->bound.id));
    *jkt = query_step(&run) ? query_read_text(&run) : BYTES_NONE; /* none: its bucket was forgotten */
    return query_end(&run);
}

static enum err write_bound(struct sqlite_writing *w)
{
    struct query_run run;
    enum err e;
    query_start(&run, w->db, QUERY_BOUND_INSERT, NULL);
    query_bind_number(&run, w->write->bound.bucket_s);
    query_bind_blob(&run, uuid_bytes(&w->write->bound.id));
    query_bind_text(&run, w->write->bound.jkt);
    TRY(e = sqlite_end_write(w->row, &run), done);
    e = read_bound(&w->row->jkt, w);
done:
    return e;
}

static enum err write_use(struct sqlite_writing *w)
{
    struct query_run run;
    query_start(&run, w->db, QUERY_USE_COUNT, NULL);
    query_bind_number(&run, w->project);
    query_bind_blob(&run, uuid_bytes(&w->write->use.of));
    query_bind_number(&run, w->write->use.span_s);
    query_bind_number(&run, w->write->use.from_s);
    query_bind_number(&run, w->write->use.until_s);
    query_bind_number(&run, w->write->use.most);
    return sqlite_end_write(w->row, &run);
}

/* Adds what it has forgotten. */
static enum err prune_some(int64_t *pruned, struct db *db, enum query query, int64_t through_s)
{
    struct query_run run;
    query_start(&run, db, query, NULL);
    query_bind_number(&run, through_s);
    query_bind_number(&run, PRUNE_ROWS_MAX - *pruned);
    (void)query_step(&run); /* query_end tells */
    enum err e = query_end(&run);
    if (e == ERR_OK) *pruned += db_changes(db);
    return e;
}

/* In the transaction that forgets: nobody sees one without the other. */
static enum err raise_pruned(struct db *db, int64_t through_s)
{
    struct query_run run;
    query_start(&run, db, QUERY_PRUNED_RAISE, NULL);
    query_bind_number(&run, through_s);
    (void)query_step(&run); /* query_end tells */
    return query_end(&run);
}

static enum err write_prune(struct row *row, struct db *db, int64_t through_s)
{
    static const enum query queries[] = {QUERY_ONCE_PRUNE, QUERY_USES_PRUNE, QUERY_FAMILIES_PRUNE,
                                         QUERY_CUTOFFS_PRUNE};
    int64_t pruned = 0;
    enum err e = ERR_OK;
    for (size_t i = 0; i < sizeof queries / sizeof queries[0] && pruned < PRUNE_ROWS_MAX; i++)
        TRY(e = prune_some(&pruned, db, queries[i], through_s), done);
    if (pruned == 0) return ERR_OK;
    row->state = ROW_WRITTEN;
    e = raise_pruned(db, through_s);
done:
    return e;
}

bool sqlite_write_is_single(enum write_kind kind)
{
    switch (kind) {
    case WRITE_CUTOFF:
    case WRITE_USER:
    case WRITE_PROFILE:
    case WRITE_ONCE:
    case WRITE_BOUND:
    case WRITE_USE:
    case WRITE_PAYLOAD:
    case WRITE_FAMILY:
    case WRITE_KEY_USED:
    case WRITE_INTERVIEW:
    case WRITE_INTERVIEW_STEP:
    case WRITE_ANSWER:
        return true;
    case WRITE_NONE:
    case WRITE_PROJECT:
    case WRITE_AGE:
    case WRITE_KEY:
    case WRITE_ORIGIN:
    case WRITE_ADDRESS:
    case WRITE_STUDY:
    case WRITE_RING_KEY:
    case WRITE_SETTING:
    case WRITE_ORIGIN_GONE:
    case WRITE_RESOURCE:
    case WRITE_RESOURCE_GONE:
    case WRITE_EPOCH:
    case WRITE_PRUNE:
    case WRITE_USER_GONE:
        break;
    }
    return false;
}

static enum err write_row(struct sqlite_writing *w)
{
    switch (w->write->kind) {
    case WRITE_NONE:
        break;
    case WRITE_PROJECT:
    case WRITE_AGE:
    case WRITE_KEY:
    case WRITE_ORIGIN:
    case WRITE_ADDRESS:
    case WRITE_STUDY:
    case WRITE_RING_KEY:
    case WRITE_SETTING:
    case WRITE_ORIGIN_GONE:
    case WRITE_RESOURCE:
    case WRITE_RESOURCE_GONE:
    case WRITE_EPOCH:
    case WRITE_CUTOFF:
    case WRITE_KEY_USED:
        return sqlite_write_fact(w);
    case WRITE_USER:
        return sqlite_write_user(w);
    case WRITE_PROFILE:
        return sqlite_write_profile(w);
    case WRITE_ONCE:
        return write_once(w->row, w->db, w->write);
    case WRITE_BOUND:
        return write_bound(w);
    case WRITE_USE:
        return write_use(w);
    case WRITE_PRUNE:
        return write_prune(w->row, w->db, w->write->prune.through_s);
    case WRITE_PAYLOAD:
        return sqlite_write_payload(w);
    case WRITE_USER_GONE:
        return sqlite_write_user_gone(w);
    case WRITE_FAMILY:
        return sqlite_write_family(w);
    case WRITE_INTERVIEW:
        return sqlite_write_interview(w);
    case WRITE_INTERVIEW_STEP:
        return sqlite_write_step(w);
    case WRITE_ANSWER:
        return sqlite_write_answer(w);
    }
    return ERR_OK;
}

static enum err is_cut_off(bool *out, struct sqlite_writing *w)
{
    const struct uuid *user = write_is_for(w->write);
    struct query_run run;
    *out = false;
    if (user == NULL) return ERR_OK;
    query_start(&run, w->db, QUERY_CUTOFF_SINCE, NULL);
    query_bind_number(&run, w->project);
    query_bind_number(&run, w->write->gt_ms);
    query_bind_number(&run, CUTOFF_PROJECT);
    query_bind_number(&run, CUTOFF_USER);
    query_bind_uuid(&run, user);
    *out = query_step(&run);
    return query_end(&run);
}

enum err sqlite_write(struct row *row, struct db *db, const struct write *write, struct arena *arena)
{
    struct sqlite_writing w = {.db = db, .write = write, .row = row, .arena = arena};
    const struct uuid *project = write_belongs_to(write);
    bool is_cut;
    enum err e = ERR_OK;
    *row = (struct row){.state = ROW_ABSENT};
    if (project != NULL) {
        TRY(e = sqlite_project_number(&w.project, db, project), failed);
        if (w.project == 0) return ERR_OK; /* the project is absent, and so is the row */
    }
    TRY(e = is_cut_off(&is_cut, &w), failed);
    if (is_cut) return ERR_OK;
    TRY(e = write_row(&w), failed);
    if (row->state == ROW_WRITTEN && write_raises_version(write->kind))
        TRY(e = db_run(db, QUERY_VERSION_RAISE), failed);
    return ERR_OK;
failed:
    *row = (struct row){0};
    return e;
}
