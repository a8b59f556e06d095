#include "service/cutoffs.h"
#include "service/service_run.h"

#include <stdlib.h>
#include <string.h>

enum err service_new(struct service **out, const struct service_options *options, struct publication *facts)
{
    struct service *service = calloc(1, sizeof *service);
    enum err e = ERR_NO_MEMORY;

    *out = NULL;
    if (!service) return e;
    service->options = *options;
    TRY(e = service_take_ring(service, options->ring, options->epoch), done);
    TRY(e = users_new(&service->users, options->users_max, dice_u64(&options->dice)), done);
    TRY(e = cutoffs_new(&service->cutoffs, dice_u64(&options->dice)), done);
    TRY(e = lease_new(&service->lease, facts), done);
    key_uses_open(&service->uses, options->store, options->post, options->lane);
    *out = service;
    service = NULL;
done:
    service_free(service);
    return e;
}

void service_free(struct service *service)
{
    if (!service) return;
    lease_drop(service->lease);
    cutoffs_free(service->cutoffs);
    users_free(service->users);
    issuer_release(&service->issuer);
    desks_free(&service->desks);
    free(service);
}

enum err service_take_ring(struct service *service, struct keyring *ring, uint64_t epoch)
{
    const struct service_options *options = &service->options;
    struct desk *desk;
    struct issuer issuer;
    enum err e;

    if (service->desk && service->desk->ring == ring && service->desk->epoch == epoch) return ERR_OK;
    if ((e = desk_new(&desk, &service->desks, ring, epoch))) return e;
    if ((e = issuer_open(&issuer, &desk->bench, options->url, options->ch))) {
        issuer_release(&issuer);
        desk_drop(desk);
        return e;
    }
    issuer_release(&service->issuer);
    service->issuer = issuer;
    service->issuer.bench = &service->bench;
    service->bench = desk->bench;
    desk_drop(service->desk);
    service->desk = desk;
    return ERR_OK;
}

struct keyring *service_ring(const struct service *service)
{
    return service->desk->ring;
}

/* Without memory for a lease the lane stays on the facts it has; the publication counts one lane less. */
enum err service_take_facts(struct service *service, struct publication *facts)
{
    struct lease *lease;
    enum err e = lease_new(&lease, facts);

    if (e) {
        publication_let_go(facts);
        return e;
    }
    lease_drop(service->lease);
    service->lease = lease;
    return ERR_OK;
}

void service_close_store(struct service *service)
{
    service->options.store = NULL;
    key_uses_close(&service->uses);
}

const struct facts *service_facts(const struct service *service)
{
    return lease_facts(service->lease);
}

void service_forget_user(struct service *service, const struct uuid *project, const struct uuid *id)
{
    service->changes++;
    users_forget(service->users, project, id);
}

const struct user *service_known_user(const struct service *service, const struct uuid *project,
                                      const struct uuid *id)
{
    return users_by_id(service->users, project, id);
}

enum err service_take_cutoff(struct service *service, const struct cutoff *cutoff)
{
    return cutoffs_put(service->cutoffs, cutoff);
}

void run_finish(struct run *run, enum outcome_kind kind)
{
    struct desk *desk = run->desk; /* the answer may point into it */

    if (run_once_delays(run, kind)) return;
    run->outcome.kind = kind;
    run->of = run->project ? run->project->id : (struct uuid){{0}};
    lease_drop(run->lease);
    run->lease = NULL;
    run->desk = NULL;
    run->done(run); /* may free or reuse the run: nothing of it is touched after this */
    desk_drop(desk);
}

static int64_t cutoff_ms_of(const struct cutoffs *cutoffs, const struct lineage *lineage)
{
    const struct {
        enum cutoff_of of;
        struct bytes id;
    } names[] = {
        {CUTOFF_PROJECT, uuid_bytes(lineage->project)},
        {CUTOFF_KEY, lineage->key},
        {CUTOFF_USER, lineage->user ? uuid_bytes(lineage->user) : BYTES_NONE},
        {CUTOFF_USER, lineage->inviter ? uuid_bytes(lineage->inviter) : BYTES_NONE},
        {CUTOFF_FAMILY, lineage->family ? uuid_bytes(lineage->family) : BYTES_NONE},
        {CUTOFF_RESOURCE, lineage->resource ? uuid_bytes(lineage->resource) : BYTES_NONE},
    };
    int64_t greatest = INT64_MIN;
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        int64_t t_ms = cutoffs_of(cutoffs, names[i].of, lineage->project, names[i].id);
        if (t_ms > greatest) greatest = t_ms;
    }
    return greatest;
}

