/* The memory store is the list of the writes it accepted, newest first for each kind; a later write of the
 * same thing hides an earlier one. Undoing a commit is putting the lists back where they began. It is for
 * tests: look-ups walk the list, and what is hidden stays until the end. */
#include "store/rows.h"
#include "store/snapshot.h"
#include "store/store.h"

#include "engine/age.h"

#include <pthread.h>
#include <stdlib.h>

#define MEMORY_BYTES_MAX ((size_t)1 << 30)

struct kept {
    struct kept *older;
    struct write write; /* strings in the store's arena */
};

struct lists {
    struct kept *newest[WRITE_PRUNE + 1];
    uint64_t version;
    int64_t floor_ms, pruned_through_s;
};

struct memory_store {
    struct store store;
    pthread_mutex_t lock; /* over all below */
    struct arena arena;
    struct lists lists;
};

static struct memory_store *store_of(struct store *store)
{
    return (struct memory_store *)(void *)store; /* its first member */
}

static enum err copy_key(struct fact_key *key, struct arena *arena)
{
    return text_copy(&key->public_id, key->public_id, arena);
}

static enum err copy_study(struct study *study, struct arena *arena)
{
    enum err e = text_copy(&study->title, study->title, arena);
    return e != ERR_OK ? e : text_copy(&study->questions_json, study->questions_json, arena);
}

static enum err copy_ring_key(struct ring_key *key, const struct ring_key *from, struct arena *arena)
{
    enum err e;
    *key = *from;
    TRY(e = text_copy(&key->id, from->id, arena), done);
    TRY(e = text_copy(&key->algorithm, from->algorithm, arena), done);
    e = text_copy(&key->wrapped, from->wrapped, arena);
done:
    return e;
}

static enum err copy_strings(struct write *write, struct arena *arena)
{
    switch (write->kind) {
    case WRITE_PROJECT:
        return text_copy(&write->project.name, write->project.name, arena);
    case WRITE_KEY:
        return copy_key(&write->key, arena);
    case WRITE_ORIGIN:
        return text_copy(&write->origin.origin, write->origin.origin, arena);
    case WRITE_ADDRESS:
        return address_copy(&write->address, &write->address, arena);
    case WRITE_STUDY:
        return copy_study(&write->study, arena);
    case WRITE_RING_KEY:
        return copy_ring_key(&write->ring_key, &write->ring_key, arena);
    case WRITE_USER:
        write->user.address_name_alt = write->user.password_hash = BYTES_NONE; /* nothing reads them again */
        return user_copy(&write->user.user, &write->user.user, arena);
    case WRITE_SETTING:
    case WRITE_ORIGIN_GONE:
    case WRITE_RESOURCE:
    case WRITE_RESOURCE_GONE:
    case WRITE_EPOCH:
    case WRITE_CUTOFF:
    case WRITE_PAYLOAD:
    case WRITE_USER_GONE:
    case WRITE_FAMILY:
    case WRITE_KEY_USED:
    case WRITE_INTERVIEW:
    case WRITE_INTERVIEW_STEP:
    case WRITE_ANSWER:
    case WRITE_NONE:
    case WRITE_AGE:
    case WRITE_PROFILE:
    case WRITE_ONCE:
    case WRITE_PRUNE:
        break;
    }
    return ERR_OK;
}

static enum err keep(struct memory_store *store, const struct write *write)
{
    struct kept *kept = arena_alloc(&store->arena, sizeof *kept);
    enum err e = ERR_NO_MEMORY;
    if (kept == NULL) return e;
    kept->write = *write;
    TRY(e = copy_strings(&kept->write, &store->arena), done);
    kept->older = store->lists.newest[write->kind];
    store->lists.newest[write->kind] = kept;
    if (write->kind < WRITE_USER) store->lists.version++; /* facts come before users in enum write_kind */
done:
    return e;
}

/* --- the same thing, written before --- */

