/* run_connect.c — ways in, and on: a token opens a session, brings its holder's session back, or takes the
 * place of the one that a live session has. */
#include <string.h>

#include "base/hex.h"
#include "engine/admit.h"
#include "engine/age.h"
#include "engine/budget.h"
#include "engine/once.h"
#include "engine/resume.h"
#include "engine/upgrade.h"
#include "service/service_run.h"

struct looked { /* what a connect is judged by; in the arena, for it may wait for the store */
    struct resume_facts facts;
    struct resume_state state;
    struct admit_facts admit; /* the same, as findings are told */
    struct proof_facts proof;
    struct proof_policy policy;
    struct budget budget; /* of a new session; one that is resumed was counted when it began */
};

/* ---- what came ---- */

static enum refusal not_admitted(const struct run *run, const struct holder *holder)
{
    if (!run->project) return REFUSAL_TOKEN_FOREIGN;
    if (!capability_has(holder->kind, MAY_CONNECT)) return REFUSAL_TOKEN_KIND;
    if (run->ask.origin.len && !facts_project_lists(run->project, run->ask.origin))
        return REFUSAL_ORIGIN_NOT_LISTED;
    return REFUSAL_NONE;
}

static enum err look_at_token(struct looked *out, struct run *run)
{
    struct holder *holder = &run->outcome.holder;
    struct resume_facts *facts = &out->facts;
    enum refusal other;
    enum err e = issue_verify_late(holder, &facts->token, &run->finding, run->arena, &run->service->issuer,
                                   run->ask.connect.token, lease_facts(run->lease), run->now_ms);

    run->has_finding = facts->token != REFUSAL_NONE;
    if (e || (facts->token && facts->token != REFUSAL_TOKEN_EXPIRED)) return e;
    run->project = out->admit.project = facts_project(lease_facts(run->lease), &holder->project);
    facts->cutoff_ms = out->admit.cutoff_ms = run_holder_cutoff_ms(run);
    other = not_admitted(run, holder);
    if (!other) return ERR_OK;
    facts->token = other;
    run->has_finding = false;
    return ERR_OK;
}

static bool names(struct bytes text, const struct uuid *session)
{
    char name[2 * sizeof session->byte];

    hex_write(name, uuid_bytes(session));
    return bytes_equal(text, bytes_of(name, sizeof name));
}

static enum err look_at_state(struct looked *out, struct run *run)
{
    const struct ask_connect *ask = &run->ask.connect;
    struct resume_facts *facts = &out->facts;
    const struct fact_project *project;
    struct finding unread; /* what is not a state of ours proves nothing that could be told */
    bool is_ours = false;
    enum err e = ERR_OK;

    facts->presented = ask->wants_resume ? RESUME_UNREADABLE : RESUME_NOTHING;
    if (!ask->wants_resume || bytes_is_absent(ask->state)) return ERR_OK;
    e = issue_open_resume(&is_ours, &out->state, &unread, run->arena, &run->service->issuer, ask->state);
    if (e || !is_ours || !names(ask->session, &out->state.session)) return e;
    facts->presented = RESUME_STATE;
    facts->state = &out->state;
    project = facts_project(lease_facts(run->lease), &out->state.project);
    facts->state_now_ms =
        age_now_ms(run->now_ms, project ? project->age_ms : out->state.age_ms, out->state.age_ms);
    return ERR_OK;
}

/* Clients send a proof along with every token: it is looked at only where it counts. */
static enum err look_at_proof(struct looked *out, struct run *run)
{
    struct bytes key = resume_key(&run->outcome.holder, out->facts.state);
    enum err e;

    out->policy = (struct proof_policy){.profile = PROOF_VENDOR,
                                        .now_s = run->wall_ms / 1000,
                                        .rpc = BYTES("request"),
                                        .mth = run->proof_method,
                                        .jkt = key};
    if (bytes_is_absent(key)) return ERR_OK;
    out->facts.proof = REFUSAL_PROOF_MISSING;
    if (bytes_is_absent(run->ask.connect.proof)) return ERR_OK;
    e = run_read_proof(&out->proof, &out->admit.proof_broken, run, run->ask.connect.proof);
    if (!e && !out->admit.proof_broken) out->admit.proof = &out->proof;
    out->facts.proof =
        out->admit.proof_broken ? REFUSAL_PROOF_INVALID : proof_check(&out->proof, &out->policy);
    return e;
}

/* ---- what became of it ---- */

