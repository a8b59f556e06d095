/* run_mint.c — the way of a mint: key, user, plan, commit, settle, sign. */
#include "engine/mint.h"
#include "service/service_run.h"

static void plan(struct run *run, const struct user *user);

/* The row that was met is not the one planned for: decide once more on what is there now. At most twice, so
 * that two who undo each other's work cannot keep us busy. */
static bool decide_again(struct run *run, const struct decision *decision)
{
    if (run->plan.refused.refusal || !run->plan.write_count || run->tries++ >= 2) return false;
    if (decision->refused.refusal == REFUSAL_USER_GONE) {
        users_forget(run->service->users, &run->project->id, &run->plan.grant.user);
        run_mint(run);
        return true;
    }
    if (run->rows[0].state != ROW_EXISTS) return false;
    /* somebody else created the user: our profile and password are still to be stored */
    plan(run, &run->rows[0].user);
    return true;
}

static void settle(struct run *run)
{
    struct decision decision;

    mint_settle(&decision, &run->plan, run->rows);
    if (decision.has_user) run_remember(run, &decision.user, run->rows[0].state == ROW_WRITTEN);
    if (decide_again(run, &decision)) return;
    if (decision.refused.refusal)
        run_refuse_as(run, &decision.refused);
    else
        run_sign(run, &decision.grant);
}

static void plan(struct run *run, const struct user *user)
{
    const struct lineage lineage = {
        .project = &run->project->id, .key = run->key->public_id, .user = user ? &user->id : NULL};
    struct mint_facts facts = {
        .project = run->project, .key = run->key, .user = user, .cutoff_ms = run_cutoff_ms(run, &lineage)};
    enum err e;

    if (run->has_password_hash) facts.password_hash = bytes_of(run->password_hash, sizeof run->password_hash);
    e = mint_plan(&run->plan, run->arena, &facts, &run->ask.mint, run->now_ms, &run->service->options.dice);
    if (e)
        run_fail(run, e);
    else if (run->plan.refused.refusal || !run->plan.write_count)
        settle(run);
    else
        run_commit(run, settle);
}

static void user_read(struct run *run)
{
    if (run->read.found) run_remember_read(run);
    plan(run, run->read.found ? &run->read.user : NULL);
}

static void find_user(struct run *run)
{
    struct bytes reference = run->ask.mint.reference;
    const struct user *user = users_by_reference(run->service->users, &run->project->id, reference);

    if (user)
        plan(run, user);
    else
        run_read(run, READ_USER_BY_REFERENCE, &run->project->id, NULL, reference, user_read);
}

void run_mint(struct run *run)
{
    if (!run->key && (!run_authenticate_key(run) || !run_limit(run, LIMIT_MINT_KEY, run->key->public_id) ||
                      !run_limit(run, LIMIT_MINT_PROJECT, uuid_bytes(&run->project->id))))
        return;
    if (run->unreadable) {
        run_fail(run, run->unreadable);
        return;
    }
    if (!run_passes(run, mint_check(&run->ask.mint, run->project, run->key, run->now_ms))) return;
    if (run->ask.mint.password.len && !run->has_password_hash)
        run_hash_password(run, run->ask.mint.password, find_user);
    else
        find_user(run);
}
