/* sqlite_lists.c — what is asked for by those who may block, besides the facts: each list is counted and
 * read in one transaction. */
#include "store/snapshot.h"
#include "store/sqlite.h"

/* project 0: the query is about none. */
static enum err count(size_t *out, struct db *db, enum query query, int64_t project)
{
    struct query_run run;
    *out = 0;
    query_start(&run, db, query, NULL);
    if (project != 0) query_bind_number(&run, project);
    if (query_step(&run)) *out = (size_t)query_read_number(&run);
    return query_end(&run);
}

static enum err read_ring(struct store_ring *ring, size_t room, struct db *db)
{
    struct query_run run;
    query_start(&run, db, QUERY_RING, &ring->arena);
    while (ring->count < room && query_step(&run)) {
        struct ring_key *key = &ring->keys[ring->count++];
        key->id = query_read_text(&run);
        key->use = (enum ring_use)query_read_choice(&run, RING_HASH);
        key->state = (enum ring_state)query_read_choice(&run, RING_RETIRED);
        key->algorithm = query_read_text(&run);
        key->wrapped = query_read_text(&run);
        key->created_ms = query_read_number(&run);
        key->since_ms = query_read_number(&run);
    }
    return query_end(&run);
}

enum err sqlite_answer_ring(void *out, struct db *db)
{
    struct store_ring *ring = NULL;
    size_t room;
    enum err e;
    *(struct store_ring **)out = NULL;
    TRY(e = db_run(db, QUERY_BEGIN_READ), done);
    TRY(e = count(&room, db, QUERY_RING_COUNT, 0), ended);
    TRY(e = store_ring_new(&ring, room), ended);
    TRY(e = read_ring(ring, room, db), ended);
    *(struct store_ring **)out = ring;
    ring = NULL;
ended:
    if (db_in_transaction(db)) (void)db_run(db, QUERY_ROLLBACK); /* nothing was written */
done:
    store_ring_free(ring);
    return e;
}

static enum err read_cutoffs(struct store_cutoffs *cutoffs, size_t room, struct db *db)
{
    struct query_run run;
    query_start(&run, db, QUERY_CUTOFFS, &cutoffs->arena);
    while (cutoffs->count < room && query_step(&run)) {
        struct cutoff *cutoff = &cutoffs->list[cutoffs->count++];
        query_read_uuid(&cutoff->project, &run);
        cutoff->of = (enum cutoff_of)query_read_choice(&run, CUTOFF_RESOURCE);
        cutoff->id = query_read_text(&run);
        cutoff->t_ms = query_read_number(&run);
    }
    return query_end(&run);
}

enum err sqlite_answer_cutoffs(void *out, struct db *db)
{
    struct store_cutoffs *cutoffs = NULL;
    size_t room;
    enum err e;
    *(struct store_cutoffs **)out = NULL;
    TRY(e = db_run(db, QUERY_BEGIN_READ), done);
    TRY(e = count(&room, db, QUERY_CUTOFF_COUNT, 0), ended);
    TRY(e = store_cutoffs_new(&cutoffs, room), ended);
    TRY(e = read_cutoffs(cutoffs, room, db), ended);
    *(struct store_cutoffs **)out = cutoffs;
    cutoffs = NULL;
ended:
    if (db_in_transaction(db)) (void)db_run(db, QUERY_ROLLBACK); /* nothing was written */
done:
    store_cutoffs_free(cutoffs);
    return e;
}

static enum err read_key_uses(struct store_key_uses *uses, size_t room, struct db *db, int64_t project)
{
    struct query_run run;
    query_start(&run, db, QUERY_KEY_USES, &uses->arena);
    query_bind_number(&run, project);
    while (uses->count < room && query_step(&run)) {
        struct store_key_use *use = &uses->list[uses->count++];
        use->public_id = query_read_text(&run);
        use->used_ms = query_read_number(&run);
    }
    return query_end(&run);
}

enum err sqlite_answer_key_uses(void *out, struct db *db)
{
    struct key_uses_wanted *wanted = out;
    struct store_key_uses *uses = NULL;
    int64_t project;
    size_t room = 0;
    enum err e;
    TRY(e = db_run(db, QUERY_BEGIN_READ), done);
    TRY(e = sqlite_project_number(&project, db, &wanted->project), ended);
    if (project != 0) TRY(e = count(&room, db, QUERY_KEY_COUNT, project), ended);
    TRY(e = store_key_uses_new(&uses, room), ended);
    if (room != 0) TRY(e = read_key_uses(uses, room, db, project), ended);
    wanted->uses = uses;
    uses = NULL;
ended:
    if (db_in_transaction(db)) (void)db_run(db, QUERY_ROLLBACK); /* nothing was written */
done:
    store_key_uses_free(uses);
    return e;
}