static void found_not_resumed(struct run *run, const struct looked *looked)
{
    struct finding *finding = run_finding(run, "session.state");

    finding_expected(finding, "the last state of a session of this token's own, or the one before, as it was "
                              "sent, and its protocol");
    if (looked->facts.presented == RESUME_STATE)
        finding_seen(finding, run->ask.connect.wants_upgrade
                                  ? "a state of another project or key, or of no lower kind of token"
                                  : "a state of another project, user, kind of token or key");
    else if (bytes_is_absent(run->ask.connect.state) || bytes_is_absent(run->ask.connect.session))
        finding_seen(finding, "one of the two only, or one that this server never sent");
    else
        finding_seen(finding, "a state that does not open, or that is of another session than protocol");
}

static void refuse(struct run *run, const struct looked *looked, enum refusal refusal)
{
    if (refusal == REFUSAL_RESUME_IMPOSSIBLE && !looked->facts.proof)
        found_not_resumed(run, looked);
    else if (!run->has_finding || refusal != looked->facts.token)
        run_found_not_admitted(run, refusal, &looked->admit, &looked->policy);
    run_refuse(run, refusal, FIELD_NONE, NULL);
}

static struct bytes name_of(struct run *run, const struct uuid *session)
{
    char *name = arena_alloc(run->arena, 2 * sizeof session->byte);

    if (!name) return BYTES_NONE;
    hex_write(name, uuid_bytes(session));
    return bytes_of(name, 2 * sizeof session->byte);
}

static void add_place(struct outcome *outcome, const struct budget *budget)
{
    if (!budget->most[BUDGET_SESSIONS]) return;
    outcome->connected.place[outcome->connected.place_count++] =
        (struct connect_place){budget->of, budget->most[BUDGET_SESSIONS]};
}

/* By today's bounds, whatever they were when the session began. */
static enum err name_places(struct run *run)
{
    const struct resource *resource =
        facts_resource(lease_facts(run->lease), &run->project->id, &run->outcome.holder.resource);
    struct budget budget;
    enum err e = budget_of_token(&budget, &run->outcome.holder, run->project);

    if (e) return e;
    add_place(&run->outcome, &budget);
    if (!resource) return ERR_OK;
    budget_of_click(&budget, resource, run->project);
    add_place(&run->outcome, &budget);
    return ERR_OK;
}

static void name_session(struct run *run, const struct looked *looked)
{
    enum err e = name_places(run);
    bool is_upgrade = looked->facts.state && run->ask.connect.wants_upgrade;
    struct uuid id = looked->state.session;

    if (e) {
        run_fail(run, e);
        return;
    }
    if (looked->facts.state) run->outcome.connected.former = name_of(run, &id);
    if (!looked->facts.state || is_upgrade) dice_fill(&run->service->options.dice, id.byte, sizeof id.byte);
    run->outcome.connected.session = name_of(run, &id);
    if (bytes_is_absent(run->outcome.connected.session) ||
        (looked->facts.state && bytes_is_absent(run->outcome.connected.former))) {
        run_fail(run, ERR_NO_MEMORY);
        return;
    }
    run->outcome.connected.state = looked->facts.state;
    run->outcome.connected.is_upgrade = is_upgrade;
    run->outcome.connected.proved = looked->policy.jkt;
    run->outcome.connected.is_last = looked->facts.token == REFUSAL_TOKEN_EXPIRED;
    run_finish(run, OUTCOME_CONNECTED);
}

/* ---- what it uses up ---- */

/* A place among the sessions of the button that the token came from. */
static bool seat_by_button(struct run *run)
{
    const struct resource *resource =
        facts_resource(lease_facts(run->lease), &run->project->id, &run->outcome.holder.resource);
    struct budget button;

    if (!resource) return true;
    budget_of_click(&button, resource, run->project);
    return run_seat(run, &button);
}

/* Puts the use behind the writes of the proof, and takes the places. False: the run is over. */
static bool spend(struct run *run, struct looked *looked)
{
    struct budget *budget = &looked->budget;
    enum err e = budget_of_token(budget, &run->outcome.holder, run->project);

    if (!e && !budget_plan(&run->plan, budget, run->now_ms)) e = ERR_LIMIT;
    if (e) {
        run_fail(run, e);
        return false;
    }
    return run_seat(run, budget) && seat_by_button(run);
}

/* True, and the run is refused: it was one use too many. */
static bool was_spent(struct run *run, const struct looked *looked)
{
    struct budget_spent spent;

    budget_settle(&spent, &run->plan, run->rows, run->now_ms);
    if (spent.refusal) run_overspent(run, &looked->budget, &spent);
    return spent.refusal != REFUSAL_NONE;
}

