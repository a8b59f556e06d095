/* run_refresh.c — the way of a refresh: key, open, user, plan, commit, settle, perhaps once more, sign.
 *
 * A bound token and a proof by its key may come without an API key, where the dialect says so: then the
 * token's own project is the one that counts. A proof that comes is looked at before anything is written, and
 * used up in the commit that writes the family's row. */
#include <string.h>

#include "base/instant.h"
#include "base/log.h"
#include "engine/age.h"
#include "engine/rotate.h"
#include "service/presented.h"
#include "service/service_run.h"

struct kept { /* over the waits of one refresh, in its arena */
    struct rotate_facts facts;
    struct decision decision;
    struct proof_facts proof;
    bool has_proof;
};

static struct kept *kept_of(const struct run *run)
{
    return run->kept;
}

static struct rotate_facts *facts_of(const struct run *run)
{
    return &kept_of(run)->facts;
}

/* ---- why not ---- */

/* The lineage is the token's own: its seal has proved it, and it is this project's. */
static struct finding *found(struct run *run, const char *check)
{
    struct finding *finding = run_finding(run, check);
    const struct grant *presented = &facts_of(run)->presented;

    if (!run->project || !uuid_equal(&presented->project, &run->project->id)) return finding;
    finding->user = presented->user;
    finding->family = presented->family;
    return finding;
}

static void found_times(struct run *run)
{
    const struct rotate_facts *facts = facts_of(run);
    const struct grant *presented = &facts->presented;
    struct finding *finding = found(run, "refresh.exp");
    int64_t now_s = age_now_ms(run->now_ms, run->project->age_ms, presented->age_ms) / 1000;
    bool is_pruned = presented->refresh_exp_s <= facts->pruned_through_s;
    char after[INSTANT_SHORT_MAX], exp[INSTANT_SHORT_MAX], end[INSTANT_SHORT_MAX];

    instant_write_short(after, is_pruned ? facts->pruned_through_s : now_s);
    instant_write_short(exp, presented->refresh_exp_s);
    instant_write_short(end, presented->absolute_end_s);
    finding_expected(finding, "exp after %s%s", after, is_pruned ? ", by when families were forgotten" : "");
    finding_seen(finding, "exp %s, of a family that ends %s", exp, end);
}

static void found_before_the_row(struct run *run, enum refusal refusal)
{
    const struct rotate_facts *facts = facts_of(run);
    struct finding *finding;

    if (refusal == REFUSAL_REFRESH_EXPIRED) {
        found_times(run);
    } else if (refusal == REFUSAL_REFRESH_FOREIGN) {
        finding = found(run, "refresh.project");
        finding_expected(finding, "a refresh token of the project whose key asks");
        finding_seen(finding, "one of another project on this server");
    } else if (refusal == REFUSAL_TOKEN_CUT_OFF) {
        finding_cut_off(found(run, "refresh.gt"), "refresh.gt", facts->cutoff_ms, facts->presented.gt_ms);
    } else if (refusal == REFUSAL_USER_GONE) {
        finding = found(run, "user.exists");
        finding_expected(finding, "the user that the refresh token speaks for");
        finding_seen(finding, "no such user in the project");
    }
}

static void found_in_row(struct run *run, const struct row *row)
{
    struct finding *finding = found(run, "refresh.generation");
    unsigned presented = facts_of(run)->presented.generation;
    const struct family *family = &row->family;
    char span[INSTANT_SPAN_MAX];

    if (row->state == ROW_ABSENT) {
        finding_expected(finding, "generation 0: nothing is stored of this family");
        finding_seen(finding, "generation %u", presented);
        return;
    }
    instant_write_span(span, family->rotated_ms / 1000, run->now_ms / 1000);
    finding_expected(finding, "generation %u, of a family that is live", (unsigned)family->generation);
    finding_seen(finding, "generation %u, of one that is %s; last rotated %s by %s %.*s", presented,
                 family->state == FAMILY_DEAD ? "dead" : "live", span,
                 family->holder_is_bound ? "the bound key" : "key",
                 FINDING_BYTES(family->holder, family->holder_is_bound ? FINDING_PREFIX : KEY_PUBLIC_ID_MAX));
}

/* ---- the row ---- */

static int64_t cutoff_of(const struct run *run, const struct grant *presented)
{
    return run_cutoff_ms(run, &(struct lineage){.project = &presented->project,
                                                .user = &presented->user,
                                                .family = &presented->family,
                                                .resource = &presented->resource,
                                                .inviter = &presented->inviter,
                                                .key = presented->parent_key});
}

