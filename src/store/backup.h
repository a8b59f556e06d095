/* backup.h — a whole copy of a database in use, and a database put in the place of another.
 *
 * The copy is one moment's: it is read through one look at the write-ahead log, so that writers go on
 * meanwhile and wait for nobody (the log grows until it is done). It is made beside the wanted file as
 * FILE.part and gets its name when it is complete, synced and checked. It is taken by whoever asks, not by
 * the server, which may write its own folder only.
 *
 * Putting back happens in three steps: beside the database a complete one is made (path.restoring), that gets
 * the name path.restored, and from then on counts; then the old files are put aside as path.replaced-N and
 * the new one takes its place. Whatever is cut short after the second step is ended by whoever opens the
 * database next (file_settle). The one put back is not quite the one that was backed up: everything granted
 * is void, for nobody knows what was used since. */
#ifndef COATCHECK_STORE_BACKUP_H
#define COATCHECK_STORE_BACKUP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define BACKUP_SLICE_PAGES                                                                                   \
    1024 /* of 4 KiB; each is on the disk before the next, so that no flood holds up a commit */

struct store_backup {
    const char *from, *to; /* the database, which may be in use; the file to be made, mode 0600 */
    bool replaces;         /* to may be there already, if it is a backup too */
    bool is_alone; /* nobody else uses the folder: a log is a crash's, and must not be a damaged one */
    void (*tell)(void *state, int64_t bytes, int64_t bytes_in_all); /* after each slice; NULL: nobody asks */
    void *state;
    int64_t bytes; /* of the file that was made */
};
/* ERR_CONFIG: the wish is refused; ERR_LOCKED: another one is writing there. On failure *why names the reason
 * (a static string), and what was at `to` is there still. */
MUST_USE enum err store_back_up(struct store_backup *backup, const char **why);

struct store_restore {
    const char *from, *to; /* the backup; the database, in a folder that nobody else uses */
    bool replaces;         /* what is there is put aside */
    int64_t now_ms;

    /* what came of it */
    int64_t schema, projects, users; /* of the backup */
    int64_t epoch;                   /* from now on */
    int64_t cut_ms;                  /* what was granted until then is void, in every project */
    unsigned aside;                  /* N of path.replaced-N; 0: nothing was there */
    /* of the one replaced it could not be read how far it had come: it is damaged or foreign */
    bool is_blind;
};
/* ERR_CONFIG: there is a database already, or a log beside the backup; ERR_CORRUPT, ERR_STORE_NEWER: no
 * backup for this program. */
MUST_USE enum err store_restore(struct store_restore *restore, const char **why);

#endif
