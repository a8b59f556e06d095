#include "service/master.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64url.h"

#define VARIABLE "COATCHECK_MASTER_KEY"

/* 32 random bytes hold about 30 different values; under 16 has a chance of far less than 2^-60. */
static bool looks_random(const struct secret *key)
{
    bool seen[256] = {false};
    size_t i, different = 0;

    for (i = 0; i < key->len; i++) {
        different += !seen[key->data[i]];
        seen[key->data[i]] = true;
    }
    return different >= 16;
}

static enum err key_of_text(struct secret *out, struct bytes text, const char **why)
{
    uint8_t key[MASTER_KEY_LEN];
    size_t len;
    enum err e = base64url_read(key, sizeof key, &len, text);

    if (e == ERR_OK && len != sizeof key) e = ERR_MALFORMED;
    if (e == ERR_OK) e = secret_set(out, bytes_of(key, len));
    secret_wipe(key, sizeof key);
    if (e) {
        *why = "the master key is not 32 bytes in base64url: restore it from your backup";
        return ERR_CONFIG;
    }
    if (!looks_random(out)) {
        secret_release(out);
        *why = "the master key is not random: make one with `openssl rand 32 | basenc --base64url | tr -d =`";
        return ERR_CONFIG;
    }
    return ERR_OK;
}

static enum err read_file(struct secret *out, int file, const char **why)
{
    char text[MASTER_TEXT_LEN + 2];
    struct stat status;
    ssize_t len;
    enum err e;

    if (fstat(file, &status) < 0) return ERR_IO;
    if (status.st_mode & 077) {
        *why = "master.key can be read by others: chmod 600 it, and change the key if they may have";
        return ERR_CONFIG;
    }
    len = read(file, text, sizeof text);
    if (len < 0) return ERR_IO;
    if (len && text[len - 1] == '\n') len--;
    e = key_of_text(out, bytes_of(text, (size_t)len), why);
    secret_wipe(text, sizeof text);
    return e;
}

enum err master_draw(struct secret *out, const struct dice *dice)
{
    uint8_t key[MASTER_KEY_LEN];
    enum err e;

    dice_fill(dice, key, sizeof key);
    e = secret_set(out, bytes_of(key, sizeof key));
    secret_wipe(key, sizeof key);
    return e;
}

/* A file that has no name yet: whoever is killed while it is written leaves nothing behind. -1: not on this
 * file system; a kill may then leave an empty file, which has to be removed by hand. */
static int open_nameless(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;

    if (!len || len >= sizeof folder) return -1;
    memcpy(folder, path, len);
    folder[len] = 0;
    return open(folder, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
}

/* False: something is there already, or names cannot be given so. */
static bool give_name(int file, const char *path)
{
    char nameless[32];

    (void)snprintf(nameless, sizeof nameless, "/proc/self/fd/%d", file);
    return linkat(AT_FDCWD, nameless, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

static bool write_whole(const char *path, const char *text, size_t len)
{
    int file = open_nameless(path);
    bool is_whole;

    if (file < 0) return false;
    is_whole = write(file, text, len) == (ssize_t)len && fsync(file) == 0 && give_name(file, path);
    close(file);
    return is_whole;
}

enum err master_write(const char *path, const struct secret *key)
{
    char text[MASTER_TEXT_LEN + 1];
    int file;
    bool is_written;

    (void)base64url_write(text, bytes_of(key->data, key->len)); /* always 43 characters */
    text[MASTER_TEXT_LEN] = '\n';
    if (write_whole(path, text, sizeof text)) {
        secret_wipe(text, sizeof text);
        return ERR_OK;
    }
    file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        secret_wipe(text, sizeof text);
        return ERR_IO;
    }
    is_written = write(file, text, sizeof text) == (ssize_t)sizeof text && fsync(file) == 0;
    secret_wipe(text, sizeof text);
    close(file);
    if (is_written) return ERR_OK;
    (void)unlink(path); /* half a key is worse than none; if this fails too, the next start says so */
    return ERR_IO;
}

static enum err make_file(struct secret *out, const char *path, const struct dice *dice)
{
    enum err e = master_draw(out, dice);

    if (!e) e = master_write(path, out);
    if (e) secret_release(out);
    return e;
}

bool master_has_variable(const char *name)
{
    return getenv(name) != NULL;
}

bool master_is_given(void)
{
    return master_has_variable(VARIABLE);
}

enum err master_load_variable(struct secret *out, const char *name, const char **why)
{
    char *variable = getenv(name);
    enum err e;

    memset(out, 0, sizeof *out);
    *why = "there is no such variable in the environment";
    if (!variable) return ERR_CONFIG;
    e = key_of_text(out, bytes_of_text(variable), why);
    secret_wipe(variable, strlen(variable));
    (void)unsetenv(name); /* fails only for a name with '=' */
    return e;
}

static enum err load_file(struct secret *out, const char *path, int flags, const char **why)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | flags);
    enum err e = ERR_CONFIG;

    memset(out, 0, sizeof *out);
    *why = "the file with the new master key cannot be read";
    if (file < 0) return e;
    e = read_file(out, file, why);
    close(file);
    return e;
}

enum err master_load_from(struct secret *out, const char *path, const char **why)
{
    return load_file(out, path, 0, why);
}

enum err master_load_next(struct secret *out, const char *folder, const char **why)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/" MASTER_NEXT_FILE, folder) >= (int)sizeof path) return ERR_IO;
    return load_file(out, path, O_NOFOLLOW, why);
}

enum err master_load(struct secret *out, const char *folder, bool may_make, const struct dice *dice,
                     const char **why)
{
    char path[PATH_MAX];
    int file;
    enum err e;

    memset(out, 0, sizeof *out);
    *why = "master.key cannot be read or written";
    if (master_is_given()) return master_load_variable(out, VARIABLE, why);
    if (snprintf(path, sizeof path, "%s/" MASTER_FILE, folder) >= (int)sizeof path) return ERR_IO;
    file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 && errno == ENOENT && !may_make) {
        *why = "master.key is missing: restore the one that belongs to this data, or give it by " VARIABLE;
        return ERR_CONFIG;
    }
    if (file < 0) return make_file(out, path, dice);
    e = read_file(out, file, why);
    close(file);
    return e;
}
