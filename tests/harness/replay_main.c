/* replay_main.c — runs a fuzz target over the files of its corpus folder, so that `make check`
 * needs no libFuzzer. */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak)); /* not every target has one */

static int replay_file(const char *path)
{
    uint8_t *data;
    long size;
    FILE *f = fopen(path, "rb");

    if (!f) return -1;
    (void)fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);
    data = malloc((size_t)size + 1);
    if (data && fread(data, 1, (size_t)size, f) == (size_t)size)
        (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    fclose(f);
    return 0;
}

int main(int argc, char **argv)
{
    int replayed = 0;
    DIR *dir;

    if (LLVMFuzzerInitialize) (void)LLVMFuzzerInitialize(&argc, &argv);
    dir = argc > 1 ? opendir(argv[1]) : NULL;
    while (dir) {
        char path[PATH_MAX];
        struct dirent *entry = readdir(dir);
        if (!entry) break;
        if (entry->d_name[0] == '.') continue;
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        if (replay_file(path) == 0) replayed++;
    }
    if (dir) closedir(dir);
    printf("%d passed, %d failed\n", replayed, replayed == 0);
    return replayed ? EXIT_SUCCESS : EXIT_FAILURE;
}