/* A cutoff may have come while the commit was under way: nothing is signed that it voids. */
static void grant_unless_cut(struct run *run, const struct grant *grant)
{
    struct rotate_facts *facts = facts_of(run);
    struct refused refused;

    facts->cutoff_ms = cutoff_of(run, &facts->presented);
    refused = rotate_check(facts, run->now_ms);
    if (!refused.refusal) {
        run_sign(run, grant);
        return;
    }
    found_before_the_row(run, refused.refusal);
    run_refuse_as(run, &refused);
}

static void settle(struct run *run);

static void row_read_back(struct run *run)
{
    struct decision *decision = &kept_of(run)->decision;

    if (run->read.found && rotate_recall(decision, facts_of(run), &run->read.family, run->now_ms))
        grant_unless_cut(run, &decision->grant);
    else
        run_fail(run, run->commit.error);
}

/* Nobody knows whether the commit happened; the row does. What it cannot tell is no reason to guess: whoever
 * asks again meets it as it is. */
static void look_up(struct run *run)
{
    bool may_be_written = run->commit.error != ERR_STORE_BUSY && run->commit.error != ERR_STOPPING;

    if (may_be_written && !run->plan.refused.refusal)
        run_read_family(run, &run->plan.writes[0].family.family, row_read_back);
    else
        run_fail(run, run->commit.error);
}

static void warn_of_reuse(const struct run *run)
{
    const struct grant *presented = &facts_of(run)->presented;
    char project[UUID_TEXT_LEN], user[UUID_TEXT_LEN], family[UUID_TEXT_LEN];
    struct bytes key = run->key ? run->key->public_id : presented->jkt;

    uuid_write(project, &presented->project);
    uuid_write(user, &presented->user);
    uuid_write(family, &presented->family);
    log_warn("refresh_reused", log_bytes("project", bytes_of(project, sizeof project)),
             log_bytes("user", bytes_of(user, sizeof user)),
             log_bytes("family", bytes_of(family, sizeof family)), log_bytes("key", key),
             log_number("generation", presented->generation));
}

static void answer(struct run *run)
{
    const struct decision *decision = &kept_of(run)->decision;

    if (decision->has_further)
        run_commit_or(run, settle, look_up);
    else if (decision->refused.refusal)
        run_refuse_as(run, &decision->refused);
    else
        grant_unless_cut(run, &decision->grant);
}

static void settle(struct run *run)
{
    struct decision *decision = &kept_of(run)->decision;
    bool has_row;

    if (run_was_used(run, 1)) {
        run_refuse_replay(run, PROOF_STRICT);
        return;
    }
    has_row = run->plan.write_count > 0 && run->rows[0].state != ROW_WRITTEN;

    rotate_settle(decision, &run->plan, facts_of(run), run->rows, run->now_ms);
    if (decision->refused.refusal && has_row) found_in_row(run, &run->rows[0]);
    if (decision->refused.refusal && !has_row) found_before_the_row(run, decision->refused.refusal);
    if (!decision->has_cutoff) {
        answer(run);
        return;
    }
    warn_of_reuse(run);
    run_cut(run, &decision->cutoff, answer);
}

/* ---- before it ---- */

static void plan(struct run *run, bool has_user)
{
    struct rotate_facts *facts = facts_of(run);
    enum err e = ERR_OK;

    facts->has_user = has_user;
    facts->cutoff_ms = cutoff_of(run, &facts->presented);
    rotate_plan(&run->plan, facts, run->now_ms);
    if (run->plan.write_count && kept_of(run)->has_proof)
        e = run_plan_once(run, &kept_of(run)->proof, PROOF_STRICT);
    if (e)
        run_fail(run, e);
    else if (run->plan.write_count)
        run_commit_or(run, settle, look_up);
    else
        settle(run);
}

static void user_read(struct run *run)
{
    if (run->read.found) run_remember_read(run);
    plan(run, run->read.found);
}

static void find_user(struct run *run)
{
    const struct grant *presented = &facts_of(run)->presented;

    if (presented->user_kind != USER_SUBSCRIBER ||
        users_by_id(run->service->users, &presented->project, &presented->user))
        plan(run, true);
    else
        run_read(run, READ_USER_BY_ID, &presented->project, &presented->user, BYTES_NONE, user_read);
}

/* SHA-256 of family and generation, not keyed: it has to come out the same under every ring of keys there
 * will be. Whoever holds the token may know it; nobody can make two alike. Version 8, of RFC 9562 §5.8. */
static enum err derive_jti(struct uuid *out, struct crypto *crypto, const struct grant *presented)
{
    static const char label[16] = "refresh: jti v1";
    uint32_t generation = presented->generation + 1;
    uint8_t data[sizeof label + 16 + 4], digest[SHA256_LEN];
    size_t i;
    enum err e;

