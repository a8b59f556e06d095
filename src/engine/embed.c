#include "engine/embed.h"

#include <string.h>

#include "engine/descend.h"

static struct refused refuse(enum refusal refusal, const char *because)
{
    return (struct refused){refusal, FIELD_TOKEN, because};
}

/* Of a token that is what it says: a retired key makes no more of it, a resource that is switched off or gone
 * cannot be reached. */
static struct refused check(const struct embed_facts *facts)
{
    const struct holder *holder = facts->holder;

    if (holder && holder->kind != TOKEN_EMBED)
        return refuse(REFUSAL_TOKEN_KIND, "must come from a click-to-call token");
    if (!facts->key || facts->key->is_retired || facts->key->kind != KEY_CLICK_TO_CALL)
        return refuse(holder ? REFUSAL_KEY_RETIRED : REFUSAL_NOT_FOUND,
                      "the click-to-call token is no longer in use");
    if (!facts->resource || facts->resource->is_disabled)
        return refuse(REFUSAL_RESOURCE_DISABLED, "what it leads to is switched off");
    if (facts->has_nobody) return refuse(REFUSAL_RESOURCE_DISABLED, "whom it leads to is gone");
    if (holder && !uuid_equal(&holder->resource, &facts->resource->id))
        return refuse(REFUSAL_TOKEN_FOREIGN, "leads to another resource than its key");
    return refuse(REFUSAL_NONE, NULL);
}

static void draw_root(struct grant *out, const struct embed_facts *facts, int64_t now_ms,
                      const struct dice *dice)
{
    out->project = facts->project->id;
    uuid_draw(&out->user, dice);
    uuid_draw(&out->jti, dice);
    uuid_draw(&out->family, dice);
    out->parent_key = facts->key->public_id;
    out->gt_ms = facts->cutoff_ms >= now_ms ? facts->cutoff_ms + 1 : now_ms;
    out->age_ms = facts->project->age_ms;
    out->iat_s = now_ms / 1000;
    out->absolute_end_s = out->iat_s + facts->project->setting[SETTING_FAMILY_MAX_AGE];
}

void embed_plan(struct plan *out, const struct embed_facts *facts, int64_t now_ms, const struct dice *dice)
{
    struct grant *grant = &out->grant;

    memset(out, 0, sizeof *out);
    out->refused = check(facts);
    if (out->refused.refusal) return;
    if (facts->holder) {
        descend(grant, facts->holder, false, facts->project, now_ms, dice);
        grant->user = facts->holder->user;
    } else
        draw_root(grant, facts, now_ms, dice);
    grant->kind = TOKEN_EMBED;
    grant->user_kind = USER_GUEST;
    grant->resource = facts->resource->id;
    grant->exp_s = descend_exp_s(grant, facts->project->setting[SETTING_EMBED_LIFE]);
    if (grant->exp_s > grant->iat_s) return;
    out->refused = refuse(REFUSAL_TOKEN_EXPIRED, "its family has come to its end");
    memset(grant, 0, sizeof *grant);
}
