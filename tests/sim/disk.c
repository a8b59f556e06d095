#include "sim/disk.h"

#include <stdlib.h>
#include <string.h>

#include "sim/families.h"
#include "sim/interview.h"
#include "sim/loop_sim.h"
#include "sim/memory.h"
#include "sim/times.h"
#include "sim/voided.h"
#include "sim/world.h"
#include "store/rows.h"

#define LOG_MAX     4096
#define USERS_MAX   256
#define WAITING_MAX 512

struct logged {
    struct write *writes;
    size_t count;
};

static struct {
    struct arena arena;
    struct logged log[LOG_MAX];
    size_t count;
    struct disk_user users[USERS_MAX];
    size_t user_count;
    int64_t floor_ms, pruned_s;
    struct arena founding; /* what the first `founded` commits point to */
    size_t founded;
    int64_t founded_floor_ms, founded_pruned_s;
} disk;

struct disk_store {
    struct store base;
    struct store *tables;
    struct store_commit *waiting[WAITING_MAX];
    size_t waiting_count, group_count; /* the group under way comes first */
    struct item group;
    struct sim_read *reads;
    bool is_live, is_replaying;
    unsigned failing; /* so many more commits and reads fail */
};

struct sim_read {
    struct item item;
    struct sim_read *next;
    struct store_read *read; /* of the node */
    struct disk_store *store;
};

/* ---- the log ---- */

void disk_begin(void)
{
    disk.count = disk.user_count = disk.founded = 0;
    disk_seen_begin();
    disk.floor_ms = disk.pruned_s = 0;
    arena_init(&disk.arena, (size_t)1 << 26);
}

void disk_keep_founding(void)
{
    disk.founding = disk.arena;
    disk.founded = disk.count;
    disk.founded_floor_ms = disk.floor_ms;
    disk.founded_pruned_s = disk.pruned_s;
    arena_init(&disk.arena, (size_t)1 << 26);
}

void disk_rewind(void)
{
    disk.count = disk.founded;
    disk.floor_ms = disk.founded_floor_ms;
    disk.pruned_s = disk.founded_pruned_s;
    disk.user_count = 0; /* a founding has none */
    arena_reset(&disk.arena);
}

void disk_end(void)
{
    if (disk.founded) arena_release(&disk.founding);
    arena_release(&disk.arena);
}

int64_t disk_floor_ms(void)
{
    return disk.floor_ms;
}

int64_t disk_pruned_s(void)
{
    return disk.pruned_s;
}

const struct disk_user *disk_user(const struct uuid *project, struct bytes reference)
{
    size_t i;

    for (i = 0; i < disk.user_count; i++)
        if (uuid_equal(&disk.users[i].project, project) &&
            bytes_equal(bytes_of(disk.users[i].reference, disk.users[i].reference_len), reference))
            return &disk.users[i];
    return NULL;
}

unsigned disk_shown_at(const struct disk_user *user, unsigned shown)
{
    unsigned i;

    for (i = user->shown_count; i; i--)
        if (user->shown[i - 1] == shown) return i;
    return 0;
}

/* 0: not a display name that the model drew. */
static unsigned number_of(const struct profile *profile)
{
    struct bytes text = profile->value[PROFILE_DISPLAY_NAME];
    uint64_t number;

    if (!bytes_start_with(text, BYTES("n")) || !bytes_to_u64(&number, bytes_from(text, 1), UINT32_MAX))
        return 0;
    return (unsigned)number;
}

static void note_shown(struct disk_user *user, const struct profile *profile)
{
    unsigned number = number_of(profile);

    if (!number) return;
    if (user->shown_count == SHOWN_MAX) abort();
    user->shown[user->shown_count++] = number;
}

static void note_user(const struct user *user)
{
    struct disk_user *known = &disk.users[disk.user_count];

    if (disk.user_count == USERS_MAX || user->reference.len > REFERENCE_MAX) abort();
    if (disk_user(&user->project, user->reference))
        world_fail("one user a reference", "the store wrote \"%.*s\" twice", (int)user->reference.len,
                   (const char *)user->reference.ptr);
    disk.user_count++;
    memset(known, 0, sizeof *known);
    known->project = user->project;
    known->id = user->id;
    known->reference_len = user->reference.len;
    memcpy(known->reference, user->reference.ptr, user->reference.len);
    note_shown(known, &user->profile);
}

