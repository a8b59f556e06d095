#include "store/sqlite.h"

static const enum query queries[] = {[READ_USER_BY_REFERENCE] = QUERY_USER_BY_REFERENCE,
                                     [READ_USER_BY_ID] = QUERY_USER_BY_ID,
                                     [READ_USER_BY_ADDRESS] = QUERY_USER_BY_ADDRESS};

static enum err look_up(struct db *db, struct store_read *read)
{
    struct user_wanted wanted = {
        .by = queries[read->kind], .project = read->project, .text = read->text, .id = &read->id};
    enum err e;
    read->found = false;
    read->user = (struct user){0};
    e = sqlite_project_number(&wanted.project_number, db, &read->project);
    if (e != ERR_OK || wanted.project_number == 0) return e;
    return sqlite_find_user(&read->found, &read->user, db, &wanted, read->arena);
}

/* All that wait are read in one transaction: that saves each of them the taking and leaving of the read lock.
 */
static void answer_reads(struct sqlite_store *store)
{
    struct mail *mail = mailbox_take(&store->reads);
    if (mail == NULL) return;
    enum err begun = db_run(store->reader_db, QUERY_BEGIN_READ);
    while (mail != NULL) {
        struct store_read *read = (struct store_read *)(void *)mail; /* its first member */
        mail = mail->next;
        read->error = begun == ERR_OK ? look_up(store->reader_db, read) : begun;
        atomic_fetch_sub(&store->reads_waiting, 1);
        read->post(read->to, &read->mail); /* it may be gone after this */
    }
    if (begun == ERR_OK && db_run(store->reader_db, QUERY_COMMIT) == ERR_OK)
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
        (void)sem_post(&question->bell); /* cannot overflow: it is posted once */
    }
}

void *sqlite_reader_run(void *state)
{
    struct sqlite_store *store = state;
    bool goes_on = true;
    while (goes_on) {
        goes_on = clerk_wait(&store->reader);
        answer_reads(store);
        answer_questions(store);
    }
    return NULL;
}
