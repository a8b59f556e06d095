/* run_bind.c — the way of a browser that ties its token to its key, or renews a tied one: token, proof,
 * commit, settle, sign. */
#include "engine/bind.h"
#include "service/service_run.h"

static void found_in_bind(struct run *run, const struct refused *refused)
{
    const struct holder *holder = &run->outcome.holder;
    struct finding *finding;

    switch ((int)refused->refusal) {
    case REFUSAL_TOKEN_SCOPE:
        finding = run_finding(run, "token.scope");
        finding_expected(finding, "scope sat:refresh");
        finding_seen(finding, "none");
        return;
    case REFUSAL_TOKEN_UNBOUND:
        finding = run_finding(run, "token.cnf");
        finding_expected(finding, "a token that is bound to a key");
        finding_seen(finding, "one without cnf");
        return;
    case REFUSAL_TOKEN_EXPIRED:
        finding = run_finding(run, "family.end");
        finding_expected(finding, "a family that has not ended");
        finding_seen(finding, "gt %lld, end %lld", (long long)holder->gt_ms,
                     (long long)holder->absolute_end_s);
        return;
    case REFUSAL_BOUND_ELSEWHERE:
        finding = run_finding(run, "token.bound_to");
        finding_expected(finding, "the key that bound this token first");
        finding_seen(finding, "the key with thumbprint %.*s...", FINDING_ID(run->plan.grant.jkt));
        return;
    default:
        return;
    }
}

static void refuse(struct run *run, const struct refused *refused)
{
    if (refused->refusal == REFUSAL_PROOF_REPLAYED) {
        run_refuse_replay(run, PROOF_VENDOR);
        return;
    }
    found_in_bind(run, refused);
    run_refuse_as(run, refused);
}

static void family_is_cut(struct run *run)
{
    refuse(run, &(struct refused){REFUSAL_BOUND_ELSEWHERE, FIELD_NONE, NULL});
}

static void cutoff_written(struct run *run)
{
    struct cutoff cutoff = run->plan.writes[0].cutoff.cutoff;

    cutoff.t_ms = run->rows[0].t_ms;
    run_cut(run, &cutoff, family_is_cut);
}

static void settle(struct run *run)
{
    const struct bind_facts facts = {.project = run->project, .holder = &run->outcome.holder};
    struct decision decision;

    bind_settle(&decision, &run->plan, run->rows);
    if (decision.refused.refusal == REFUSAL_BOUND_ELSEWHERE) {
        bind_cut(&run->plan, &facts, run->now_ms);
        run_commit(run, cutoff_written);
    } else if (decision.refused.refusal)
        refuse(run, &decision.refused);
    else if (!run_was_cut(run))
        run_sign(run, &decision.grant);
}

void run_bind(struct run *run)
{
    const struct ask_bind *ask = &run->ask.bind;
    struct proof_terms terms = {.proof = ask->proof, .is_needed = true, .may_lack_ath = !ask->renews};
    struct bind_facts facts = {.holder = &run->outcome.holder};

    if (!run_authenticate_bearer_by(run, &terms, MAY_BIND)) return;
    if (!run_goes_on(run)) return;
    facts.project = run->project;
    facts.jkt = terms.jkt;
    bind_plan(&run->plan, &facts, ask, run->now_ms, &run->service->options.dice);
    if (run->plan.refused.refusal)
        refuse(run, &run->plan.refused);
    else
        run_commit(run, settle);
}
