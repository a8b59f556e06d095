#include "service/users.h"

#include <stdlib.h>
#include <string.h>

enum { BY_ID, BY_REFERENCE, INDEXES };

struct entry {
    struct entry *chain[INDEXES]; /* next in the same slot */
    struct entry *newer, *older;  /* by last use */
    uint64_t hash[INDEXES];
    struct user user; /* its strings follow the struct in the same block */
};

struct users {
    struct entry **slots[INDEXES];
    size_t slot_count, count, max; /* slot_count: a power of two >= max */
    struct entry *newest, *oldest;
    uint64_t seed;
};

static uint64_t hash_of(const struct users *users, const struct uuid *project, struct bytes key)
{
    return bytes_hash(key, bytes_hash(uuid_bytes(project), users->seed));
}

enum err users_new(struct users **out, size_t max, uint64_t seed)
{
    struct users *users = calloc(1, sizeof *users);
    int i;

    *out = NULL;
    if (!users) return ERR_NO_MEMORY;
    users->max = max ? max : 1;
    users->seed = seed;
    for (users->slot_count = 1; users->slot_count < users->max;)
        users->slot_count *= 2;
    for (i = 0; i < INDEXES; i++)
        users->slots[i] = calloc(users->slot_count, sizeof(struct entry *));
    if (!users->slots[BY_ID] || !users->slots[BY_REFERENCE]) {
        users_free(users);
        return ERR_NO_MEMORY;
    }
    *out = users;
    return ERR_OK;
}

void users_free(struct users *users)
{
    if (!users) return;
    while (users->newest) {
        struct entry *entry = users->newest;
        users->newest = entry->older;
        free(entry);
    }
    free(users->slots[BY_ID]);
    free(users->slots[BY_REFERENCE]);
    free(users);
}

size_t users_count(const struct users *users)
{
    return users->count;
}

static struct entry **slot_of(struct users *users, int index, uint64_t hash)
{
    return &users->slots[index][hash & (users->slot_count - 1)];
}

static void unlink_use(struct users *users, struct entry *entry)
{
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        users->newest = entry->older;
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        users->oldest = entry->newer;
}

static void link_newest(struct users *users, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = users->newest;
    if (users->newest)
        users->newest->newer = entry;
    else
        users->oldest = entry;
    users->newest = entry;
}

static void drop(struct users *users, struct entry *entry)
{
    int i;

    for (i = 0; i < INDEXES; i++) {
        struct entry **at = slot_of(users, i, entry->hash[i]);
        while (*at != entry)
            at = &(*at)->chain[i];
        *at = entry->chain[i];
    }
    unlink_use(users, entry);
    users->count--;
    free(entry);
}

static struct bytes key_of(const struct user *user, int index)
{
    return index == BY_ID ? uuid_bytes(&user->id) : user->reference;
}

static struct entry *find(struct users *users, int index, const struct uuid *project, struct bytes key)
{
    uint64_t hash = hash_of(users, project, key);
    struct entry *entry = *slot_of(users, index, hash);

    for (; entry; entry = entry->chain[index])
        if (entry->hash[index] == hash && uuid_equal(&entry->user.project, project) &&
            bytes_equal(key_of(&entry->user, index), key))
            return entry;
    return NULL;
}

static const struct user *use(struct users *users, struct entry *entry)
{
    if (!entry) return NULL;
    if (entry != users->newest) {
        unlink_use(users, entry);
        link_newest(users, entry);
    }
    return &entry->user;
}

const struct user *users_by_reference(struct users *users, const struct uuid *project, struct bytes reference)
{
    return use(users, find(users, BY_REFERENCE, project, reference));
}

const struct user *users_by_id(struct users *users, const struct uuid *project, const struct uuid *id)
{
    return use(users, find(users, BY_ID, project, uuid_bytes(id)));
}

void users_forget(struct users *users, const struct uuid *project, const struct uuid *id)
{
    struct entry *entry = find(users, BY_ID, project, uuid_bytes(id));

    if (entry) drop(users, entry);
}

static void keep(struct bytes *field, uint8_t **room)
{
    if (bytes_is_absent(*field)) return;
    memcpy(*room, field->ptr, field->len);
    field->ptr = *room;
    *room += field->len;
}

static struct entry *copy_of(const struct user *user)
{
    size_t i, len = user->reference.len + user->external_id.len + user->payload.len + user->address.name.len +
                    user->address.display_name.len;
    struct entry *entry;
    uint8_t *room;

    for (i = 0; i < PROFILE_COUNT; i++)
        len += user->profile.value[i].len;
    entry = calloc(1, sizeof *entry + len);
    if (!entry) return NULL;
    entry->user = *user;
    room = (uint8_t *)(entry + 1);
    keep(&entry->user.reference, &room);
    keep(&entry->user.external_id, &room);
    keep(&entry->user.payload, &room);
    keep(&entry->user.address.name, &room);
    keep(&entry->user.address.display_name, &room);
    for (i = 0; i < PROFILE_COUNT; i++)
        keep(&entry->user.profile.value[i], &room);
    return entry;
}

void users_put(struct users *users, const struct user *user)
{
    /* first: user may point into an entry that goes. Who has no reference is not kept: all of them would
     * share one chain */
    struct entry *entry = bytes_is_absent(user->reference) ? NULL : copy_of(user);
    struct uuid project = user->project, id = user->id;
    int i;

    users_forget(users, &project, &id);
    if (!entry) return;
    while (users->count >= users->max)
        drop(users, users->oldest); /* NOLINT(clang-analyzer-unix.Malloc): which moves oldest on */
    for (i = 0; i < INDEXES; i++) {
        struct entry **slot;
        entry->hash[i] = hash_of(users, &project, key_of(&entry->user, i));
        slot = slot_of(users, i, entry->hash[i]);
        entry->chain[i] = *slot;
        *slot = entry;
    }
    link_newest(users, entry);
    users->count++;
}
