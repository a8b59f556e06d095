#include "cli/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum err folder_file(char *out, size_t size, const struct folder *folder, const char *name)
{
    int len = snprintf(out, size, "%s/%s", folder->path, name);

    return len > 0 && (size_t)len < size ? ERR_OK : ERR_TOO_LARGE;
}

static enum err refused_by_system(struct folder *folder)
{
    folder->error = errno;
    return ERR_IO;
}

static long read_holder(int file)
{
    char text[32];
    ssize_t len = pread(file, text, sizeof text - 1, 0);

    if (len <= 0) return 0;
    text[len] = 0;
    return strtol(text, NULL, 10);
}

static enum err take_lock(struct folder *folder)
{
    char path[sizeof folder->path + 16], pid[32];
    int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    enum err e = folder_file(path, sizeof path, folder, "lock");

    if (e) return e;
    folder->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (folder->lock < 0) return refused_by_system(folder);
    if (flock(folder->lock, LOCK_EX | LOCK_NB) < 0) {
        e = errno == EWOULDBLOCK ? ERR_LOCKED : refused_by_system(folder); /* before errno is another's */
        folder->holder = read_holder(folder->lock);
    } else if (ftruncate(folder->lock, 0) < 0 || pwrite(folder->lock, pid, (size_t)len, 0) != len)
        e = refused_by_system(folder);
    if (e) folder_close(folder);
    return e;
}

enum err folder_open(struct folder *out, const char *path)
{
    char real[PATH_MAX];
    struct stat status;

    memset(out, 0, sizeof *out);
    out->lock = -1;
    if (mkdir(path, 0700) < 0 && errno != EEXIST) return refused_by_system(out);
    if (!realpath(path, real) || strlen(real) >= sizeof out->path) return refused_by_system(out);
    memcpy(out->path, real, strlen(real) + 1);
    /* who can write here can put another database or key in place of ours */
    if (stat(real, &status) < 0) return refused_by_system(out);
    if (status.st_mode & (S_IWGRP | S_IWOTH)) return ERR_CONFIG;
    return take_lock(out);
}

void folder_close(struct folder *folder)
{
    if (folder->lock >= 0) close(folder->lock);
    folder->lock = -1;
}
