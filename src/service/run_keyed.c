/* run_keyed.c — what asks by a project's key share once the engine has looked at them. */
#include "service/service_run.h"

static void found_no_permission(struct run *run, const char *because)
{
    struct finding *finding = run_finding(run, "key.permission");

    finding_expected(finding, "a key that %s", because);
    finding_seen(finding, "key %s with permissions %#x", finding->key, (unsigned)run->key->permissions);
}

/* What the dialect could not read comes before what the engine makes of the rest, but after "you may not". */
bool run_passes(struct run *run, struct refused refused)
{
    if (refused.refusal == REFUSAL_KEY_PERMISSION)
        found_no_permission(run, refused.because);
    else if (run->refused.refusal)
        refused = run->refused;
    if (!refused.refusal) return true;
    run_refuse_as(run, &refused);
    return false;
}

void run_forget(struct run *run, const struct uuid *project, const struct uuid *user)
{
    const struct service_options *options = &run->service->options;

    service_forget_user(run->service, project, user);
    if (options->user_changed) options->user_changed(options->lane, project, user);
}

void run_voided(struct run *run, void (*then)(struct run *run))
{
    struct cutoff cutoff = run->plan.writes[1].cutoff.cutoff;

    cutoff.t_ms = run->rows[1].t_ms;
    run_cut(run, &cutoff, then);
}

void run_facts_changed(struct run *run, void (*then)(struct run *run))
{
    const struct service_options *options = &run->service->options;

    if (options->facts_changed)
        options->facts_changed(options->lane, run, then);
    else
        then(run);
}
