#include "cli/seed.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dice.h"
#include "harness/check.h"

#define NOW_MS 1767225600000

static char base[] = "/tmp/coatcheck-seed-XXXXXX";
static struct folder folder;
static struct store *store;
static struct keyring *ring;
static struct dice_seeded storage;
static struct dice dice;
static char seed_path[64], db_path[64];
static struct seed first; /* the credentials as they were made */

static void open_data(void)
{
    struct secret master = {.len = 32};
    const char *why;
    uint8_t i;

    for (i = 0; i < 32; i++)
        master.data[i] = i;
    if (store_sqlite_open(&store, db_path, &why) != ERR_OK ||
        keyring_open(&ring, store, &master, &dice, NOW_MS, &why) != ERR_OK)
        exit(EXIT_FAILURE);
}

static void close_data(void)
{
    keyring_free(ring);
    store->ops->close(store);
}

static enum err open_seed(struct seed *out)
{
    return seed_open(out, &folder, store, ring, &dice, NOW_MS);
}

static void put_file(const char *path, const char *text, size_t len)
{
    FILE *file = fopen(path, "w");

    if (!CHECK(file != NULL)) return;
    CHECK(fwrite(text, 1, len, file) == len);
    fclose(file);
}

static size_t read_file(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "r");
    size_t len = file ? fread(out, 1, size, file) : 0;

    if (file) fclose(file);
    return len;
}

