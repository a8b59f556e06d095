/* memory_write.c — the memory store writes: what each kind of write needs, meets and leaves. */
#include "store/memory_tables.h"
#include "store/rows.h"

#include "engine/age.h"

/* --- users --- */

static const struct kept *user_before(const struct tables *tables, const struct uuid *project,
                                      const struct uuid *id)
{
    return tables_user(tables, READ_USER_BY_ID, project, BYTES_NONE, id);
}

/* The wished name, else the other; with both taken nothing can be written. */
static enum err choose_name(struct user *user, const struct tables *tables, struct bytes other)
{
    struct bytes *name = &user->address.name;
    if (bytes_is_absent(*name) || !tables_name_is_taken(tables, &user->project, *name)) return ERR_OK;
    *name = other;
    if (bytes_is_absent(*name) || !tables_name_is_taken(tables, &user->project, *name)) return ERR_OK;
    return ERR_STORE_FAILED;
}

static enum err write_user(struct row *row, struct tables *tables, const struct write *write,
                           struct arena *arena)
{
    struct user user = write->user.user;
    const struct kept *by_id = user_before(tables, &user.project, &user.id);
    const struct kept *before =
        bytes_is_absent(user.reference)
            ? by_id
            : tables_user(tables, READ_USER_BY_REFERENCE, &user.project, user.reference, NULL);
    enum err e;
    row->state = before == NULL ? ROW_WRITTEN : ROW_EXISTS;
    if (before != NULL) return user_copy(&row->user, &before->write.user.user, arena);
    if (by_id != NULL) return ERR_STORE_FAILED;
    if (user.address.type == 0) user.address = (struct address){0};
    TRY(e = choose_name(&user, tables, write->user.address_name_alt), done);
    if (user.address.type != 0) user.address.project = user.project;
    TRY(e = user_copy(&row->user, &user, arena), done);
    e = tables_keep_user(tables, &user, 0);
done:
    return e;
}

static enum err write_profile(struct row *row, struct tables *tables, const struct write *write,
                              struct arena *arena)
{
    const struct kept *before = user_before(tables, &write->profile.project, &write->profile.user);
    enum err e;
    if (before == NULL) return ERR_OK;
    row->state = ROW_WRITTEN;
    TRY(e = user_copy(&row->user, &before->write.user.user, arena), done);
    TRY(e = profile_overlay(&row->user.profile, &write->profile.profile, arena), done);
    row->user.updated_ms = write->profile.now_ms;
    e = tables_keep_user(tables, &row->user, before->number);
done:
    return e;
}

static enum err write_payload(struct row *row, struct tables *tables, const struct write *write,
                              struct arena *arena)
{
    const struct kept *before = user_before(tables, &write->payload.project, &write->payload.user);
    enum err e;
    if (before == NULL || before->write.user.user.kind != USER_EMBEDDED) return ERR_OK;
    row->state = ROW_EXISTS;
    TRY(e = user_copy(&row->user, &before->write.user.user, arena), done);
    if (row->user.updated_ms != write->payload.if_updated_ms) return ERR_OK;
    row->state = ROW_WRITTEN;
    row->user.updated_ms = updated_after(row->user.updated_ms, write->payload.now_ms);
    if (!bytes_is_absent(write->payload.payload))
        TRY(e = text_copy(&row->user.payload, write->payload.payload, arena), done);
    if (!bytes_is_absent(write->payload.external_id))
        TRY(e = text_copy(&row->user.external_id, write->payload.external_id, arena), done);
    e = tables_keep_user(tables, &row->user, before->number);
done:
    return e;
}

static enum err drop_answers(struct tables *tables, const struct interview *interview)
{
    enum err e = ERR_OK;
    const struct kept *kept = tables->lists.newest[WRITE_ANSWER];
    for (; kept != NULL && e == ERR_OK; kept = kept->older)
        if (uuid_equal(&kept->write.answer.project, &interview->project) &&
            uuid_equal(&kept->write.answer.interview, &interview->id) && tables_is_current(tables, kept))
            e = tables_drop(tables, kept);
    return e;
}

