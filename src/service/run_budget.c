/* run_budget.c — what the ways of connects and exchanges share where a credential may run out. */
#include "service/service_run.h"

void run_overspent(struct run *run, const struct budget *budget, const struct budget_spent *spent)
{
    static const struct {
        const char *check, *span;
    } texts[BUDGET_PARTS] = {[BUDGET_USES] = {"budget.uses", "in all its life"},
                             [BUDGET_HOUR] = {"budget.hour", "in this hour"},
                             [BUDGET_DAY] = {"budget.day", "in this day"}};
    struct finding *finding = run_finding(run, texts[spent->part].check);

    finding_expected(finding, "at most %lld uses %s (%s)", (long long)budget->most[spent->part],
                     texts[spent->part].span, budget->setting[spent->part]);
    if (spent->wait_ms)
        finding_seen(finding, "one more, %lld ms before the next begins", (long long)spent->wait_ms);
    else
        finding_seen(finding, "one more");
    run->outcome.retry_after_ms = spent->wait_ms;
    run_refuse(run, spent->refusal, FIELD_NONE, NULL);
}

/* Nobody knows when a session ends; this is how long a client had better be silent. */
#define SEAT_WAIT_MS 10000

bool run_seat(struct run *run, const struct budget *budget)
{
    const struct service_options *options = &run->service->options;
    int64_t most = budget->most[BUDGET_SESSIONS];
    struct finding *finding;
    bool is_free = true;
    enum err e = ERR_OK;

    if (most && options->seat) e = options->seat(&is_free, options->lane, run, &budget->of, most);
    if (e) {
        run_fail(run, e);
        return false;
    }
    if (is_free) return true;
    finding = run_finding(run, "budget.sessions");
    finding_expected(finding, "fewer than %lld open sessions (%s)", (long long)most,
                     budget->setting[BUDGET_SESSIONS]);
    finding_seen(finding, "as many are open, or are being opened");
    run->outcome.retry_after_ms = SEAT_WAIT_MS;
    run_refuse(run, REFUSAL_SESSIONS_FULL, FIELD_NONE, NULL);
    return false;
}