static void forget_user(const struct uuid *id)
{
    size_t i;

    for (i = 0; i < disk.user_count && !uuid_equal(&disk.users[i].id, id);)
        i++;
    if (i == disk.user_count) return;
    disk.users[i] = disk.users[--disk.user_count];
}

static void note_write(const struct write *write, const struct row *row)
{
    size_t i;

    if (row->state != ROW_WRITTEN) return;
    disk_see(write, row);
    voided_check_write(write);
    interviews_stored(write, row);
    if (write->kind == WRITE_USER && !bytes_is_absent(row->user.reference)) note_user(&row->user);
    if (write->kind == WRITE_FAMILY) families_stored(&row->family);
    if (write->kind == WRITE_CUTOFF) voided_stored(write, row);
    if (write->kind == WRITE_USER_GONE) forget_user(&write->user_gone.user);
    if (write->kind == WRITE_PRUNE && write->prune.through_s > disk.pruned_s)
        disk.pruned_s = write->prune.through_s;
    if (write->kind != WRITE_PROFILE) return;
    for (i = 0; i < disk.user_count; i++)
        if (uuid_equal(&disk.users[i].id, &write->profile.user))
            note_shown(&disk.users[i], &write->profile.profile);
}

static void keep_commit(const struct write *writes, const struct row *rows, size_t count)
{
    enum memory_owner before = memory_enter(MEMORY_SIM);
    struct logged *logged = &disk.log[disk.count++];
    size_t i;

    if (disk.count == LOG_MAX) abort();
    logged->count = count;
    logged->writes = arena_alloc(&disk.arena, count * sizeof *writes);
    for (i = 0; i < count; i++) {
        logged->writes[i] = writes[i];
        disk_keep(&logged->writes[i], &disk.arena);
        note_write(&writes[i], &rows[i]);
    }
    memory_leave(before);
}

/* ---- commits ---- */

static struct disk_store *store_of(struct store *store)
{
    return (struct disk_store *)(void *)store;
}

static void hold(void *to, struct mail *mail)
{
    (void)to;
    (void)mail; /* it is posted when its time has come */
}

/* One commit against the tables: atomic, as the memory store is. What it wrote is on the disk. */
static void apply(struct disk_store *store, struct store_commit *commit)
{
    void (*post)(void *, struct mail *) = commit->post;
    enum memory_owner before = memory_enter(MEMORY_NODE);

    commit->post = hold;
    store->tables->ops->commit(store->tables, commit);
    commit->post = post;
    memory_leave(before);
    if (!commit->error && !store->is_replaying && commit->write_count) disk_see_commit(commit);
    if (!commit->error && !store->is_replaying && commit->write_count)
        keep_commit(commit->writes, commit->rows, commit->write_count);
}

static void refuse(struct store_commit *commit, enum err error)
{
    world.trouble++;
    trace("store", "a commit fails: %s", err_name(error));
    if (commit->write_count) memset(commit->rows, 0, commit->write_count * sizeof *commit->rows);
    commit->error = error;
}

static void begin_group(struct disk_store *store);

/* With a group, last of it. */
static void keep_floor(struct disk_store *store)
{
    int64_t floor_ms;

    if (!store->base.floor) return;
    floor_ms = store->base.floor(store->base.floor_state, disk.floor_ms);
    if (floor_ms == disk.floor_ms) return;
    disk.floor_ms = floor_ms;
    times_floor(floor_ms);
}

static void on_group(struct item *item)
{
    struct disk_store *store = HOLDER(item, struct disk_store, group);
    size_t i, count = store->group_count;
    struct store_commit *group[WAITING_MAX];
    bool is_durable = false;

    trace("store", "%zu commits are durable", count);
    for (i = 0; i < count; i++)
        group[i] = store->waiting[i];
    store->waiting_count -= count;
    for (i = 0; i < store->waiting_count; i++)
        store->waiting[i] = store->waiting[i + count];
    store->group_count = 0;
    for (i = 0; i < count; i++) {
        if (store->failing) {
            store->failing--;
            refuse(group[i], ERR_STORE_FAILED);
        } else
            apply(store, group[i]);
        is_durable = is_durable || !group[i]->error;
    }
    if (is_durable) keep_floor(store);
    for (i = 0; i < count; i++)
        group[i]->post(group[i]->to, &group[i]->mail);
    begin_group(store);
}

static void begin_group(struct disk_store *store)
{
    if (store->group_count || !store->waiting_count) return;
    store->group_count =
        chance(70) ? store->waiting_count : (size_t)between(1, (int64_t)store->waiting_count);
    agenda_put(&store->group, delay_us(world.temper.disk_us), on_group);
}

