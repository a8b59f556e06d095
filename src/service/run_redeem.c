/* run_redeem.c — the way of a ticket into a session: open, check everything, consume in one commit, sign. */
#include "engine/age.h"
#include "engine/redeem.h"
#include "engine/ticket.h"
#include "service/key_text.h"
#include "service/presented.h"
#include "service/service_run.h"
#include "wire/json_read.h"

/* Of one ticket each try can lose to another redeem of the same user, never to the same one twice. */
#define TRIES_MAX 32 /* of tickets of one user that are redeemed at once, one wins each round */

#define PROOF_AT 2 /* in the plan: behind the ticket and its user */

const struct fact_key *run_publishable(const struct run *run, struct bytes text)
{
    struct bytes id = bytes_is_absent(text) ? BYTES_NONE : key_text_public_id(KEY_PUBLISHABLE, text);

    return bytes_is_absent(id) ? NULL : facts_key(lease_facts(run->lease), id);
}

static enum err write_merged(struct bytes *out, struct run *run, struct json under, struct json over)
{
    struct buf text;
    struct json_writer w = json_writer_on(&text);
    enum err e;

    buf_init(&text, 2 * PAYLOAD_MAX + 2);
    json_put_merged(&w, under, over);
    e = buf_error(&text);
    if (!e) {
        *out = arena_copy(run->arena, buf_bytes(&text));
        if (bytes_is_absent(*out)) e = ERR_NO_MEMORY;
    }
    buf_release(&text);
    return e;
}

enum err run_merge_payload(struct bytes *out, struct run *run, struct bytes under, struct bytes over)
{
    struct json was = {NULL}, is = {NULL};
    enum err e;

    *out = over;
    if (bytes_is_absent(under) || bytes_is_absent(over)) return ERR_OK;
    TRY(e = json_read(&was, under), done);
    TRY(e = json_read(&is, over), done);
    e = write_merged(out, run, was, is);
done:
    json_free(was);
    json_free(is);
    return e == ERR_MALFORMED ? ERR_CORRUPT : e; /* both were read before they were kept */
}

/* ---- why not ---- */

static void found_key(struct run *run, struct finding *finding)
{
    struct bytes key = run->ask.redeem.publishable_key;

    finding_check(finding, "ticket.publishable_key");
    finding_expected(finding, "a publishable key in use, of the ticket's project");
    if (bytes_is_absent(key))
        finding_seen(finding, "none");
    else if (bytes_is_absent(key_text_public_id(KEY_PUBLISHABLE, key)))
        finding_seen(finding, "%s, %zu bytes", presented_text(presented_kind(key)), key.len);
    else
        finding_seen(finding, "%.*s, which is %s", FINDING_BYTES(key, KEY_PUBLIC_ID_MAX),
                     run_publishable(run, key) ? "another project's, or retired" : "no key of this server");
}

static void found_times(struct run *run, struct finding *finding, const struct redeem_facts *facts)
{
    const struct ticket *ticket = &run->plan.ticket;
    int64_t age_ms = facts->project->age_ms;
    int64_t left_ms = ticket_end_ms(ticket) - age_now_ms(run->now_ms, age_ms, ticket->age_ms);

    finding_check(finding, "ticket.exp");
    finding_expected(finding, "a ticket within its life of %lld s",
                     (long long)(ticket->exp_s - ticket->iat_s));
    if (left_ms > 0)
        finding_seen(finding, "one that ended at %lld, before the last clearing of redeemed ones",
                     (long long)ticket->exp_s);
    else
        finding_seen(finding, "one that ended %lld ms ago; its project's clock was moved %lld s since",
                     (long long)-left_ms, (long long)((age_ms - ticket->age_ms) / 1000));
}

static void refuse(struct run *run, const struct redeem_facts *facts, const struct refused *refused)
{
    const struct ticket *ticket = &run->plan.ticket;
    struct finding *finding = run_finding(run, "ticket.project");

    finding->user = ticket->user;
    finding->family = ticket->id;
    finding_key(finding, ticket->parent_key);
    if (refused->refusal == REFUSAL_TICKET_INVALID) {
        finding_expected(finding, "a ticket of a project that is here");
        finding_seen(finding, "one of another; it was sealed here");
    } else if (refused->refusal == REFUSAL_PUBLISHABLE_KEY)
        found_key(run, finding);
    else if (refused->refusal == REFUSAL_TICKET_EXPIRED)
        found_times(run, finding, facts);
    else if (refused->refusal == REFUSAL_TOKEN_CUT_OFF) {
        finding_cut_off(finding, "ticket.gt", facts->cutoff_ms, ticket->gt_ms);
        if (facts->cutoff_ms < ticket->gt_ms) /* the store knew of it first */
            finding_expected(finding, "gt after every cutoff of the user and the project");
    } else if (refused->refusal == REFUSAL_TICKET_USED) {
        finding_check(finding, "ticket.once");
        finding_expected(finding, "a ticket that was not redeemed before");
        finding_seen(finding, "one that was, minted at %lld", (long long)ticket->iat_s);
    } else if (refused->refusal == REFUSAL_USER_GONE) {
        finding_check(finding, "user.exists");
        finding_expected(finding, "the user that the ticket resumes");
        finding_seen(finding, "no such user in the project");
    } else
        finding->check = NULL; /* a parameter: completed from what the refusal says */
    run_refuse_as(run, refused);
}

