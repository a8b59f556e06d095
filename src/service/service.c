#include "service/service_run.h"

#include <stdlib.h>
#include <string.h>

#include "service/key_text.h"

enum err service_new(struct service **out, const struct service_options *options, struct publication *facts)
{
    struct service *service = calloc(1, sizeof *service);
    enum err e = ERR_NO_MEMORY;

    *out = NULL;
    if (!service) return e;
    service->options = *options;
    TRY(e = key_bench_open(&service->bench, options->ring, options->epoch), done);
    TRY(e = issuer_open(&service->issuer, &service->bench, options->url, options->ch), done);
    TRY(e = users_new(&service->users, options->users_max, dice_u64(&options->dice)), done);
    TRY(e = lease_new(&service->lease, facts), done);
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
    users_free(service->users);
    issuer_release(&service->issuer);
    key_bench_release(&service->bench);
    free(service);
}

/* Without memory for a lease the lane stays on the facts it has; the publication counts one lane less. The
 * watcher tries again with the next version. */
void service_take_facts(struct service *service, struct publication *facts)
{
    struct lease *lease;

    if (lease_new(&lease, facts)) {
        struct lease refused = {facts, 1};
        if (atomic_fetch_sub_explicit(&refused.publication->lanes, 1, memory_order_acq_rel) == 1) {
            facts_free(facts->facts);
            free(facts);
        }
        return;
    }
    lease_drop(service->lease);
    service->lease = lease;
}

const struct facts *service_facts(const struct service *service)
{
    return lease_facts(service->lease);
}

void service_forget_user(struct service *service, const struct uuid *project, const struct uuid *id)
{
    users_forget(service->users, project, id);
}

void run_finish(struct run *run, enum outcome_kind kind)
{
    run->outcome.kind = kind;
    lease_drop(run->lease);
    run->lease = NULL;
    run->done(run); /* may free or reuse the run: nothing of it is touched after this */
}

void run_refuse(struct run *run, enum refusal refusal, enum ask_field field, const char *because)
{
    run->outcome.refused = (struct refused){refusal, field, because};
    run_finish(run, OUTCOME_REFUSED);
}

void run_fail(struct run *run, enum err error)
{
    run->outcome.error = error;
    run_finish(run, OUTCOME_FAILED);
}

static void (*then_of(struct run *run))(struct run *)
{
    void (*then)(struct run *);

    memcpy(&then, run->errand, sizeof then);
    return then;
}

static void set_then(struct run *run, void (*then)(struct run *))
{
    memcpy(run->errand, &then, sizeof then);
}

static void read_answered(struct mail *mail)
{
    struct run *run = (struct run *)(void *)((char *)mail - offsetof(struct run, read.mail));

    if (run->read.error)
        run_fail(run, run->read.error);
    else
        then_of(run)(run);
}

void run_read(struct run *run, enum read_kind kind, const struct uuid *project, const struct uuid *id,
              struct bytes text, void (*then)(struct run *run))
{
    struct service *service = run->service;

    memset(&run->read, 0, sizeof run->read);
    run->read.mail.open = read_answered;
    run->read.post = service->options.post;
    run->read.to = service->options.lane;
    run->read.kind = kind;
    run->read.project = *project;
    if (id) run->read.id = *id;
    run->read.text = text;
    run->read.arena = run->arena;
    set_then(run, then);
    service->options.store->ops->read(service->options.store, &run->read);
}

static void commit_answered(struct mail *mail)
{
    struct run *run = (struct run *)(void *)((char *)mail - offsetof(struct run, commit.mail));

    if (run->commit.error)
        run_fail(run, run->commit.error);
    else
        then_of(run)(run);
}

void run_commit(struct run *run, void (*then)(struct run *run))
{
    struct service *service = run->service;

    memset(&run->commit, 0, sizeof run->commit);
    run->commit.mail.open = commit_answered;
    run->commit.post = service->options.post;
    run->commit.to = service->options.lane;
    run->commit.writes = run->plan.writes;
    run->commit.write_count = run->plan.write_count;
    run->commit.rows = run->rows;
    run->commit.arena = run->arena;
    set_then(run, then);
    service->options.store->ops->commit(service->options.store, &run->commit);
}

