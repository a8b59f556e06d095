/* run_revoke.c — the way of a token that shall not be good any more (RFC 7009): key, or the token itself;
 * open, cut its family, tell how many sessions that closed.
 *
 * A project's key revokes any token of its project. Without a key, whoever holds a token may give it up; a
 * bound one takes a proof by its key, so that a thief of the token alone cannot even do that. What is no live
 * token of the project is answered as if it had been revoked (RFC 7009 §2.2). */
#include <string.h>

#include "engine/revoke.h"
#include "service/presented.h"
#include "service/service_run.h"

struct kept {
    struct cutoff cutoff;
    struct uuid family, user;
};

static void tell(struct run *run, size_t sessions_closed, int64_t t_ms)
{
    run->outcome.revoked.sessions_closed = sessions_closed;
    run->outcome.revoked.t_ms = t_ms;
    run_finish(run, OUTCOME_REVOKED);
}

static void cut(struct run *run)
{
    const struct kept *kept = run->kept;

    tell(run, run->sessions_closed, kept->cutoff.t_ms);
}

static void settle(struct run *run)
{
    struct kept *kept = run->kept;
    struct refused refused;

    if (run_was_used(run, 1)) {
        run_refuse_replay(run, PROOF_STRICT);
        return;
    }
    refused = revoke_settle(&kept->cutoff, &run->plan, &run->rows[0]);
    if (refused.refusal)
        tell(run, 0, 0); /* its project went meanwhile, and took the token with it */
    else
        run_cut(run, &kept->cutoff, cut);
}

static void plan(struct run *run, const struct holder *holder, const struct proof_facts *proof)
{
    struct kept *kept = arena_alloc(run->arena, sizeof *kept);
    enum err e = ERR_OK;

    run->kept = kept;
    if (!kept) {
        run_fail(run, ERR_NO_MEMORY);
        return;
    }
    kept->family = holder->family;
    kept->user = holder->user;
    kept->cutoff =
        (struct cutoff){.of = CUTOFF_FAMILY, .project = holder->project, .id = uuid_bytes(&kept->family)};
    /* An invite stands in its inviter's family, which is not its guest's to end: it has a user of its own. So
     * has what is of no family. */
    if (uuid_is_zero(&holder->family) || !uuid_is_zero(&holder->inviter)) {
        kept->cutoff.of = CUTOFF_USER;
        kept->cutoff.id = uuid_bytes(&kept->user);
    }
    revoke_plan(&run->plan, &kept->cutoff, run->now_ms);
    if (proof) e = run_plan_once(run, proof, PROOF_STRICT);
    if (e)
        run_fail(run, e);
    else
        run_commit(run, settle);
}

/* ---- whose it is ---- */

static void refuse_unproved(struct run *run, const struct holder *holder)
{
    struct finding *finding = run_finding(run, "proof.present");

    finding_expected(finding, "a key of the project, or a proof by the key with thumbprint %.*s...",
                     FINDING_ID(holder->jkt));
    finding_seen(finding, "neither");
    run_refuse(run, REFUSAL_PROOF_MISSING, FIELD_PROOF, "is missing, and no key asks either");
}

static void by_holder(struct run *run, const struct holder *holder, bool is_access)
{
    const struct ask_revoke *ask = &run->ask.revoke;
    struct proof_facts proof;

    if (!run_check_origin(run)) return;
    if (bytes_is_absent(holder->jkt))
        plan(run, holder, NULL);
    else if (bytes_is_absent(ask->proof))
        refuse_unproved(run, holder);
    else if (run_prove(&proof, run, ask->proof, holder->jkt, is_access ? ask->token : BYTES_NONE))
        plan(run, holder, &proof);
}

static void revoke(struct run *run, const struct holder *holder, bool is_access)
{
    const struct fact_project *theirs = facts_project(lease_facts(run->lease), &holder->project);
    bool is_ours = theirs && (!run->key || uuid_equal(&theirs->id, &run->project->id));

    if (!is_ours || holder->gt_ms <= service_cutoff_ms(run->service, holder)) {
        tell(run, 0, 0);
        return;
    }
    run->project = theirs;
    if (run->key)
        plan(run, holder, NULL);
    else
        by_holder(run, holder, is_access);
}

static void revoke_access(struct run *run)
{
    struct holder holder;
    enum refusal refusal;
    enum err e = issue_verify(&holder, &refusal, &run->finding, run->arena, &run->service->issuer,
                              run->ask.revoke.token, lease_facts(run->lease), run->now_ms);

    if (e)
        run_fail(run, e);
    else if (refusal)
        tell(run, 0, 0);
    else
        revoke(run, &holder, true);
}

/* One that has expired or was replaced still names its family, which may live on. */
static void revoke_refresh(struct run *run)
{
    struct holder holder = {0};
    struct grant grant;
    bool is_ours;
    enum err e = issue_open_refresh(&is_ours, &grant, &run->finding, run->arena, &run->service->issuer,
                                    run->ask.revoke.token);

    if (e) {
        run_fail(run, e);
        return;
    }
    if (!is_ours) {
        tell(run, 0, 0);
        return;
    }
    holder.project = grant.project;
    holder.user = grant.user;
    holder.family = grant.family;
    holder.resource = grant.resource;
    holder.inviter = grant.inviter;
    holder.parent_key = grant.parent_key;
    holder.jkt = grant.jkt;
    holder.gt_ms = grant.gt_ms;
    revoke(run, &holder, false);
}

/* RFC 7009 §2.2.1: better told than answered as if it had been done. */
static void refuse_kind(struct run *run, enum presented kind)
{
    struct finding *finding = run_finding(run, "token.kind");

    finding_expected(finding, "an access token or a refresh token");
    finding_seen(finding, "%s", presented_text(kind));
    run_refuse(run, REFUSAL_PARAMETER_INVALID, FIELD_TOKEN_TYPE,
               "cannot be revoked: revoke the user or the key that made it");
}

void run_revoke(struct run *run)
{
    enum presented kind;

    if (run->ask.credential.kind != CREDENTIAL_NONE && !run_authenticate_key(run)) return;
    if (!run_goes_on(run)) return;
    kind = presented_kind(run->ask.revoke.token);
    if (kind == PRESENTED_JWS)
        revoke_access(run);
    else if (kind == PRESENTED_REFRESH)
        revoke_refresh(run);
    else if (kind == PRESENTED_BOOTSTRAP || kind == PRESENTED_LAUNCH || kind == PRESENTED_RESUME)
        refuse_kind(run, kind);
    else
        tell(run, 0, 0);
}