bool run_check_origin(struct run *run)
{
    struct finding *finding;

    if (!run->ask.origin.len || facts_project_lists(run->project, run->ask.origin)) return true;
    finding = run_finding(run, "project.origins");
    run_found_origins(finding, run->project, run->ask.origin);
    run_refuse(run, REFUSAL_ORIGIN_NOT_LISTED, FIELD_NONE, NULL);
    return false;
}

/* ---- the way ---- */

static struct redeem_facts facts_of(const struct run *run)
{
    const struct ticket *ticket = &run->plan.ticket;

    return (struct redeem_facts){
        .project = run->project,
        .publishable = run_publishable(run, run->ask.redeem.publishable_key),
        .pruned_through_s = lease_facts(run->lease)->pruned_through_s,
        .cutoff_ms = run_cutoff_ms(run, &(struct lineage){.project = &ticket->project,
                                                          .user = &ticket->user,
                                                          .family = &ticket->id,
                                                          .key = ticket->parent_key}),
    };
}

static void plan(struct run *run, const struct user *user);

static void settle(struct run *run)
{
    struct redeem_facts facts;
    struct decision decision;

    if (run_was_used(run, PROOF_AT)) {
        run_refuse_replay(run, PROOF_STRICT);
        return;
    }
    if (redeem_met_change(&run->plan, run->rows)) {
        if (run->tries++ < TRIES_MAX)
            plan(run, &run->rows[1].user);
        else
            run_fail(run, ERR_STORE_BUSY); /* nothing was consumed */
        return;
    }
    redeem_settle(&decision, &run->plan, run->rows);
    facts = facts_of(run);
    /* while the store was asked, a cutoff may have come: the ticket is used up, and nothing is made of it */
    if (!decision.refused.refusal && decision.grant.gt_ms <= facts.cutoff_ms)
        decision.refused.refusal = REFUSAL_TOKEN_CUT_OFF;
    if (decision.refused.refusal)
        refuse(run, &facts, &decision.refused);
    else
        run_sign_session(run, &decision.grant, run->plan.ticket.external_id);
}

/* A proof makes the session its key's, and is used up in the commit that uses up the ticket. */
static enum err bind(struct run *run)
{
    const struct proof_facts *proof = run->kept;

    if (!proof) return ERR_OK;
    run->plan.grant.jkt = proof->jkt;
    return run_plan_once(run, proof, PROOF_STRICT);
}

/* Before anything is read or consumed: a bad proof burns no ticket. */
static bool prove(struct run *run)
{
    struct proof_facts *proof;

    run->kept = NULL;
    if (bytes_is_absent(run->ask.redeem.proof)) return true;
    proof = run->kept = arena_alloc(run->arena, sizeof *proof);
    if (proof) return run_prove(proof, run, run->ask.redeem.proof, BYTES_NONE, BYTES_NONE);
    run_fail(run, ERR_NO_MEMORY);
    return false;
}

static void plan(struct run *run, const struct user *user)
{
    const struct ticket ticket = run->plan.ticket;
    struct redeem_facts facts = facts_of(run);
    enum err e = run_merge_payload(&facts.payload, run, user ? user->payload : BYTES_NONE, ticket.payload);

    if (e && e != ERR_TOO_LARGE) {
        run_fail(run, e);
        return;
    }
    if (e) facts.payload.len = SIZE_MAX; /* too large to be written is too large to be kept */
    facts.user = user;
    redeem_plan(&run->plan, &facts, &run->ask.redeem, &ticket, run->now_ms, &run->service->options.dice);
    if (run->plan.refused.refusal) {
        refuse(run, &facts, &run->plan.refused);
        return;
    }
    e = bind(run);
    if (e)
        run_fail(run, e);
    else
        run_commit(run, settle);
}

static void user_read(struct run *run)
{
    plan(run, run->read.found ? &run->read.user : NULL);
}

static void check(struct run *run)
{
    const struct ticket *ticket = &run->plan.ticket;
    struct refused refused = {0};
    struct redeem_facts facts;

    run->project = facts_project(lease_facts(run->lease), &ticket->project);
    facts = facts_of(run);
    refused.refusal = redeem_check(&facts, &run->ask.redeem, ticket, run->now_ms);
    if (refused.refusal)
        refuse(run, &facts, &refused);
    else if (!run_check_origin(run) || !prove(run))
        return;
    else if (redeem_needs_user(ticket))
        run_read(run, READ_USER_BY_ID, &ticket->project, &ticket->user, BYTES_NONE, user_read);
    else
        plan(run, NULL);
}

void run_redeem(struct run *run)
{
    const struct ask_redeem *ask = &run->ask.redeem;
    bool is_ours;
    enum err e;

    /* a backend may redeem for its user: then its key has to be right, and of the ticket's project */
    if (run->takes_keys && run->ask.credential.kind != CREDENTIAL_NONE && !run_authenticate_key(run)) return;
    if (!run_goes_on(run)) return;
    e = issue_open_ticket(&is_ours, &run->plan.ticket, &run->finding, run->arena, &run->service->issuer,
                          ask->kind, ask->ticket);
    if (e) {
        run_fail(run, e);
    } else if (!is_ours || (run->key && !uuid_equal(&run->key->project, &run->plan.ticket.project))) {
        run->has_finding = true;
        run_refuse(run, REFUSAL_TICKET_INVALID, FIELD_NONE, NULL);
    } else
        check(run);
}
