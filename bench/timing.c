/* timing.c — does the time of a refused login tell anything? Attacks 70 and 71 of docs/attacks.md, measured.
 *
 * One service, no network: service_check_key for credentials that are wrong in different ways, drawn in
 * random order, each call timed by the monotonic clock. Each class is compared with the first by the
 * difference of medians and by Welch's t over what lies below the 90th percentile of both (dudect: above it
 * the machine speaks, not the code).
 *
 *     bench_timing [--tries N]      of each class; default 100000; prints a table and fails nothing */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hex.h"
#include "harness/service_world.h"

#define CLASSES 8

struct sample_set {
    const char *name;
    char user[UUID_TEXT_LEN], secret[KEY_TEXT_MAX];
    size_t secret_len;
    double *ns;
    size_t count;
};
static struct sample_set classes[CLASSES];

static int64_t now_ns(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

/* A secret of the test key's form that shares its first `same` characters, and none right behind them. */
static void wrong_secret(struct sample_set *set, const struct key_text *right, size_t same)
{
    size_t i;

    memcpy(set->secret, right->secret, right->secret_len);
    set->secret_len = right->secret_len;
    for (i = same; i < right->secret_len; i++)
        set->secret[i] =
            "123456789abcdef0"[hex_digit((uint8_t)right->secret[i])]; /* as random as the right one */
}

static void add_class(size_t at, const char *name, const char *user, const struct key_text *right,
                      size_t same, size_t tries)
{
    struct sample_set *set = &classes[at];

    set->name = name;
    memcpy(set->user, user, UUID_TEXT_LEN);
    wrong_secret(set, right, same);
    set->ns = calloc(tries, sizeof *set->ns);
    if (!set->ns) exit(EXIT_FAILURE);
}

static void try_once(struct sample_set *set)
{
    struct credential credential = {.kind = CREDENTIAL_BASIC,
                                    .user = bytes_of(set->user, UUID_TEXT_LEN),
                                    .password = bytes_of(set->secret, set->secret_len)};
    struct finding finding;
    enum refusal refusal;
    int64_t began = now_ns();
    enum err e =
        service_check_key(&refusal, world.service, &credential, KEY_BIT(KEY_API_TOKEN), BYTES_NONE, &finding);

    set->ns[set->count++] = (double)(now_ns() - began);
    if (e || !refusal) exit(EXIT_FAILURE);
}

static int rising(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

static double welch(const struct sample_set *a, const struct sample_set *b)
{
    const struct sample_set *sets[2] = {a, b};
    double mean[2], spread[2];

    for (size_t s = 0; s < 2; s++) {
        double sum = 0, squares = 0;
        size_t i, n = sets[s]->count * 9 / 10;
        for (i = 0; i < n; i++)
            sum += sets[s]->ns[i];
        mean[s] = sum / (double)n;
        for (i = 0; i < n; i++)
            squares += (sets[s]->ns[i] - mean[s]) * (sets[s]->ns[i] - mean[s]);
        spread[s] = squares / (double)(n - 1) / (double)n;
    }
    return (mean[1] - mean[0]) / sqrt(spread[0] + spread[1]);
}

static void print_table(void)
{
    size_t i;

    for (i = 0; i < CLASSES; i++)
        qsort(classes[i].ns, classes[i].count, sizeof *classes[i].ns, rising);
    printf("%-44s %10s %12s %8s\n", "refused", "median ns", "difference", "t");
    for (i = 0; i < CLASSES; i++) {
        const struct sample_set *set = &classes[i];
        printf("%-44s %10.0f %12.0f %8.1f\n", set->name, set->ns[set->count / 2],
               set->ns[set->count / 2] - classes[0].ns[classes[0].count / 2],
               i ? welch(&classes[0], set) : 0.0);
    }
}

int main(int argc, char **argv)
{
    size_t tries = argc == 3 && strcmp(argv[1], "--tries") == 0 ? strtoul(argv[2], NULL, 10) : 100000, i, id;
    char stranger[UUID_TEXT_LEN];
    struct uuid unknown;

    world_open(64);
    uuid_draw(&unknown, &world.dice);
    uuid_write(stranger, &unknown);
    id = world.keys[TEST_TOKEN].id_len;
    add_class(0, "wrong secret, only the public id is right", world.test_text, &world.keys[TEST_TOKEN], id,
              tries);
    add_class(1, "wrong secret, 10 characters more are right", world.test_text, &world.keys[TEST_TOKEN],
              id + 10, tries);
    add_class(2, "wrong secret, 25 characters more are right", world.test_text, &world.keys[TEST_TOKEN],
              id + 25, tries);
    add_class(3, "wrong secret, all but the last are right", world.test_text, &world.keys[TEST_TOKEN],
              id + 39, tries);
    add_class(4, "unknown key of this project", world.test_text, &world.keys[TEST_TOKEN], 2, tries);
    add_class(5, "the key, under a project that is not there", stranger, &world.keys[TEST_TOKEN], id, tries);
    add_class(6, "the key, under another project", world.live_text, &world.keys[TEST_TOKEN], id, tries);
    add_class(7, "a retired key, wrong secret", world.test_text, &world.keys[RETIRED_TOKEN], id, tries);
    for (i = 0; i < CLASSES * (tries / 10); i++) /* warm up */
        try_once(&classes[i % CLASSES]);
    for (i = 0; i < CLASSES; i++)
        classes[i].count = 0;
    while (tries--) { /* every class once a round, in an order drawn anew */
        size_t order[CLASSES] = {0};
        for (i = 0; i < CLASSES; i++) {
            size_t at = dice_u64(&world.dice) % (i + 1);
            order[i] = order[at];
            order[at] = i;
        }
        for (i = 0; i < CLASSES; i++)
            try_once(&classes[order[i]]);
    }
    print_table();
    for (i = 0; i < CLASSES; i++)
        free(classes[i].ns);
    world_close();
    return EXIT_SUCCESS;
}
