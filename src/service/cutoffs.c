#include "service/cutoffs.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 64 /* a power of two, as every count of slots */

struct entry {
    enum cutoff_of of; /* 0: a free slot */
    struct uuid project;
    uint8_t id[KEY_PUBLIC_ID_MAX];
    size_t id_len;
    int64_t t_ms;
};

struct cutoffs { /* open addressing, at most half full; nothing is ever taken out */
    struct entry *slots;
    size_t slot_count, count;
    uint64_t seed;
};

enum err cutoffs_new(struct cutoffs **out, uint64_t seed)
{
    struct cutoffs *cutoffs = calloc(1, sizeof *cutoffs);

    *out = NULL;
    if (!cutoffs) return ERR_NO_MEMORY;
    cutoffs->seed = seed;
    cutoffs->slot_count = SLOTS_FIRST;
    cutoffs->slots = calloc(SLOTS_FIRST, sizeof *cutoffs->slots);
    if (!cutoffs->slots) {
        free(cutoffs);
        return ERR_NO_MEMORY;
    }
    *out = cutoffs;
    return ERR_OK;
}

void cutoffs_free(struct cutoffs *cutoffs)
{
    if (!cutoffs) return;
    free(cutoffs->slots);
    free(cutoffs);
}

static bool is_of(const struct entry *entry, enum cutoff_of of, const struct uuid *project, struct bytes id)
{
    return entry->of == of && uuid_equal(&entry->project, project) &&
           bytes_equal(bytes_of(entry->id, entry->id_len), id);
}

/* The entry of this thing, or the free slot where it belongs: there is one, since half of them are free. */
static struct entry *slot_of(struct entry *slots, size_t slot_count, uint64_t seed, enum cutoff_of of,
                             const struct uuid *project, struct bytes id)
{
    size_t at = (size_t)bytes_hash(id, bytes_hash(uuid_bytes(project), seed + of)) & (slot_count - 1);

    while (slots[at].of && !is_of(&slots[at], of, project, id))
        at = (at + 1) & (slot_count - 1);
    return &slots[at];
}

static enum err grow(struct cutoffs *cutoffs)
{
    size_t i, count = cutoffs->slot_count * 2;
    struct entry *slots = calloc(count, sizeof *slots);

    if (!slots) return ERR_NO_MEMORY;
    for (i = 0; i < cutoffs->slot_count; i++) {
        const struct entry *entry = &cutoffs->slots[i];
        if (entry->of)
            *slot_of(slots, count, cutoffs->seed, entry->of, &entry->project,
                     bytes_of(entry->id, entry->id_len)) = *entry;
    }
    free(cutoffs->slots);
    cutoffs->slots = slots;
    cutoffs->slot_count = count;
    return ERR_OK;
}

enum err cutoffs_put(struct cutoffs *cutoffs, const struct cutoff *cutoff)
{
    struct entry *entry;
    enum err e;

    if (cutoff->id.len > sizeof entry->id) return ERR_TOO_LARGE;
    if (2 * (cutoffs->count + 1) > cutoffs->slot_count && (e = grow(cutoffs)) != ERR_OK) return e;
    entry =
        slot_of(cutoffs->slots, cutoffs->slot_count, cutoffs->seed, cutoff->of, &cutoff->project, cutoff->id);
    if (entry->of && entry->t_ms >= cutoff->t_ms)
        return ERR_OK; /* mail may overtake mail; the later stamp holds */
    if (!entry->of) {
        cutoffs->count++;
        entry->of = cutoff->of;
        entry->project = cutoff->project;
        entry->id_len = cutoff->id.len;
        if (cutoff->id.len) memcpy(entry->id, cutoff->id.ptr, cutoff->id.len);
    }
    entry->t_ms = cutoff->t_ms;
    return ERR_OK;
}

int64_t cutoffs_of(const struct cutoffs *cutoffs, enum cutoff_of of, const struct uuid *project,
                   struct bytes id)
{
    const struct entry *entry;

    if (!cutoffs->count) return INT64_MIN; /* nearly always: nothing was ever revoked */
    entry = slot_of(cutoffs->slots, cutoffs->slot_count, cutoffs->seed, of, project, id);

    return entry->of ? entry->t_ms : INT64_MIN;
}

/* Puts it where it belongs among the earliest; of a full list the latest falls out. */
static size_t put_in_order(struct cutoff *out, size_t count, size_t max, const struct entry *entry)
{
    size_t at = count;

    while (at && out[at - 1].t_ms > entry->t_ms)
        at--;
    if (at == max) return count;
    if (count == max) count--;
    memmove(out + at + 1, out + at, (count - at) * sizeof *out);
    out[at] = (struct cutoff){entry->of, entry->project, bytes_of(entry->id, entry->id_len), entry->t_ms};
    return count + 1;
}

size_t cutoffs_since(struct cutoff *out, size_t max, bool *has_more, const struct cutoffs *cutoffs,
                     const struct uuid *project, int64_t since_ms)
{
    size_t i, count = 0, seen = 0;

    for (i = 0; i < cutoffs->slot_count; i++) {
        const struct entry *entry = &cutoffs->slots[i];
        if (!entry->of || entry->t_ms <= since_ms || !uuid_equal(&entry->project, project)) continue;
        seen++;
        count = put_in_order(out, count, max, entry);
    }
    *has_more = seen > count;
    return count;
}

size_t cutoffs_count(const struct cutoffs *cutoffs)
{
    return cutoffs->count;
}
