#include "engine/bind.h"

#include <string.h>

#include "engine/capability.h"
#include "engine/descend.h"
#include "engine/limits.h"
#include "engine/once.h"

#define BOUND_BUCKET_S 900 /* rows of tokens that end within this are forgotten together */

static struct refused refuse(enum refusal refusal, const char *because)
{
    return (struct refused){refusal, FIELD_NONE, because};
}

static struct refused check(const struct bind_facts *facts, const struct ask_bind *ask)
{
    const struct holder *holder = facts->holder;
    bool is_bound = !bytes_is_absent(holder->jkt);

    if (!capability_has(holder->kind, MAY_BIND))
        return refuse(REFUSAL_TOKEN_KIND, "only a subscriber's token can be bound");
    if (!holder->may_self_refresh)
        return refuse(REFUSAL_TOKEN_SCOPE, "the token does not carry the scope to renew itself");
    if (ask->renews && !is_bound) return refuse(REFUSAL_TOKEN_UNBOUND, "the token is not bound yet");
    if (bytes_is_absent(facts->jkt) || (is_bound && !bytes_equal(facts->jkt, holder->jkt)))
        return refuse(REFUSAL_PROOF_INVALID, "the proof is by another key");
    return refuse(REFUSAL_NONE, NULL);
}

/* A browser asks for what it likes and gets what is allowed. */
static int64_t life_of(const struct ask_bind *ask, const struct fact_project *project)
{
    if (!ask->has_life) return project->setting[SETTING_BOUND_LIFE];
    if (ask->life_s < BOUND_LIFE_MIN_S) return BOUND_LIFE_MIN_S;
    return ask->life_s > BOUND_LIFE_MAX_S ? BOUND_LIFE_MAX_S : ask->life_s;
}

static void draw_grant(struct grant *out, const struct bind_facts *facts, const struct ask_bind *ask,
                       int64_t now_ms, const struct dice *dice)
{
    const struct holder *holder = facts->holder;

    descend(out, holder, true, facts->project, now_ms, dice);
    out->kind = holder->kind;
    out->user = holder->user;
    out->user_kind = holder->user_kind;
    out->application = holder->application;
    out->jkt = facts->jkt;
    out->may_self_refresh = true;
    out->exp_s = descend_exp_s(out, life_of(ask, facts->project));
}

/* Kept until the token that is bound here has ended by any clock. */
static struct refused add_binding(struct plan *plan, const struct bind_facts *facts)
{
    struct write *write = &plan->writes[plan->write_count];

    if (plan->write_count == PLAN_WRITES_MAX)
        return refuse(REFUSAL_PROOF_INVALID, "too many ids of one proof");
    memset(write, 0, sizeof *write);
    write->kind = WRITE_BOUND;
    if (uuid_read(&write->bound.id, facts->holder->jti))
        return refuse(REFUSAL_TOKEN_MALFORMED, "jti is not one of ours");
    write->bound.jkt = facts->jkt;
    write->bound.bucket_s = (facts->holder->exp_s / BOUND_BUCKET_S + 1) * BOUND_BUCKET_S;
    plan->write_count++;
    return refuse(REFUSAL_NONE, NULL);
}

void bind_plan(struct plan *plan, const struct bind_facts *facts, const struct ask_bind *ask, int64_t now_ms,
               const struct dice *dice)
{
    memset(&plan->grant, 0, sizeof plan->grant);
    plan->refused = check(facts, ask);
    if (!plan->refused.refusal) {
        draw_grant(&plan->grant, facts, ask, now_ms, dice);
        if (plan->grant.exp_s <= plan->grant.iat_s)
            plan->refused = refuse(REFUSAL_TOKEN_EXPIRED, "its family has come to its end");
    }
    if (!plan->refused.refusal && bytes_is_absent(facts->holder->jkt))
        plan->refused = add_binding(plan, facts);
    if (!plan->refused.refusal) return;
    plan->write_count = 0; /* a refused ask uses up no proof */
    memset(&plan->grant, 0, sizeof plan->grant);
}

/* Without a key the row's bucket was forgotten: the token has expired, whatever a clock says
 * that was set back. */
static struct refused settle_binding(const struct row *row, struct bytes jkt)
{
    if (row->state == ROW_WRITTEN || bytes_equal(row->jkt, jkt)) return refuse(REFUSAL_NONE, NULL);
    if (bytes_is_absent(row->jkt)) return refuse(REFUSAL_TOKEN_EXPIRED, "its time is forgotten");
    return refuse(REFUSAL_BOUND_ELSEWHERE, "another key was bound to this token first");
}

void bind_settle(struct decision *out, const struct plan *plan, const struct row *rows)
{
    size_t i;

    memset(out, 0, sizeof *out);
    out->refused = plan->refused;
    if (!out->refused.refusal && once_was_used(plan, rows))
        out->refused = refuse(REFUSAL_PROOF_REPLAYED, NULL);
    for (i = 0; i < plan->write_count && !out->refused.refusal; i++)
        if (plan->writes[i].kind == WRITE_BOUND) out->refused = settle_binding(&rows[i], plan->grant.jkt);
    if (!out->refused.refusal) out->grant = plan->grant;
}

void bind_cut(struct plan *plan, const struct bind_facts *facts, int64_t now_ms)
{
    const struct holder *holder = facts->holder;
    struct write *write = &plan->writes[0];
    int64_t left_s = holder->absolute_end_s - now_ms / 1000;

    memset(write, 0, sizeof *write);
    write->kind = WRITE_CUTOFF;
    write->cutoff.cutoff.of = CUTOFF_FAMILY;
    write->cutoff.cutoff.project = holder->project;
    write->cutoff.cutoff.id = uuid_bytes(&holder->family);
    write->cutoff.now_ms = now_ms;
    write->cutoff.keep_s = left_s > 0 ? left_s : facts->project->setting[SETTING_FAMILY_MAX_AGE];
    plan->write_count = 1;
}
