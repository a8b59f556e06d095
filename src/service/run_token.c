/* run_token.c — whose access token it is, and whether it was proved. */
#include <string.h>

#include "engine/admit.h"
#include "service/found_token.h"
#include "service/presented.h"
#include "service/service_run.h"

static enum err read_proof(struct proof_facts *out, struct admit_facts *facts, struct run *run,
                           struct bytes proof)
{
    enum err e;

    if (bytes_is_absent(proof)) return ERR_OK;
    e = run_read_proof(out, &facts->proof_broken, run, proof);
    if (!e && !facts->proof_broken) facts->proof = out;
    return e;
}

int64_t run_holder_cutoff_ms(const struct run *run)
{
    return service_cutoff_ms(run->service, &run->outcome.holder);
}

void run_found_not_admitted(struct run *run, enum refusal refusal, const struct admit_facts *facts,
                            const struct proof_policy *policy)
{
    const struct holder *holder = &run->outcome.holder;
    struct finding *finding = run_finding(run, "token.project");
    struct proof_policy with_key = *policy;

    if (!bytes_is_absent(holder->jkt)) with_key.jkt = holder->jkt;
    if (!facts->project) {
        finding_expected(finding, "prj of a project that is here");
        finding_seen(finding, "prj of none; the token was signed here");
    } else if (refusal == REFUSAL_TOKEN_KIND) {
        finding_check(finding, "token.kind");
        finding_expected(finding, "a token of a kind that may do this");
        finding_seen(finding, "kind %s", claims_kind_text((enum claims_kind)holder->kind));
    } else if (refusal == REFUSAL_ORIGIN_NOT_LISTED) {
        finding_check(finding, "project.origins");
        run_found_origins(finding, run->project, run->ask.origin);
    } else if (refusal == REFUSAL_TOKEN_CUT_OFF) {
        finding_cut_off(finding, "token.gt", facts->cutoff_ms, holder->gt_ms);
    } else if (facts->proof)
        found_in_proof(finding, facts->proof, &with_key);
    else {
        finding_check(finding, facts->proof_broken ? "proof.form" : "proof.present");
        if (bytes_is_absent(with_key.jkt))
            finding_expected(finding, "a proof by the key that the token shall be bound to");
        else
            finding_expected(finding, "a proof by the key with thumbprint %.*s...", FINDING_ID(with_key.jkt));
        finding_seen(finding, facts->proof_broken
                                  ? "one that is malformed, or whose signature does not verify"
                                  : "none");
    }
}

/* A token that is good in itself, against what this call needs of its holder and of the proof. */
static enum err check_holder(enum refusal *refusal, struct run *run, struct bytes token,
                             struct proof_terms *terms, struct admit_facts *facts, struct proof_facts *proof,
                             struct proof_policy *policy)
{
    struct holder *holder = &run->outcome.holder;
    enum err e = ERR_OK;

    run->project = facts->project = facts_project(lease_facts(run->lease), &holder->project);
    facts->cutoff_ms = run_holder_cutoff_ms(run);
    /* clients send a proof along with every token: it is looked at only where it counts */
    if (!terms->is_strict && (terms->is_needed || !bytes_is_absent(holder->jkt)))
        TRY(e = read_proof(proof, facts, run, terms->proof), done);
    if (facts->proof && !run->proof_method.len &&
        !(terms->may_lack_ath && bytes_is_absent(facts->proof->ath)))
        TRY(e = run_hash_token(&policy->ath, run, token), done);
    *refusal = admit(holder, facts, policy);
    if (!*refusal && facts->proof) terms->jkt = facts->proof->jkt;
done:
    return e;
}

static void refuse_unbound(struct run *run)
{
    struct finding *finding = run_finding(run, "token.bound");

    finding_expected(finding, "a token that names a key in cnf, as one exchanged with a proof does");
    finding_seen(finding, "one that is not bound: Bearer is its scheme");
    run_refuse(run, REFUSAL_TOKEN_UNBOUND, FIELD_NONE, NULL);
}

static void refuse_unproved(struct run *run)
{
    struct finding *finding = run_finding(run, "proof.present");

    finding_expected(finding, "a DPoP field with a proof by the key with thumbprint %.*s...",
                     FINDING_ID(run->outcome.holder.jkt));
    finding_seen(finding, "none");
    run_refuse(run, REFUSAL_PROOF_MISSING, FIELD_PROOF, "is missing");
}