int64_t run_cutoff_ms(const struct run *run, const struct lineage *lineage)
{
    return cutoff_ms_of(run->service->cutoffs, lineage);
}

int64_t service_cutoff_ms(const struct service *service, const struct holder *holder)
{
    const struct lineage lineage = {.project = &holder->project,
                                    .user = &holder->user,
                                    .family = &holder->family,
                                    .resource = &holder->resource,
                                    .inviter = &holder->inviter,
                                    .key = holder->parent_key};

    return cutoff_ms_of(service->cutoffs, &lineage);
}

enum err service_seal_resume(struct service *service, struct buf *out, const struct resume_state *state)
{
    return issue_resume(out, &service->issuer, state);
}

struct finding *run_finding(struct run *run, const char *check)
{
    struct finding *finding = &run->finding;
    const struct holder *holder = &run->outcome.holder;

    finding_clear(finding);
    finding_check(finding, check);
    run->has_finding = true;
    if (run->project) {
        finding->project = run->project->id;
        finding->user = holder->user;
        finding->family = holder->family;
    }
    if (run->key) finding_key(finding, run->key->public_id);
    return finding;
}

static void end_finding(struct run *run, const struct refused *refused, enum err error)
{
    if (!run->has_finding) (void)run_finding(run, NULL);
    finding_complete(&run->finding, refused, error);
    run->finding.has_credential =
        run->ask.credential.kind != CREDENTIAL_NONE ||
        (run->ask.kind == ASK_CONNECT && run->ask.connect.token.len) ||
        (run->ask.kind == ASK_REAUTHENTICATE && run->ask.reauthenticate.token.len) ||
        (run->ask.kind == ASK_REDEEM && run->ask.redeem.ticket.len);
}

bool run_goes_on(struct run *run)
{
    if (run->unreadable)
        run_fail(run, run->unreadable);
    else if (run->refused.refusal)
        run_refuse_as(run, &run->refused);
    else
        return true;
    return false;
}

/* A refused outcome speaks for nobody, however far the token came. */
void run_refuse(struct run *run, enum refusal refusal, enum ask_field field, const char *because)
{
    end_finding(run, &(struct refused){refusal, field, because}, ERR_OK);
    memset(&run->outcome.holder, 0, sizeof run->outcome.holder);
    run->outcome.refused = (struct refused){refusal, field, because};
    run_finish(run, OUTCOME_REFUSED);
}

void run_refuse_as(struct run *run, const struct refused *refused)
{
    run_refuse(run, refused->refusal, refused->field, refused->because);
}

void run_fail(struct run *run, enum err error)
{
    end_finding(run, &(struct refused){0}, error);
    run->outcome.error = error;
    run_finish(run, OUTCOME_FAILED);
}

bool run_limit(struct run *run, enum limit limit, struct bytes of)
{
    const struct service_options *options = &run->service->options;
    struct finding *finding;

    if (!options->may || options->may(options->lane, &run->outcome.retry_after_ms, limit, of)) return true;
    finding = run_finding(run, "limit");
    finding_expected(finding, "no more than the limit %s allows", limit_text(limit));
    finding_seen(finding, "one more; the next may come in %lld ms", (long long)run->outcome.retry_after_ms);
    run_refuse(run, REFUSAL_RATE_LIMITED, FIELD_NONE, NULL);
    return false;
}

static void read_answered(struct mail *mail)
{
    struct run *run = (struct run *)(void *)((char *)mail - offsetof(struct run, read.mail));

    if (run->read.error == ERR_MALFORMED && run->read.kind == READ_USERS)
        run_refuse(run, REFUSAL_PARAMETER_INVALID, FIELD_PAGE, "is no token of a page of ours");
    else if (run->read.error)
        run_fail(run, run->read.error);
    else
        run->then(run);
}

