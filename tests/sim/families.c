#include "sim/families.h"

#include <stdlib.h>
#include <string.h>

#include "sim/node.h"
#include "sim/times.h"
#include "sim/world.h"

#define GRACE_MS 10000

static struct {
    struct sim_family list[FAMILIES_MAX];
    size_t count;
    struct {
        struct family row;
        char holder[KEY_PUBLIC_ID_MAX];
    } rows[FAMILIES_MAX];
    size_t row_count;
} families;

void families_reset(void)
{
    memset(&families, 0, sizeof families);
}

struct sim_family *families_add(const struct uuid *id)
{
    struct sim_family *family = &families.list[families.count];

    if (families.count == FAMILIES_MAX) return NULL;
    families.count++;
    family->id = *id;
    return family;
}

struct sim_family *families_of(struct bytes id)
{
    size_t i;

    for (i = 0; i < families.count; i++)
        if (bytes_equal(uuid_bytes(&families.list[i].id), id)) return &families.list[i];
    return NULL;
}

unsigned families_newest(const struct sim_family *family)
{
    unsigned i = GENERATIONS;

    while (i && !family->refresh[i - 1].is_known)
        i--;
    return i ? i - 1 : 0;
}

struct sim_family *families_pick(void)
{
    size_t i, at;

    if (!families.count) return NULL;
    at = chance(70) ? families.count - 1 - roll(families.count < 4 ? families.count : 4)
                    : roll(families.count);
    for (i = 0; i < families.count; i++) {
        struct sim_family *family = &families.list[(at + families.count - i) % families.count];
        if (family->refresh[0].is_known && families_newest(family) + 2 < GENERATIONS) return family;
    }
    return NULL;
}

/* ---- the table ---- */

static bool is_reuse(const struct family *row, const struct sim_family *family, unsigned generation,
                     enum sim_key key)
{
    struct bytes holder = model.projects[family->project].stored[key].public_id;

    if (row->state != FAMILY_LIVE || generation >= row->generation) return false;
    return generation + 1 < row->generation || !bytes_equal(holder, row->holder) ||
           times_now_ms() - row->rotated_ms > GRACE_MS;
}

bool families_is_reuse(const struct request *request)
{
    const struct family *row = families_row(&request->family->id);

    return row && is_reuse(row, request->family, request->generation, request->key);
}

bool families_is_dead(const struct sim_family *family)
{
    const struct family *row = families_row(&family->id);

    return row && row->state == FAMILY_DEAD;
}

/* ---- what is under way ---- */

static unsigned *open_of(struct sim_family *family, const struct request *request)
{
    if (family->life != node_life()) memset(family->open, 0, sizeof family->open);
    family->life = node_life();
    return &family->open[request->generation][request->key];
}

void families_arrived(struct request *request)
{
    if (request->kind != REQUEST_REFRESH || request->fate != FATE_GOOD) return;
    request->was_reuse = families_is_reuse(request) || families_is_dead(request->family);
    ++*open_of(request->family, request);
}

void families_answered(const struct request *request)
{
    unsigned *open;

    if (request->kind != REQUEST_REFRESH || request->fate != FATE_GOOD || request->life != node_life())
        return;
    open = open_of(request->family, request);
    if (*open) --*open;
}

/* A family dies of a token that was used as no honest client uses it, and of nothing else: somebody's ask
 * that the table takes for a reuse must be under way. */
static void check_death(const struct family *row)
{
    struct sim_family *family = families_of(uuid_bytes(&row->id));
    unsigned generation, key;

    if (!family) return; /* there was no more room for it in the model */
    for (generation = 0; generation < GENERATIONS; generation++)
        for (key = 0; key < KEYS; key++)
            if (family->life == node_life() && family->open[generation][key] &&
                is_reuse(row, family, generation, (enum sim_key)key))
                return;
    world_fail("no family dies but of a reuse", "at generation %u", (unsigned)row->generation);
}

const struct family *families_row(const struct uuid *id)
{
    size_t i;

    for (i = 0; i < families.row_count; i++)
        if (uuid_equal(&families.rows[i].row.id, id)) return &families.rows[i].row;
    return NULL;
}

void families_stored(const struct family *row)
{
    const struct family *before = families_row(&row->id);
    size_t at = 0;

    if (before && row->state == FAMILY_DEAD) check_death(before);
    if (!before && row->state == FAMILY_DEAD) world_fail("no row is lost", "a family begins dead");
    while (at < families.row_count && &families.rows[at].row != before)
        at++;
    if (at == FAMILIES_MAX || row->holder.len > sizeof families.rows[at].holder) abort();
    families.row_count += !before;
    families.rows[at].row = *row;
    memcpy(families.rows[at].holder, row->holder.ptr, row->holder.len);
    families.rows[at].row.holder = bytes_of(families.rows[at].holder, row->holder.len);
    families.rows[at].row.seal_key = BYTES_NONE;
}
