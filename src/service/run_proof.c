/* run_proof.c — proofs of possession: read, checked by the strict profile, and used up. */
#include <string.h>

#include "base/base64url.h"
#include "service/found_token.h"
#include "service/service_run.h"
#include "token/dpop.h"

enum err run_read_proof(struct proof_facts *out, bool *is_broken, struct run *run, struct bytes proof)
{
    struct dpop dpop;
    char *jkt;
    enum err e = dpop_read(&dpop, run->arena, run->service->bench.crypto, proof);

    memset(out, 0, sizeof *out);
    *is_broken = e == ERR_MALFORMED || e == ERR_TOO_LARGE;
    if (*is_broken) return ERR_OK;
    if (e) return e;
    jkt = arena_alloc(run->arena, sizeof dpop.jkt);
    if (!jkt) return ERR_NO_MEMORY;
    memcpy(jkt, dpop.jkt, sizeof dpop.jkt);
    *out = (struct proof_facts){bytes_of(jkt, sizeof dpop.jkt),
                                dpop.jti,
                                dpop.iat_s,
                                dpop.htm,
                                dpop.htu,
                                dpop.rpc,
                                dpop.mth,
                                dpop.ath,
                                dpop.nonce};
    return ERR_OK;
}

enum err run_hash_token(struct bytes *out, struct run *run, struct bytes token)
{
    char ath[BASE64URL_LEN(SHA256_LEN)];
    uint8_t digest[SHA256_LEN];
    enum err e = crypto_sha256(run->service->bench.crypto, digest, token);

    *out = BYTES_NONE;
    if (e) return e;
    *out = arena_copy(run->arena, bytes_of(ath, base64url_write(ath, bytes_of(digest, sizeof digest))));
    return bytes_is_absent(*out) ? ERR_NO_MEMORY : ERR_OK;
}

/* ---- once ---- */

/* A proof is remembered by (key, jti), so that two keys may draw the same jti (RFC 9449 §11.1). */
static enum err name_proof(uint8_t digest[SHA256_LEN], struct run *run, const struct proof_facts *proof)
{
    struct buf name;
    enum err e;

    buf_init(&name, 512);
    buf_append(&name, proof->jkt);
    buf_append(&name, proof->jti);
    e = buf_error(&name);
    if (!e) e = crypto_sha256(run->service->bench.crypto, digest, buf_bytes(&name));
    buf_release(&name);
    return e;
}

enum err run_plan_once(struct run *run, const struct proof_facts *proof, enum proof_profile profile)
{
    int64_t end_s = proof->iat_s + proof_keep_s(profile);
    uint8_t digest[SHA256_LEN];
    enum err e = name_proof(digest, run, proof);
    size_t i;

    for (i = 0; i < ONCE_BUCKETS && !e; i++)
        run_write_once(&run->plan.writes[run->plan.write_count++], digest, end_s, i);
    return e;
}

static void refuse_strict_replay(struct run *run)
{
    run_refuse_replay(run, PROOF_STRICT);
}

enum err run_keep_proof(struct run *run, const struct proof_facts *proof)
{
    uint8_t digest[SHA256_LEN];
    enum err e = name_proof(digest, run, proof);

    return e ? e
             : run_keep_once(run, digest, proof->iat_s + proof_keep_s(PROOF_STRICT), refuse_strict_replay);
}

bool run_was_used(const struct run *run, size_t from)
{
    size_t i;

    for (i = from; i < run->plan.write_count; i++)
        if (run->plan.writes[i].kind == WRITE_ONCE && run->rows[i].state == ROW_EXISTS) return true;
    return false;
}

void run_refuse_replay(struct run *run, enum proof_profile profile)
{
    run_found_replay(run, profile);
    run_refuse(run, REFUSAL_PROOF_REPLAYED, FIELD_PROOF, "was used before");
}

void run_found_replay(struct run *run, enum proof_profile profile)
{
    struct finding *finding = run_finding(run, "proof.once");

    finding_expected(finding, "a proof that was not used before");
    finding_seen(finding,
                 "the same key and jti were, within the last %lld s; or the clock was set back to a time "
                 "whose proofs are forgotten",
                 (long long)proof_keep_s(profile));
}

/* ---- nonces ---- */

#define NONCE_SLICE_S 120 /* the last two are good: a nonce lives two minutes at least, four at most */
#define NONCE_BYTES   16

