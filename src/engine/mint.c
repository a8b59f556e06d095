#include "engine/mint.h"

#include <string.h>

#include "base/base64url.h"
#include "base/hex.h"
#include "engine/limits.h"

static struct refused refuse(enum refusal refusal, enum ask_field field, const char *because)
{
    return (struct refused){refusal, field, because};
}

static bool is_blank(struct bytes b)
{
    size_t i;

    for (i = 0; i < b.len; i++)
        if (b.ptr[i] != ' ' && b.ptr[i] != '\t' && b.ptr[i] != '\n' && b.ptr[i] != '\r') return false;
    return true;
}

/* Control bytes have no place in a name; a NUL or line break would be a way to make one name look like
 * another. */
static bool has_control(struct bytes b)
{
    size_t i;

    for (i = 0; i < b.len; i++)
        if (b.ptr[i] < 0x20 || b.ptr[i] == 0x7f) return true;
    return false;
}

/* RFC 7638 thumbprint: base64url of 32 bytes, canonical, so that one key has one name. */
static bool is_thumbprint(struct bytes text)
{
    uint8_t digest[32];
    size_t len;

    return text.len == 43 && base64url_read(digest, sizeof digest, &len, text) == ERR_OK &&
           len == sizeof digest;
}

static struct refused check_profile(const struct profile *profile)
{
    size_t i;

    for (i = 0; i < PROFILE_COUNT; i++) {
        struct bytes value = profile->value[i];
        enum ask_field field = (enum ask_field)(FIELD_PROFILE + i);
        if (value.len > PROFILE_TEXT_MAX)
            return refuse(REFUSAL_PARAMETER_INVALID, field, "is too long (at most 255 bytes)");
        if (has_control(value)) return refuse(REFUSAL_PARAMETER_INVALID, field, "holds a control character");
    }
    return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
}

static struct refused check_expiry(const struct ask_mint *ask, const struct fact_project *project,
                                   int64_t now_s)
{
    if (!ask->has_expiry) return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
    if (ask->expire_at_s <= now_s)
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_EXPIRE_AT, "must be in the future");
    /* compared by difference: expire_at_s comes from outside and now_s + max could be passed by any int64 */
    if (ask->expire_at_s - now_s > project->setting[SETTING_SAT_LIFE_MAX])
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_EXPIRE_AT,
                      "is further ahead than this project allows");
    return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
}

struct refused mint_check(const struct ask_mint *ask, const struct fact_project *project,
                          const struct fact_key *key, int64_t now_ms)
{
    struct refused refused;

    if (!(key->permissions & PERMISSIONS_TO_MINT))
        return refuse(REFUSAL_KEY_PERMISSION, FIELD_NONE, "needs one of calling, messaging, fax, video");
    if (is_blank(ask->reference)) return refuse(REFUSAL_PARAMETER_MISSING, FIELD_REFERENCE, "can't be blank");
    if (ask->reference.len > REFERENCE_MAX)
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_REFERENCE, "is too long (at most 255 bytes)");
    if (has_control(ask->reference))
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_REFERENCE, "holds a control character");
    refused = check_expiry(ask, project, now_ms / 1000);
    if (refused.refusal) return refused;
    if (ask->password.len > PASSWORD_MAX)
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_PASSWORD, "is too long (at most 72 bytes)");
    if (!bytes_is_absent(ask->fingerprint) && !is_thumbprint(ask->fingerprint))
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_FINGERPRINT, "must be 43 base64url characters");
    return check_profile(&ask->profile);
}

/* "Ada.L@example.com" -> "ada.l": what people expect to dial. Uniqueness is the store's, by address_name_alt.
 */
static size_t slug_of(char out[ADDRESS_SLUG_MAX], struct bytes reference)
{
    size_t i, len = 0;

    for (i = 0; i < reference.len && reference.ptr[i] != '@' && len < ADDRESS_SLUG_MAX; i++) {
        uint8_t c = reference.ptr[i];
        if (c >= 'A' && c <= 'Z') c = (uint8_t)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-')
            out[len++] = (char)c;
        else if (len && out[len - 1] != '-')
            out[len++] = '-';
    }
    while (len && (out[len - 1] == '-' || out[len - 1] == '.'))
        len--;
    if (!len || out[0] == '.') {
        memcpy(out, "user", 4);
        len = 4;
    }
    return len;
}

static enum err name_address(struct write *write, struct arena *arena)
{
    static const char prefix[] = "/private/";
    const size_t prefix_len = sizeof prefix - 1;
    char slug[ADDRESS_SLUG_MAX];
    size_t len = slug_of(slug, write->user.user.reference);
    uint8_t *text = arena_alloc(arena, 2 * (prefix_len + len) + 1 + 12);
    uint8_t *alt;

    if (!text) return ERR_NO_MEMORY;
    memcpy(text, prefix, prefix_len);
    memcpy(text + prefix_len, slug, len);
    alt = text + prefix_len + len;
    memcpy(alt, text, prefix_len + len);
    alt[prefix_len + len] = '-';
    /* 48 random bits of the user's own id: the alternative is taken only if somebody drew the same 48 before
     */
    hex_write((char *)alt + prefix_len + len + 1, bytes_of(write->user.user.id.byte, 6));
    write->user.user.address.name = bytes_of(text, prefix_len + len);
    write->user.address_name_alt = bytes_of(alt, prefix_len + len + 1 + 12);
    return ERR_OK;
}