static bool is_same(const struct write *a, const struct write *b)
{
    switch (a->kind) {
    case WRITE_PROJECT:
        return uuid_equal(&a->project.id, &b->project.id);
    case WRITE_KEY:
        return bytes_equal(a->key.public_id, b->key.public_id);
    case WRITE_ORIGIN:
        return uuid_equal(&a->origin.project, &b->origin.project) &&
               bytes_equal(a->origin.origin, b->origin.origin);
    case WRITE_ADDRESS:
        return uuid_equal(&a->address.id, &b->address.id);
    case WRITE_STUDY:
        return uuid_equal(&a->study.id, &b->study.id);
    case WRITE_RING_KEY:
        return bytes_equal(a->ring_key.id, b->ring_key.id);
    case WRITE_USER:
        return uuid_equal(&a->user.user.project, &b->user.user.project) &&
               bytes_equal(a->user.user.reference, b->user.user.reference);
    case WRITE_ONCE:
        return a->once.bucket_s == b->once.bucket_s && uuid_equal(&a->once.id, &b->once.id);
    case WRITE_SETTING:
    case WRITE_ORIGIN_GONE:
    case WRITE_RESOURCE:
    case WRITE_RESOURCE_GONE:
    case WRITE_EPOCH:
    case WRITE_CUTOFF:
    case WRITE_PAYLOAD:
    case WRITE_USER_GONE:
    case WRITE_FAMILY:
    case WRITE_KEY_USED:
    case WRITE_INTERVIEW:
    case WRITE_INTERVIEW_STEP:
    case WRITE_ANSWER:
    case WRITE_NONE:
    case WRITE_AGE:
    case WRITE_PRUNE:
    case WRITE_PROFILE:
        break;
    }
    return false;
}

static const struct write *same_in(const struct kept *list, const struct write *write)
{
    for (; list != NULL; list = list->older)
        if (is_same(&list->write, write)) return &list->write;
    return NULL;
}

static const struct write *same_before(const struct memory_store *store, const struct write *write)
{
    return same_in(store->lists.newest[write->kind], write);
}

/* What is fixed at creation: a write that would change it meets somebody else's row. */
static bool may_replace(const struct write *before, const struct write *write)
{
    switch (write->kind) {
    case WRITE_PROJECT:
        return before->project.is_test == write->project.is_test;
    case WRITE_KEY:
        return uuid_equal(&before->key.project, &write->key.project) && before->key.kind == write->key.kind &&
               bytes_equal(bytes_of(before->key.hash, KEY_HASH_LEN), bytes_of(write->key.hash, KEY_HASH_LEN));
    case WRITE_STUDY:
        return uuid_equal(&before->study.project, &write->study.project);
    case WRITE_RING_KEY:
        return before->ring_key.use == write->ring_key.use &&
               bytes_equal(before->ring_key.algorithm, write->ring_key.algorithm);
    case WRITE_SETTING:
    case WRITE_ORIGIN_GONE:
    case WRITE_RESOURCE:
    case WRITE_RESOURCE_GONE:
    case WRITE_EPOCH:
    case WRITE_CUTOFF:
    case WRITE_PAYLOAD:
    case WRITE_USER_GONE:
    case WRITE_FAMILY:
    case WRITE_KEY_USED:
    case WRITE_INTERVIEW:
    case WRITE_INTERVIEW_STEP:
    case WRITE_ANSWER:
    case WRITE_NONE:
    case WRITE_AGE:
    case WRITE_ORIGIN:
    case WRITE_ADDRESS:
    case WRITE_USER:
    case WRITE_PROFILE:
    case WRITE_ONCE:
    case WRITE_PRUNE:
        break;
    }
    return false;
}

static const struct write *project_before(const struct memory_store *store, const struct uuid *id)
{
    struct write wanted = {.kind = WRITE_PROJECT, .project = {.id = *id}};
    return same_before(store, &wanted);
}

static bool user_matches(const struct user *user, enum read_kind kind, const struct uuid *project,
                         struct bytes text, const struct uuid *id)
{
    if (!uuid_equal(&user->project, project)) return false;
    switch (kind) {
    case READ_USER_BY_REFERENCE:
        return bytes_equal(user->reference, text);
    case READ_USER_BY_ID:
        return uuid_equal(&user->id, id);
    case READ_USER_BY_ADDRESS:
        return !bytes_is_absent(text) && !bytes_is_absent(user->address.name) &&
               bytes_equal(user->address.name, text);
    }
    return false;
}

/* The newest version of a user comes first. Neither id nor address ever changes, so an older one cannot match
 * alone. */
