/* sqlite.h — the inside of the SQLite store: three clerks, each with a connection of its own.
 *
 * The writer takes all commits that wait into one transaction. The reader answers look-ups and the questions
 * of those who may block (facts, ring). The sweeper moves the log into the database file while the other two
 * go on. Nothing is locked: work reaches a clerk through its mailbox and leaves by the asker's post. */
#ifndef COATCHECK_STORE_SQLITE_H
#define COATCHECK_STORE_SQLITE_H

#include "store/clerk.h"
#include "store/db.h"
#include "store/store.h"

/* Pages of 4 KiB. The sweeper starts early; should writes outrun it, the writer finishes the sweep itself
 * between two transactions, when nothing is appended and the log can start over. */
#define LOG_PAGES_TO_SWEEP 1024 /* 4 MiB */
#define LOG_PAGES_TOO_MANY 8192 /* 32 MiB */

/* A question blocks its asker, who is woken by the bell. */
struct question {
    struct mail mail;
    enum err (*answer)(void *out, struct db *db);
    void *out;
    enum err error;
    sem_t bell;
};

struct sqlite_store {
    struct store store;
    char *path;
    struct clerk writer, reader, sweeper;
    struct db *writer_db, *reader_db, *sweeper_db; /* each used by its clerk alone while that runs */
    struct mailbox commits, reads, questions;
    atomic_uint commits_waiting, reads_waiting;
    int64_t floor_ms; /* as stored: the writer's own once it runs */
    int log_pages,
        log_pages_swept; /* after the writer's last commit; when the last sweep began. The writer's own */
};

void *sqlite_writer_run(void *state); /* the store: a thread's first function */
void *sqlite_reader_run(void *state);
void *sqlite_sweeper_run(void *state);
/* Its connection: db_open at first, db_reopen after a failure. */
MUST_USE enum err sqlite_open_writer(struct sqlite_store *store, db_open_fn *open);

/* What a write is made with, and the row that it fills. */
struct sqlite_writing {
    struct db *db;
    int64_t project; /* its number; 0: the write belongs to none */
    const struct write *write;
    struct row *row;
    struct arena *arena;
};

/* One write of a commit, within a transaction. Whatever can fail is done before the first change, so that a
 * write of one statement needs no savepoint; a write of facts also raises the version, and does. */
MUST_USE enum err sqlite_write(struct row *row, struct db *db, const struct write *write,
                               struct arena *arena);
bool sqlite_write_is_single(enum write_kind kind); /* changes the database in one statement or not at all */

/* 0: no such project */
MUST_USE enum err sqlite_project_number(int64_t *out, struct db *db, const struct uuid *project);

struct user_wanted {
    enum query by; /* QUERY_USER_BY_REFERENCE, _ID, _ADDRESS or _RESOURCE */
    struct uuid project;
    int64_t project_number;
    struct bytes text;     /* reference or address name */
    const struct uuid *id; /* of the user or resource; NULL: by text */
};
MUST_USE enum err sqlite_find_user(bool *found, struct user *out, struct db *db,
                                   const struct user_wanted *wanted, struct arena *arena);
MUST_USE enum err sqlite_insert_user(struct db *db, const struct user *user, int64_t project_number,
                                     struct bytes password_hash);
void sqlite_read_user(struct user *out, const struct uuid *project, struct query_run *run);
void sqlite_read_address(struct address *out, const struct uuid *project, struct query_run *run);
MUST_USE enum err sqlite_name_is_taken(bool *out, struct db *db, int64_t project, struct bytes name);

/* Binding is done: if the statement met no row to write, there is one that stays as it is. */
MUST_USE enum err sqlite_end_write(struct row *row, struct query_run *run);

/* Each is a case of sqlite_write. */
MUST_USE enum err sqlite_write_fact(struct sqlite_writing *w);
MUST_USE enum err sqlite_write_user(struct sqlite_writing *w);
MUST_USE enum err sqlite_write_profile(struct sqlite_writing *w);
MUST_USE enum err sqlite_write_payload(struct sqlite_writing *w);
MUST_USE enum err sqlite_write_user_gone(struct sqlite_writing *w);
MUST_USE enum err sqlite_write_family(struct sqlite_writing *w);
MUST_USE enum err sqlite_write_interview(struct sqlite_writing *w);
MUST_USE enum err sqlite_write_step(struct sqlite_writing *w);
MUST_USE enum err sqlite_write_answer(struct sqlite_writing *w);

MUST_USE enum err sqlite_find_family(bool *found, struct family *out, struct db *db, int64_t project,
                                     const struct family *wanted, struct arena *arena);
/* Of that user only. */
MUST_USE enum err sqlite_find_interview(bool *found, struct interview *out, struct db *db, int64_t project,
                                        const struct interview *wanted);

/* Answers to questions: out is what the operation of the same name fills. */
enum err sqlite_answer_facts(void *out, struct db *db);
enum err sqlite_answer_version(void *out, struct db *db);
enum err sqlite_answer_ring(void *out, struct db *db);
enum err sqlite_answer_floor(void *out, struct db *db);
enum err sqlite_answer_cutoffs(void *out, struct db *db);

struct key_uses_wanted {
    struct uuid project;
    struct store_key_uses *uses;
};
enum err sqlite_answer_key_uses(void *out, struct db *db); /* a struct key_uses_wanted */

#endif
