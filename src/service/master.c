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

#define MASTER_TEXT_LEN 43 /* base64url of 32 bytes */
#define VARIABLE        "COATCHECK_MASTER_KEY"

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

static enum err make_file(struct secret *out, const char *path, const struct dice *dice)
{
    uint8_t key[MASTER_KEY_LEN];
    char text[MASTER_TEXT_LEN + 1];
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum err e = ERR_IO;

    if (file < 0) return ERR_IO;
    dice_fill(dice, key, sizeof key);
    (void)base64url_write(text, bytes_of(key, sizeof key)); /* always 43 characters */
    text[MASTER_TEXT_LEN] = '\n';
    if (write(file, text, sizeof text) == (ssize_t)sizeof text && fsync(file) == 0)
        e = secret_set(out, bytes_of(key, sizeof key));
    secret_wipe(key, sizeof key);
    secret_wipe(text, sizeof text);
    close(file);
    if (e) (void)unlink(path); /* half a key is worse than none; if this fails too, the next start says so */
    return e;
}

enum err master_load(struct secret *out, const char *folder, bool may_make, const struct dice *dice,
                     const char **why)
{
    char path[PATH_MAX];
    char *variable = getenv(VARIABLE);
    int file;
    enum err e;

    memset(out, 0, sizeof *out);
    *why = "master.key cannot be read or written";
    if (variable) {
        e = key_of_text(out, bytes_of_text(variable), why);
        secret_wipe(variable, strlen(variable));
        (void)unsetenv(VARIABLE); /* fails only for a name with '=' */
        return e;
    }
    if (snprintf(path, sizeof path, "%s/master.key", folder) >= (int)sizeof path) return ERR_IO;
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