static enum err drop_interviews(bool *out, struct tables *tables, const struct uuid *project,
                                const struct uuid *user)
{
    enum err e = ERR_OK;
    const struct kept *kept = tables->lists.newest[WRITE_INTERVIEW];
    for (; kept != NULL && e == ERR_OK; kept = kept->older) {
        const struct interview *interview = &kept->write.interview;
        if (!uuid_equal(&interview->project, project) || !uuid_equal(&interview->user, user) ||
            !tables_is_current(tables, kept))
            continue;
        e = drop_answers(tables, interview);
        if (e == ERR_OK) e = tables_drop(tables, kept);
        *out = true;
    }
    return e;
}

static enum err write_user_gone(struct row *row, struct tables *tables, const struct write *write)
{
    const struct kept *before = user_before(tables, &write->user_gone.project, &write->user_gone.user);
    bool was_there = before != NULL;
    enum err e;
    TRY(e = drop_interviews(&was_there, tables, &write->user_gone.project, &write->user_gone.user), done);
    if (was_there) row->state = ROW_WRITTEN;
    if (before != NULL) e = tables_drop(tables, before);
done:
    return e;
}

/* --- facts --- */

/* The age is not a project write's to change. */
static enum err write_project(struct row *row, struct tables *tables, const struct write *write)
{
    const struct write *before = tables_project(tables, &write->project.id);
    struct write after = *write;
    if (!settings_allowed(write->project.setting)) return ERR_OK;
    after.project.age_ms = before == NULL ? 0 : before->project.age_ms;
    row->state =
        before == NULL || before->project.is_test == write->project.is_test ? ROW_WRITTEN : ROW_EXISTS;
    return row->state == ROW_WRITTEN ? tables_keep(tables, &after) : ERR_OK;
}

static enum err write_age(struct row *row, struct tables *tables, const struct write *write)
{
    struct write after = *tables_project(tables, &write->age.project);
    if (age_step_check(&after.project, write->age.by_ms) != AGE_MAY_STEP) return ERR_OK;
    after.project.age_ms += write->age.by_ms;
    row->state = ROW_WRITTEN;
    return tables_keep(tables, &after);
}

static enum err write_setting(struct row *row, struct tables *tables, const struct write *write)
{
    struct write after = *tables_project(tables, &write->setting.project);
    if (!setting_allows(write->setting.setting, write->setting.value)) return ERR_OK;
    after.project.setting[write->setting.setting] = write->setting.value;
    row->state = ROW_WRITTEN;
    return tables_keep(tables, &after);
}

/* What is fixed at creation: a write that would change it meets somebody else's row. */
static bool may_replace(const struct write *before, const struct write *write)
{
    const struct fact_key *key = &before->key;
    switch (write->kind) {
    case WRITE_KEY:
        return uuid_equal(&key->project, &write->key.project) && key->kind == write->key.kind &&
               bytes_equal(bytes_of(key->hash, KEY_HASH_LEN), bytes_of(write->key.hash, KEY_HASH_LEN)) &&
               bytes_is_absent(key->public_key) == bytes_is_absent(write->key.public_key) &&
               bytes_equal(key->public_key, write->key.public_key);
    case WRITE_STUDY:
        return uuid_equal(&before->study.project, &write->study.project);
    case WRITE_RING_KEY:
        return before->ring_key.use == write->ring_key.use &&
               bytes_equal(before->ring_key.algorithm, write->ring_key.algorithm);
    case WRITE_RESOURCE:
        return uuid_equal(&before->resource.project, &write->resource.project) &&
               before->resource.type == write->resource.type;
    case WRITE_NONE: /* the others are never replaced, or have a function of their own */
    case WRITE_PROJECT:
    case WRITE_AGE:
    case WRITE_ORIGIN:
    case WRITE_ADDRESS:
    case WRITE_SETTING:
    case WRITE_ORIGIN_GONE:
    case WRITE_RESOURCE_GONE:
    case WRITE_EPOCH:
    case WRITE_CUTOFF:
    case WRITE_USER:
    case WRITE_PROFILE:
    case WRITE_ONCE:
    case WRITE_BOUND:
    case WRITE_USE:
    case WRITE_PRUNE:
    case WRITE_PAYLOAD:
    case WRITE_USER_GONE:
    case WRITE_FAMILY:
    case WRITE_KEY_USED:
    case WRITE_INTERVIEW:
    case WRITE_INTERVIEW_STEP:
    case WRITE_ANSWER:
        break;
    }
    return false;
}

