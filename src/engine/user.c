#include "engine/user.h"

#include <string.h>

#include "base/hex.h"
#include "engine/words.h"

static struct refused refuse(enum refusal refusal, enum ask_field field, const char *because)
{
    return (struct refused){refusal, field, because};
}

static struct refused invalid(enum ask_field field, const char *because)
{
    return refuse(REFUSAL_PARAMETER_INVALID, field, because);
}

struct refused profile_check(const struct profile *profile)
{
    size_t i;

    for (i = 0; i < PROFILE_COUNT; i++) {
        struct bytes value = profile->value[i];
        enum ask_field field = (enum ask_field)(FIELD_PROFILE + i);
        if (!value.len) continue;
        if (value.len > PROFILE_TEXT_MAX) return invalid(field, "is too long (at most 255 bytes)");
        if (words_have_control(value)) return invalid(field, "holds a control character");
    }
    return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
}

static struct refused check_members(const struct ask_user *ask)
{
    if (words_are_blank(ask->reference))
        return refuse(REFUSAL_PARAMETER_MISSING, FIELD_EMAIL, "can't be blank");
    if (ask->reference.len > REFERENCE_MAX) return invalid(FIELD_EMAIL, "is too long (at most 255 bytes)");
    if (words_have_control(ask->reference)) return invalid(FIELD_EMAIL, "holds a control character");
    if (ask->step == OBJECT_CREATE && !bytes_have(ask->reference, '@'))
        return invalid(FIELD_EMAIL, "is not an e-mail address");
    if (!bytes_is_absent(ask->password) && ask->password.len < PASSWORD_MIN)
        return invalid(FIELD_PASSWORD, "is too short (at least 8 bytes)");
    if (ask->password.len > PASSWORD_MAX) return invalid(FIELD_PASSWORD, "is too long (at most 72 bytes)");
    return profile_check(&ask->profile);
}

struct refused user_check(const struct ask_user *ask, const struct fact_key *key)
{
    if (!(key->permissions & PERMISSIONS_TO_MINT))
        return refuse(REFUSAL_KEY_PERMISSION, FIELD_NONE, "needs one of calling, messaging, fax, video");
    if (ask->step == OBJECT_CREATE || ask->step == OBJECT_UPDATE) return check_members(ask);
    return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
}

/* "/private/ada"; uniqueness is the store's, by address_name_alt. */
static enum err name_address(struct write *write, struct arena *arena)
{
    static const char prefix[] = "/private/";
    const size_t prefix_len = sizeof prefix - 1;
    char slug[ADDRESS_SLUG_MAX];
    size_t len = words_slug(slug, write->user.user.reference, "user");
    uint8_t *text = arena_alloc(arena, 2 * (prefix_len + len) + 1 + 12);
    uint8_t *alt;

    if (!text) return ERR_NO_MEMORY;
    memcpy(text, prefix, prefix_len);
    memcpy(text + prefix_len, slug, len);
    alt = text + prefix_len + len;
    memcpy(alt, text, prefix_len + len);
    alt[prefix_len + len] = '-';
    /* 48 random bits of the user's own id: the alternative is taken only if somebody drew the
     * same 48 before */
    hex_write((char *)alt + prefix_len + len + 1, bytes_of(write->user.user.id.byte, 6));
    write->user.user.address.name = bytes_of(text, prefix_len + len);
    write->user.address_name_alt = bytes_of(alt, prefix_len + len + 1 + 12);
    return ERR_OK;
}

enum err user_fresh(struct write *out, struct arena *arena, const struct fact_project *project,
                    struct bytes reference, const struct profile *profile, struct bytes password_hash,
                    int64_t now_ms, const struct dice *dice)
{
    struct user *user = &out->user.user;
    struct bytes shown = profile->value[PROFILE_DISPLAY_NAME];

    memset(out, 0, sizeof *out);
    out->kind = WRITE_USER;
    uuid_draw(&user->id, dice);
    user->project = project->id;
    user->kind = USER_SUBSCRIBER;
    user->reference = reference;
    user->profile = *profile;
    user->created_ms = user->updated_ms = now_ms;
    uuid_draw(&user->address.id, dice);
    uuid_draw(&user->address.resource, dice);
    user->address.project = project->id;
    user->address.type = ADDRESS_SUBSCRIBER;
    user->address.display_name = shown.len ? shown : reference;
    user->address.created_ms = now_ms;
    out->user.password_hash = password_hash;
    return name_address(out, arena);
}

