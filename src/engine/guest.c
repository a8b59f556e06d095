#include "engine/guest.h"

#include <string.h>

#include "engine/expiry.h"
#include "engine/limits.h"

static struct refused refuse(enum refusal refusal, enum ask_field field, const char *because)
{
    return (struct refused){refusal, field, because};
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

struct refused guest_check(const struct ask_guest *ask, const struct fact_project *project,
                           const struct fact_key *key, int64_t now_ms)
{
    if (!(key->permissions & PERMISSIONS_TO_MINT))
        return refuse(REFUSAL_KEY_PERMISSION, FIELD_NONE, "needs one of calling, messaging, fax, video");
    if (!ask->address_count_asked)
        return refuse(REFUSAL_PARAMETER_MISSING, FIELD_ADDRESSES, "can't be blank");
    if (ask->address_count_asked > ADDRESSES_MAX)
        return refuse(REFUSAL_ADDRESSES_TOO_MANY, FIELD_ADDRESSES, "can hold at most 10 addresses");
    return expiry_check(ask->has_expiry, ask->expire_at_s, project->setting[SETTING_SAT_LIFE_MAX],
                        now_ms / 1000);
}

static bool is_among(const struct uuid *id, const struct guest_facts *facts)
{
    size_t i;

    for (i = 0; i < facts->found_count; i++)
        if (uuid_equal(&facts->found[i].id, id) && uuid_equal(&facts->found[i].project, &facts->project->id))
            return true;
    return false;
}

static struct refused take_addresses(struct grant *out, const struct guest_facts *facts,
                                     const struct ask_guest *ask)
{
    size_t i, k;

    for (i = 0; i < ask->address_count; i++) {
        if (!is_among(&ask->addresses[i], facts))
            return refuse(REFUSAL_ADDRESS_FOREIGN, FIELD_ADDRESSES, "must belong to the project");
        for (k = 0; k < out->address_count; k++)
            if (uuid_equal(&out->addresses[k], &ask->addresses[i])) break;
        if (k == out->address_count) out->addresses[out->address_count++] = ask->addresses[i];
    }
    return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
}

static void draw_grant(struct grant *out, const struct guest_facts *facts, const struct ask_guest *ask,
                       int64_t now_ms, const struct dice *dice)
{
    const int64_t *setting = facts->project->setting;

    out->kind = TOKEN_GUEST;
    out->project = facts->project->id;
    uuid_draw(&out->user, dice);
    out->user_kind = USER_GUEST;
    uuid_draw(&out->jti, dice);
    uuid_draw(&out->family, dice);
    out->parent_key = facts->key->public_id;
    out->gt_ms = facts->cutoff_ms >= now_ms ? facts->cutoff_ms + 1 : now_ms;
    out->age_ms = facts->project->age_ms;
    out->iat_s = now_ms / 1000;
    out->absolute_end_s = out->iat_s + setting[SETTING_FAMILY_MAX_AGE];
    out->exp_s = ask->has_expiry ? ask->expire_at_s : out->iat_s + setting[SETTING_SAT_LIFE];
    out->exp_s = least(out->exp_s, out->absolute_end_s);
    out->has_refresh = true;
    out->refresh_exp_s = least(out->exp_s + REFRESH_OUTLIVES_S, out->absolute_end_s);
}

void guest_plan(struct plan *out, const struct guest_facts *facts, const struct ask_guest *ask,
                int64_t now_ms, const struct dice *dice)
{
    memset(out, 0, sizeof *out);
    out->refused = guest_check(ask, facts->project, facts->key, now_ms);
    if (!out->refused.refusal) out->refused = take_addresses(&out->grant, facts, ask);
    if (out->refused.refusal)
        memset(&out->grant, 0, sizeof out->grant);
    else
        draw_grant(&out->grant, facts, ask, now_ms, dice);
}