static const struct user *find_user(const struct memory_store *store, enum read_kind kind,
                                    const struct uuid *project, struct bytes text, const struct uuid *id)
{
    for (const struct kept *kept = store->lists.newest[WRITE_USER]; kept != NULL; kept = kept->older)
        if (user_matches(&kept->write.user.user, kind, project, text, id)) return &kept->write.user.user;
    return NULL;
}

static bool name_is_taken(const struct memory_store *store, const struct uuid *project, struct bytes name)
{
    for (const struct kept *kept = store->lists.newest[WRITE_ADDRESS]; kept != NULL; kept = kept->older)
        if (uuid_equal(&kept->write.address.project, project) && bytes_equal(kept->write.address.name, name))
            return true;
    return find_user(store, READ_USER_BY_ADDRESS, project, name, NULL) != NULL;
}

/* --- writes --- */

static enum err write_user(struct row *row, struct memory_store *store, const struct write *write,
                           struct arena *arena)
{
    struct write chosen = *write;
    struct user *user = &chosen.user.user;
    const struct user *before =
        find_user(store, READ_USER_BY_REFERENCE, &user->project, user->reference, NULL);
    enum err e;
    row->state = before == NULL ? ROW_WRITTEN : ROW_EXISTS;
    if (before != NULL) return user_copy(&row->user, before, arena);
    if (!bytes_is_absent(user->address.name) && name_is_taken(store, &user->project, user->address.name))
        user->address.name = write->user.address_name_alt;
    if (!bytes_is_absent(user->address.name) && name_is_taken(store, &user->project, user->address.name))
        return ERR_STORE_FAILED;
    if (find_user(store, READ_USER_BY_ID, &user->project, BYTES_NONE, &user->id) != NULL)
        return ERR_STORE_FAILED;
    user->address.project = user->project;
    TRY(e = user_copy(&row->user, user, arena), done);
    e = keep(store, &chosen);
done:
    return e;
}

static enum err write_profile(struct row *row, struct memory_store *store, const struct write *write,
                              struct arena *arena)
{
    const struct user *before =
        find_user(store, READ_USER_BY_ID, &write->profile.project, BYTES_NONE, &write->profile.user);
    enum err e;
    row->state = ROW_ABSENT;
    if (before == NULL) return ERR_OK;
    row->state = ROW_WRITTEN;
    TRY(e = user_copy(&row->user, before, arena), done);
    TRY(e = profile_overlay(&row->user.profile, &write->profile.profile, arena), done);
    row->user.updated_ms = write->profile.now_ms;
    struct write after = {.kind = WRITE_USER, .user = {.user = row->user}};
    e = keep(store, &after);
done:
    return e;
}

/* The age is not a project write's to change. */
static enum err write_project(struct row *row, struct memory_store *store, const struct write *write)
{
    const struct write *before = project_before(store, &write->project.id);
    struct write after = *write;
    after.project.age_ms = before == NULL ? 0 : before->project.age_ms;
    row->state = before == NULL || may_replace(before, write) ? ROW_WRITTEN : ROW_EXISTS;
    return row->state == ROW_WRITTEN ? keep(store, &after) : ERR_OK;
}

static enum err write_age(struct row *row, struct memory_store *store, const struct write *write)
{
    struct write after = *project_before(store, &write->age.project);
    if (age_step_check(&after.project, write->age.by_ms) != AGE_MAY_STEP) return ERR_OK;
    after.project.age_ms += write->age.by_ms;
    row->state = ROW_WRITTEN;
    return keep(store, &after);
}

static enum err write_other(struct row *row, struct memory_store *store, const struct write *write)
{
    const struct write *before = same_before(store, write);
    bool is_free = before == NULL || may_replace(before, write);
    if (write->kind == WRITE_ADDRESS && name_is_taken(store, &write->address.project, write->address.name))
        is_free = false;
    if (write->kind == WRITE_ONCE && write->once.bucket_s <= store->lists.pruned_through_s) is_free = false;
    row->state = is_free ? ROW_WRITTEN : ROW_EXISTS;
    return is_free ? keep(store, write) : ERR_OK;
}

