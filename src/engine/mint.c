#include "engine/mint.h"

#include <string.h>

#include "base/base64url.h"
#include "engine/expiry.h"
#include "engine/limits.h"
#include "engine/user.h"
#include "engine/words.h"

static struct refused refuse(enum refusal refusal, enum ask_field field, const char *because)
{
    return (struct refused){refusal, field, because};
}

/* RFC 7638 thumbprint: base64url of 32 bytes, canonical, so that one key has one name. */
static bool is_thumbprint(struct bytes text)
{
    uint8_t digest[32];
    size_t len;

    return text.len == JKT_LEN && base64url_read(digest, sizeof digest, &len, text) == ERR_OK &&
           len == sizeof digest;
}

struct refused mint_check(const struct ask_mint *ask, const struct fact_project *project,
                          const struct fact_key *key, int64_t now_ms)
{
    struct refused refused;

    if (!(key->permissions & PERMISSIONS_TO_MINT))
        return refuse(REFUSAL_KEY_PERMISSION, FIELD_NONE, "needs one of calling, messaging, fax, video");
    if (words_are_blank(ask->reference))
        return refuse(REFUSAL_PARAMETER_MISSING, FIELD_REFERENCE, "can't be blank");
    if (ask->reference.len > REFERENCE_MAX)
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_REFERENCE, "is too long (at most 255 bytes)");
    if (words_have_control(ask->reference))
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_REFERENCE, "holds a control character");
    refused = expiry_check(ask->has_expiry, ask->expire_at_s, project->setting[SETTING_SAT_LIFE_MAX],
                           now_ms / 1000);
    if (refused.refusal) return refused;
    if (ask->password.len > PASSWORD_MAX)
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_PASSWORD, "is too long (at most 72 bytes)");
    if (!bytes_is_absent(ask->fingerprint) && !is_thumbprint(ask->fingerprint))
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_FINGERPRINT, "must be 43 base64url characters");
    return profile_check(&ask->profile);
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
    /* Every credential of this family is void if gt <= a cutoff's t; so a grant made now must lie
     * after the last one. */
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
    out->write_count = 1;
    return user_fresh(&out->writes[0], arena, facts->project, ask->reference, &ask->profile,
                      facts->password_hash, now_ms, dice);
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
