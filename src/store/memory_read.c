/* memory_read.c — the memory store reads: users, lists, and everything that a snapshot holds. */
#include "store/memory_tables.h"
#include "store/rows.h"

#include <stdlib.h>

static enum err give_user(struct store_read *read, const struct kept *kept)
{
    read->found = kept != NULL;
    return kept == NULL ? ERR_OK : user_copy(&read->user, &kept->write.user.user, read->arena);
}

static bool is_listed(const struct store_read *read, const struct user *user)
{
    if (!uuid_equal(&user->project, &read->project)) return false;
    if (read->kind == READ_USERS) return user->kind == USER_SUBSCRIBER;
    return !bytes_is_absent(read->text) && !bytes_is_absent(user->external_id) &&
           bytes_equal(user->external_id, read->text);
}

/* The next one in the order they were made. */
static const struct kept *user_after(const struct tables *tables, const struct store_read *read,
                                     uint64_t number)
{
    const struct kept *next = NULL;
    for (const struct kept *kept = tables->lists.newest[WRITE_USER]; kept != NULL; kept = kept->older)
        if (kept->number > number && (next == NULL || kept->number < next->number) &&
            is_listed(read, &kept->write.user.user) && tables_is_current(tables, kept))
            next = kept;
    return next;
}

/* At most the limit. */
static size_t count_after(const struct tables *tables, const struct store_read *read, uint64_t number)
{
    size_t count = 0;
    const struct kept *kept = user_after(tables, read, number);
    for (; kept != NULL && count < read->limit; kept = user_after(tables, read, kept->number))
        count++;
    return count;
}

static enum err start_of_page(uint64_t *out, const struct store_read *read, const struct tables *tables)
{
    struct uuid id;
    enum err e;
    *out = 0;
    if (read->kind != READ_USERS || bytes_is_absent(read->text)) return ERR_OK;
    TRY(e = uuid_read(&id, read->text), done);
    const struct kept *kept = tables_user(tables, READ_USER_BY_ID, &read->project, BYTES_NONE, &id);
    if (kept == NULL || kept->write.user.user.kind != USER_SUBSCRIBER) return ERR_MALFORMED;
    *out = kept->number;
done:
    return e;
}

static enum err list_users(struct store_read *read, const struct tables *tables)
{
    struct user *users = NULL;
    uint64_t after;
    enum err e;
    TRY(e = start_of_page(&after, read, tables), done);
    TRY(e = store_users_room(&users, read, count_after(tables, read, after)), done);
    const struct kept *kept = user_after(tables, read, after);
    for (; kept != NULL && read->user_count < read->limit; kept = user_after(tables, read, after)) {
        TRY(e = user_copy(&users[read->user_count++], &kept->write.user.user, read->arena), done);
        after = kept->number;
    }
    read->users = users;
    if (kept != NULL && read->user_count > 0 && read->kind == READ_USERS)
        e = cursor_write(&read->next, &users[read->user_count - 1], read->arena);
done:
    return e;
}

static const struct address *address_of(const struct tables *tables, const struct uuid *project,
                                        const struct uuid *id)
{
    struct write wanted = {.kind = WRITE_ADDRESS, .address = {.id = *id}};
    const struct kept *kept = tables_same(tables, &wanted);
    if (uuid_is_zero(id)) return NULL;
    if (kept != NULL) return uuid_equal(&kept->write.address.project, project) ? &kept->write.address : NULL;
    for (kept = tables->lists.newest[WRITE_USER]; kept != NULL; kept = kept->older) {
        const struct user *user = &kept->write.user.user;
        if (uuid_equal(&user->project, project) && uuid_equal(&user->address.id, id) &&
            tables_is_current(tables, kept))
            return &user->address;
    }
    return NULL;
}

static enum err list_addresses(struct store_read *read, const struct tables *tables)
{
    struct address *list;
    enum err e;
    TRY(e = store_addresses_room(&list, read), done);
    for (size_t i = 0; i < read->id_count && e == ERR_OK; i++) {
        const struct address *address = address_of(tables, &read->project, &read->ids[i]);
        if (address != NULL) e = address_copy(&list[read->address_count++], address, read->arena);
    }
done:
    return e;
}

static enum err give_family(struct store_read *read, const struct tables *tables)
{
    const struct family *family = tables_family(tables, &read->project, &read->id, read->bucket_s);
    read->found = family != NULL;
    return family == NULL ? ERR_OK : family_copy(&read->family, family, read->arena);
}

static enum err give_interview(struct store_read *read, const struct tables *tables)
{
    const struct interview *interview = tables_interview(tables, &read->project, &read->id, &read->owner);
    read->found = interview != NULL;
    if (interview != NULL) read->interview = *interview;
    return ERR_OK;
}

enum err tables_read(struct store_read *read, const struct tables *tables)
{
    switch (read->kind) {
    case READ_USER_BY_REFERENCE:
    case READ_USER_BY_ID:
    case READ_USER_BY_ADDRESS:
    case READ_USER_BY_RESOURCE:
        return give_user(read, tables_user(tables, read->kind, &read->project, read->text, &read->id));
    case READ_USERS_BY_EXTERNAL_ID:
    case READ_USERS:
        return list_users(read, tables);
    case READ_ADDRESSES:
        return list_addresses(read, tables);
    case READ_FAMILY:
        return give_family(read, tables);
    case READ_INTERVIEW:
        return give_interview(read, tables);
    }
    return ERR_UNSUPPORTED;
}

/* --- for those who may block --- */

