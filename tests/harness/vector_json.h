/* vector_json.h — opens the JSON files of test vectors as a tree, for test programs only.
 *
 * Our own files live in tests/vectors/. Those of other projects are not part of this repository: they
 * are read from the folder named by COATCHECK_VECTORS, and a file that is not there is reported in a
 * line and passed over. */
#ifndef COATCHECK_TESTS_VECTOR_JSON_H
#define COATCHECK_TESTS_VECTOR_JSON_H

#include "base/base64url.h"
#include "base/hex.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline json_t *vector_load_(const char *folder, const char *name)
{
    char path[4096];
    json_error_t error;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name); /* a cut path is a missing file */
    json_t *file = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (file == NULL && json_error_code(&error) != json_error_cannot_open_file) {
        fprintf(stderr, "%s: %s\n", path, error.text);
        exit(EXIT_FAILURE);
    }
    if (file == NULL) printf("not found: %s\n", name);
    return file;
}

/* Free with json_decref. Ours must be there. */
static inline json_t *vector_own(const char *name)
{
    json_t *file = vector_load_(COATCHECK_SOURCE_DIR "/tests/vectors", name);
    if (file == NULL) exit(EXIT_FAILURE);
    return file;
}

/* NULL if the file is missing. */
static inline json_t *vector_foreign(const char *name)
{
    const char *folder = getenv("COATCHECK_VECTORS");
    return vector_load_(folder != NULL ? folder : COATCHECK_SOURCE_DIR "/../shared/vectors", name);
}

/* Runs our set and then, if COATCHECK_VECTORS is set, what lies there under the same name: it may hold other
 * cases of the same classes. run frees the file. */
static inline void vector_each(const char *name, void (*run)(json_t *file))
{
    json_t *file;

    run(vector_own(name));
    if (getenv("COATCHECK_VECTORS") && (file = vector_foreign(name))) run(file);
}

static inline struct bytes vector_text(const json_t *object, const char *key)
{
    const json_t *text = json_object_get(object, key);
    return text == NULL ? BYTES_NONE : bytes_of(json_string_value(text), json_string_length(text));
}

/* The member as bytes, in memory of its own (free it); exits if it is not there: then the file is not
 * what we think. */
static inline uint8_t *vector_decode_(const json_t *object, const char *key, size_t *len, bool is_hex)
{
    struct bytes text = vector_text(object, key);
    uint8_t *out = malloc(text.len + 1);
    *len = text.len / 2;
    if (out != NULL && !bytes_is_absent(text) &&
        (is_hex ? hex_read(out, *len, text) : base64_read(out, text.len, len, text)) == ERR_OK)
        return out;
    fprintf(stderr, "vector: member %s is unreadable\n", key);
    exit(EXIT_FAILURE);
}

static inline uint8_t *vector_hex(const json_t *object, const char *key, size_t *len)
{
    return vector_decode_(object, key, len, true);
}

static inline uint8_t *vector_base64(const json_t *object, const char *key, size_t *len)
{
    return vector_decode_(object, key, len, false);
}

#endif