static void read_prepare(struct run *run, enum read_kind kind, const struct uuid *project,
                         void (*then)(struct run *run))
{
    struct service *service = run->service;

    memset(&run->read, 0, sizeof run->read);
    run->read.mail.open = read_answered;
    run->read.post = service->options.post;
    run->read.to = service->options.lane;
    run->read.kind = kind;
    run->read.project = *project;
    run->read.arena = run->arena;
    run->changes_before_read = service->changes;
    run->then = then;
}

static void read_send(struct run *run)
{
    struct store *store = run->service->options.store;

    if (store)
        store->ops->read(store, &run->read);
    else
        run_fail(run, ERR_STOPPING);
}

void run_read(struct run *run, enum read_kind kind, const struct uuid *project, const struct uuid *id,
              struct bytes text, void (*then)(struct run *run))
{
    read_prepare(run, kind, project, then);
    if (id) run->read.id = *id;
    run->read.text = text;
    if (kind == READ_INTERVIEW) run->read.owner = run->outcome.holder.user; /* nobody reads another's */
    run->read.limit = run->read_limit;
    read_send(run);
}

static void addresses_read(struct run *run)
{
    size_t i;

    for (i = 0; i < run->read.address_count && run->found_count < ADDRESSES_MAX; i++)
        run->found[run->found_count++] = run->read.addresses[i];
    run->then_found(run);
}

/* The snapshot knows those of resources; what it does not know may be a user's. */
void run_find_addresses(struct run *run, const struct uuid *ids, size_t count, void (*then)(struct run *run))
{
    struct uuid *missing = arena_alloc(run->arena, ADDRESSES_MAX * sizeof *missing);
    size_t i, missing_count = 0;

    run->found = arena_alloc(run->arena, ADDRESSES_MAX * sizeof *run->found);
    run->found_count = 0;
    if (!missing || !run->found) {
        run_fail(run, ERR_NO_MEMORY);
        return;
    }
    for (i = 0; i < count && i < ADDRESSES_MAX; i++) {
        const struct address *address =
            facts_address_by_id(lease_facts(run->lease), &run->project->id, &ids[i]);
        if (address)
            run->found[run->found_count++] = *address;
        else
            missing[missing_count++] = ids[i];
    }
    run->then_found = then;
    if (!missing_count) {
        then(run);
        return;
    }
    read_prepare(run, READ_ADDRESSES, &run->project->id, addresses_read);
    run->read.ids = missing;
    run->read.id_count = missing_count;
    read_send(run);
}

void run_read_family(struct run *run, const struct family *family, void (*then)(struct run *run))
{
    read_prepare(run, READ_FAMILY, &family->project, then);
    run->read.id = family->id;
    run->read.bucket_s = family->bucket_s;
    read_send(run);
}

void run_read_page(struct run *run, struct bytes cursor, uint32_t limit, void (*then)(struct run *run))
{
    run->read_limit = limit;
    run_read(run, READ_USERS, &run->project->id, NULL, cursor, then);
}

static void commit_answered(struct mail *mail)
{
    struct run *run = (struct run *)(void *)((char *)mail - offsetof(struct run, commit.mail));

    if (!run_once_settles(run)) return;
    if (run->commit.error && run->unsure)
        run->unsure(run);
    else if (run->commit.error)
        run_fail(run, run->commit.error);
    else
        run->then(run);
}

void run_commit(struct run *run, void (*then)(struct run *run))
{
    run_commit_or(run, then, NULL);
}

void run_commit_or(struct run *run, void (*then)(struct run *run), void (*unsure)(struct run *run))
{
    struct service *service = run->service;

    if (!service->options.store) {
        run_fail(run, ERR_STOPPING);
        return;
    }
    memset(&run->commit, 0, sizeof run->commit);
    run->commit.mail.open = commit_answered;
    run->commit.post = service->options.post;
    run->commit.to = service->options.lane;
    run->commit.writes = run->plan.writes;
    run->commit.write_count = run->plan.write_count;
    run->commit.rows = run->rows;
    run->commit.arena = run->arena;
    run_once_joins(run);
    run->unsure = unsure;
    run->then = then;
    service->options.store->ops->commit(service->options.store, &run->commit);
}