void run_remember(struct run *run, const struct user *user, bool changed)
{
    struct service *service = run->service;

    if (changed && service->options.user_changed)
        service->options.user_changed(service->options.lane, &user->project, &user->id);
    users_put(service->users, user);
}

/* An unknown key is hashed all the same, so that its answer takes as long as a known key's. */
static enum refusal check_secret(struct run *run, enum key_kind kind, const struct uuid *project,
                                 struct bytes secret)
{
    static const uint8_t no_hash[KEY_HASH_LEN] = {0};
    const struct facts *facts = lease_facts(run->lease);
    struct bytes public_id = key_text_public_id(kind, secret);
    const struct fact_key *key = bytes_is_absent(public_id) ? NULL : facts_key(facts, public_id);
    bool is_theirs = key && key->kind == kind && uuid_equal(&key->project, project);
    uint8_t hash[KEY_HASH_LEN];
    bool is_equal;

    run->error = keyring_hash(hash, &run->service->bench, secret);
    if (run->error) return REFUSAL_KEY_UNKNOWN;
    is_equal = secret_equal_bytes(bytes_of(hash, sizeof hash),
                                  bytes_of(is_theirs ? key->hash : no_hash, sizeof hash));
    if (!is_theirs) return REFUSAL_KEY_UNKNOWN;
    if (!is_equal) return REFUSAL_KEY_SECRET_WRONG;
    if (key->is_retired) return REFUSAL_KEY_RETIRED;
    run->key = key;
    run->project = facts_project(facts, project);
    return run->project ? REFUSAL_NONE : REFUSAL_KEY_UNKNOWN;
}

/* A secret that comes with an Origin sits in a web page: anyone who opens that page has it. Test projects
 * may, so that our own demo pages can show the whole way. */
static enum refusal check_origin_of_secret(const struct run *run)
{
    if (bytes_is_absent(run->ask.origin)) return REFUSAL_NONE;
    if (!run->project->is_test) return REFUSAL_SECRET_FROM_BROWSER;
    return facts_project_lists(run->project, run->ask.origin) ? REFUSAL_NONE : REFUSAL_SECRET_FROM_BROWSER;
}

bool run_authenticate_key(struct run *run)
{
    const struct credential *credential = &run->ask.credential;
    enum refusal refusal = REFUSAL_NONE;
    struct uuid project;

    if (credential->kind == CREDENTIAL_NONE)
        refusal = REFUSAL_CREDENTIAL_MISSING;
    else if (credential->kind != CREDENTIAL_BASIC || uuid_read(&project, credential->user) ||
             !credential->password.len)
        refusal = REFUSAL_CREDENTIAL_MALFORMED;
    else
        refusal = check_secret(run, KEY_API_TOKEN, &project, credential->password);
    if (!refusal) refusal = check_origin_of_secret(run);
    if (run->error)
        run_fail(run, run->error);
    else if (refusal)
        run_refuse(run, refusal, FIELD_NONE, NULL);
    return !refusal && !run->error;
}

void service_start(struct service *service, struct run *run)
{
    memset(&run->outcome, 0, sizeof run->outcome);
    run->service = service;
    run->lease = lease_hold(service->lease);
    run->project = NULL;
    run->key = NULL;
    run->error = ERR_OK;
    run->has_password_hash = false;
    run->tries = 0;
    switch (run->ask.kind) {
    case ASK_MINT_SUBSCRIBER:
        run_mint(run);
        return;
    case ASK_WHO_AM_I:
        run_who(run);
        return;
    case ASK_ADDRESSES:
        run_addresses(run);
        return;
    case ASK_CONNECT:
        run_connect(run);
        return;
    case ASK_NONE:
    case ASK_KIND_COUNT:
        run_fail(run, ERR_MALFORMED);
        return;
    }
}