/* Takes entries out of the list for good: unlike other writes it cannot be undone with its commit, and comes
 * alone. */
static enum err write_prune(struct row *row, struct memory_store *store, int64_t through_s)
{
    size_t pruned = 0;
    for (struct kept **at = &store->lists.newest[WRITE_ONCE]; *at != NULL && pruned < PRUNE_ROWS_MAX;) {
        if ((*at)->write.once.bucket_s <= through_s) {
            *at = (*at)->older;
            pruned++;
        } else
            at = &(*at)->older;
    }
    if (pruned > 0) row->state = ROW_WRITTEN;
    if (pruned > 0 && through_s > store->lists.pruned_through_s) store->lists.pruned_through_s = through_s;
    return ERR_OK;
}

static enum err write_row(struct row *row, struct memory_store *store, const struct write *write,
                          struct arena *arena)
{
    const struct uuid *project = write_belongs_to(write);
    *row = (struct row){.state = ROW_ABSENT};
    if (write->kind == WRITE_NONE || (project != NULL && project_before(store, project) == NULL))
        return ERR_OK;
    if (write->kind == WRITE_PROJECT) return write_project(row, store, write);
    if (write->kind == WRITE_AGE) return write_age(row, store, write);
    if (write->kind == WRITE_PRUNE) return write_prune(row, store, write->prune.through_s);
    if (write->kind == WRITE_USER) return write_user(row, store, write, arena);
    if (write->kind == WRITE_PROFILE) return write_profile(row, store, write, arena);
    return write_other(row, store, write);
}

static void memory_commit(struct store *base, struct store_commit *commit)
{
    struct memory_store *store = store_of(base);
    enum err e = ERR_OK;
    (void)pthread_mutex_lock(&store->lock); /* fails only for a lock that was never made */
    struct lists before = store->lists;
    for (size_t i = 0; i < commit->write_count && e == ERR_OK; i++)
        e = write_row(&commit->rows[i], store, &commit->writes[i], commit->arena);
    if (e != ERR_OK) store->lists = before;
    if (base->floor != NULL) store->lists.floor_ms = base->floor(base->floor_state, store->lists.floor_ms);
    (void)pthread_mutex_unlock(&store->lock);
    for (size_t i = 0; i < commit->write_count && e != ERR_OK; i++)
        commit->rows[i] = (struct row){0};
    commit->error = e;
    commit->post(commit->to, &commit->mail);
}

/* --- reads --- */

static void memory_read(struct store *base, struct store_read *read)
{
    struct memory_store *store = store_of(base);
    (void)pthread_mutex_lock(&store->lock);
    const struct user *user = find_user(store, read->kind, &read->project, read->text, &read->id);
    read->user = (struct user){0};
    read->error = user == NULL ? ERR_OK : user_copy(&read->user, user, read->arena);
    read->found = user != NULL && read->error == ERR_OK;
    (void)pthread_mutex_unlock(&store->lock);
    read->post(read->to, &read->mail);
}

static size_t count_of(const struct memory_store *store, enum write_kind kind)
{
    size_t count = 0;
    for (const struct kept *kept = store->lists.newest[kind]; kept != NULL; kept = kept->older)
        count++;
    return count;
}

static enum err add_to_snapshot(struct snapshot *snapshot, const struct write *write)
{
    switch (write->kind) {
    case WRITE_PROJECT:
        return snapshot_add_project(snapshot, &write->project);
    case WRITE_KEY:
        return snapshot_add_key(snapshot, &write->key);
    case WRITE_ORIGIN:
        return snapshot_add_origin(snapshot, &write->origin.project, write->origin.origin);
    case WRITE_ADDRESS:
        return snapshot_add_address(snapshot, &write->address);
    case WRITE_SETTING:
    case WRITE_ORIGIN_GONE:
    case WRITE_RESOURCE:
    case WRITE_RESOURCE_GONE:
    case WRITE_EPOCH:
    case WRITE_CUTOFF:
    case WRITE_PAYLOAD:
    case WRITE_USER_GONE:
    case WRITE_FAMILY:
    case WRITE_KEY_USED:
    case WRITE_INTERVIEW:
    case WRITE_INTERVIEW_STEP:
    case WRITE_ANSWER:
    case WRITE_NONE:
    case WRITE_AGE:
    case WRITE_STUDY:
    case WRITE_RING_KEY:
    case WRITE_USER:
    case WRITE_PROFILE:
    case WRITE_ONCE:
    case WRITE_PRUNE:
        break;
    }
    return ERR_OK;
}