static enum err write_fact(struct row *row, struct tables *tables, const struct write *write)
{
    const struct kept *before = tables_same(tables, write);
    struct write after = *write;
    bool is_free = before == NULL || may_replace(&before->write, write);
    if (write->kind == WRITE_ADDRESS &&
        tables_name_is_taken(tables, &write->address.project, write->address.name))
        is_free = false;
    if (write->kind == WRITE_RESOURCE && write->if_updated_ms != 0 &&
        (before == NULL || before->write.resource.updated_ms != write->if_updated_ms))
        is_free = false;
    if (before != NULL && write->kind == WRITE_KEY) after.key.created_ms = before->write.key.created_ms;
    if (before != NULL && write->kind == WRITE_RESOURCE)
        after.resource.created_ms = before->write.resource.created_ms;
    row->state = is_free ? ROW_WRITTEN : ROW_EXISTS;
    return is_free ? tables_keep(tables, &after) : ERR_OK;
}

static enum err write_origin_gone(struct row *row, struct tables *tables, const struct write *write)
{
    struct write wanted = *write;
    wanted.kind = WRITE_ORIGIN;
    const struct kept *before = tables_same(tables, &wanted);
    if (before == NULL) return ERR_OK;
    row->state = ROW_WRITTEN;
    return tables_drop(tables, before);
}

static enum err write_ring_key(struct row *row, struct tables *tables, const struct write *write)
{
    const struct kept *before = tables_same(tables, write);
    bool is_step = write->ring_key.state != RING_GONE && bytes_is_absent(write->ring_key.wrapped);
    if (write->ring_key.state != RING_GONE && !is_step) return write_fact(row, tables, write);
    if (before == NULL || before->write.ring_key.use != write->ring_key.use) return ERR_OK;
    row->state = ROW_WRITTEN;
    if (!is_step) return tables_drop(tables, before);
    struct write after = before->write;
    after.ring_key.state = write->ring_key.state;
    after.ring_key.since_ms = write->ring_key.since_ms;
    return tables_keep(tables, &after);
}

static enum err drop_addresses(struct tables *tables, const struct resource *resource)
{
    enum err e = ERR_OK;
    const struct kept *kept = tables->lists.newest[WRITE_ADDRESS];
    for (; kept != NULL && e == ERR_OK; kept = kept->older)
        if (uuid_equal(&kept->write.address.resource, &resource->id) &&
            uuid_equal(&kept->write.address.project, &resource->project) && tables_is_current(tables, kept))
            e = tables_drop(tables, kept);
    return e;
}

static enum err retire_keys(struct tables *tables, const struct resource *resource)
{
    enum err e = ERR_OK;
    const struct kept *kept = tables->lists.newest[WRITE_KEY];
    for (; kept != NULL && e == ERR_OK; kept = kept->older) {
        struct write after = kept->write;
        if (!uuid_equal(&after.key.resource, &resource->id) ||
            !uuid_equal(&after.key.project, &resource->project) || !tables_is_current(tables, kept))
            continue;
        after.key.is_retired = true;
        e = tables_keep(tables, &after);
    }
    return e;
}

static enum err drop_uses(struct tables *tables, const struct resource *resource)
{
    enum err e = ERR_OK;
    const struct kept *kept = tables->lists.newest[WRITE_USE];
    for (; kept != NULL && e == ERR_OK; kept = kept->older)
        if (uuid_equal(&kept->write.use.of, &resource->id) &&
            uuid_equal(&kept->write.use.project, &resource->project) && tables_is_current(tables, kept))
            e = tables_drop(tables, kept);
    return e;
}

static enum err write_resource_gone(struct row *row, struct tables *tables, const struct write *write)
{
    struct write wanted = *write;
    wanted.kind = WRITE_RESOURCE;
    const struct kept *before = tables_same(tables, &wanted);
    enum err e;
    if (before == NULL || !uuid_equal(&before->write.resource.project, &write->resource.project))
        return ERR_OK;
    row->state = ROW_WRITTEN;
    TRY(e = drop_addresses(tables, &before->write.resource), done);
    TRY(e = drop_uses(tables, &before->write.resource), done);
    TRY(e = retire_keys(tables, &before->write.resource), done);
    e = tables_drop(tables, before);
done:
    return e;
}

