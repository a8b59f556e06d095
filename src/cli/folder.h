/* folder.h — the data folder: made private, and held by one process at a time. */
#ifndef COATCHECK_CLI_FOLDER_H
#define COATCHECK_CLI_FOLDER_H

#include <stddef.h>

#include "base/err.h"

#define FOLDER_DEFAULT ".coatcheck" /* of `coatcheck dev`, and of commands that ask a server */

struct folder {
    char path[4096]; /* absolute */
    int lock;        /* the open lock file; the kernel lets go of it with the process */
    int error;       /* ERR_IO: what the system said (errno) */
    long holder;     /* ERR_LOCKED: the pid that holds it, 0 if it did not say */
};

/* Makes the folder (mode 0700) if there is none. ERR_LOCKED, ERR_IO; ERR_CONFIG: others may write in it. */
MUST_USE enum err folder_open(struct folder *out, const char *path);
void folder_close(struct folder *folder);
/* path of a file in it */
MUST_USE enum err folder_file(char *out, size_t size, const struct folder *folder, const char *name);

#endif
