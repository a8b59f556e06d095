/* run_invite.c — the way of an invite: the inviter's token, its proof, the inviter's own address, sign. */
#include "engine/invite.h"
#include "service/service_run.h"

static void refuse(struct run *run, const struct refused *refused)
{
    struct finding *finding;

    if (refused->refusal == REFUSAL_PROOF_REPLAYED) {
        run_refuse_replay(run, PROOF_VENDOR);
        return;
    }
    if (refused->field == FIELD_ADDRESS && refused->refusal == REFUSAL_PARAMETER_INVALID) {
        finding = run_finding(run, "address.owner");
        finding_expected(finding, "the id of an address of the user who invites");
        finding_seen(finding, "another id");
    }
    run_refuse_as(run, refused);
}

static void settle(struct run *run)
{
    struct decision decision;

    invite_settle(&decision, &run->plan, run->rows);
    if (decision.refused.refusal)
        refuse(run, &decision.refused);
    else if (!run_was_cut(run))
        run_sign(run, &decision.grant);
}

static void plan(struct run *run, const struct user *user)
{
    const struct invite_facts facts = {
        .project = run->project, .inviter = &run->outcome.holder, .user = user};

    invite_plan(&run->plan, &facts, &run->ask.invite, run->now_ms, &run->service->options.dice);
    if (run->plan.refused.refusal || !run->plan.write_count)
        settle(run);
    else
        run_commit(run, settle);
}

static void user_read(struct run *run)
{
    if (run->read.found) run_remember_read(run);
    plan(run, run->read.found ? &run->read.user : NULL);
}

void run_invite(struct run *run)
{
    const struct holder *holder = &run->outcome.holder;
    const struct user *user;
    struct refused refused;

    if (!run_authenticate_bearer(run, run->ask.invite.proof, MAY_INVITE)) return;
    if (!run_goes_on(run)) return;
    refused = invite_check(&run->ask.invite, run->project, run->now_ms);
    if (refused.refusal) {
        refuse(run, &refused);
        return;
    }
    user = users_by_id(run->service->users, &holder->project, &holder->user);
    if (user)
        plan(run, user);
    else
        run_read(run, READ_USER_BY_ID, &holder->project, &holder->user, BYTES_NONE, user_read);
}
