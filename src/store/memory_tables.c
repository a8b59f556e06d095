#include "store/memory_tables.h"

#include "store/rows.h"

#define MEMORY_BYTES_MAX ((size_t)1 << 30)

void tables_init(struct tables *tables)
{
    *tables = (struct tables){.lists = {.version = 1, .epoch = 1}};
    arena_init(&tables->arena, MEMORY_BYTES_MAX);
}

void tables_release(struct tables *tables)
{
    arena_release(&tables->arena);
}

/* --- keeping --- */

static enum err copy_key(struct fact_key *key, struct arena *arena)
{
    enum err e;
    TRY(e = text_copy(&key->public_id, key->public_id, arena), done);
    TRY(e = text_copy(&key->public_key, key->public_key, arena), done);
    e = text_copy(&key->name, key->name, arena);
done:
    return e;
}

static enum err copy_ring_key(struct ring_key *key, struct arena *arena)
{
    enum err e;
    TRY(e = text_copy(&key->id, key->id, arena), done);
    TRY(e = text_copy(&key->algorithm, key->algorithm, arena), done);
    e = text_copy(&key->wrapped, key->wrapped, arena);
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
        return study_copy(&write->study, &write->study, arena);
    case WRITE_RING_KEY:
        return copy_ring_key(&write->ring_key, arena);
    case WRITE_RESOURCE:
        return resource_copy(&write->resource, &write->resource, arena);
    case WRITE_CUTOFF:
        return text_copy(&write->cutoff.cutoff.id, write->cutoff.cutoff.id, arena);
    case WRITE_USER:
        write->user.address_name_alt = write->user.password_hash = BYTES_NONE; /* nothing reads them again */
        return user_copy(&write->user.user, &write->user.user, arena);
    case WRITE_FAMILY:
        return family_copy(&write->family.family, &write->family.family, arena);
    case WRITE_KEY_USED:
        return text_copy(&write->key_used.public_id, write->key_used.public_id, arena);
    case WRITE_ANSWER:
        write->answer.answer = BYTES_NONE; /* nothing reads it yet */
        return text_copy(&write->answer.question, write->answer.question, arena);
    case WRITE_BOUND:
        return text_copy(&write->bound.jkt, write->bound.jkt, arena);
    case WRITE_ONCE:
    case WRITE_USE:
    case WRITE_INTERVIEW:
    case WRITE_NONE: /* the rest is kept as something else, or not at all */
    case WRITE_AGE:
    case WRITE_SETTING:
    case WRITE_ORIGIN_GONE:
    case WRITE_RESOURCE_GONE:
    case WRITE_EPOCH:
    case WRITE_PROFILE:
    case WRITE_PRUNE:
    case WRITE_PAYLOAD:
    case WRITE_USER_GONE:
    case WRITE_INTERVIEW_STEP:
        break;
    }
    return ERR_OK;
}

static struct kept *put(struct tables *tables, const struct write *write)
{
    struct kept *kept = arena_alloc(&tables->arena, sizeof *kept);
    if (kept == NULL) return NULL;
    kept->write = *write;
    if (copy_strings(&kept->write, &tables->arena) != ERR_OK) return NULL;
    kept->older = tables->lists.newest[write->kind];
    tables->lists.newest[write->kind] = kept;
    return kept;
}

enum err tables_keep(struct tables *tables, const struct write *write)
{
    return put(tables, write) == NULL ? ERR_NO_MEMORY : ERR_OK;
}

enum err tables_keep_use(struct tables *tables, const struct write *write, int64_t uses)
{
    struct kept *kept = put(tables, write);
    if (kept == NULL) return ERR_NO_MEMORY;
    kept->uses = uses;
    return ERR_OK;
}

enum err tables_keep_user(struct tables *tables, const struct user *user, uint64_t number)
{
    struct write write = {.kind = WRITE_USER, .user = {.user = *user}};
    struct kept *kept = put(tables, &write);
    if (kept == NULL) return ERR_NO_MEMORY;
    kept->number = number != 0 ? number : ++tables->lists.users_made;
    return ERR_OK;
}

enum err tables_drop(struct tables *tables, const struct kept *kept)
{
    struct kept *gone = put(tables, &kept->write);
    if (gone == NULL) return ERR_NO_MEMORY;
    gone->is_gone = true;
    gone->number = kept->number;
    return ERR_OK;
}

/* --- finding --- */

static bool is_same_credential(const struct write *a, const struct write *b)
{
    const struct family *left = &a->family.family, *right = &b->family.family;
    if (a->kind == WRITE_ONCE)
        return a->once.bucket_s == b->once.bucket_s && uuid_equal(&a->once.id, &b->once.id);
    if (a->kind == WRITE_BOUND)
        return a->bound.bucket_s == b->bound.bucket_s && uuid_equal(&a->bound.id, &b->bound.id);
    return left->bucket_s == right->bucket_s && uuid_equal(&left->id, &right->id) &&
           uuid_equal(&left->project, &right->project);
}

static bool is_same_use(const struct write *a, const struct write *b)
{
    return uuid_equal(&a->use.of, &b->use.of) && uuid_equal(&a->use.project, &b->use.project) &&
           a->use.span_s == b->use.span_s && a->use.from_s == b->use.from_s;
}

static bool is_same_answer(const struct write *a, const struct write *b)
{
    return uuid_equal(&a->answer.project, &b->answer.project) &&
           uuid_equal(&a->answer.interview, &b->answer.interview) &&
           bytes_equal(a->answer.question, b->answer.question);
}

