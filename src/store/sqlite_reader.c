/* sqlite_reader.c — the reader's thread: look-ups that wait together share one look at the database. */
#include "store/rows.h"
#include "store/sqlite.h"

static enum err one_user(struct store_read *read, struct db *db, int64_t project, enum query by)
{
    bool is_by_id = read->kind == READ_USER_BY_ID || read->kind == READ_USER_BY_RESOURCE;
    struct user_wanted wanted = {.by = by,
                                 .project = read->project,
                                 .project_number = project,
                                 .text = read->text,
                                 .id = is_by_id ? &read->id : NULL};
    return sqlite_find_user(&read->found, &read->user, db, &wanted, read->arena);
}

static void bind_list(struct query_run *run, const struct store_read *read, int64_t project, int64_t after,
                      int64_t limit)
{
    query_bind_number(run, project);
    query_bind_number(run, after);
    query_bind_number(run, limit);
    if (read->kind == READ_USERS_BY_EXTERNAL_ID) query_bind_text(run, read->text);
}

static enum err count_users(size_t *out, const struct store_read *read, struct db *db, int64_t project,
                            int64_t after)
{
    struct query_run run;
    *out = 0;
    query_start(&run, db, read->kind == READ_USERS ? QUERY_PAGE_COUNT : QUERY_LABEL_COUNT, NULL);
    bind_list(&run, read, project, after, (int64_t)read->limit + 1);
    if (query_step(&run)) *out = (size_t)query_read_number(&run);
    return query_end(&run);
}

static enum err start_of_page(int64_t *out, const struct store_read *read, struct db *db, int64_t project)
{
    struct query_run run;
    struct uuid id;
    bool found;
    enum err e;
    *out = 0;
    if (read->kind != READ_USERS || bytes_is_absent(read->text)) return ERR_OK;
    TRY(e = uuid_read(&id, read->text), done);
    query_start(&run, db, QUERY_SUBSCRIBER_NUMBER, NULL);
    query_bind_number(&run, project);
    query_bind_uuid(&run, &id);
    found = query_step(&run);
    if (found) *out = query_read_number(&run);
    TRY(e = query_end(&run), done);
    if (!found) e = ERR_MALFORMED;
done:
    return e;
}

/* One more is counted than given: it tells whether there is a next page. */
static enum err list_users(struct store_read *read, struct db *db, int64_t project)
{
    struct query_run run;
    struct user *users;
    int64_t last;
    size_t there;
    enum err e;
    TRY(e = start_of_page(&last, read, db, project), done);
    TRY(e = count_users(&there, read, db, project, last), done);
    size_t room = there < read->limit ? there : read->limit;
    TRY(e = store_users_room(&users, read, room), done);
    query_start(&run, db, read->kind == READ_USERS ? QUERY_USERS_PAGE : QUERY_USERS_BY_LABEL, read->arena);
    bind_list(&run, read, project, last, (int64_t)room);
    while (read->user_count < room && query_step(&run)) {
        (void)query_read_number(&run); /* its place in the order */
        sqlite_read_user(&users[read->user_count++], &read->project, &run);
    }
    TRY(e = query_end(&run), done);
    if (there > room && room > 0 && read->kind == READ_USERS)
        e = cursor_write(&read->next, &users[room - 1], read->arena);
done:
    return e;
}

static enum err find_address(bool *found, struct address *out, struct store_read *read, struct db *db,
                             int64_t project, const struct uuid *id)
{
    struct query_run run;
    query_start(&run, db, QUERY_ADDRESS_BY_ID, read->arena);
    query_bind_number(&run, project);
    query_bind_uuid(&run, id);
    *found = query_step(&run);
    if (*found) sqlite_read_address(out, &read->project, &run);
    return query_end(&run);
}

static enum err list_addresses(struct store_read *read, struct db *db, int64_t project)
{
    struct address *list;
    bool found;
    enum err e;
    TRY(e = store_addresses_room(&list, read), done);
    for (size_t i = 0; i < read->id_count; i++) {
        TRY(e = find_address(&found, &list[read->address_count], read, db, project, &read->ids[i]), done);
        if (found) read->address_count++;
    }
done:
    return e;
}

