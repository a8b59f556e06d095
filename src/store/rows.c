#include "store/rows.h"

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
    TRY(e = profile_overlay(&out->profile, &from->profile, arena), failed);
    TRY(e = address_copy(&out->address, &from->address, arena), failed);
    return ERR_OK;
failed:
    *out = (struct user){0};
    return e;
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
    case WRITE_PRUNE:
        break;
    }
    return NULL;
}
