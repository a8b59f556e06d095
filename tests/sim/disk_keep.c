#include "sim/disk.h"

/* What a write points to is its asker's: the log keeps copies. */
static void keep(struct bytes *text, struct arena *arena)
{
    *text = arena_copy(arena, *text);
}

static void keep_profile(struct profile *profile, struct arena *arena)
{
    size_t i;

    for (i = 0; i < PROFILE_COUNT; i++)
        keep(&profile->value[i], arena);
}

static void keep_user(struct write *write, struct arena *arena)
{
    struct user *user = &write->user.user;

    keep(&user->reference, arena);
    keep(&user->external_id, arena);
    keep(&user->payload, arena);
    keep_profile(&user->profile, arena);
    keep(&user->address.name, arena);
    keep(&user->address.display_name, arena);
    keep(&write->user.address_name_alt, arena);
    keep(&write->user.password_hash, arena);
}

static void keep_ring_key(struct ring_key *key, struct arena *arena)
{
    keep(&key->id, arena);
    keep(&key->algorithm, arena);
    keep(&key->wrapped, arena);
}

static void keep_key(struct fact_key *key, struct arena *arena)
{
    keep(&key->public_id, arena);
    keep(&key->public_key, arena);
    keep(&key->name, arena);
}

void disk_keep(struct write *write, struct arena *arena)
{
    switch (write->kind) {
    case WRITE_PROJECT:
        keep(&write->project.name, arena);
        return;
    case WRITE_KEY:
        keep_key(&write->key, arena);
        return;
    case WRITE_ORIGIN:
    case WRITE_ORIGIN_GONE:
        keep(&write->origin.origin, arena);
        return;
    case WRITE_ADDRESS:
        keep(&write->address.name, arena);
        keep(&write->address.display_name, arena);
        return;
    case WRITE_RING_KEY:
        keep_ring_key(&write->ring_key, arena);
        return;
    case WRITE_USER:
        keep_user(write, arena);
        return;
    case WRITE_PROFILE:
        keep_profile(&write->profile.profile, arena);
        keep(&write->profile.password_hash, arena);
        return;
    case WRITE_STUDY:
        keep(&write->study.title, arena);
        keep(&write->study.questions_json, arena);
        return;
    case WRITE_RESOURCE:
    case WRITE_RESOURCE_GONE:
        keep(&write->resource.name, arena);
        keep(&write->resource.display_name, arena);
        return;
    case WRITE_CUTOFF:
        keep(&write->cutoff.cutoff.id, arena);
        return;
    case WRITE_PAYLOAD:
        keep(&write->payload.payload, arena);
        keep(&write->payload.external_id, arena);
        return;
    case WRITE_FAMILY:
        keep(&write->family.family.holder, arena);
        keep(&write->family.family.seal_key, arena);
        return;
    case WRITE_KEY_USED:
        keep(&write->key_used.public_id, arena);
        return;
    case WRITE_ANSWER:
        keep(&write->answer.question, arena);
        keep(&write->answer.answer, arena);
        return;
    case WRITE_BOUND:
        keep(&write->bound.jkt, arena);
        return;
    case WRITE_NONE: /* without strings */
    case WRITE_AGE:
    case WRITE_SETTING:
    case WRITE_EPOCH:
    case WRITE_ONCE:
    case WRITE_USE:
    case WRITE_PRUNE:
    case WRITE_USER_GONE:
    case WRITE_INTERVIEW:
    case WRITE_INTERVIEW_STEP:
        return;
    }
}