static enum err one_family(struct store_read *read, struct db *db, int64_t project)
{
    struct family wanted = {.id = read->id, .project = read->project, .bucket_s = read->bucket_s};
    return sqlite_find_family(&read->found, &read->family, db, project, &wanted, read->arena);
}

static enum err one_interview(struct store_read *read, struct db *db, int64_t project)
{
    struct interview wanted = {.id = read->id, .project = read->project, .user = read->owner};
    return sqlite_find_interview(&read->found, &read->interview, db, project, &wanted);
}

static enum err look_up(struct db *db, struct store_read *read)
{
    int64_t project;
    enum err e = sqlite_project_number(&project, db, &read->project);
    if (e != ERR_OK) return e;
    switch (read->kind) { /* of no project, with the number 0, nothing is found */
    case READ_USER_BY_REFERENCE:
        return one_user(read, db, project, QUERY_USER_BY_REFERENCE);
    case READ_USER_BY_ID:
        return one_user(read, db, project, QUERY_USER_BY_ID);
    case READ_USER_BY_ADDRESS:
        return one_user(read, db, project, QUERY_USER_BY_ADDRESS);
    case READ_USER_BY_RESOURCE:
        return one_user(read, db, project, QUERY_USER_BY_RESOURCE);
    case READ_USERS_BY_EXTERNAL_ID:
    case READ_USERS:
        return list_users(read, db, project);
    case READ_ADDRESSES:
        return list_addresses(read, db, project);
    case READ_FAMILY:
        return one_family(read, db, project);
    case READ_INTERVIEW:
        return one_interview(read, db, project);
    }
    return ERR_UNSUPPORTED;
}

/* All that wait are read in one transaction: that saves each of them the taking and leaving of
 * the read lock. */
static void answer_reads(struct sqlite_store *store)
{
    struct mail *mail = mailbox_take(&store->reads);
    if (mail == NULL) return;
    enum err begun = db_run(store->reader_db, QUERY_BEGIN_READ);
    bool is_well = begun == ERR_OK;
    while (mail != NULL) {
        struct store_read *read = (struct store_read *)(void *)mail; /* its first member */
        mail = mail->next;
        read->error = begun == ERR_OK ? look_up(store->reader_db, read) : begun;
        if (read->error != ERR_OK) store_read_begin(read); /* nothing of a half read */
        is_well = is_well && read->error == ERR_OK;
        atomic_fetch_sub(&store->reads_waiting, 1);
        read->post(read->to, &read->mail); /* it may be gone after this */
    }
    if (begun == ERR_OK && db_run(store->reader_db, QUERY_COMMIT) == ERR_OK && is_well)
        store->reader_db->is_failing = false;
    if (db_in_transaction(store->reader_db))
        (void)db_run(store->reader_db, QUERY_ROLLBACK); /* or it would pin the log */
}

static void answer_questions(struct sqlite_store *store)
{
    struct mail *mail = mailbox_take(&store->questions);
    while (mail != NULL) {
        struct question *question = (struct question *)(void *)mail; /* its first member */
        mail = mail->next;
        question->error = question->answer(question->out, store->reader_db);
        if (question->error == ERR_OK) store->reader_db->is_failing = false;
        (void)sem_post(&question->bell); /* cannot overflow: it is posted once */
    }
}

/* A page that was read wrong stays in a connection's memory, and would be wrong for every later reader. */
static void renew(struct sqlite_store *store)
{
    struct db *fresh;
    if (!store->reader_db->is_failing) return;
    if (db_reopen(&fresh, store->path) != ERR_OK) return; /* the old one may still do */
    db_free(store->reader_db);
    store->reader_db = fresh;
}

void *sqlite_reader_run(void *state)
{
    struct sqlite_store *store = state;
    bool goes_on = true;
    while (goes_on) {
        goes_on = clerk_wait(&store->reader);
        renew(store);
        answer_reads(store);
        answer_questions(store);
    }
    return NULL;
}
