/* memory.c — the memory store, for tests: one lock around the tables. */
#include "store/memory_tables.h"
#include "store/rows.h"

#include <pthread.h>
#include <stdlib.h>

struct memory_store {
    struct store store;
    pthread_mutex_t lock; /* over the tables */
    struct tables tables;
    int64_t floor_ms;
};

static struct memory_store *store_of(struct store *store)
{
    return (struct memory_store *)(void *)store; /* its first member */
}

/* The lock fails only if it was never made. */
static struct tables *enter(struct store *base)
{
    struct memory_store *store = store_of(base);
    (void)pthread_mutex_lock(&store->lock);
    return &store->tables;
}

static void leave(struct store *base)
{
    (void)pthread_mutex_unlock(&store_of(base)->lock);
}

static enum err write_all(struct tables *tables, struct store_commit *commit)
{
    struct lists before = tables->lists;
    enum err e = ERR_OK;
    for (size_t i = 0; i < commit->write_count && e == ERR_OK; i++) {
        e = tables_write(&commit->rows[i], tables, &commit->writes[i], commit->arena);
        if (e != ERR_OK || !write_stops_commit(&commit->writes[i], commit->rows[i].state)) continue;
        tables->lists = before;
        rows_skip(commit->rows, commit->write_count, i);
        return ERR_OK;
    }
    if (e != ERR_OK) tables->lists = before;
    return e;
}

static void memory_commit(struct store *base, struct store_commit *commit)
{
    struct memory_store *store = store_of(base);
    enum err e = write_all(enter(base), commit);
    if (base->floor != NULL) store->floor_ms = base->floor(base->floor_state, store->floor_ms);
    leave(base);
    for (size_t i = 0; i < commit->write_count && e != ERR_OK; i++)
        commit->rows[i] = (struct row){0};
    commit->error = e;
    commit->post(commit->to, &commit->mail);
}

static void memory_read(struct store *base, struct store_read *read)
{
    store_read_begin(read);
    read->error = tables_read(read, enter(base));
    leave(base);
    if (read->error != ERR_OK) store_read_begin(read);
    read->post(read->to, &read->mail);
}

static enum err memory_facts(struct store *base, struct facts **out)
{
    enum err e = tables_facts(out, enter(base));
    leave(base);
    return e;
}

static enum err memory_facts_version(struct store *base, uint64_t *out)
{
    *out = enter(base)->lists.version;
    leave(base);
    return ERR_OK;
}

static enum err memory_ring(struct store *base, struct store_ring **out)
{
    enum err e = tables_ring(out, enter(base));
    leave(base);
    return e;
}

static enum err memory_cutoffs(struct store *base, struct store_cutoffs **out)
{
    enum err e = tables_cutoffs(out, enter(base));
    leave(base);
    return e;
}

static enum err memory_key_uses(struct store *base, const struct uuid *project, struct store_key_uses **out)
{
    enum err e = tables_key_uses(out, enter(base), project);
    leave(base);
    return e;
}

static enum err memory_floor(struct store *base, int64_t *out)
{
    (void)enter(base);
    *out = store_of(base)->floor_ms;
    leave(base);
    return ERR_OK;
}

static void memory_close(struct store *base)
{
    struct memory_store *store = store_of(base);
    if (store == NULL) return;
    (void)pthread_mutex_destroy(&store->lock);
    tables_release(&store->tables);
    free(store);
}

static const struct store_ops memory_ops = {.name = "memory",
                                            .commit = memory_commit,
                                            .read = memory_read,
                                            .facts = memory_facts,
                                            .facts_version = memory_facts_version,
                                            .ring = memory_ring,
                                            .cutoffs = memory_cutoffs,
                                            .key_uses = memory_key_uses,
                                            .floor = memory_floor,
                                            .close = memory_close};

enum err store_memory_open(struct store **out)
{
    struct memory_store *store = calloc(1, sizeof *store);
    *out = NULL;
    if (store == NULL) return ERR_NO_MEMORY;
    if (pthread_mutex_init(&store->lock, NULL) != 0) {
        free(store);
        return ERR_NO_MEMORY;
    }
    store->store.ops = &memory_ops;
    tables_init(&store->tables);
    *out = &store->store;
    return ERR_OK;
}