static enum err write_epoch(struct row *row, struct tables *tables)
{
    tables->lists.epoch++;
    row->state = ROW_WRITTEN;
    return ERR_OK;
}

static enum err write_cutoff(struct row *row, struct tables *tables, const struct write *write)
{
    struct write after = *write;
    int64_t greatest_ms = 0;
    for (const struct kept *kept = tables->lists.newest[WRITE_CUTOFF]; kept != NULL; kept = kept->older) {
        const struct cutoff *other = &kept->write.cutoff.cutoff;
        if (uuid_equal(&other->project, &write->cutoff.cutoff.project) && other->t_ms > greatest_ms)
            greatest_ms = other->t_ms;
    }
    row->t_ms = after.cutoff.cutoff.t_ms = cutoff_next_ms(write->cutoff.now_ms, greatest_ms);
    row->state = ROW_WRITTEN;
    return tables_keep(tables, &after);
}

static enum err write_key_used(struct row *row, struct tables *tables, const struct write *write)
{
    struct write wanted = {.kind = WRITE_KEY, .key = {.public_id = write->key_used.public_id}};
    const struct kept *before = tables_same(tables, write);
    if (tables_same(tables, &wanted) == NULL) return ERR_OK;
    row->state =
        before == NULL || before->write.key_used.used_ms < write->key_used.used_ms ? ROW_WRITTEN : ROW_EXISTS;
    return row->state == ROW_WRITTEN ? tables_keep(tables, write) : ERR_OK;
}

/* --- credentials --- */

static enum err write_once(struct row *row, struct tables *tables, const struct write *write)
{
    bool is_forgotten = write->once.bucket_s <= tables->lists.pruned_through_s;
    row->state = !is_forgotten && tables_same(tables, write) == NULL ? ROW_WRITTEN : ROW_EXISTS;
    return row->state == ROW_WRITTEN ? tables_keep(tables, write) : ERR_OK;
}

static enum err write_bound(struct row *row, struct tables *tables, const struct write *write,
                            struct arena *arena)
{
    const struct kept *before = tables_same(tables, write);
    bool is_forgotten = write->bound.bucket_s <= tables->lists.pruned_through_s;
    row->state = !is_forgotten && before == NULL ? ROW_WRITTEN : ROW_EXISTS;
    if (row->state == ROW_WRITTEN) {
        row->jkt = write->bound.jkt;
        return tables_keep(tables, write);
    }
    return before == NULL ? ERR_OK : text_copy(&row->jkt, before->write.bound.jkt, arena);
}

static enum err write_use(struct row *row, struct tables *tables, const struct write *write)
{
    const struct kept *before = tables_same(tables, write);
    struct write after = *write;
    int64_t uses = before == NULL ? 0 : before->uses;
    bool is_over = write->use.until_s <= tables->lists.pruned_through_s;
    row->state = !is_over && uses < write->use.most ? ROW_WRITTEN : ROW_EXISTS;
    if (row->state == ROW_EXISTS) return ERR_OK;
    if (before != NULL && before->write.use.until_s > after.use.until_s)
        after.use.until_s = before->write.use.until_s;
    return tables_keep_use(tables, &after, uses + 1);
}

static bool family_may_step(const struct family *before, const struct write *write)
{
    uint32_t from = write->family.from_generation;
    return from != 0 && before->state == FAMILY_LIVE &&
           (from == FAMILY_ANY_GENERATION || before->generation == from) &&
           uuid_equal(&before->user, &write->family.family.user);
}

/* Whatever it was, it is over. */
static enum err give_forgotten(struct row *row, const struct family *given, struct arena *arena)
{
    enum err e = family_copy(&row->family, given, arena);
    if (e != ERR_OK) return e;
    row->state = ROW_EXISTS;
    row->family.state = FAMILY_DEAD;
    return ERR_OK;
}

