/* authenticate_key.c — which of a project's keys asks: found by its public id, proved by its secret. */
#include <string.h>

#include "base/secret.h"
#include "service/key_text.h"
#include "service/presented.h"
#include "service/service_run.h"

struct key_holder {
    const struct fact_project *project;
    const struct fact_key *key;
    struct finding *finding;
};

/* What was presented as a key, by its form: nothing of it is proved yet. */
struct claim {
    enum key_kind kind; /* 0: no form of a key that may ask this */
    struct bytes public_id, secret;
    bool names_project; /* Basic project:token; all other keys are found by their own id */
    struct uuid project;
};

static void found_no_key(struct finding *finding, const struct fact_key *key, const struct claim *claim)
{
    struct bytes public_id = claim->public_id, secret = claim->secret;
    char claimed[UUID_TEXT_LEN];

    uuid_write(claimed, &claim->project);
    finding_clear(finding);
    finding_check(finding, bytes_is_absent(public_id) ? "key.form" : "key.known");
    if (bytes_is_absent(public_id)) {
        if (claim->names_project)
            finding_expected(finding, "the api token of project %.36s: PT and 56 hex digits", claimed);
        else
            finding_expected(finding, "%s, whole",
                             claim->kind == KEY_CLIENT ? "cli_ and 24 hex digits, sec_ and 48"
                                                       : "sk_test_ or sk_live_ and 56 hex digits");
        finding_seen(finding, "%s, %zu bytes", presented_text(presented_kind(secret)), secret.len);
        return;
    }
    finding_key(finding, public_id);
    if (claim->names_project)
        finding_expected(finding, "a key of project %.36s", claimed);
    else
        finding_expected(finding, "a key of this server");
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
        if (bytes_is_absent(key->public_key))
            finding_seen(finding, "another one of %zu bytes", secret.len);
        else
            finding_seen(finding, "a secret, of a key that has none: it signs assertions");
        return;
    }
    finding_check(finding, "key.live");
    finding->project = key->project; /* whoever knows the secret is theirs */
    finding_expected(finding, "a key in use, of a project that is there");
    finding_seen(finding, "key %s, %s", finding->key, key->is_retired ? "retired" : "whose project is gone");
}