static enum err add_to_snapshot(struct snapshot *snapshot, const struct write *write)
{
    if (write->kind == WRITE_PROJECT) return snapshot_add_project(snapshot, &write->project);
    if (write->kind == WRITE_KEY) return snapshot_add_key(snapshot, &write->key);
    if (write->kind == WRITE_ORIGIN)
        return snapshot_add_origin(snapshot, &write->origin.project, write->origin.origin);
    if (write->kind == WRITE_ADDRESS) return snapshot_add_address(snapshot, &write->address);
    if (write->kind == WRITE_RESOURCE) return snapshot_add_resource(snapshot, &write->resource);
    return snapshot_add_study(snapshot, &write->study);
}

static enum err fill_snapshot(struct snapshot *snapshot, const struct tables *tables, enum write_kind kind)
{
    enum err e = ERR_OK;
    const struct kept *kept = tables->lists.newest[kind];
    for (; kept != NULL && e == ERR_OK; kept = kept->older)
        if (tables_is_current(tables, kept)) e = add_to_snapshot(snapshot, &kept->write);
    return e;
}

enum err tables_facts(struct facts **out, const struct tables *tables)
{
    static const enum write_kind kinds[] = {WRITE_PROJECT, WRITE_KEY,      WRITE_ORIGIN,
                                            WRITE_ADDRESS, WRITE_RESOURCE, WRITE_STUDY};
    struct snapshot snapshot = {0};
    struct snapshot_counts room = {.projects = tables_count(tables, WRITE_PROJECT),
                                   .keys = tables_count(tables, WRITE_KEY),
                                   .addresses = tables_count(tables, WRITE_ADDRESS),
                                   .origins = tables_count(tables, WRITE_ORIGIN),
                                   .resources = tables_count(tables, WRITE_RESOURCE),
                                   .studies = tables_count(tables, WRITE_STUDY)};
    struct snapshot_meta meta = {tables->lists.version, tables->lists.epoch, tables->lists.pruned_through_s};
    enum err e;
    *out = NULL;
    TRY(e = snapshot_init(&snapshot, room), done);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        TRY(e = fill_snapshot(&snapshot, tables, kinds[i]), done);
    e = snapshot_finish(out, &snapshot, &meta);
done:
    snapshot_release(&snapshot);
    return e;
}

static enum err fill_ring(struct store_ring *ring, const struct tables *tables)
{
    enum err e = ERR_OK;
    const struct kept *kept = tables->lists.newest[WRITE_RING_KEY];
    for (; kept != NULL && e == ERR_OK; kept = kept->older) {
        struct ring_key *key = &ring->keys[ring->count];
        if (!tables_is_current(tables, kept)) continue;
        *key = kept->write.ring_key;
        ring->count++;
        TRY(e = text_copy(&key->id, key->id, &ring->arena), done);
        TRY(e = text_copy(&key->algorithm, key->algorithm, &ring->arena), done);
        e = text_copy(&key->wrapped, key->wrapped, &ring->arena);
    }
done:
    return e;
}

static int ring_order(const void *a, const void *b)
{
    const struct ring_key *left = a, *right = b;
    if (left->created_ms != right->created_ms) return left->created_ms < right->created_ms ? -1 : 1;
    return bytes_compare(left->id, right->id);
}

enum err tables_ring(struct store_ring **out, const struct tables *tables)
{
    struct store_ring *ring = NULL;
    enum err e;
    *out = NULL;
    TRY(e = store_ring_new(&ring, tables_count(tables, WRITE_RING_KEY)), done);
    TRY(e = fill_ring(ring, tables), done);
    if (ring->count > 0) qsort(ring->keys, ring->count, sizeof *ring->keys, ring_order);
    *out = ring;
    ring = NULL;
done:
    store_ring_free(ring);
    return e;
}

enum err tables_cutoffs(struct store_cutoffs **out, const struct tables *tables)
{
    struct store_cutoffs *cutoffs = NULL;
    const struct kept *kept = tables->lists.newest[WRITE_CUTOFF];
    enum err e;
    *out = NULL;
    TRY(e = store_cutoffs_new(&cutoffs, tables_count(tables, WRITE_CUTOFF)), done);
    for (; kept != NULL; kept = kept->older) {
        struct cutoff *cutoff = &cutoffs->list[cutoffs->count++];
        *cutoff = kept->write.cutoff.cutoff;
        TRY(e = text_copy(&cutoff->id, cutoff->id, &cutoffs->arena), done);
    }
    *out = cutoffs;
    cutoffs = NULL;
done:
    store_cutoffs_free(cutoffs);
    return e;
}

static int64_t used_ms(const struct tables *tables, struct bytes public_id)
{
    struct write wanted = {.kind = WRITE_KEY_USED, .key_used = {.public_id = public_id}};
    const struct kept *kept = tables_same(tables, &wanted);
    return kept == NULL ? 0 : kept->write.key_used.used_ms;
}

enum err tables_key_uses(struct store_key_uses **out, const struct tables *tables, const struct uuid *project)
{
    struct store_key_uses *uses = NULL;
    const struct kept *kept = tables->lists.newest[WRITE_KEY];
    enum err e;
    *out = NULL;
    TRY(e = store_key_uses_new(&uses, tables_count(tables, WRITE_KEY)), done);
    for (; kept != NULL; kept = kept->older) {
        struct store_key_use *use = &uses->list[uses->count];
        if (!uuid_equal(&kept->write.key.project, project) || !tables_is_current(tables, kept)) continue;
        uses->count++;
        use->used_ms = used_ms(tables, kept->write.key.public_id);
        TRY(e = text_copy(&use->public_id, kept->write.key.public_id, &uses->arena), done);
    }
    *out = uses;
    uses = NULL;
done:
    store_key_uses_free(uses);
    return e;
}