void user_gone(struct plan *out, const struct uuid *project, const struct uuid *user, int64_t now_ms)
{
    struct write *gone = &out->writes[0], *cutoff = &out->writes[1];

    memset(out, 0, sizeof *out);
    gone->kind = WRITE_USER_GONE;
    gone->is_gate = true; /* whoever comes second voids nothing: a user made anew meanwhile is another */
    gone->user_gone.project = *project;
    gone->user_gone.user = *user;
    cutoff->kind = WRITE_CUTOFF;
    cutoff->cutoff.cutoff.of = CUTOFF_USER;
    cutoff->cutoff.cutoff.project = *project;
    cutoff->cutoff.cutoff.id = uuid_bytes(&gone->user_gone.user);
    cutoff->cutoff.now_ms = now_ms;
    cutoff->cutoff.keep_s = CUTOFF_KEEP_S;
    out->write_count = 2;
}

static void plan_update(struct plan *out, const struct user_facts *facts, const struct ask_user *ask,
                        int64_t now_ms)
{
    struct write *write = &out->writes[0];

    if (!bytes_equal(ask->reference, facts->user->reference)) {
        out->refused = invalid(FIELD_EMAIL, "can't be changed: tokens are minted by it");
        return;
    }
    write->kind = WRITE_PROFILE;
    write->profile.project = facts->project->id;
    write->profile.user = facts->user->id;
    write->profile.profile = ask->profile;
    write->profile.password_hash = facts->password_hash;
    write->profile.now_ms = now_ms;
    out->write_count = 1;
}

enum err user_plan(struct plan *out, struct arena *arena, const struct user_facts *facts,
                   const struct ask_user *ask, int64_t now_ms, const struct dice *dice)
{
    bool is_known = facts->user && facts->user->kind == USER_SUBSCRIBER;

    memset(out, 0, sizeof *out);
    if (ask->step != OBJECT_CREATE && !is_known) {
        out->refused = refuse(REFUSAL_NOT_FOUND, FIELD_NONE, "no subscriber of that id");
        return ERR_OK;
    }
    switch (ask->step) {
    case OBJECT_READ:
        return ERR_OK;
    case OBJECT_CREATE:
        out->write_count = 1;
        return user_fresh(&out->writes[0], arena, facts->project, ask->reference, &ask->profile,
                          facts->password_hash, now_ms, dice);
    case OBJECT_UPDATE:
        plan_update(out, facts, ask, now_ms);
        return ERR_OK;
    case OBJECT_DELETE:
        user_gone(out, &facts->project->id, &facts->user->id, now_ms);
        return ERR_OK;
    }
    return ERR_OK;
}

void user_settle(struct decision *out, const struct plan *plan, const struct user_facts *facts,
                 const struct row *rows)
{
    memset(out, 0, sizeof *out);
    out->refused = plan->refused;
    if (out->refused.refusal) return;
    if (!plan->write_count) {
        out->has_user = true;
        out->user = *facts->user;
    } else if (rows[0].state == ROW_ABSENT)
        out->refused = refuse(REFUSAL_NOT_FOUND, FIELD_NONE, "no subscriber of that id any more");
    else if (plan->writes[0].kind == WRITE_USER && rows[0].state != ROW_WRITTEN)
        out->refused = refuse(REFUSAL_PARAMETER_TAKEN, FIELD_EMAIL, "has already been taken");
    else if (plan->writes[0].kind != WRITE_USER_GONE) {
        out->has_user = true;
        out->user = rows[0].user;
    }
}