bool tables_is_same(const struct write *a, const struct write *b)
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
    case WRITE_RESOURCE:
        return uuid_equal(&a->resource.id, &b->resource.id);
    case WRITE_USER:
        return uuid_equal(&a->user.user.project, &b->user.user.project) &&
               uuid_equal(&a->user.user.id, &b->user.user.id);
    case WRITE_ONCE:
    case WRITE_BOUND:
    case WRITE_FAMILY:
        return is_same_credential(a, b);
    case WRITE_USE:
        return is_same_use(a, b);
    case WRITE_KEY_USED:
        return bytes_equal(a->key_used.public_id, b->key_used.public_id);
    case WRITE_INTERVIEW:
        return uuid_equal(&a->interview.project, &b->interview.project) &&
               uuid_equal(&a->interview.id, &b->interview.id);
    case WRITE_ANSWER:
        return is_same_answer(a, b);
    case WRITE_CUTOFF: /* each is a thing of its own */
    case WRITE_NONE:
    case WRITE_AGE:
    case WRITE_SETTING:
    case WRITE_ORIGIN_GONE:
    case WRITE_RESOURCE_GONE:
    case WRITE_EPOCH:
    case WRITE_PROFILE:
    case WRITE_PRUNE:
    case WRITE_PAYLOAD:
    case WRITE_USER_GONE:
    case WRITE_INTERVIEW_STEP:
        break;
    }
    return a == b;
}

static const struct kept *newest(const struct tables *tables, const struct write *write)
{
    const struct kept *kept = tables->lists.newest[write->kind];
    while (kept != NULL && !tables_is_same(&kept->write, write))
        kept = kept->older;
    return kept;
}

const struct kept *tables_same(const struct tables *tables, const struct write *write)
{
    const struct kept *kept = newest(tables, write);
    return kept == NULL || kept->is_gone ? NULL : kept;
}

bool tables_is_current(const struct tables *tables, const struct kept *kept)
{
    return !kept->is_gone && newest(tables, &kept->write) == kept;
}

const struct write *tables_project(const struct tables *tables, const struct uuid *id)
{
    struct write wanted = {.kind = WRITE_PROJECT, .project = {.id = *id}};
    const struct kept *kept = tables_same(tables, &wanted);
    return kept == NULL ? NULL : &kept->write;
}

static bool user_matches(const struct user *user, enum read_kind kind, const struct uuid *project,
                         struct bytes text, const struct uuid *id)
{
    if (!uuid_equal(&user->project, project)) return false;
    switch (kind) {
    case READ_USER_BY_REFERENCE:
        return !bytes_is_absent(text) && !bytes_is_absent(user->reference) &&
               bytes_equal(user->reference, text);
    case READ_USER_BY_ID:
        return uuid_equal(&user->id, id);
    case READ_USER_BY_ADDRESS:
        return !bytes_is_absent(text) && !bytes_is_absent(user->address.name) &&
               bytes_equal(user->address.name, text);
    case READ_USER_BY_RESOURCE:
        return !uuid_is_zero(id) && uuid_equal(&user->address.resource, id);
    case READ_USERS_BY_EXTERNAL_ID:
    case READ_USERS:
    case READ_ADDRESSES:
    case READ_FAMILY:
    case READ_INTERVIEW:
        break;
    }
    return false;
}

/* The newest version of a user comes first. Neither id, reference nor address ever changes, so an older one
 * cannot match alone; and whoever took over the name of one who is gone is newer than both. */
const struct kept *tables_user(const struct tables *tables, enum read_kind kind, const struct uuid *project,
                               struct bytes text, const struct uuid *id)
{
    const struct kept *kept = tables->lists.newest[WRITE_USER];
    while (kept != NULL && !user_matches(&kept->write.user.user, kind, project, text, id))
        kept = kept->older;
    return kept == NULL || kept->is_gone ? NULL : kept;
}

const struct family *tables_family(const struct tables *tables, const struct uuid *project,
                                   const struct uuid *id, int64_t bucket_s)
{
    struct write wanted = {.kind = WRITE_FAMILY,
                           .family.family = {.id = *id, .project = *project, .bucket_s = bucket_s}};
    const struct kept *kept = tables_same(tables, &wanted);
    return kept == NULL ? NULL : &kept->write.family.family;
}

const struct interview *tables_interview(const struct tables *tables, const struct uuid *project,
                                         const struct uuid *id, const struct uuid *user)
{
    struct write wanted = {.kind = WRITE_INTERVIEW, .interview = {.id = *id, .project = *project}};
    const struct kept *kept = tables_same(tables, &wanted);
    if (kept == NULL || !uuid_equal(&kept->write.interview.user, user)) return NULL;
    return &kept->write.interview;
}

bool tables_name_is_taken(const struct tables *tables, const struct uuid *project, struct bytes name)
{
    for (const struct kept *kept = tables->lists.newest[WRITE_ADDRESS]; kept != NULL; kept = kept->older)
        if (uuid_equal(&kept->write.address.project, project) &&
            bytes_equal(kept->write.address.name, name) && tables_is_current(tables, kept))
            return true;
    return tables_user(tables, READ_USER_BY_ADDRESS, project, name, NULL) != NULL;
}

size_t tables_count(const struct tables *tables, enum write_kind kind)
{
    size_t count = 0;
    for (const struct kept *kept = tables->lists.newest[kind]; kept != NULL; kept = kept->older)
        count++;
    return count;
}
