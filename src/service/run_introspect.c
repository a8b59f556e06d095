/* run_introspect.c — the way of a question about a token (RFC 7662): key, open, cutoffs, user or family.
 *
 * Whatever is not active here and now, for this project, is told as inactive and no more: forged, foreign,
 * expired, revoked, or a refresh token that is not its family's present one. */
#include <string.h>

#include "engine/rotate.h"
#include "service/presented.h"
#include "service/service_run.h"

static void tell_inactive(struct run *run)
{
    memset(&run->outcome.holder, 0, sizeof run->outcome.holder);
    run->outcome.introspected.is_active = false;
    run_finish(run, OUTCOME_INTROSPECTED);
}

static bool is_cut(const struct run *run)
{
    return run->outcome.holder.gt_ms <= run_holder_cutoff_ms(run);
}

/* The last look before the answer: while the store was asked, a cutoff may have come. */
static void tell_active(struct run *run)
{
    if (is_cut(run)) {
        tell_inactive(run);
        return;
    }
    run->outcome.introspected.is_active = true;
    run_finish(run, OUTCOME_INTROSPECTED);
}

/* ---- access tokens ---- */

static void user_read(struct run *run)
{
    if (run->read.found)
        tell_active(run);
    else
        tell_inactive(run);
}

/* Guests and anonymous visitors have no row. */
static void find_user(struct run *run, void (*then)(struct run *run))
{
    const struct holder *holder = &run->outcome.holder;
    bool has_row = holder->user_kind == USER_SUBSCRIBER || holder->user_kind == USER_EMBEDDED;

    run->read.found = true;
    if (!has_row || users_by_id(run->service->users, &holder->project, &holder->user))
        then(run);
    else
        run_read(run, READ_USER_BY_ID, &holder->project, &holder->user, BYTES_NONE, then);
}

static void look_at_access(struct run *run)
{
    struct holder *holder = &run->outcome.holder;
    enum refusal refusal;
    enum err e = issue_verify(holder, &refusal, &run->finding, run->arena, &run->service->issuer,
                              run->ask.introspect.token, lease_facts(run->lease), run->now_ms);

    if (e)
        run_fail(run, e);
    else if (refusal || !uuid_equal(&holder->project, &run->project->id) || is_cut(run))
        tell_inactive(run);
    else
        find_user(run, user_read);
}

/* ---- refresh tokens ---- */

static struct holder holder_of(const struct grant *grant)
{
    return (struct holder){.project = grant->project,
                           .user = grant->user,
                           .application = grant->application,
                           .family = grant->family,
                           .user_kind = grant->user_kind,
                           .kind = grant->kind,
                           .may_self_refresh = grant->may_self_refresh,
                           .jkt = grant->jkt,
                           .parent_key = grant->parent_key,
                           .resource = grant->resource,
                           .inviter = grant->inviter,
                           .iat_s = grant->iat_s,
                           .exp_s = grant->refresh_exp_s,
                           .gt_ms = grant->gt_ms,
                           .age_ms = grant->age_ms};
}

static void family_read(struct run *run)
{
    const struct rotate_facts *facts = run->kept;

    if (rotate_is_present(facts, run->read.found ? &run->read.family : NULL))
        tell_active(run);
    else
        tell_inactive(run);
}

static void user_of_family_read(struct run *run)
{
    const struct rotate_facts *facts = run->kept;
    struct family family = {.id = facts->presented.family,
                            .project = facts->presented.project,
                            .bucket_s = rotate_bucket_s(&facts->presented)};

    if (run->read.found)
        run_read_family(run, &family, family_read);
    else
        tell_inactive(run);
}

static void look_at_refresh(struct run *run)
{
    struct rotate_facts *facts = arena_alloc(run->arena, sizeof *facts);
    bool is_ours = false;
    enum err e = ERR_NO_MEMORY;

    if (facts) {
        memset(facts, 0, sizeof *facts);
        e = issue_open_refresh(&is_ours, &facts->presented, &run->finding, run->arena, &run->service->issuer,
                               run->ask.introspect.token);
    }
    if (e) {
        run_fail(run, e);
        return;
    }
    run->kept = facts;
    if (!is_ours) {
        tell_inactive(run);
        return;
    }
    facts->project = run->project;
    facts->key = run->key;
    facts->pruned_through_s = lease_facts(run->lease)->pruned_through_s;
    facts->cutoff_ms = INT64_MIN;
    run->outcome.holder = holder_of(&facts->presented);
    run->outcome.introspected.is_refresh = true;
    if (rotate_check(facts, run->now_ms).refusal || is_cut(run))
        tell_inactive(run);
    else
        find_user(run, user_of_family_read);
}

static void look(struct run *run)
{
    enum presented kind = presented_kind(run->ask.introspect.token);

    if (kind == PRESENTED_JWS)
        look_at_access(run);
    else if (kind == PRESENTED_REFRESH)
        look_at_refresh(run);
    else
        tell_inactive(run);
}

void run_introspect(struct run *run)
{
    if (run_authenticate_key(run) && run_goes_on(run)) run_once_first(run, look);
}