static enum err fill_snapshot(struct snapshot *snapshot, const struct memory_store *store,
                              enum write_kind kind)
{
    enum err e = ERR_OK;
    for (const struct kept *kept = store->lists.newest[kind]; kept != NULL && e == ERR_OK; kept = kept->older)
        if (same_before(store, &kept->write) == &kept->write) e = add_to_snapshot(snapshot, &kept->write);
    return e;
}

static enum err memory_facts(struct store *base, struct facts **out)
{
    static const enum write_kind kinds[] = {WRITE_PROJECT, WRITE_KEY, WRITE_ORIGIN, WRITE_ADDRESS};
    struct memory_store *store = store_of(base);
    struct snapshot snapshot = {0};
    enum err e;
    *out = NULL;
    (void)pthread_mutex_lock(&store->lock);
    struct snapshot_counts room = {count_of(store, WRITE_PROJECT), count_of(store, WRITE_KEY),
                                   count_of(store, WRITE_ADDRESS), count_of(store, WRITE_ORIGIN)};
    TRY(e = snapshot_init(&snapshot, room), done);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        TRY(e = fill_snapshot(&snapshot, store, kinds[i]), done);
    e = snapshot_finish(out, &snapshot, store->lists.version, 1);
done:
    snapshot_release(&snapshot);
    (void)pthread_mutex_unlock(&store->lock);
    return e;
}

static enum err memory_facts_version(struct store *base, uint64_t *out)
{
    struct memory_store *store = store_of(base);
    (void)pthread_mutex_lock(&store->lock);
    *out = store->lists.version;
    (void)pthread_mutex_unlock(&store->lock);
    return ERR_OK;
}

static enum err fill_ring(struct store_ring *ring, const struct memory_store *store)
{
    enum err e = ERR_OK;
    for (const struct kept *kept = store->lists.newest[WRITE_RING_KEY]; kept != NULL && e == ERR_OK;
         kept = kept->older)
        if (same_before(store, &kept->write) == &kept->write)
            e = copy_ring_key(&ring->keys[ring->count++], &kept->write.ring_key, &ring->arena);
    return e;
}

static int ring_order(const void *a, const void *b)
{
    const struct ring_key *left = a, *right = b;
    if (left->created_ms != right->created_ms) return left->created_ms < right->created_ms ? -1 : 1;
    return bytes_compare(left->id, right->id);
}

static enum err memory_ring(struct store *base, struct store_ring **out)
{
    struct memory_store *store = store_of(base);
    struct store_ring *ring = NULL;
    enum err e;
    *out = NULL;
    (void)pthread_mutex_lock(&store->lock);
    TRY(e = store_ring_new(&ring, count_of(store, WRITE_RING_KEY)), done);
    TRY(e = fill_ring(ring, store), done);
    if (ring->count > 0) qsort(ring->keys, ring->count, sizeof *ring->keys, ring_order);
    *out = ring;
    ring = NULL;
done:
    (void)pthread_mutex_unlock(&store->lock);
    store_ring_free(ring);
    return e;
}

static enum err memory_floor(struct store *base, int64_t *out)
{
    struct memory_store *store = store_of(base);
    (void)pthread_mutex_lock(&store->lock);
    *out = store->lists.floor_ms;
    (void)pthread_mutex_unlock(&store->lock);
    return ERR_OK;
}

static void memory_close(struct store *base)
{
    struct memory_store *store = store_of(base);
    if (store == NULL) return;
    (void)pthread_mutex_destroy(&store->lock);
    arena_release(&store->arena);
    free(store);
}

static const struct store_ops memory_ops = {.name = "memory",
                                            .commit = memory_commit,
                                            .read = memory_read,
                                            .facts = memory_facts,
                                            .facts_version = memory_facts_version,
                                            .ring = memory_ring,
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
    store->lists.version = 1;
    arena_init(&store->arena, MEMORY_BYTES_MAX);
    *out = &store->store;
    return ERR_OK;
}