static void cut_everywhere(struct run *run, size_t sessions_closed)
{
    run->sessions_closed = sessions_closed;
    run->then(run);
}

void run_cut(struct run *run, const struct cutoff *cutoff, void (*then)(struct run *run))
{
    const struct service_options *options = &run->service->options;

    run->then = then;
    options->cut(options->lane, run, cutoff, cut_everywhere);
}

void run_remember(struct run *run, const struct user *user, bool changed)
{
    struct service *service = run->service;

    service->changes += changed;
    if (changed && service->options.user_changed)
        service->options.user_changed(service->options.lane, &user->project, &user->id);
    users_put(service->users, user);
}

/* A read is answered by another thread than a commit: it may have seen the row before a change that we heard
 * of first. Which user changed is not looked at; a read that is not remembered is only read again. */
void run_remember_read(struct run *run)
{
    if (run->changes_before_read == run->service->changes) run_remember(run, &run->read.user, false);
}

/* Whichever of the two clocks is right, by the other one something would be granted too long. What takes
 * rights away may go on. */
static void refuse_between_clocks(struct run *run)
{
    struct finding *finding = run_finding(run, "clock.confirmed");

    finding_expected(finding, "a clock that nobody has set far forward, or an operator's confirmation");
    finding_seen(finding, "a step of %lld s, unconfirmed", (long long)(run->step_ms / 1000));
    run_fail(run, ERR_CLOCK_STEPPED);
}

static void run_describe(struct run *run)
{
    run_finish(run, OUTCOME_DESCRIBED);
}

/* One row for each thing that can be asked; what has none is refused. */
static void (*const ways[ASK_KIND_COUNT])(struct run *run) = {
    [ASK_MINT_SUBSCRIBER] = run_mint,
    [ASK_REFRESH] = run_refresh,
    [ASK_WHO_AM_I] = run_who,
    [ASK_ADDRESSES] = run_addresses,
    [ASK_CONNECT] = run_connect,
    [ASK_REAUTHENTICATE] = run_reauthenticate,
    [ASK_DIAL] = run_dial,
    [ASK_LAUNCH] = run_launch,
    [ASK_BOOTSTRAP] = run_bootstrap,
    [ASK_REDEEM] = run_redeem,
    [ASK_VISIT] = run_visit,
    [ASK_PARTICIPANT] = run_participant,
    [ASK_STUDY] = run_study,
    [ASK_INTERVIEW] = run_interview,
    [ASK_USER] = run_user,
    [ASK_USERS] = run_users,
    [ASK_RESOURCE] = run_resource,
    [ASK_RESOURCES] = run_resources,
    [ASK_MAKE_KEY] = run_make_key,
    [ASK_MINT_GUEST] = run_guest,
    [ASK_MINT_INVITE] = run_invite,
    [ASK_MINT_EMBED] = run_embed,
    [ASK_BIND] = run_bind,
    [ASK_ADDRESS] = run_address,
    [ASK_REVOKE] = run_revoke,
    [ASK_INTROSPECT] = run_introspect,
    [ASK_REVOCATIONS] = run_revocations,
    [ASK_DESCRIBE] = run_describe,
};

void service_start(struct service *service, struct run *run)
{
    memset(&run->outcome, 0, sizeof run->outcome);
    run->outcome.now_s = run->now_ms / 1000;
    run->outcome.issuer = service->options.url;
    run->service = service;
    run->lease = lease_hold(service->lease);
    run->desk = desk_hold(service->desk);
    run->project = NULL;
    run->key = NULL;
    run->error = ERR_OK;
    run->has_password_hash = run->has_finding = false;
    run->tries = 0;
    run->found = NULL;
    run->found_count = 0;
    run->read_limit = 0;
    run->sessions_closed = 0;
    run->unsure = NULL;
    run->kept = NULL;
    run->once = NULL;
    if (run->step_ms && run->ask.kind != ASK_REVOKE && run->ask.kind != ASK_DESCRIBE) {
        refuse_between_clocks(run);
        return;
    }
    if (ways[run->ask.kind])
        ways[run->ask.kind](run);
    else
        run_fail(run, ERR_MALFORMED);
}