/* Puts the proof among the plan's writes. Whatever it was shown for, that is a row which is kept for minutes.
 * False: the run is over. */
static bool use_proof(struct run *run, const struct looked *looked)
{
    enum err e;

    if (!looked->admit.proof) return true;
    e = run_plan_once(run, &looked->proof, PROOF_VENDOR);
    if (!e) return run_limit(run, LIMIT_PROOF_KEY, looked->proof.jkt);
    run_fail(run, e);
    return false;
}

static void welcome(struct run *run)
{
    const struct looked *looked = run->kept;

    if (run_was_cut(run) || was_spent(run, looked)) return;
    if (!once_was_used(&run->plan, run->rows))
        name_session(run, looked);
    else if (looked->facts.presented == RESUME_NOTHING)
        run_refuse_replay(run, PROOF_VENDOR);
    else { /* as with any other wrong proof */
        run_found_replay(run, PROOF_VENDOR);
        run_refuse(run, REFUSAL_RESUME_IMPOSSIBLE, FIELD_NONE, NULL);
    }
}

/* In this order: token, proof, state, the connect's form, its budget; the first refusal wins. Proof and
 * budget are used up only by a connect that is right in everything that can be seen of it here. */
static void judge(struct run *run, struct looked *looked)
{
    struct resume_decision decision =
        run->ask.connect.wants_upgrade ? upgrade_judge(&looked->facts) : resume_judge(&looked->facts);
    bool is_new = decision.verdict == RESUME_NEW_SESSION || decision.verdict == RESUME_UPGRADE;

    if (decision.verdict == RESUME_REFUSED) {
        refuse(run, looked, decision.refusal);
        return;
    }
    if (run->refused.refusal) {
        run->has_finding = false;
        run_refuse_as(run, &run->refused);
        return;
    }
    run->kept = looked;
    if (!use_proof(run, looked)) return;
    if (is_new && !spend(run, looked)) return;
    if (run->plan.write_count)
        run_commit(run, welcome);
    else
        welcome(run);
}

void run_connect(struct run *run)
{
    struct looked *looked;
    enum err e = ERR_NO_MEMORY;

    if (run->refused.refusal == REFUSAL_CREDENTIAL_MISSING) {
        run_refuse_as(run, &run->refused);
        return;
    }
    run->plan.write_count = 0;
    looked = arena_alloc(run->arena, sizeof *looked);
    if (!looked) goto done;
    memset(looked, 0, sizeof *looked);
    looked->facts.holder = &run->outcome.holder;
    looked->facts.cutoff_ms = looked->admit.cutoff_ms = INT64_MIN;
    TRY(e = look_at_token(looked, run), done);
    TRY(e = look_at_state(looked, run), done);
    TRY(e = look_at_proof(looked, run), done);
done:
    if (e)
        run_fail(run, e);
    else
        judge(run, looked);
}

/* ---- on ---- */

static void found_another(struct run *run, const struct holder *present)
{
    const struct holder *next = &run->outcome.holder;
    struct finding *finding = run_finding(run, "session.holder");
    bool is_same = uuid_equal(&present->project, &next->project) && uuid_equal(&present->user, &next->user) &&
                   present->kind == next->kind;

    finding_expected(finding,
                     "a token of the session's own project, user and kind, and of its key if it has one");
    finding_seen(finding, is_same ? "one that is not bound to the session's key"
                                  : "one of somebody or something else");
}

static void reauthenticated(struct run *run)
{
    if (run_was_cut(run)) return;
    if (once_was_used(&run->plan, run->rows))
        run_refuse_replay(run, PROOF_VENDOR);
    else
        run_finish(run, OUTCOME_REAUTHENTICATED);
}

void run_reauthenticate(struct run *run)
{
    const struct ask_reauthenticate *ask = &run->ask.reauthenticate;
    enum refusal refusal = run->refused.refusal;

    if (refusal != REFUSAL_CREDENTIAL_MISSING &&
        !run_authenticate_token(run, ask->token, ask->proof, MAY_CONNECT))
        return;
    if (!refusal) {
        refusal = reauthenticate_check(ask->present, &run->outcome.holder);
        if (refusal) found_another(run, ask->present);
    }
    if (refusal)
        run_refuse(run, refusal, run->refused.field, run->refused.because);
    else if (run->plan.write_count)
        run_commit(run, reauthenticated);
    else
        reauthenticated(run);
}