static enum err write_family(struct row *row, struct tables *tables, const struct write *write,
                             struct arena *arena)
{
    const struct family *given = &write->family.family;
    const struct family *before = tables_family(tables, &given->project, &given->id, given->bucket_s);
    struct write after = *write;
    enum err e;
    if (before == NULL && write->family.from_generation != 0) return ERR_OK;
    if (before == NULL && given->bucket_s <= tables->lists.pruned_through_s)
        return give_forgotten(row, given, arena);
    row->state = before == NULL || family_may_step(before, write) ? ROW_WRITTEN : ROW_EXISTS;
    if (row->state == ROW_EXISTS) return family_copy(&row->family, before, arena);
    if (before != NULL && given->state == FAMILY_DEAD) {
        after.family.family = *before;
        after.family.family.state = FAMILY_DEAD;
    }
    TRY(e = family_copy(&row->family, &after.family.family, arena), done);
    e = tables_keep(tables, &after);
done:
    return e;
}

/* --- interviews --- */

static enum err write_interview(struct row *row, struct tables *tables, const struct write *write)
{
    const struct kept *before = tables_same(tables, write);
    struct write after = *write;
    row->state = before == NULL ? ROW_WRITTEN : ROW_EXISTS;
    after.interview.answer_count = 0;
    row->interview = before == NULL ? after.interview : before->write.interview;
    if (!uuid_equal(&row->interview.user, &write->interview.user)) row->interview = (struct interview){0};
    return before == NULL ? tables_keep(tables, &after) : ERR_OK;
}

static enum err write_step(struct row *row, struct tables *tables, const struct write *write)
{
    struct write after = {.kind = WRITE_INTERVIEW};
    const struct interview *before = tables_interview(tables, &write->interview_step.project,
                                                      &write->interview_step.id, &write->interview_step.user);
    if (before == NULL) return ERR_OK;
    row->state = ROW_EXISTS;
    row->interview = *before;
    if (!interview_is_in(before->state, write->interview_step.from)) return ERR_OK;
    row->state = ROW_WRITTEN;
    row->interview.state = write->interview_step.to;
    if (row->interview.state == INTERVIEW_DONE) row->interview.completed_ms = write->interview_step.now_ms;
    after.interview = row->interview;
    return tables_keep(tables, &after);
}

static enum err write_answer(struct row *row, struct tables *tables, const struct write *write)
{
    struct write after = {.kind = WRITE_INTERVIEW};
    const struct interview *before =
        tables_interview(tables, &write->answer.project, &write->answer.interview, &write->answer.user);
    enum err e;
    if (before == NULL) return ERR_OK;
    row->state = ROW_EXISTS;
    row->interview = *before;
    if (before->state != INTERVIEW_AGREED) return ERR_OK;
    row->state = ROW_WRITTEN;
    if (tables_same(tables, write) == NULL) row->interview.answer_count++;
    after.interview = row->interview;
    TRY(e = tables_keep(tables, write), done);
    e = tables_keep(tables, &after);
done:
    return e;
}

/* --- forgetting --- */

static int64_t over_at_s(const struct write *write)
{
    if (write->kind == WRITE_ONCE) return write->once.bucket_s;
    if (write->kind == WRITE_BOUND) return write->bound.bucket_s;
    if (write->kind == WRITE_USE) return write->use.until_s;
    if (write->kind == WRITE_FAMILY) return write->family.family.bucket_s;
    return cutoff_until_s(write->cutoff.cutoff.t_ms, write->cutoff.keep_s);
}

/* With what it hid: an older version must not come to light. */
static void unlink_all(struct tables *tables, const struct kept *kept)
{
    struct kept **at = &tables->lists.newest[kept->write.kind];
    int64_t over_s = over_at_s(&kept->write);
    while (*at != NULL) {
        bool is_it = *at == kept ||
                     (over_at_s(&(*at)->write) == over_s && kept->write.kind == WRITE_FAMILY &&
                      uuid_equal(&(*at)->write.family.family.id, &kept->write.family.family.id)) ||
                     (kept->write.kind == WRITE_USE && tables_is_same(&(*at)->write, &kept->write));
        if (is_it)
            *at = (*at)->older;
        else
            at = &(*at)->older;
    }
}

static const struct kept *first_over(const struct tables *tables, enum write_kind kind, int64_t through_s)
{
    const struct kept *kept = tables->lists.newest[kind];
    while (kept != NULL &&
           (over_at_s(&kept->write) > through_s || (kind == WRITE_USE && !tables_is_current(tables, kept))))
        kept = kept->older;
    return kept;
}

