#include "server/records.h"

#include <stdlib.h>
#include <string.h>

enum record_class { CLASS_STRANGER, CLASS_CREDENTIAL, CLASS_PROJECT, RECORD_CLASSES };

#define RINGS (RECORD_CLASSES * RECORDS_SLOTS)

struct records {
    uint64_t seed;
    size_t ring_max;     /* records of one ring */
    size_t next[RINGS];  /* the place that is written next */
    struct record all[]; /* ring after ring */
};

enum err records_new(struct records **out, size_t records_max, uint64_t seed)
{
    size_t ring_max = records_max < RINGS ? 1 : records_max / RINGS;

    *out = calloc(1, sizeof **out + RINGS * ring_max * sizeof(struct record));
    if (!*out) return ERR_NO_MEMORY;
    (*out)->seed = seed;
    (*out)->ring_max = ring_max;
    return ERR_OK;
}

void records_free(struct records *records)
{
    free(records);
}

/* One household or server usually holds a whole IPv6 /64, so its addresses are one peer: the first four
 * groups of the text, or what stands before "::", which can only be less. */
static struct bytes network_of(const char *peer)
{
    struct bytes text = bytes_of_text(peer);
    size_t i, colons = 0;

    for (i = 0; i < text.len; i++) {
        if (text.ptr[i] != ':') continue;
        if (++colons == 4 || (i + 1 < text.len && text.ptr[i + 1] == ':')) return bytes_part(text, 0, i);
    }
    return text;
}

static size_t ring_of(const struct records *records, const struct finding *finding, const char *peer)
{
    enum record_class class = !uuid_is_zero(&finding->project) ? CLASS_PROJECT
                              : finding->has_credential        ? CLASS_CREDENTIAL
                                                               : CLASS_STRANGER;
    struct bytes who = class == CLASS_PROJECT ? uuid_bytes(&finding->project) : network_of(peer);

    return (size_t) class * RECORDS_SLOTS + bytes_hash(who, records->seed) % RECORDS_SLOTS;
}

struct record *records_add(struct records *records, const struct finding *finding, const char *peer)
{
    size_t ring = ring_of(records, finding, peer), len = strlen(peer);
    struct record *record = &records->all[ring * records->ring_max + records->next[ring]];

    records->next[ring] = (records->next[ring] + 1) % records->ring_max;
    memset(record, 0, sizeof *record);
    record->finding = *finding;
    memcpy(record->peer, peer, len < sizeof record->peer ? len : sizeof record->peer - 1);
    return record;
}

const struct record *records_find(const struct records *records, struct bytes id)
{
    size_t i;

    if (id.len != RECORD_ID_LEN) return NULL;
    for (i = 0; i < RINGS * records->ring_max; i++)
        if (memcmp(records->all[i].id, id.ptr, RECORD_ID_LEN) == 0 && records->all[i].id[0])
            return &records->all[i];
    return NULL;
}
