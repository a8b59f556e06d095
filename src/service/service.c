#include "service/service_run.h"

#include <stdlib.h>
#include <string.h>

#include "service/key_text.h"
#include "service/presented.h"

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

void run_finish(struct run *run, enum outcome_kind kind)
{
    run->outcome.kind = kind;
    lease_drop(run->lease);
    run->lease = NULL;
    run->done(run); /* may free or reuse the run: nothing of it is touched after this */
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
    run->finding.has_credential = run->ask.credential.kind != CREDENTIAL_NONE ||
                                  (run->ask.kind == ASK_CONNECT && run->ask.connect.token.len);
}

/* A refused outcome speaks for nobody, however far the token came. */
void run_refuse(struct run *run, enum refusal refusal, enum ask_field field, const char *because)
{
    end_finding(run, &(struct refused){refusal, field, because}, ERR_OK);
    memset(&run->outcome.holder, 0, sizeof run->outcome.holder);
    run->outcome.refused = (struct refused){refusal, field, because};
    run_finish(run, OUTCOME_REFUSED);
}

void run_fail(struct run *run, enum err error)
{
    end_finding(run, &(struct refused){0}, error);
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

    if (!service->options.store) {
        run_fail(run, ERR_STOPPING);
        return;
    }
    memset(&run->read, 0, sizeof run->read);
    run->read.mail.open = read_answered;
    run->read.post = service->options.post;
    run->read.to = service->options.lane;
    run->read.kind = kind;
    run->read.project = *project;
    if (id) run->read.id = *id;
    run->read.text = text;
    run->read.arena = run->arena;
    run->changes_before_read = service->changes;
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
    set_then(run, then);
    service->options.store->ops->commit(service->options.store, &run->commit);
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

struct key_holder {
    const struct fact_project *project;
    const struct fact_key *key;
    struct finding *finding;
};

static void found_no_key(struct finding *finding, const struct fact_key *key, struct bytes public_id,
                         const struct uuid *project, struct bytes secret)
{
    char claimed[UUID_TEXT_LEN];

    uuid_write(claimed, project);
    finding_clear(finding);
    finding_check(finding, bytes_is_absent(public_id) ? "key.form" : "key.known");
    if (bytes_is_absent(public_id)) {
        finding_expected(finding, "the api token of project %.36s: PT and 56 hex digits", claimed);
        finding_seen(finding, "%s, %zu bytes", presented_text(presented_kind(secret)), secret.len);
        return;
    }
    finding_key(finding, public_id);
    finding_expected(finding, "a key of project %.36s", claimed);
    finding_seen(finding, "%.*s, which is %s", FINDING_BYTES(public_id, KEY_PUBLIC_ID_MAX),
                 key ? "another project's" : "no key of this server");
}

static void found_bad_key(struct finding *finding, enum refusal refusal, const struct fact_key *key,
                          struct bytes secret)
{
    finding_clear(finding);
    finding_key(finding, key->public_id);
    if (refusal == REFUSAL_KEY_SECRET_WRONG) {
        finding_check(finding, "key.secret");
        finding_expected(finding, "the secret that belongs to key %s", finding->key);
        finding_seen(finding, "another one of %zu bytes", secret.len);
        return;
    }
    finding_check(finding, "key.live");
    finding->project = key->project; /* whoever knows the secret is theirs */
    finding_expected(finding, "a key in use, of a project that is there");
    finding_seen(finding, "key %s, %s", finding->key, key->is_retired ? "retired" : "whose project is gone");
}

/* An unknown key is hashed all the same, so that its answer takes as long as a known key's. */
static enum err check_secret(enum refusal *out, struct key_holder *holder, struct service *service,
                             const struct facts *facts, enum key_kind kind, const struct uuid *project,
                             struct bytes secret)
{
    static const uint8_t no_hash[KEY_HASH_LEN] = {0};
    struct bytes public_id = key_text_public_id(kind, secret);
    const struct fact_key *key = bytes_is_absent(public_id) ? NULL : facts_key(facts, public_id);
    bool is_theirs = key && key->kind == kind && uuid_equal(&key->project, project);
    uint8_t hash[KEY_HASH_LEN];
    bool is_equal;
    enum err e = keyring_hash(hash, &service->bench, secret);

    *out = REFUSAL_KEY_UNKNOWN;
    if (e) return e;
    is_equal = secret_equal_bytes(bytes_of(hash, sizeof hash),
                                  bytes_of(is_theirs ? key->hash : no_hash, sizeof hash));
    if (!is_theirs) {
        found_no_key(holder->finding, key, public_id, project, secret);
        return ERR_OK;
    }
    holder->key = key;
    holder->project = facts_project(facts, project);
    *out = !is_equal          ? REFUSAL_KEY_SECRET_WRONG
           : key->is_retired  ? REFUSAL_KEY_RETIRED
           : !holder->project ? REFUSAL_KEY_UNKNOWN
                              : REFUSAL_NONE;
    if (*out) found_bad_key(holder->finding, *out, key, secret);
    return ERR_OK;
}

void run_found_origins(struct finding *finding, const struct fact_project *project, struct bytes origin)
{
    char list[FINDING_TEXT_MAX] = "";
    size_t i, at = 0;

    for (i = 0; i < project->origin_count && at + 2 < sizeof list; i++) {
        struct bytes listed = bytes_part(project->origins[i], 0, sizeof list - 2 - at);
        if (i) list[at++] = ' ';
        memcpy(list + at, listed.ptr, listed.len);
        at += listed.len;
    }
    list[at < sizeof list ? at : sizeof list - 1] = 0;
    finding_expected(finding, "%s", at ? list : "no Origin: the project lists none");
    finding_seen(finding, "Origin %.*s", FINDING_BYTES(origin, ORIGIN_MAX));
}

/* A secret that comes with an Origin sits in a web page: anyone who opens that page has it. Test projects
 * may, so that our own demo pages can show the whole way. */
static enum refusal check_origin_of_secret(const struct key_holder *holder, struct bytes origin)
{
    const struct fact_project *project = holder->project;
    struct finding *finding = holder->finding;

    if (bytes_is_absent(origin)) return REFUSAL_NONE;
    if (project->is_test && facts_project_lists(project, origin)) return REFUSAL_NONE;
    finding_clear(finding);
    finding_check(finding, "key.no_origin");
    finding_key(finding, holder->key->public_id);
    finding->project = project->id;
    run_found_origins(finding, project, origin);
    if (!project->is_test) finding_expected(finding, "no Origin: this is the secret of a live project");
    return REFUSAL_SECRET_FROM_BROWSER;
}

static void found_no_basic(struct finding *finding, const struct credential *credential)
{
    finding_clear(finding);
    finding_check(finding, credential->kind == CREDENTIAL_NONE ? "credential.present" : "credential.form");
    finding_expected(finding, "Authorization: Basic, project id (a UUID) and api token");
    switch (credential->kind) {
    case CREDENTIAL_NONE:
        finding_seen(finding, "no Authorization field");
        break;
    case CREDENTIAL_BASIC:
        finding_seen(finding, "Basic with %s as project id and %s as api token",
                     presented_text(presented_kind(credential->user)),
                     presented_text(presented_kind(credential->password)));
        break;
    case CREDENTIAL_BEARER:
        finding_seen(finding, "Bearer with %s", presented_text(presented_kind(credential->token)));
        break;
    case CREDENTIAL_BAD:
        finding_seen(finding, "Authorization that is neither one whole Basic nor one whole Bearer");
        break;
    }
}

static enum err check_key(enum refusal *out, struct key_holder *holder, struct service *service,
                          const struct facts *facts, const struct credential *credential, struct bytes origin)
{
    struct uuid project;
    enum err e;

    if (credential->kind != CREDENTIAL_BASIC || uuid_read(&project, credential->user) ||
        !credential->password.len) {
        *out =
            credential->kind == CREDENTIAL_NONE ? REFUSAL_CREDENTIAL_MISSING : REFUSAL_CREDENTIAL_MALFORMED;
        found_no_basic(holder->finding, credential);
        return ERR_OK;
    }
    e = check_secret(out, holder, service, facts, KEY_API_TOKEN, &project, credential->password);
    if (!e && !*out) *out = check_origin_of_secret(holder, origin);
    return e;
}

enum err service_check_key(enum refusal *out, struct service *service, const struct credential *credential,
                           struct bytes origin, struct finding *finding)
{
    struct key_holder holder = {.finding = finding};
    enum err e = check_key(out, &holder, service, lease_facts(service->lease), credential, origin);

    if (e) {
        *out = REFUSAL_NONE;
        finding_clear(finding);
    }
    if (e || *out) finding_complete(finding, &(struct refused){.refusal = *out}, e);
    finding->has_credential = credential->kind != CREDENTIAL_NONE;
    return e;
}

bool run_authenticate_key(struct run *run)
{
    struct key_holder holder = {.finding = &run->finding};
    enum refusal refusal;
    enum err e = check_key(&refusal, &holder, run->service, lease_facts(run->lease), &run->ask.credential,
                           run->ask.origin);

    if (!e && !refusal) {
        run->project = holder.project;
        run->key = holder.key;
        return true;
    }
    if (e)
        run_fail(run, e);
    else {
        run->has_finding = true;
        run_refuse(run, refusal, FIELD_NONE, NULL);
    }
    return false;
}

void service_start(struct service *service, struct run *run)
{
    memset(&run->outcome, 0, sizeof run->outcome);
    run->service = service;
    run->lease = lease_hold(service->lease);
    run->project = NULL;
    run->key = NULL;
    run->error = ERR_OK;
    run->has_password_hash = run->has_finding = false;
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