static void sim_commit(struct store *base, struct store_commit *commit)
{
    struct disk_store *store = store_of(base);
    enum memory_owner before;

    if (store->is_live && !door_opens()) return;
    before = memory_enter(MEMORY_SIM);
    if (!store->is_live) {
        apply(store, commit);
        commit->post(commit->to, &commit->mail);
    } else if (store->waiting_count == WAITING_MAX || (store->failing && chance(30))) {
        refuse(commit, ERR_STORE_BUSY);
        commit->post(commit->to, &commit->mail);
    } else {
        store->waiting[store->waiting_count++] = commit;
        begin_group(store);
    }
    memory_leave(before);
}

/* ---- reads ---- */

static void unlist(struct sim_read *one)
{
    struct sim_read **at = &one->store->reads;

    while (*at != one)
        at = &(*at)->next;
    *at = one->next;
}

static void on_read_answered(struct item *item)
{
    struct sim_read *one = HOLDER(item, struct sim_read, item);
    struct store_read *read = one->read;

    unlist(one);
    memory_free(one);
    read->post(read->to, &read->mail);
}

/* What is read is as of now; its answer may come after answers to later commits. */
static void look_up(struct disk_store *store, struct store_read *read)
{
    void (*post)(void *, struct mail *) = read->post;
    enum memory_owner before = memory_enter(MEMORY_NODE);

    read->post = hold;
    store->tables->ops->read(store->tables, read);
    read->post = post;
    memory_leave(before);
    if (!store->failing) return;
    store->failing--;
    world.trouble++;
    trace("store", "a read fails");
    read->error = ERR_STORE_FAILED;
    store_read_begin(read);
}

static void on_read(struct item *item)
{
    struct sim_read *one = HOLDER(item, struct sim_read, item);

    look_up(one->store, one->read);
    agenda_put(&one->item, delay_us(world.temper.disk_us), on_read_answered);
}

static void sim_read(struct store *base, struct store_read *read)
{
    struct disk_store *store = store_of(base);
    struct sim_read *one;

    if (!door_opens()) return;
    one = memory_new(sizeof *one);
    one->read = read;
    one->store = store;
    one->next = store->reads;
    store->reads = one;
    agenda_put(&one->item, delay_us(300), on_read);
}

/* ---- facts ---- */

static bool fails_now(struct disk_store *store)
{
    if (!store->is_live || !store->failing) return false;
    store->failing--;
    world.trouble++;
    return true;
}

static enum err sim_facts(struct store *base, struct facts **out)
{
    struct disk_store *store = store_of(base);

    *out = NULL;
    return fails_now(store) ? ERR_STORE_FAILED : store->tables->ops->facts(store->tables, out);
}

static enum err sim_facts_version(struct store *base, uint64_t *out)
{
    struct disk_store *store = store_of(base);

    *out = 0;
    return fails_now(store) ? ERR_STORE_FAILED : store->tables->ops->facts_version(store->tables, out);
}

static enum err sim_floor(struct store *base, int64_t *out)
{
    (void)base;
    *out = disk.floor_ms;
    return ERR_OK;
}

static enum err sim_ring(struct store *base, struct store_ring **out)
{
    struct disk_store *store = store_of(base);

    return store->tables->ops->ring(store->tables, out);
}

static enum err sim_cutoffs(struct store *base, struct store_cutoffs **out)
{
    struct disk_store *store = store_of(base);

    *out = NULL;
    return fails_now(store) ? ERR_STORE_FAILED : store->tables->ops->cutoffs(store->tables, out);
}

static enum err sim_key_uses(struct store *base, const struct uuid *project, struct store_key_uses **out)
{
    struct disk_store *store = store_of(base);

    *out = NULL;
    return fails_now(store) ? ERR_STORE_FAILED : store->tables->ops->key_uses(store->tables, project, out);
}

/* ---- life ---- */

static void sim_close(struct store *base)
{
    struct disk_store *store = store_of(base);
    enum memory_owner before = memory_enter(MEMORY_SIM);

    while (store->waiting_count) {
        agenda_remove(&store->group);
        store->group_count = store->waiting_count;
        on_group(&store->group);
    }
    while (store->reads) {
        struct sim_read *one = store->reads;
        if (one->item.due == on_read) look_up(store, one->read);
        agenda_remove(&one->item);
        on_read_answered(&one->item);
    }
    memory_enter(MEMORY_NODE);
    store->tables->ops->close(store->tables);
    memory_enter(MEMORY_SIM);
    memory_free(store);
    memory_leave(before);
}

