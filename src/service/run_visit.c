/* run_visit.c — the way of an anonymous session: whose project, may this page, sign. Nothing is written. */
#include "engine/visit.h"
#include "service/presented.h"
#include "service/service_run.h"

static void found_not_there(struct run *run, enum refusal refusal)
{
    const struct bytes key = run->ask.visit.publishable_key;
    char study[UUID_TEXT_LEN];
    struct finding *finding;

    if (refusal == REFUSAL_PUBLISHABLE_KEY) {
        finding = run_finding(run, "visit.publishable_key");
        finding_expected(finding, "a publishable key of this server, in use");
        finding_seen(finding, "%s, %zu bytes, which is none or is retired",
                     presented_text(presented_kind(key)), key.len);
    } else if (refusal == REFUSAL_NOT_FOUND) {
        finding = run_finding(run, "visit.study");
        uuid_write(study, &run->ask.visit.study);
        finding_expected(finding, "a study of %s",
                         bytes_is_absent(key) ? "this server" : "the key's project");
        finding_seen(finding, "%.36s", study);
    }
}

void run_visit(struct run *run)
{
    const struct ask_visit *ask = &run->ask.visit;
    const struct facts *facts = lease_facts(run->lease);
    struct visit_facts visit = {0};
    struct refused refused;
    struct uuid project;
    struct grant grant;

    if (!run_goes_on(run)) return;
    if (ask->has_study) visit.study = facts_study(facts, NULL, &ask->study);
    visit.publishable = run_publishable(run, ask->publishable_key);
    refused = visit_check(&project, &visit, ask);
    if (refused.refusal) {
        found_not_there(run, refused.refusal);
        run_refuse_as(run, &refused);
        return;
    }
    run->project = facts_project(facts, &project);
    if (!run->project) {
        run_fail(run, ERR_CORRUPT); /* a study or a key without its project: no snapshot holds that */
        return;
    }
    if (!run_check_origin(run) || !run_limit(run, LIMIT_VISIT_PROJECT, uuid_bytes(&project))) return;
    visit_grant(&grant, run->project, visit.publishable,
                run_cutoff_ms(run, &(struct lineage){.project = &run->project->id,
                                                     .key = visit.publishable ? visit.publishable->public_id
                                                                              : BYTES_NONE}),
                run->now_ms, &run->service->options.dice);
    run_sign_session(run, &grant, BYTES_NONE);
}