/* No list of nonces is kept: each is a slice of time under the ring's hash key, so that any lane,
 * and the same server started again, knows its own (RFC 9449 §8 asks for no more than that nobody
 * can foretell it). */
static enum err nonce_of(struct bytes *out, struct run *run, int64_t slice)
{
    uint8_t name[] = "dpop nonce\0........", hash[KEY_HASH_LEN];
    char text[BASE64URL_LEN(NONCE_BYTES)];
    size_t i;
    enum err e;

    for (i = 0; i < 8; i++)
        name[11 + i] = (uint8_t)((uint64_t)slice >> (56 - 8 * i));
    e = keyring_hash(hash, &run->service->bench, bytes_of(name, 11 + 8));
    if (e) return e;
    *out = arena_copy(run->arena, bytes_of(text, base64url_write(text, bytes_of(hash, NONCE_BYTES))));
    return bytes_is_absent(*out) ? ERR_NO_MEMORY : ERR_OK;
}

static enum err take_nonces(struct run *run, struct proof_policy *policy)
{
    int64_t slice = run->now_ms / 1000 / NONCE_SLICE_S;
    enum err e = ERR_OK;
    size_t i;

    policy->needs_nonce = run->service->options.wants_nonces;
    for (i = 0; policy->needs_nonce && i < PROOF_NONCES && !e; i++)
        e = nonce_of(&policy->nonces[i], run, slice - (int64_t)i);
    if (!e) run->outcome.nonce = policy->nonces[0];
    return e;
}

/* ---- the strict profile ---- */

/* RFC 9449 §4.3 (9): against the URL that clients were told, whatever Host or proxy says. */
static enum err url_of(struct bytes *out, struct run *run)
{
    struct buf url;
    enum err e;

    buf_init(&url, 16384);
    buf_append(&url, run->service->options.url);
    buf_append(&url, run->http_path);
    e = buf_error(&url);
    if (!e) {
        *out = arena_copy(run->arena, buf_bytes(&url));
        if (bytes_is_absent(*out)) e = ERR_NO_MEMORY;
    }
    buf_release(&url);
    return e;
}

static void found(struct run *run, enum refusal refusal, const struct proof_facts *proof,
                  const struct proof_policy *policy)
{
    struct finding *finding = run_finding(run, "proof.form");
    struct proof_policy by_any = *policy;

    if (!proof) {
        finding_expected(finding, "one DPoP field with a proof as RFC 9449 section 4.2 has it");
        finding_seen(finding, "several, a list, or one whose signature does not verify");
    } else if (refusal == REFUSAL_PROOF_NONCE) {
        finding_check(finding, "proof.nonce");
        finding_expected(finding, "one of the last two nonces of this server");
        finding_seen(finding, bytes_is_absent(proof->nonce) ? "none" : "another, or an older one");
    } else {
        if (bytes_is_absent(by_any.jkt)) by_any.jkt = proof->jkt;
        found_in_proof(finding, proof, &by_any);
    }
}

static void refuse(struct run *run, enum refusal refusal, const struct proof_facts *proof,
                   const struct proof_policy *policy)
{
    found(run, refusal, proof, policy);
    run_refuse(run, refusal, FIELD_PROOF,
               refusal == REFUSAL_PROOF_NONCE ? "must carry the nonce of this answer"
               : !proof                       ? "is malformed, or its signature does not verify"
                                              : "is not for this call, this token or this time");
}

bool run_prove(struct proof_facts *out, struct run *run, struct bytes proof, struct bytes jkt,
               struct bytes token)
{
    struct proof_policy policy = {
        .profile = PROOF_STRICT, .now_s = run->wall_ms / 1000, .htm = run->http_method, .jkt = jkt};
    bool is_broken;
    enum refusal refusal;
    enum err e;

    TRY(e = take_nonces(run, &policy), failed);
    TRY(e = url_of(&policy.htu, run), failed);
    TRY(e = run_read_proof(out, &is_broken, run, proof), failed);
    if (!bytes_is_absent(token)) TRY(e = run_hash_token(&policy.ath, run, token), failed);
    refusal = is_broken ? REFUSAL_PROOF_INVALID : proof_check(out, &policy);
    if (!refusal) return run_limit(run, LIMIT_PROOF_KEY, out->jkt);
    refuse(run, refusal, is_broken ? NULL : out, &policy);
    return false;
failed:
    run_fail(run, e);
    return false;
}