static enum err plan_new_user(struct plan *out, struct arena *arena, const struct mint_facts *facts,
                              const struct ask_mint *ask, int64_t now_ms, const struct dice *dice)
{
    struct write *write = &out->writes[out->write_count++];
    struct user *user = &write->user.user;
    struct bytes shown = ask->profile.value[PROFILE_DISPLAY_NAME];

    write->kind = WRITE_USER;
    uuid_draw(&user->id, dice);
    user->project = facts->project->id;
    user->kind = USER_SUBSCRIBER;
    user->reference = ask->reference;
    user->profile = ask->profile;
    user->created_ms = user->updated_ms = now_ms;
    uuid_draw(&user->address.id, dice);
    uuid_draw(&user->address.resource, dice);
    user->address.project = facts->project->id;
    user->address.type = ADDRESS_SUBSCRIBER;
    user->address.display_name = shown.len ? shown : ask->reference;
    user->address.created_ms = now_ms;
    write->user.password_hash = facts->password_hash;
    return name_address(write, arena);
}

static bool profile_changes(const struct profile *asked, const struct profile *known)
{
    size_t i;

    for (i = 0; i < PROFILE_COUNT; i++)
        if (!bytes_is_absent(asked->value[i]) && !bytes_equal(asked->value[i], known->value[i])) return true;
    return false;
}

static void plan_known_user(struct plan *out, const struct mint_facts *facts, const struct ask_mint *ask,
                            int64_t now_ms)
{
    struct write *write;

    if (!profile_changes(&ask->profile, &facts->user->profile) && bytes_is_absent(facts->password_hash))
        return;
    write = &out->writes[out->write_count++];
    write->kind = WRITE_PROFILE;
    write->profile.project = facts->project->id;
    write->profile.user = facts->user->id;
    write->profile.profile = ask->profile;
    write->profile.password_hash = facts->password_hash;
    write->profile.now_ms = now_ms;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void draw_grant(struct grant *out, const struct mint_facts *facts, const struct ask_mint *ask,
                       int64_t now_ms, const struct dice *dice)
{
    bool is_bound = !bytes_is_absent(ask->fingerprint);
    int64_t now_s = now_ms / 1000;
    int64_t age_max_s = is_bound ? least(facts->project->setting[SETTING_FAMILY_MAX_AGE],
                                         facts->project->setting[SETTING_FAMILY_MAX_AGE_BOUND])
                                 : facts->project->setting[SETTING_FAMILY_MAX_AGE];

    out->kind = TOKEN_SUBSCRIBER;
    out->project = facts->project->id;
    out->user_kind = USER_SUBSCRIBER;
    out->application = ask->application;
    uuid_draw(&out->jti, dice);
    uuid_draw(&out->family, dice);
    out->parent_key = facts->key->public_id;
    out->jkt = ask->fingerprint;
    out->may_self_refresh = ask->may_self_refresh;
    /* Every credential of this family is void if gt <= a cutoff's t; so a grant made now must lie after the
     * last one. */
    out->gt_ms = facts->cutoff_ms >= now_ms ? facts->cutoff_ms + 1 : now_ms;
    out->age_ms = facts->project->age_ms;
    out->iat_s = now_s;
    out->absolute_end_s = now_s + age_max_s;
    out->exp_s = ask->has_expiry ? ask->expire_at_s : now_s + facts->project->setting[SETTING_SAT_LIFE];
    if (ask->may_self_refresh && !is_bound) out->exp_s = least(out->exp_s, now_s + SAT_LIFE_LOOSE_S);
    out->exp_s = least(out->exp_s, out->absolute_end_s);
    out->has_refresh = true;
    out->refresh_exp_s = least(out->exp_s + REFRESH_OUTLIVES_S, out->absolute_end_s);
}

enum err mint_plan(struct plan *out, struct arena *arena, const struct mint_facts *facts,
                   const struct ask_mint *ask, int64_t now_ms, const struct dice *dice)
{
    memset(out, 0, sizeof *out);
    out->refused = mint_check(ask, facts->project, facts->key, now_ms);
    if (out->refused.refusal) return ERR_OK;
    draw_grant(&out->grant, facts, ask, now_ms, dice);
    if (facts->user) {
        out->grant.user = facts->user->id;
        plan_known_user(out, facts, ask, now_ms);
        return ERR_OK;
    }
    return plan_new_user(out, arena, facts, ask, now_ms, dice);
}

void mint_settle(struct decision *out, const struct plan *plan, const struct row *rows)
{
    memset(out, 0, sizeof *out);
    out->refused = plan->refused;
    if (out->refused.refusal) return;
    out->grant = plan->grant;
    if (!plan->write_count) return;
    if (rows[0].state == ROW_ABSENT) {
        out->refused = refuse(REFUSAL_USER_GONE, FIELD_REFERENCE, "was removed while this was asked");
        return;
    }
    out->has_user = true;
    out->user = rows[0].user;
    out->grant.user = rows[0].user.id;
}
