/* data.h — a data folder opened whole: the lock, the database, the key ring. */
#ifndef COATCHECK_CLI_DATA_H
#define COATCHECK_CLI_DATA_H

#include "cli/folder.h"
#include "cli/unlock.h"

#define DATABASE_FILE "coatcheck.db"

enum data_use {
    DATA_TO_SERVE,    /* made if it is not there */
    DATA_TO_MAKE,     /* the same, for a command that says what it made */
    DATA_TO_OPERATE,  /* must be there; no keys are read */
    DATA_WITH_SECRETS /* the same, with the key ring */
};

struct data {
    struct folder folder;
    struct store *store;
    struct unlocked keys; /* empty for DATA_TO_OPERATE */
};
/* Returns an exit code and has said why. */
int data_open(struct data *out, const char *path, enum data_use use);
void data_close(struct data *data);
bool data_is_there(const char *path);

/* Opens the folder, on which no server runs, to operate on it for as long as use takes; returns
 * what that does. */
int data_with_store(const char *path, int (*use)(void *state, struct store *store), void *state);
/* Engine time: never behind what a server on this folder has decided by (server/clock.h). */
MUST_USE enum err data_now_ms(int64_t *out, struct store *store);

#endif
