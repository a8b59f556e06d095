#include "cli/data.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "server/host.h"

bool data_is_there(const char *path)
{
    char file[4200];

    return snprintf(file, sizeof file, "%s/" DATABASE_FILE, path) < (int)sizeof file &&
           access(file, F_OK) == 0;
}

static int folder_failed(const struct folder *folder, const char *path, enum data_use use, enum err e)
{
    if (e == ERR_LOCKED && use == DATA_TO_SERVE)
        return cli_fail(
            EXIT_LOCKED,
            "another coatcheck (pid %ld) uses %s: stop it, or name another folder with --data and "
            "another port with --port",
            folder->holder, folder->path);
    if (e == ERR_LOCKED)
        return cli_fail(EXIT_LOCKED, "%s: coatcheck (pid %ld) is just starting or stopping here: try again",
                        folder->path, folder->holder);
    if (e == ERR_CONFIG)
        return cli_fail(EXIT_CONFIG, "the data folder %s can be written by others: chmod go-w it", path);
    if (folder->error == ENOENT)
        return cli_fail(EXIT_FAILED,
                        "the data folder %s cannot be made: make the folder it shall lie in first", path);
    if (folder->error == EACCES)
        return cli_fail(EXIT_FAILED,
                        "the data folder %s cannot be used: %s: run this as the folder's owner, or name "
                        "another with --data",
                        path, strerror(folder->error));
    return cli_fail(EXIT_FAILED, "the data folder %s cannot be used: %s", path, strerror(folder->error));
}

static int data_failed(const char *path, enum err e, const char *why)
{
    if (e == ERR_CONFIG) return cli_fail(EXIT_CONFIG, "%s: %s", path, why);
    if (e == ERR_CORRUPT || e == ERR_STORE_NEWER) return cli_fail(EXIT_DATA, "%s: %s", path, why);
    return cli_fail(EXIT_FAILED, "%s: %s (%s)", path, why, err_name(e));
}

static enum err open_all(struct data *data, enum data_use use, const char **why)
{
    char path[4200];
    bool is_new;
    enum err e;

    TRY(e = folder_file(path, sizeof path, &data->folder, DATABASE_FILE), done);
    is_new = access(path, F_OK) != 0;
    TRY(e = store_sqlite_open(&data->store, path, why), done);
    if (use == DATA_TO_OPERATE) goto done;
    e = unlock(&data->keys, data->folder.path, data->store, is_new, why);
done:
    return e;
}

int data_open(struct data *out, const char *path, enum data_use use)
{
    const char *why = "not enough memory";
    char where[sizeof out->folder.path];
    enum err e;

    memset(out, 0, sizeof *out);
    out->folder.lock = -1;
    if ((use == DATA_TO_OPERATE || use == DATA_WITH_SECRETS) && !data_is_there(path))
        return cli_fail(
            EXIT_FAILED,
            "%.200s: there is no database here: coatcheck init makes one, --data names another folder", path);
    e = folder_open(&out->folder, path);
    if (e) return folder_failed(&out->folder, path, use, e);
    e = open_all(out, use, &why);
    if (!e) return EXIT_OK;
    memcpy(where, out->folder.path, sizeof where);
    data_close(out);
    return data_failed(where, e, why);
}

void data_close(struct data *data)
{
    lock(&data->keys);
    if (data->store) data->store->ops->close(data->store);
    data->store = NULL;
    folder_close(&data->folder);
}

int data_with_store(const char *path, int (*use)(void *state, struct store *store), void *state)
{
    struct data data;
    int code = data_open(&data, path, DATA_TO_OPERATE);

    if (code != EXIT_OK) return code;
    code = use(state, data.store);
    data_close(&data);
    return code;
}

enum err data_now_ms(int64_t *out, struct store *store)
{
    const struct host *host = host_machine();
    int64_t floor_ms = 0;
    enum err e = store->ops->floor(store, &floor_ms);

    *out = host->wall_ms(host->state);
    if (*out < floor_ms) *out = floor_ms;
    return e;
}
