#include "service/master.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/check.h"

#define GOOD     "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" /* 00 01 .. 1f */
#define VARIABLE "COATCHECK_MASTER_KEY"

static char folder[] = "/tmp/coatcheck-master-XXXXXX";
static char path[64];

static enum err load(struct secret *out, const char **why)
{
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 5);

    return master_load(out, folder, true, &dice, why);
}

static void put_file(const char *text, mode_t mode)
{
    int file;

    (void)unlink(path);
    if (!text) return;
    file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(fchmod(file, mode) == 0);
    close(file);
}

static bool is_good(const struct secret *key)
{
    uint8_t i;

    for (i = 0; i < MASTER_KEY_LEN; i++)
        if (key->data[i] != i) return false;
    return key->len == MASTER_KEY_LEN;
}

static const char *const bad_keys[] = {
    "",
    "\n",
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh", /* short */
    GOOD "A",                                     /* 33 bytes */
    GOOD "=",                                     /* padding */
    GOOD " ",
    (" " GOOD),
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9", /* unused bits set */
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH+8",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* all the same */
    "AAECAwQFBgcAAQIDBAUGBwABAgMEBQYHAAECAwQFBgc", /* eight different bytes */
    "AAECAwQFBgcICQoLDA0OAAECAwQFBgcICQoLDA0OAAA", /* fifteen */
};

static void refuses_bad_keys_from_the_environment(void)
{
    size_t i;

    put_file(NULL, 0);
    for (i = 0; i < sizeof bad_keys / sizeof bad_keys[0]; i++) {
        struct secret key;
        const char *why;
        CHECK_NOTE("key \"%s\"", bad_keys[i]);
        CHECK(setenv(VARIABLE, bad_keys[i], 1) == 0);
        CHECK_INT(load(&key, &why), ERR_CONFIG);
        CHECK(key.len == 0 && strstr(why, "master key") != NULL);
        CHECK(getenv(VARIABLE) == NULL);
        CHECK(access(path, F_OK) != 0); /* a bad key is not answered by making another */
    }
}

static void refuses_bad_keys_from_the_file(void)
{
    size_t i;

    for (i = 0; i < sizeof bad_keys / sizeof bad_keys[0]; i++) {
        struct secret key;
        const char *why;
        CHECK_NOTE("key \"%s\"", bad_keys[i]);
        put_file(bad_keys[i], 0600);
        CHECK_INT(load(&key, &why), ERR_CONFIG);
        CHECK_INT(key.len, 0);
    }
    {
        struct secret key;
        const char *why;
        CHECK_NOTE("more than one line");
        put_file(GOOD "\n\n", 0600);
        CHECK_INT(load(&key, &why), ERR_CONFIG);
        put_file(GOOD "\n" GOOD "\n", 0600);
        CHECK_INT(load(&key, &why), ERR_CONFIG);
    }
}

static void refuses_a_file_that_others_can_touch(void)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0644, 0666, 0777};
    size_t i;

    for (i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct secret key;
        const char *why;
        CHECK_NOTE("mode %o", (unsigned)modes[i]);
        put_file(GOOD "\n", modes[i]);
        CHECK_INT(load(&key, &why), ERR_CONFIG);
        CHECK(key.len == 0 && strstr(why, "chmod 600") != NULL);
    }
}

static void refuses_a_folder_that_is_not_there(void)
{
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 5);
    struct secret key;
    const char *why;

    CHECK_INT(master_load(&key, "/nonexistent/coatcheck", true, &dice, &why), ERR_IO);
    CHECK_INT(key.len, 0);
}

static void refuses_to_make_a_key_beside_old_data(void)
{
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 6);
    struct secret key;
    const char *why;

    (void)unlink(path); /* there may be none */
    CHECK_INT(master_load(&key, folder, false, &dice, &why), ERR_CONFIG);
    CHECK(key.len == 0 && strstr(why, "restore") != NULL);
    CHECK(access(path, F_OK) != 0);
}

static void reads_the_file_with_and_without_line_end(void)
{
    static const char *const texts[] = {GOOD, GOOD "\n"};
    static const mode_t modes[] = {0600, 0400};
    size_t i, j;

    for (i = 0; i < 2; i++)
        for (j = 0; j < 2; j++) {
            struct secret key;
            const char *why;
            put_file(texts[i], modes[j]);
            CHECK_INT(load(&key, &why), ERR_OK);
            CHECK(is_good(&key));
            secret_release(&key);
        }
}

static void lets_the_environment_win_and_forgets_it(void)
{
    struct secret key;
    const char *why;

    put_file("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE", 0600);
    CHECK(setenv(VARIABLE, GOOD, 1) == 0);
    CHECK_INT(load(&key, &why), ERR_OK);
    CHECK(is_good(&key));
    CHECK(getenv(VARIABLE) == NULL);
    secret_release(&key);
}

static void makes_the_file_once(void)
{
    struct secret first, second;
    const char *why;
    struct stat status;

    put_file(NULL, 0);
    CHECK_INT(load(&first, &why), ERR_OK);
    CHECK_INT(first.len, MASTER_KEY_LEN);
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600 && status.st_size == 44);
    CHECK_INT(load(&second, &why), ERR_OK);
    CHECK(secret_equal(&first, &second));
    secret_release(&first);
    secret_release(&second);
}

int main(void)
{
    (void)unsetenv(VARIABLE);
    if (!mkdtemp(folder)) return EXIT_FAILURE;
    (void)snprintf(path, sizeof path, "%s/master.key", folder);
    CHECK_RUN(refuses_bad_keys_from_the_environment);
    CHECK_RUN(refuses_bad_keys_from_the_file);
    CHECK_RUN(refuses_a_file_that_others_can_touch);
    CHECK_RUN(refuses_a_folder_that_is_not_there);
    CHECK_RUN(refuses_to_make_a_key_beside_old_data);
    CHECK_RUN(reads_the_file_with_and_without_line_end);
    CHECK_RUN(lets_the_environment_win_and_forgets_it);
    CHECK_RUN(makes_the_file_once);
    (void)unlink(path);
    (void)rmdir(folder);
    return CHECK_END();
}
