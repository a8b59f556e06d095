/* store_round.h — one round of a suite: a store of one kind, two projects in it, and short words to write and
 * read. For test programs alone; each includes it once. */
#ifndef COATCHECK_TESTS_STORE_ROUND_H
#define COATCHECK_TESTS_STORE_ROUND_H

#include "store/clerk.h"
#include "store/store.h"

#include "harness/check.h"

#include <unistd.h>

#define TEXT(literal) bytes_of(literal, sizeof(literal) - 1)
#define COUNT(list)   (sizeof(list) / sizeof(list)[0])

static char folder[256], path[300];
static bool is_durable; /* the store of this round can be closed and opened again */
static struct store *store;
static struct arena arena;
static const struct uuid shop = {.byte = {0x50, 1}}, lab = {.byte = {0x50, 2}}, nobody = {.byte = {0x50, 3}};

static inline struct uuid id_of(uint8_t kind, uint32_t number)
{
    struct uuid id = {.byte = {kind}};
    for (size_t i = 0; i < 4; i++)
        id.byte[15 - i] = (uint8_t)(number >> 8 * i);
    return id;
}

/* --- opening, writing, reading --- */

static inline void forget_files(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char name[320];
    for (size_t i = 0; i < COUNT(suffixes); i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
}

static inline void open_store(void)
{
    const char *why = NULL;
    enum err e = is_durable ? store_sqlite_open(&store, path, &why) : store_memory_open(&store);
    CHECK_INT(e, ERR_OK);
    CHECK(why == NULL);
    if (e != ERR_OK) exit(EXIT_FAILURE);
}

static inline void reopen_store(void)
{
    if (!is_durable) return;
    store->ops->close(store);
    open_store();
}

static inline enum row_state write_one(struct row *row, const struct write *write)
{
    CHECK_INT(store_commit_wait(store, write, 1, row, &arena), ERR_OK);
    return row->state;
}

static inline enum row_state put_fact(const struct write *write)
{
    struct row row;
    return write_one(&row, write);
}

static inline enum row_state put_project(const struct uuid *id, bool is_test)
{
    struct write write = {.kind = WRITE_PROJECT,
                          .project = {.id = *id, .name = TEXT("A shop"), .is_test = is_test}};
    settings_standard(write.project.setting);
    return put_fact(&write);
}

static inline void begin(void)
{
    arena_init(&arena, 16 << 20);
    forget_files();
    open_store();
    CHECK_INT(put_project(&shop, false), ROW_WRITTEN);
    CHECK_INT(put_project(&lab, true), ROW_WRITTEN);
}

static inline void end(void)
{
    store->ops->close(store);
    arena_release(&arena);
    forget_files();
}

/* The project, number and reference tell users apart; the address name is the wish "/private/<reference>". */
static inline struct write user_write(const struct uuid *project, uint32_t number, struct bytes reference,
                                      struct bytes address_name)
{
    return (struct write){.kind = WRITE_USER,
                          .user = {.user = {.id = id_of(1, number),
                                            .project = *project,
                                            .kind = USER_SUBSCRIBER,
                                            .reference = reference,
                                            .created_ms = 1000 + number,
                                            .updated_ms = 2000 + number,
                                            .address = {.id = id_of(2, number),
                                                        .project = *project,
                                                        .resource = id_of(1, number),
                                                        .name = address_name,
                                                        .type = ADDRESS_SUBSCRIBER,
                                                        .created_ms = 1000}}}};
}

static inline void ring_bell(void *bell, struct mail *mail)
{
    (void)mail;
    (void)sem_post(bell);
}

static inline enum err read_wait(struct store_read *read)
{
    sem_t bell;
    (void)sem_init(&bell, 0, 0);
    read->post = ring_bell;
    read->to = &bell;
    read->arena = &arena;
    store->ops->read(store, read);
    bell_wait(&bell);
    read->to = NULL;
    (void)sem_destroy(&bell);
    return read->error;
}

static inline bool look_up(struct user *out, enum read_kind kind, const struct uuid *project,
                           struct bytes text, const struct uuid *id)
{
    struct store_read read = {.kind = kind, .project = *project, .text = text};
    if (id != NULL) read.id = *id;
    CHECK_INT(read_wait(&read), ERR_OK);
    *out = read.user;
    return read.found;
}

/* Runs the suite on each kind of store, in a folder of its own. */
static inline int run_rounds(void (*suite)(void))
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/store-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL) return EXIT_FAILURE;
    (void)snprintf(path, sizeof path, "%s/coatcheck.db", folder);
    printf("memory\n");
    suite();
    printf("sqlite\n");
    is_durable = true;
    suite();
    (void)rmdir(folder);
    return CHECK_END();
}

#endif