/* An unknown key is hashed all the same, so that its answer takes as long as a known key's. */
static enum err check_secret(enum refusal *out, struct key_holder *holder, struct service *service,
                             const struct facts *facts, const struct claim *claim)
{
    static const uint8_t no_hash[KEY_HASH_LEN] = {0};
    const struct fact_key *key =
        bytes_is_absent(claim->public_id) ? NULL : facts_key(facts, claim->public_id);
    bool is_theirs = key && key->kind == claim->kind &&
                     (!claim->names_project || uuid_equal(&key->project, &claim->project));
    uint8_t hash[KEY_HASH_LEN];
    bool is_equal;
    enum err e = keyring_hash(hash, &service->bench, claim->secret);

    *out = REFUSAL_KEY_UNKNOWN;
    if (e) return e;
    is_equal = secret_equal_bytes(bytes_of(hash, sizeof hash),
                                  bytes_of(is_theirs ? key->hash : no_hash, sizeof hash));
    if (!is_theirs) {
        found_no_key(holder->finding, key, claim);
        return ERR_OK;
    }
    holder->key = key;
    holder->project = facts_project(facts, &key->project);
    if (!bytes_is_absent(key->public_key)) is_equal = false; /* it has no secret: none is right */
    *out = !is_equal          ? REFUSAL_KEY_SECRET_WRONG
           : key->is_retired  ? REFUSAL_KEY_RETIRED
           : !holder->project ? REFUSAL_KEY_UNKNOWN
                              : REFUSAL_NONE;
    if (*out) found_bad_key(holder->finding, *out, key, claim->secret);
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

static const char *wanted_text(uint32_t takes_keys)
{
    if (takes_keys == KEY_BIT(KEY_API_TOKEN))
        return "Authorization: Basic, project id (a UUID) and api token";
    if (takes_keys == KEY_BIT(KEY_CLIENT))
        return "Authorization: Basic, client id (cli_...) and client secret (sec_...)";
    if (takes_keys == KEY_BIT(KEY_SECRET)) return "Authorization: Bearer, secret key (sk_...)";
    return "Authorization with a key of the project";
}

static void found_no_claim(struct finding *finding, const struct credential *credential, uint32_t takes_keys)
{
    finding_clear(finding);
    finding_check(finding, credential->kind == CREDENTIAL_NONE ? "credential.present" : "credential.form");
    finding_expected(finding, "%s", wanted_text(takes_keys));
    switch (credential->kind) {
    case CREDENTIAL_NONE:
        finding_seen(finding, "no Authorization field");
        break;
    case CREDENTIAL_BASIC:
        finding_seen(finding, "Basic with %s as user name and %s as password",
                     presented_text(presented_kind(credential->user)),
                     presented_text(presented_kind(credential->password)));
        break;
    case CREDENTIAL_BEARER:
        finding_seen(finding, "Bearer with %s", presented_text(presented_kind(credential->token)));
        break;
    case CREDENTIAL_DPOP:
        finding_seen(finding, "an access token with a proof");
        break;
    case CREDENTIAL_ASSERTION:
        finding_seen(finding, "an assertion");
        break;
    case CREDENTIAL_TWO:
        finding_seen(finding, "an Authorization field and an assertion");
        break;
    case CREDENTIAL_BAD:
        finding_seen(finding, "Authorization that is neither one whole Basic nor one whole Bearer");
        break;
    }
}

static bool takes(uint32_t takes_keys, enum key_kind kind)
{
    return (takes_keys & KEY_BIT(kind)) != 0;
}

/* Basic project:PT…, Basic cli_…:sec_…, Bearer sk_…: the form alone says which kind of key is meant. */
static struct claim claim_of(const struct credential *credential, uint32_t takes_keys)
{
    struct claim claim = {.secret = credential->password};

    if (credential->kind == CREDENTIAL_BEARER && takes(takes_keys, KEY_SECRET)) {
        claim.kind = KEY_SECRET;
        claim.secret = credential->token;
        claim.public_id = key_text_public_id(KEY_SECRET, claim.secret);
    } else if (credential->kind == CREDENTIAL_BASIC && !credential->password.len &&
               takes(takes_keys, KEY_SECRET) && takes(takes_keys, KEY_CLIENT)) {
        /* as user, where Basic is at home: for clients that know no other way to send a key */
        claim.secret = credential->user;
        claim.public_id = key_text_public_id(KEY_SECRET, claim.secret);
        if (!bytes_is_absent(claim.public_id)) claim.kind = KEY_SECRET;
    } else if (credential->kind != CREDENTIAL_BASIC || !credential->password.len) {
        return claim;
    } else if (takes(takes_keys, KEY_API_TOKEN) && uuid_read(&claim.project, credential->user) == ERR_OK) {
        claim.kind = KEY_API_TOKEN;
        claim.names_project = true;
        claim.public_id = key_text_public_id(KEY_API_TOKEN, claim.secret);
    } else if (takes(takes_keys, KEY_CLIENT) && bytes_start_with(credential->user, BYTES("cli_"))) {
        claim.kind = KEY_CLIENT;
        claim.public_id = key_text_public_id(KEY_CLIENT, credential->user);
    }
    return claim;
}

static enum err check_key(enum refusal *out, struct key_holder *holder, struct service *service,
                          const struct facts *facts, const struct credential *credential, uint32_t takes_keys,
                          struct bytes origin)
{
    struct claim claim = claim_of(credential, takes_keys);
    enum err e;

    if (!claim.kind) {
        *out =
            credential->kind == CREDENTIAL_NONE ? REFUSAL_CREDENTIAL_MISSING : REFUSAL_CREDENTIAL_MALFORMED;
        found_no_claim(holder->finding, credential, takes_keys);
        return ERR_OK;
    }
    e = check_secret(out, holder, service, facts, &claim);
    if (!e && !*out) *out = check_origin_of_secret(holder, origin);
    return e;
}

enum err service_check_key(enum refusal *out, struct service *service, const struct credential *credential,
                           uint32_t takes_keys, struct bytes origin, struct finding *finding)
{
    struct key_holder holder = {.finding = finding};
    enum err e =
        check_key(out, &holder, service, lease_facts(service->lease), credential, takes_keys, origin);

    if (e) {
        *out = REFUSAL_NONE;
        finding_clear(finding);
    }
    if (e || *out) finding_complete(finding, &(struct refused){.refusal = *out}, e);
    finding->has_credential = credential->kind != CREDENTIAL_NONE;
    return e;
}

bool run_check_origin_of_secret(struct run *run, const struct fact_project *project,
                                const struct fact_key *key)
{
    const struct key_holder holder = {project, key, &run->finding};
    enum refusal refusal = check_origin_of_secret(&holder, run->ask.origin);

    if (!refusal) return true;
    run->has_finding = true;
    run_refuse(run, refusal, FIELD_NONE, NULL);
    return false;
}

/* RFC 6749 §2.3: one method of authentication in a request. Whether either is right is not looked at. */
static void refuse_two(struct run *run)
{
    struct finding *finding = run_finding(run, "credential.one");

    finding_expected(finding, "an Authorization field, or an assertion");
    finding_seen(finding, "both");
    run_refuse(run, REFUSAL_PARAMETER_INVALID, FIELD_ASSERTION, "came beside another way to authenticate");
}

static bool authenticate_by_secret(struct run *run)
{
    struct key_holder holder = {.finding = &run->finding};
    enum refusal refusal;
    enum err e = check_key(&refusal, &holder, run->service, lease_facts(run->lease), &run->ask.credential,
                           run->takes_keys, run->ask.origin);

    if (!e && !refusal) {
        run->project = holder.project;
        run->key = holder.key;
        key_uses_note(&run->service->uses, run->key->public_id, run->now_ms);
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

bool run_authenticate_key(struct run *run)
{
    if (run->ask.credential.kind == CREDENTIAL_ASSERTION) return run_authenticate_assertion(run);
    if (run->ask.credential.kind != CREDENTIAL_TWO) return authenticate_by_secret(run);
    refuse_two(run);
    return false;
}