/* Takes entries out of the lists for good: unlike other writes it cannot be undone with its commit,
 * and comes alone. */
static enum err write_prune(struct row *row, struct tables *tables, int64_t through_s)
{
    static const enum write_kind kinds[] = {WRITE_ONCE, WRITE_BOUND, WRITE_USE, WRITE_FAMILY, WRITE_CUTOFF};
    size_t pruned = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct kept *kept;
        while (pruned < PRUNE_ROWS_MAX && (kept = first_over(tables, kinds[i], through_s)) != NULL) {
            unlink_all(tables, kept);
            pruned++;
        }
    }
    if (pruned == 0) return ERR_OK;
    row->state = ROW_WRITTEN;
    if (tables->lists.pruned_through_s >= through_s) return ERR_OK;
    tables->lists.pruned_through_s = through_s;
    tables->lists.version++;
    return ERR_OK;
}

static enum err write_row(struct row *row, struct tables *tables, const struct write *write,
                          struct arena *arena)
{
    switch (write->kind) {
    case WRITE_NONE:
        break;
    case WRITE_PROJECT:
        return write_project(row, tables, write);
    case WRITE_AGE:
        return write_age(row, tables, write);
    case WRITE_KEY:
    case WRITE_ORIGIN:
    case WRITE_ADDRESS:
    case WRITE_STUDY:
    case WRITE_RESOURCE:
        return write_fact(row, tables, write);
    case WRITE_SETTING:
        return write_setting(row, tables, write);
    case WRITE_ORIGIN_GONE:
        return write_origin_gone(row, tables, write);
    case WRITE_RING_KEY:
        return write_ring_key(row, tables, write);
    case WRITE_RESOURCE_GONE:
        return write_resource_gone(row, tables, write);
    case WRITE_EPOCH:
        return write_epoch(row, tables);
    case WRITE_CUTOFF:
        return write_cutoff(row, tables, write);
    case WRITE_USER:
        return write_user(row, tables, write, arena);
    case WRITE_PROFILE:
        return write_profile(row, tables, write, arena);
    case WRITE_ONCE:
        return write_once(row, tables, write);
    case WRITE_BOUND:
        return write_bound(row, tables, write, arena);
    case WRITE_USE:
        return write_use(row, tables, write);
    case WRITE_PRUNE:
        return write_prune(row, tables, write->prune.through_s);
    case WRITE_PAYLOAD:
        return write_payload(row, tables, write, arena);
    case WRITE_USER_GONE:
        return write_user_gone(row, tables, write);
    case WRITE_FAMILY:
        return write_family(row, tables, write, arena);
    case WRITE_KEY_USED:
        return write_key_used(row, tables, write);
    case WRITE_INTERVIEW:
        return write_interview(row, tables, write);
    case WRITE_INTERVIEW_STEP:
        return write_step(row, tables, write);
    case WRITE_ANSWER:
        return write_answer(row, tables, write);
    }
    return ERR_OK;
}

static bool is_cut_off(const struct tables *tables, const struct write *write)
{
    const struct uuid *project = write_belongs_to(write), *user = write_is_for(write);
    if (user == NULL) return false;
    for (const struct kept *kept = tables->lists.newest[WRITE_CUTOFF]; kept != NULL; kept = kept->older) {
        const struct cutoff *cutoff = &kept->write.cutoff.cutoff;
        if (cutoff->t_ms < write->gt_ms || !uuid_equal(&cutoff->project, project)) continue;
        if (cutoff->of == CUTOFF_PROJECT) return true;
        if (cutoff->of == CUTOFF_USER && bytes_equal(cutoff->id, uuid_bytes(user))) return true;
    }
    return false;
}

enum err tables_write(struct row *row, struct tables *tables, const struct write *write, struct arena *arena)
{
    const struct uuid *project = write_belongs_to(write);
    *row = (struct row){.state = ROW_ABSENT};
    if (project != NULL && tables_project(tables, project) == NULL) return ERR_OK;
    if (is_cut_off(tables, write)) return ERR_OK;
    enum err e = write_row(row, tables, write, arena);
    if (e == ERR_OK && row->state == ROW_WRITTEN && write_raises_version(write->kind))
        tables->lists.version++;
    return e;
}