    memcpy(data, label, sizeof label);
    memcpy(data + sizeof label, presented->family.byte, 16);
    for (i = 0; i < 4; i++)
        data[sizeof label + 16 + i] = (uint8_t)(generation >> (24 - 8 * i));
    e = crypto_sha256(crypto, digest, bytes_of(data, sizeof data));
    if (e) return e;
    memcpy(out->byte, digest, sizeof out->byte);
    out->byte[6] = (uint8_t)((out->byte[6] & 0x0f) | 0x80);
    out->byte[8] = (uint8_t)((out->byte[8] & 0x3f) | 0x80);
    return ERR_OK;
}

/* Before anything is read or written: a bad proof costs the token nothing. */
static void prove(struct run *run)
{
    struct kept *kept = kept_of(run);
    struct bytes proof = run->ask.refresh.proof;

    kept->has_proof = !bytes_is_absent(proof);
    if (kept->has_proof && !run_prove(&kept->proof, run, proof, kept->facts.presented.jkt, BYTES_NONE))
        return;
    if (kept->has_proof) kept->facts.proof_jkt = kept->proof.jkt;
    find_user(run);
}

static void check(struct run *run)
{
    struct rotate_facts *facts = facts_of(run);
    struct refused refused;

    facts->project = run->project;
    facts->key = run->key;
    facts->seal_key = seal_key_id(run->service->bench.seals[0]);
    facts->pruned_through_s = lease_facts(run->lease)->pruned_through_s;
    facts->cutoff_ms = cutoff_of(run, &facts->presented);
    refused = rotate_check(facts, run->now_ms);
    if (!refused.refusal) {
        prove(run);
        return;
    }
    found_before_the_row(run, refused.refusal);
    run_refuse_as(run, &refused);
}

/* Without a key the token says whose it is: its seal has proved it. */
static void find_project(struct run *run)
{
    const struct grant *presented = &facts_of(run)->presented;
    struct finding *finding;

    if (!run->project) run->project = facts_project(lease_facts(run->lease), &presented->project);
    if (!run->project) {
        finding = run_finding(run, "refresh.project");
        finding_expected(finding, "a refresh token of a project that is here");
        finding_seen(finding, "one of another; it was sealed here");
        run_refuse(run, REFUSAL_REFRESH_FOREIGN, FIELD_REFRESH_TOKEN, "is invalid");
    } else if (run->key || run_check_origin(run))
        check(run);
}

/* By its form: a credential of another kind, which somebody has mixed up, or anything else. */
static void refuse_unopened(struct run *run)
{
    struct bytes text = run->ask.refresh.refresh_token;
    enum presented kind = presented_kind(text);
    bool is_other = kind == PRESENTED_JWS || kind == PRESENTED_BOOTSTRAP || kind == PRESENTED_LAUNCH ||
                    kind == PRESENTED_RESUME;

    run->has_finding = true;
    if (run->project) run->finding.project = run->project->id;
    if (run->key) finding_key(&run->finding, run->key->public_id);
    run_refuse_as(run, is_other
                           ? &(struct refused){REFUSAL_REFRESH_KIND, FIELD_REFRESH_TOKEN,
                                               "is a credential of another kind"}
                           : &(struct refused){REFUSAL_REFRESH_MALFORMED, FIELD_REFRESH_TOKEN, "is invalid"});
}

static void open_token(struct run *run)
{
    struct kept *kept = arena_alloc(run->arena, sizeof *kept);
    bool is_ours = false;
    enum err e = ERR_NO_MEMORY;

    run->kept = kept;
    if (kept)
        e = issue_open_refresh(&is_ours, &kept->facts.presented, &run->finding, run->arena,
                               &run->service->issuer, run->ask.refresh.refresh_token);
    if (!e && is_ours) e = derive_jti(&kept->facts.jti, run->service->bench.crypto, &kept->facts.presented);
    if (e)
        run_fail(run, e);
    else if (is_ours)
        find_project(run);
    else
        refuse_unopened(run);
}

static void start_without_key(struct run *run)
{
    struct finding *finding;

    if (!run_goes_on(run)) return;
    if (!bytes_is_absent(run->ask.refresh.proof)) {
        open_token(run);
        return;
    }
    finding = run_finding(run, "credential.present");
    finding_expected(finding,
                     "Authorization with a key of the project, or a DPoP proof by a bound token's key");
    finding_seen(finding, "neither");
    run_refuse(run, REFUSAL_CREDENTIAL_MISSING, FIELD_NONE, NULL);
}

void run_refresh(struct run *run)
{
    if (run->ask.refresh.may_lack_key && run->ask.credential.kind == CREDENTIAL_NONE) {
        start_without_key(run);
        return;
    }
    if (!run_authenticate_key(run)) return;
    if (run->unreadable) {
        run_fail(run, run->unreadable);
        return;
    }
    if (run_passes(run, rotate_check_key(run->key))) open_token(run);
}
