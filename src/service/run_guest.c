/* run_guest.c — the way of a guest's mint: key, the addresses there are, plan, sign. Nothing is stored. */
#include "engine/guest.h"
#include "service/service_run.h"

static void found_in_guest(struct run *run, const struct refused *refused)
{
    const struct ask_guest *ask = &run->ask.guest;
    struct finding *finding;

    if (refused->refusal == REFUSAL_KEY_PERMISSION) {
        finding = run_finding(run, "key.permission");
        finding_expected(finding, "a key that %s", refused->because);
        finding_seen(finding, "key %s with permissions %#x", finding->key, (unsigned)run->key->permissions);
    } else if (refused->refusal == REFUSAL_ADDRESSES_TOO_MANY) {
        finding = run_finding(run, "addresses.count");
        finding_expected(finding, "at most %d", ADDRESSES_MAX);
        finding_seen(finding, "%zu", ask->address_count_asked);
    } else if (refused->refusal == REFUSAL_ADDRESS_FOREIGN) {
        finding = run_finding(run, "addresses.exist");
        finding_expected(finding, "%zu ids of addresses of this project", ask->address_count);
        finding_seen(finding, "%zu of them are", run->found_count);
    }
}

static void refuse(struct run *run, const struct refused *refused)
{
    found_in_guest(run, refused);
    run_refuse_as(run, refused);
}

static void plan(struct run *run)
{
    const struct lineage lineage = {.project = &run->project->id, .key = run->key->public_id};
    const struct guest_facts facts = {.project = run->project,
                                      .key = run->key,
                                      .found = run->found,
                                      .found_count = run->found_count,
                                      .cutoff_ms = run_cutoff_ms(run, &lineage)};

    guest_plan(&run->plan, &facts, &run->ask.guest, run->now_ms, &run->service->options.dice);
    if (run->plan.refused.refusal)
        refuse(run, &run->plan.refused);
    else
        run_sign(run, &run->plan.grant);
}

void run_guest(struct run *run)
{
    const struct ask_guest *ask = &run->ask.guest;
    struct refused refused;

    if (!run_authenticate_key(run) || !run_limit(run, LIMIT_MINT_KEY, run->key->public_id) ||
        !run_limit(run, LIMIT_MINT_PROJECT, uuid_bytes(&run->project->id)))
        return;
    if (run->unreadable) {
        run_fail(run, run->unreadable);
        return;
    }
    refused = guest_check(ask, run->project, run->key, run->now_ms);
    /* what the dialect could not read comes before what the engine makes of the rest, but
     * after "you may not" */
    if (refused.refusal != REFUSAL_KEY_PERMISSION && run->refused.refusal) refused = run->refused;
    if (refused.refusal)
        refuse(run, &refused);
    else
        run_find_addresses(run, ask->addresses, ask->address_count, plan);
}
