/* vector_file.h — where test vectors lie. Ours are in tests/vectors/; sets of other projects are read from
 * the folder in COATCHECK_VECTORS (by default shared/vectors beside the source tree). A set that is not there
 * is named on stdout and its test passes without it: vector_file_read returns NULL. */
#ifndef COATCHECK_TESTS_VECTOR_FILE_H
#define COATCHECK_TESTS_VECTOR_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void vector_path(char *path, size_t cap, const char *folder, const char *name)
{
    const char *theirs = getenv("COATCHECK_VECTORS");

    if (!folder) folder = theirs ? theirs : COATCHECK_SOURCE_DIR "/../shared/vectors";
    (void)snprintf(path, cap, "%s/%s", folder, name);
}

#define VECTORS_OURS   COATCHECK_SOURCE_DIR "/tests/vectors"
#define VECTORS_THEIRS NULL

/* The whole file with a NUL after it; free() it. */
static inline char *vector_file_read(size_t *len, const char *folder, const char *name)
{
    char path[1024], *text = NULL;
    long size;
    FILE *f;

    *len = 0;
    vector_path(path, sizeof path, folder, name);
    f = fopen(path, "rb");
    if (!f) {
        printf("not found: %s\n", name);
        return NULL;
    }
    if (fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) >= 0) {
        rewind(f);
        text = calloc(1, (size_t)size + 1);
        if (text) *len = fread(text, 1, (size_t)size, f);
    }
    fclose(f);
    return text;
}

#endif