/* RFC 9449 §7.1: the token's key signs each call. The proof is used up with the call's own writes. */
static bool prove_strictly(struct run *run, struct bytes token)
{
    const struct holder *holder = &run->outcome.holder;
    struct bytes proof = run->ask.credential.proof;
    struct proof_facts facts;
    enum err e;

    if (bytes_is_absent(holder->jkt)) {
        refuse_unbound(run);
        return false;
    }
    if (bytes_is_absent(proof)) {
        refuse_unproved(run);
        return false;
    }
    if (!run_prove(&facts, run, proof, holder->jkt, token)) return false;
    e = run_keep_proof(run, &facts);
    if (e) run_fail(run, e);
    return !e;
}

bool run_authenticate_by(struct run *run, struct bytes token, struct proof_terms *terms,
                         enum capability needs)
{
    struct admit_facts facts = {.cutoff_ms = INT64_MIN,
                                .needs = needs,
                                .needs_proof = terms->is_needed,
                                .takes_bound_as_bearer = run->takes_bound_as_bearer || terms->is_strict};
    struct proof_policy policy = {.profile = PROOF_VENDOR,
                                  .now_s = run->wall_ms / 1000,
                                  .htm = run->http_method,
                                  .htu = run->http_path};
    struct proof_facts proof;
    enum refusal refusal;
    enum err e;

    if (run->proof_method.len) {
        policy.rpc = BYTES("request");
        policy.mth = run->proof_method;
    }
    run->plan.write_count = 0;
    TRY(e = issue_verify(&run->outcome.holder, &refusal, &run->finding, run->arena, &run->service->issuer,
                         token, lease_facts(run->lease), run->now_ms),
        failed);
    run->has_finding = refusal != REFUSAL_NONE;
    if (!refusal) TRY(e = check_holder(&refusal, run, token, terms, &facts, &proof, &policy), failed);
    if (!refusal && run->ask.origin.len && !facts_project_lists(run->project, run->ask.origin))
        refusal = REFUSAL_ORIGIN_NOT_LISTED;
    if (!refusal && terms->is_strict) return prove_strictly(run, token);
    if (!refusal && facts.proof) TRY(e = run_plan_once(run, &proof, PROOF_VENDOR), failed);
    /* whatever it was shown for: each is a row that is kept for minutes */
    if (!refusal) return !facts.proof || run_limit(run, LIMIT_PROOF_KEY, proof.jkt);
    if (refusal == REFUSAL_PROOF_MISSING && run->unreadable) {
        run_fail(run, run->unreadable); /* the proof was to stand in what could not be read */
        return false;
    }
    if (!run->has_finding) run_found_not_admitted(run, refusal, &facts, &policy);
    run_refuse(run, refusal, FIELD_NONE, NULL);
    return false;
failed:
    run_fail(run, e);
    return false;
}

bool run_authenticate_token(struct run *run, struct bytes token, struct bytes proof, enum capability needs)
{
    struct proof_terms terms = {.proof = proof};

    return run_authenticate_by(run, token, &terms, needs);
}

bool run_authenticate_bearer_by(struct run *run, struct proof_terms *terms, enum capability needs)
{
    const struct credential *credential = &run->ask.credential;
    bool is_absent = credential->kind == CREDENTIAL_NONE;
    struct finding *finding;

    terms->is_strict = credential->kind == CREDENTIAL_DPOP;
    if (credential->kind == CREDENTIAL_BEARER || terms->is_strict)
        return run_authenticate_by(run, credential->token, terms, needs);
    finding = run_finding(run, is_absent ? "credential.present" : "credential.form");
    finding_expected(finding, "Authorization: Bearer, and an access token");
    if (is_absent)
        finding_seen(finding, "no Authorization field");
    else if (credential->kind == CREDENTIAL_BASIC)
        finding_seen(finding, "Basic with %s as password",
                     presented_text(presented_kind(credential->password)));
    else
        finding_seen(finding, "Authorization that is neither one whole Basic nor one whole Bearer");
    run_refuse(run, is_absent ? REFUSAL_CREDENTIAL_MISSING : REFUSAL_CREDENTIAL_MALFORMED, FIELD_NONE, NULL);
    return false;
}

bool run_was_cut(struct run *run)
{
    int64_t cutoff_ms = run_holder_cutoff_ms(run);
    const struct admit_facts facts = {.project = run->project, .cutoff_ms = cutoff_ms};

    if (run->outcome.holder.gt_ms > cutoff_ms) return false;
    run_found_not_admitted(run, REFUSAL_TOKEN_CUT_OFF, &facts, &(struct proof_policy){0});
    run_refuse(run, REFUSAL_TOKEN_CUT_OFF, FIELD_NONE, NULL);
    return true;
}

bool run_authenticate_bearer(struct run *run, struct bytes proof, enum capability needs)
{
    struct proof_terms terms = {.proof = proof};

    return run_authenticate_bearer_by(run, &terms, needs);
}