static const struct store_ops sim_ops = {.name = "sim",
                                         .commit = sim_commit,
                                         .read = sim_read,
                                         .facts = sim_facts,
                                         .facts_version = sim_facts_version,
                                         .ring = sim_ring,
                                         .floor = sim_floor,
                                         .cutoffs = sim_cutoffs,
                                         .key_uses = sim_key_uses,
                                         .close = sim_close};

static void replay(struct disk_store *store)
{
    struct arena arena;
    size_t i;

    arena_init(&arena, (size_t)1 << 26);
    store->is_replaying = true;
    for (i = 0; i < disk.count; i++) {
        struct row *rows =
            arena_alloc(&arena, disk.log[i].count * sizeof *rows); /* some have more than a plan */
        struct store_commit commit = {
            .writes = disk.log[i].writes, .write_count = disk.log[i].count, .rows = rows, .arena = &arena};

        if (!rows) world_fail("the log can be replayed", "%s", err_name(ERR_NO_MEMORY));
        apply(store, &commit);
        if (commit.error) world_fail("the log can be replayed", "%s", err_name(commit.error));
    }
    store->is_replaying = false;
    arena_release(&arena);
}

/* Every user the log has written is in the tables, as the log has it. */
static void compare(struct disk_store *store)
{
    struct arena arena;
    size_t i;

    arena_init(&arena, (size_t)1 << 24);
    for (i = 0; i < disk.user_count; i++) {
        const struct disk_user *known = &disk.users[i];
        struct store_read read = {.post = hold, .kind = READ_USER_BY_REFERENCE, .project = known->project};
        unsigned last = known->shown_count ? known->shown[known->shown_count - 1] : 0;
        read.text = bytes_of(known->reference, known->reference_len);
        read.arena = &arena;
        store->tables->ops->read(store->tables, &read);
        if (read.error || !read.found || !uuid_equal(&read.user.id, &known->id) ||
            (last && number_of(&read.user.profile) != last))
            world_fail("what is durable is there after a restart", "user \"%s\"", known->reference);
    }
    disk_seen_compare(store->tables, &arena, hold);
    interviews_compare(store->tables, &arena, hold);
    arena_release(&arena);
}

enum err disk_store_open(struct store **out)
{
    struct disk_store *store = memory_new(sizeof *store);
    enum memory_owner before = memory_enter(MEMORY_NODE);
    enum err e = store_memory_open(&store->tables);

    memory_leave(before);
    *out = NULL;
    if (e) {
        memory_free(store);
        return e;
    }
    store->base.ops = &sim_ops;
    replay(store);
    compare(store);
    *out = &store->base;
    return ERR_OK;
}

void disk_store_goes_live(struct store *store)
{
    store_of(store)->is_live = true;
}

void disk_store_trouble(struct store *store)
{
    store_of(store)->failing = (unsigned)between(1, 6);
}

/* A group that is under way was on its way to the disk: some first part of it may have arrived. */
void disk_store_crash(struct store *base)
{
    struct disk_store *store = store_of(base);
    size_t i, arrived = store->group_count ? (size_t)roll(store->group_count + 1) : 0;

    for (i = 0; i < arrived; i++)
        apply(store, store->waiting[i]);
    if (arrived && arrived == store->group_count) keep_floor(store);
    if (store->waiting_count)
        trace("store", "of %zu commits that waited %zu are durable", store->waiting_count, arrived);
    agenda_remove(&store->group);
    while (store->reads) {
        struct sim_read *one = store->reads;
        agenda_remove(&one->item);
        unlist(one);
        memory_free(one);
    }
    memory_free(store);
}

/* ---- the command line ---- */

struct operation {
    struct store_commit commit;
    struct write write;
    struct row row;
    struct arena arena;
};

/* Done at once: what an operator does is not what is being tried here, but what follows from it. */
bool disk_store_operate(struct store *base, const struct write *write)
{
    struct disk_store *store = store_of(base);
    struct operation *operation = memory_new(sizeof *operation);
    bool is_done;

    arena_init(&operation->arena, 65536);
    operation->write = *write;
    operation->commit.writes = &operation->write;
    operation->commit.write_count = 1;
    operation->commit.rows = &operation->row;
    operation->commit.arena = &operation->arena;
    apply(store, &operation->commit);
    is_done = operation->commit.error == ERR_OK;
    arena_release(&operation->arena);
    memory_free(operation);
    return is_done;
}
