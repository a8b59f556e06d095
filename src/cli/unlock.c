#include "cli/unlock.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "server/host.h"
#include "service/master.h"

enum err unlock_sync(const char *folder)
{
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err e = dir >= 0 && fsync(dir) == 0 ? ERR_OK : ERR_IO;

    if (dir >= 0) close(dir);
    return e;
}

enum err unlock_put_in_place(const char *folder)
{
    char from[PATH_MAX], to[PATH_MAX];

    if (snprintf(from, sizeof from, "%s/" MASTER_NEXT_FILE, folder) >= (int)sizeof from ||
        snprintf(to, sizeof to, "%s/" MASTER_FILE, folder) >= (int)sizeof to || rename(from, to) < 0)
        return ERR_IO;
    return unlock_sync(folder);
}

static enum err open_ring(struct unlocked *out, struct store *store, const char **why)
{
    const struct host *host = host_machine();

    return keyring_open(&out->ring, store, out->master, &host->dice, host->wall_ms(host->state), why);
}

/* The present key does not open the ring. If the next one does, a change of the master key had got as far as
 * the store and no further. */
static enum err open_with_next(struct unlocked *out, const char *folder, struct store *store,
                               const char **why)
{
    const char *ignored;

    if (master_load_next(out->master, folder, &ignored) || open_ring(out, store, &ignored))
        return ERR_CORRUPT;
    if (out->master_is_given) {
        *why = "the stored keys open with " MASTER_NEXT_FILE " and no more with the master key given: a "
               "change of it was cut short. Give the new one, then delete that file";
        return ERR_CONFIG;
    }
    *why = "a change of the master key was cut short, and " MASTER_NEXT_FILE
           " cannot take the place of " MASTER_FILE;
    if (unlock_put_in_place(folder)) return ERR_IO;
    log_info("master_key_changed", log_text("because", "the change had been cut short"));
    return ERR_OK;
}

enum err unlock(struct unlocked *out, const char *folder, struct store *store, bool may_make,
                const char **why)
{
    const struct host *host = host_machine();
    enum err e = ERR_NO_MEMORY;

    memset(out, 0, sizeof *out);
    *why = "not enough memory";
    if (!(out->master = secret_new())) goto done;
    out->master_is_given = master_is_given();
    TRY(e = master_load(out->master, folder, may_make, &host->dice, why), done);
    e = open_ring(out, store, why);
    if (e == ERR_CORRUPT) e = open_with_next(out, folder, store, why);
done:
    if (e) lock(out);
    return e;
}

void lock(struct unlocked *unlocked)
{
    keyring_free(unlocked->ring);
    secret_free(unlocked->master);
    memset(unlocked, 0, sizeof *unlocked);
}
