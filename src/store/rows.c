#include "store/rows.h"

#include "store/store.h"

enum err text_copy(struct bytes *out, struct bytes text, struct arena *arena)
{
    *out = arena_copy(arena, text);
    return arena_copy_failed(text, *out) ? ERR_NO_MEMORY : ERR_OK;
}

enum err address_copy(struct address *out, const struct address *from, struct arena *arena)
{
    enum err e;
    *out = *from;
    TRY(e = text_copy(&out->name, from->name, arena), failed);
    TRY(e = text_copy(&out->display_name, from->display_name, arena), failed);
    return ERR_OK;
failed:
    *out = (struct address){0};
    return e;
}

enum err profile_overlay(struct profile *profile, const struct profile *given, struct arena *arena)
{
    enum err e = ERR_OK;
    for (size_t i = 0; i < PROFILE_COUNT && e == ERR_OK; i++)
        if (!bytes_is_absent(given->value[i])) e = text_copy(&profile->value[i], given->value[i], arena);
    return e;
}

enum err user_copy(struct user *out, const struct user *from, struct arena *arena)
{
    enum err e;
    *out = *from;
    TRY(e = text_copy(&out->reference, from->reference, arena), failed);
    TRY(e = text_copy(&out->external_id, from->external_id, arena), failed);
    TRY(e = text_copy(&out->payload, from->payload, arena), failed);
    TRY(e = profile_overlay(&out->profile, &from->profile, arena), failed);
    TRY(e = address_copy(&out->address, &from->address, arena), failed);
    return ERR_OK;
failed:
    *out = (struct user){0};
    return e;
}

enum err family_copy(struct family *out, const struct family *from, struct arena *arena)
{
    enum err e;
    *out = *from;
    TRY(e = text_copy(&out->holder, from->holder, arena), failed);
    TRY(e = text_copy(&out->seal_key, from->seal_key, arena), failed);
    return ERR_OK;
failed:
    *out = (struct family){0};
    return e;
}

enum err resource_copy(struct resource *out, const struct resource *from, struct arena *arena)
{
    enum err e;
    *out = *from;
    TRY(e = text_copy(&out->name, from->name, arena), failed);
    TRY(e = text_copy(&out->display_name, from->display_name, arena), failed);
    return ERR_OK;
failed:
    *out = (struct resource){0};
    return e;
}

enum err study_copy(struct study *out, const struct study *from, struct arena *arena)
{
    enum err e;
    *out = *from;
    TRY(e = text_copy(&out->title, from->title, arena), failed);
    TRY(e = text_copy(&out->questions_json, from->questions_json, arena), failed);
    return ERR_OK;
failed:
    *out = (struct study){0};
    return e;
}

int64_t updated_after(int64_t before_ms, int64_t now_ms)
{
    return now_ms > before_ms || before_ms == INT64_MAX ? now_ms : before_ms + 1;
}

const struct uuid *write_belongs_to(const struct write *write)
{
    switch (write->kind) {
    case WRITE_AGE:
        return &write->age.project;
    case WRITE_KEY:
        return &write->key.project;
    case WRITE_ORIGIN:
        return &write->origin.project;
    case WRITE_ADDRESS:
        return &write->address.project;
    case WRITE_STUDY:
        return &write->study.project;
    case WRITE_USER:
        return &write->user.user.project;
    case WRITE_PROFILE:
        return &write->profile.project;
    case WRITE_SETTING:
        return &write->setting.project;
    case WRITE_ORIGIN_GONE:
        return &write->origin.project;
    case WRITE_RESOURCE:
    case WRITE_RESOURCE_GONE:
        return &write->resource.project;
    case WRITE_CUTOFF:
        return &write->cutoff.cutoff.project;
    case WRITE_PAYLOAD:
        return &write->payload.project;
    case WRITE_USER_GONE:
        return &write->user_gone.project;
    case WRITE_USE:
        return &write->use.project;
    case WRITE_FAMILY:
        return &write->family.family.project;
    case WRITE_INTERVIEW:
        return &write->interview.project;
    case WRITE_INTERVIEW_STEP:
        return &write->interview_step.project;
    case WRITE_ANSWER:
        return &write->answer.project;
    case WRITE_EPOCH:
    case WRITE_KEY_USED:
    case WRITE_NONE:
    case WRITE_PROJECT:
    case WRITE_RING_KEY:
    case WRITE_ONCE:
    case WRITE_BOUND:
    case WRITE_PRUNE:
        break;
    }
    return NULL;
}

bool write_raises_version(enum write_kind kind)
{
    return kind > WRITE_NONE && kind < WRITE_CUTOFF; /* enum write_kind has them in this order */
}

bool settings_allowed(const int64_t setting[SETTING_COUNT])
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (!setting_allows((enum setting)i, setting[i])) return false;
    return true;
}

const struct uuid *write_is_for(const struct write *write)
{
    if (write->gt_ms == 0) return NULL;
    if (write->kind == WRITE_USER) return &write->user.user.id;
    if (write->kind == WRITE_INTERVIEW) return &write->interview.user;
    if (write->kind == WRITE_INTERVIEW_STEP) return &write->interview_step.user;
    return write->kind == WRITE_ANSWER ? &write->answer.user : NULL;
}

bool write_stops_commit(const struct write *write, enum row_state state)
{
    if (write->is_gate && state != ROW_WRITTEN) return true;
    return write_is_for(write) != NULL && state == ROW_ABSENT;
}

void rows_skip(struct row *rows, size_t count, size_t but)
{
    for (size_t i = 0; i < count; i++)
        if (i != but) rows[i] = (struct row){.state = ROW_SKIPPED};
}

int64_t cutoff_next_ms(int64_t now_ms, int64_t greatest_ms)
{
    int64_t by_clock = now_ms + CUTOFF_AHEAD_MS, by_order = greatest_ms + CUTOFF_APART_MS;
    return greatest_ms > 0 && by_order > by_clock ? by_order : by_clock;
}

int64_t cutoff_until_s(int64_t t_ms, int64_t keep_s)
{
    return t_ms / 1000 + 1 + keep_s;
}

bool interview_is_in(enum interview_state state, uint32_t states_bits)
{
    return ((1u << state) & states_bits) != 0;
}

enum err cursor_write(struct bytes *out, const struct user *last, struct arena *arena)
{
    char text[UUID_TEXT_LEN];
    uuid_write(text, &last->id);
    return text_copy(out, bytes_of(text, sizeof text), arena);
}

void store_read_begin(struct store_read *read)
{
    if (read->limit > PAGE_SIZE_MAX) read->limit = PAGE_SIZE_MAX;
    read->found = false;
    read->user = (struct user){0};
    read->users = NULL;
    read->addresses = NULL;
    read->user_count = read->address_count = 0;
    read->next = BYTES_NONE;
    read->family = (struct family){0};
    read->interview = (struct interview){0};
}

enum err store_users_room(struct user **out, struct store_read *read, size_t count)
{
    *out = count == 0 ? NULL : arena_alloc(read->arena, count * sizeof **out);
    read->users = *out;
    return count == 0 || *out != NULL ? ERR_OK : ERR_NO_MEMORY;
}

enum err store_addresses_room(struct address **out, struct store_read *read)
{
    *out = read->id_count == 0 ? NULL : arena_alloc(read->arena, read->id_count * sizeof **out);
    read->addresses = *out;
    return read->id_count == 0 || *out != NULL ? ERR_OK : ERR_NO_MEMORY;
}