static void makes_the_project_once(void)
{
    struct seed again;
    struct stat status;

    CHECK_INT(open_seed(&first), ERR_OK);
    CHECK(stat(seed_path, &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK_INT(open_seed(&again), ERR_OK);
    CHECK(memcmp(&first, &again, sizeof first) == 0);
    close_data();
    open_data();
    CHECK_INT(open_seed(&again), ERR_OK); /* the next start */
    CHECK(memcmp(&first, &again, sizeof first) == 0);
}

static void gives_credentials_of_their_form(void)
{
    const struct {
        enum key_kind kind;
        const char *text;
    } rows[] = {
        {KEY_API_TOKEN, first.api_token},     {KEY_CLIENT, first.client_id},
        {KEY_SECRET, first.secret_key},       {KEY_PUBLISHABLE, first.publishable_key},
        {KEY_CLICK_TO_CALL, first.c2c_token},
    };
    struct uuid id;
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_NOTE("%s", rows[i].text);
        CHECK(!bytes_is_absent(key_text_public_id(rows[i].kind, bytes_of_text(rows[i].text))));
    }
    CHECK(strncmp(first.admin_token, "adm_", 4) == 0 && strlen(first.admin_token) == 52);
    CHECK(strncmp(first.secret_key, "sk_test_", 8) == 0 &&
          strncmp(first.publishable_key, "pk_test_", 8) == 0);
    CHECK(strncmp(first.client_secret, "sec_", 4) == 0);
    CHECK_INT(uuid_read(&id, bytes_of_text(first.project_id)), ERR_OK);
    CHECK_INT(uuid_read(&id, bytes_of_text(first.address_id)), ERR_OK);
    CHECK_INT(uuid_read(&id, bytes_of_text(first.study_id)), ERR_OK);
}

static void stores_what_the_credentials_open(void)
{
    struct facts *facts;
    const struct fact_project *project;
    const struct fact_key *key;
    struct key_bench bench;
    uint8_t hash[KEY_HASH_LEN];
    struct uuid id;

    CHECK_INT(uuid_read(&id, bytes_of_text(first.project_id)), ERR_OK);
    CHECK_INT(store->ops->facts(store, &facts), ERR_OK);
    CHECK_INT(key_bench_open(&bench, ring, 0), ERR_OK);
    project = facts_project(facts, &id);
    if (CHECK(project != NULL)) {
        CHECK(project->is_test && project->setting[SETTING_SAT_LIFE] == 7200 &&
              project->setting[SETTING_SAT_LIFE_MAX] == 86400);
        CHECK(facts_project_lists(project, BYTES("http://localhost:3000")));
        CHECK(facts_project_lists(project, BYTES("null")));
        CHECK(!facts_project_lists(project, BYTES("https://evil.test")));
    }
    key = facts_key(facts, bytes_part(bytes_of_text(first.api_token), 0, 18));
    if (CHECK(key != NULL)) {
        CHECK_INT(keyring_hash(hash, &bench, bytes_of_text(first.api_token)), ERR_OK);
        CHECK(memcmp(hash, key->hash, sizeof hash) == 0);
        CHECK(uuid_equal(&key->project, &id) && key->permissions == PERMISSION_ALL && !key->is_retired);
    }
    CHECK_INT(facts->key_count, 5);
    CHECK(facts_address(facts, &id, BYTES(SEED_ADDRESS)) != NULL);
    key_bench_release(&bench);
    facts_free(facts);
}

static bool file_has(const char *path, const char *text)
{
    static char content[4 << 20];
    size_t len = read_file(path, content, sizeof content);

    CHECK(len < sizeof content);
    return memmem(content, len, text, strlen(text)) != NULL;
}

/* Neither whole nor the part that is not public, in any file of the database. */
static void keeps_no_secret_in_the_database(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    const char *const secrets[] = {first.api_token,         first.api_token + 18, first.client_secret,
                                   first.client_secret + 4, first.secret_key,     first.secret_key + 24,
                                   first.c2c_token,         first.c2c_token + 20, first.admin_token};
    char path[80];
    size_t i, j;

    for (i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s", db_path, suffixes[i]);
        for (j = 0; j < sizeof secrets / sizeof secrets[0]; j++) {
            CHECK_NOTE("coatcheck.db%s, secret %zu", suffixes[i], j);
            CHECK(!file_has(path, secrets[j]));
        }
    }
    CHECK_NOTE("the search finds what is there");
    {
        char wal[80];
        (void)snprintf(wal, sizeof wal, "%s-wal", db_path);
        CHECK(file_has(db_path, first.publishable_key) || file_has(wal, first.publishable_key));
        CHECK(file_has(seed_path, first.api_token));
    }
}

/* Refused, not replaced: somebody's scripts hold the credentials that this file held. */
static void refuses_a_damaged_file(void)
{
    static char good[8192], bad[16384];
    size_t len = read_file(seed_path, good, sizeof good), cut;
    struct seed seed, zero;
    int row;

    memset(&zero, 0, sizeof zero);
    for (row = 0; row < 9; row++) {
        size_t bad_len = len;
        char *at;
        memcpy(bad, good, len);
        bad[len] = 0;
        at = strstr(bad, "api_token");
        if (!CHECK(at != NULL)) return;
        switch (row) {
        case 0:
            bad_len = 0;
            break;
        case 1: /* a member of another name */
            *at = 'x';
            break;
        case 2: /* no JSON any more */
            *at = '"';
            break;
        case 3: /* a list */
            bad_len = (size_t)snprintf(bad, sizeof bad, "[]");
            break;
        case 4: /* too long a value */
            bad_len = (size_t)snprintf(bad, sizeof bad, "{\"project_id\":\"%037d\"}", 0);
            break;
        case 5: /* a number */
            bad_len = (size_t)snprintf(bad, sizeof bad, "{\"project_id\":1}");
            break;
        case 6: /* more than it can be */
            memset(bad + len, ' ', sizeof bad - len);
            bad_len = sizeof bad;
            bad[sizeof bad - 1] = 'x';
            break;
        case 7: /* the first members are whole, the last is missing */
            at = strstr(bad, ",\"admin_token\"");
            bad_len = (size_t)(at - bad) + 1;
            *at = '}';
            break;
        case 8: /* an id that is none */
            at = strstr(bad, first.project_id);
            *at = 'g';
            break;
        }
        CHECK_NOTE("damage %d", row);
        put_file(seed_path, bad, bad_len);
        CHECK_INT(open_seed(&seed), ERR_CORRUPT);
        CHECK(memcmp(&seed, &zero, sizeof zero) == 0);
    }
    for (cut = 0; cut < len - 1; cut += 7) {
        CHECK_NOTE("cut after %zu bytes", cut);
        put_file(seed_path, good, cut);
        CHECK_INT(open_seed(&seed), ERR_CORRUPT);
    }
    put_file(seed_path, good, len);
    CHECK_INT(open_seed(&seed), ERR_OK);
    CHECK(memcmp(&seed, &first, sizeof seed) == 0);
}

static enum err no_facts(struct store *asked, struct facts **out)
{
    (void)asked;
    *out = NULL;
    return ERR_STORE_FAILED;
}

/* A store that cannot answer has not said that the project is gone. */
static void keeps_the_file_when_the_store_cannot_say(void)
{
    const struct store_ops *real = store->ops;
    struct store_ops failing = *real;
    struct seed seed;

    failing.facts = no_facts;
    store->ops = &failing;
    CHECK_INT(open_seed(&seed), ERR_STORE_FAILED);
    store->ops = real;
    CHECK_INT(open_seed(&seed), ERR_OK);
    CHECK(memcmp(&seed, &first, sizeof seed) == 0);
}

/* The other order of a crash: credentials were written, their project was not. */
static void replaces_credentials_without_a_project(void)
{
    struct store *kept = store, *empty;
    struct seed seed, again;

    CHECK_INT(store_memory_open(&empty), ERR_OK);
    store = empty;
    CHECK_INT(open_seed(&seed), ERR_OK);
    CHECK(strcmp(seed.project_id, first.project_id) != 0 && strcmp(seed.api_token, first.api_token) != 0);
    CHECK_INT(open_seed(&again), ERR_OK);
    CHECK(memcmp(&seed, &again, sizeof seed) == 0);
    store = kept;
    empty->ops->close(empty);
}

static void remove_all(void)
{
    static const char *const names[] = {"seed.json", "coatcheck.db", "coatcheck.db-wal", "coatcheck.db-shm",
                                        "lock"};
    char path[96];
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", base, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(base);
}

int main(void)
{
    if (!mkdtemp(base) || folder_open(&folder, base) != ERR_OK) return EXIT_FAILURE;
    (void)snprintf(seed_path, sizeof seed_path, "%s/seed.json", base);
    (void)snprintf(db_path, sizeof db_path, "%s/coatcheck.db", base);
    dice = dice_from_seed(&storage, 31);
    open_data();
    CHECK_RUN(makes_the_project_once);
    CHECK_RUN(gives_credentials_of_their_form);
    CHECK_RUN(stores_what_the_credentials_open);
    CHECK_RUN(keeps_no_secret_in_the_database);
    CHECK_RUN(refuses_a_damaged_file);
    CHECK_RUN(keeps_the_file_when_the_store_cannot_say);
    CHECK_RUN(replaces_credentials_without_a_project);
    close_data();
    folder_close(&folder);
    remove_all();
    return CHECK_END();
}
