#include "engine/invite.h"

#include <string.h>

#include "engine/capability.h"
#include "engine/descend.h"
#include "engine/expiry.h"
#include "engine/once.h"

static struct refused refuse(enum refusal refusal, enum ask_field field, const char *because)
{
    return (struct refused){refusal, field, because};
}

struct refused invite_check(const struct ask_invite *ask, const struct fact_project *project, int64_t now_ms)
{
    if (uuid_is_zero(&ask->address))
        return refuse(REFUSAL_PARAMETER_MISSING, FIELD_ADDRESS, "can't be blank");
    return expiry_check(ask->has_expiry, ask->expire_at_s, project->setting[SETTING_INVITE_LIFE_MAX],
                        now_ms / 1000);
}

static struct refused check_inviter(const struct invite_facts *facts, const struct ask_invite *ask)
{
    if (!capability_has(facts->inviter->kind, MAY_INVITE))
        return refuse(REFUSAL_TOKEN_KIND, FIELD_NONE, "only a subscriber may invite");
    if (!facts->user) return refuse(REFUSAL_USER_GONE, FIELD_NONE, "the inviter is no more");
    if (!uuid_equal(&ask->address, &facts->user->address.id))
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_ADDRESS, "must be an address of the inviter");
    return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
}

static void draw_grant(struct grant *out, const struct invite_facts *facts, const struct ask_invite *ask,
                       int64_t now_ms, const struct dice *dice)
{
    int64_t now_s = now_ms / 1000;
    int64_t life_s =
        ask->has_expiry ? ask->expire_at_s - now_s : facts->project->setting[SETTING_INVITE_LIFE];

    descend(out, facts->inviter, !bytes_is_absent(facts->inviter->jkt), facts->project, now_ms, dice);
    out->kind = TOKEN_INVITE;
    uuid_draw(&out->user, dice);
    out->user_kind = USER_GUEST;
    out->inviter = facts->inviter->user;
    out->addresses[out->address_count++] = ask->address;
    out->exp_s = descend_exp_s(out, life_s);
}

void invite_plan(struct plan *plan, const struct invite_facts *facts, const struct ask_invite *ask,
                 int64_t now_ms, const struct dice *dice)
{
    memset(&plan->grant, 0, sizeof plan->grant);
    plan->refused = invite_check(ask, facts->project, now_ms);
    if (!plan->refused.refusal) plan->refused = check_inviter(facts, ask);
    if (!plan->refused.refusal) {
        draw_grant(&plan->grant, facts, ask, now_ms, dice);
        if (plan->grant.exp_s <= plan->grant.iat_s)
            plan->refused = refuse(REFUSAL_TOKEN_EXPIRED, FIELD_NONE, "its family has come to its end");
    }
    if (!plan->refused.refusal) return;
    plan->write_count = 0; /* a refused ask uses up no proof */
    memset(&plan->grant, 0, sizeof plan->grant);
}

void invite_settle(struct decision *out, const struct plan *plan, const struct row *rows)
{
    memset(out, 0, sizeof *out);
    out->refused = plan->refused;
    if (!out->refused.refusal && once_was_used(plan, rows))
        out->refused = refuse(REFUSAL_PROOF_REPLAYED, FIELD_NONE, NULL);
    if (!out->refused.refusal) out->grant = plan->grant;
}
