#include "service/found_token.h"

#include <stdio.h>
#include <string.h>

#include "base/instant.h"
#include "service/presented.h"

#define WORD_MAX 24 /* characters shown of a short word that a stranger wrote */

/* ---- the token ---- */

void found_no_token(struct finding *finding, struct bytes token)
{
    finding_clear(finding);
    finding_check(finding, "token.form");
    finding_expected(
        finding,
        "header.payload.signature in strict base64url, the header JSON without crit, zip or b64, "
        "at most %d bytes in all",
        JWS_MAX);
    finding_seen(finding, "%s, %zu bytes", presented_text(presented_kind(token)), token.len);
}

static void list_kids(char *out, size_t size, const struct key_bench *bench)
{
    size_t i, at = 0;

    out[0] = 0;
    for (i = 0; i < bench->check_count && at + 16 < size; i++)
        at +=
            (size_t)snprintf(out + at, size - at, "%s%.*s", i ? ", " : "", FINDING_ID(bench->checks[i].kid));
}

static const char *alg_of_kid(const struct key_bench *bench, struct bytes kid)
{
    size_t i;

    for (i = 0; i < bench->check_count; i++)
        if (bytes_equal(bench->checks[i].kid, kid)) return alg_jose(bench->checks[i].alg);
    return "none";
}

void found_in_header(struct finding *finding, enum refusal refusal, const struct key_bench *bench,
                     const struct jws *jws)
{
    char kids[128];

    finding_clear(finding);
    if (refusal == REFUSAL_TOKEN_KIND) {
        finding_check(finding, "token.typ");
        finding_expected(finding, "typ SAT or at+jwt");
        finding_seen(finding, "typ %.*s", FINDING_BYTES(jws->typ, WORD_MAX));
    } else if (refusal == REFUSAL_TOKEN_KEY_UNKNOWN) {
        list_kids(kids, sizeof kids, bench);
        finding_check(finding, "token.kid");
        finding_expected(finding, "kid of one of our keys: %s", kids);
        finding_seen(finding, "kid %.*s", FINDING_ID(jws->kid));
    } else if (refusal == REFUSAL_TOKEN_SIGNATURE) {
        finding_check(finding, "token.signature");
        finding_expected(finding, "a signature by key %.*s", FINDING_ID(jws->kid));
        finding_seen(finding, "one of %zu bytes that does not verify", jws->signature.len);
    } else {
        finding_check(finding, "token.alg");
        finding_expected(finding, "alg %s, as key %.*s has it", alg_of_kid(bench, jws->kid),
                         FINDING_ID(jws->kid));
        finding_seen(finding, "alg %.*s", FINDING_BYTES(jws->alg, WORD_MAX));
    }
}

void found_other_typ(struct finding *finding, const struct jws *jws, const char *kind, struct bytes typ)
{
    finding_clear(finding);
    finding_check(finding, "token.typ");
    finding_expected(finding, "typ %.*s, as tokens of kind %s have it", FINDING_BYTES(typ, WORD_MAX), kind);
    finding_seen(finding, "typ %.*s", FINDING_BYTES(jws->typ, WORD_MAX));
}

void found_no_claims(struct finding *finding, struct bytes payload)
{
    finding_clear(finding);
    finding_check(finding, "token.claims");
    finding_expected(finding, "a JSON object whose claims have the types of ours");
    finding_seen(finding, "%zu bytes that are not", payload.len);
}

static void found_foreign(struct finding *finding, const struct claims *claims,
                          const struct claims_policy *policy)
{
    bool is_issuer = !bytes_equal(claims->iss, policy->iss);
    struct bytes wanted = is_issuer ? policy->iss : policy->aud, seen = is_issuer ? claims->iss : claims->aud;

    finding_check(finding, is_issuer ? "token.iss" : "token.aud");
    finding_expected(finding, "%s %.*s", is_issuer ? "iss" : "aud", FINDING_BYTES(wanted, FINDING_TEXT_MAX));
    finding_seen(finding, "%s %.*s", is_issuer ? "iss" : "aud", FINDING_BYTES(seen, FINDING_TEXT_MAX));
}

static void found_expired(struct finding *finding, const struct claims *claims,
                          const struct claims_policy *policy)
{
    bool is_moved = policy->moved_now_s > policy->now_s;
    int64_t now_s = is_moved ? policy->moved_now_s : policy->now_s;
    char now[INSTANT_SHORT_MAX], exp[INSTANT_SHORT_MAX], span[INSTANT_SPAN_MAX];

    instant_write_short(now, now_s);
    instant_write_short(exp, claims->exp_s);
    instant_write_span(span, claims->exp_s, now_s);
    finding_check(finding, "token.exp");
    finding_expected(finding, "exp after %s%s", now,
                     is_moved ? ", as the project's clock was moved since the mint" : "");
    finding_seen(finding, "%s, %s", exp, span);
}

static void found_too_old(struct finding *finding, const struct claims *claims,
                          const struct claims_policy *policy)
{
    finding_check(finding, "token.age");
    finding_expected(finding, "age of at most %lld ms, the project's", (long long)policy->age_max_ms);
    finding_seen(finding, "age %lld ms; was a backup restored?", (long long)claims->age_ms);
}

static void found_inconsistent(struct finding *finding, const struct claims *claims,
                               const struct claims_policy *policy)
{
    char now[INSTANT_SHORT_MAX], iat[INSTANT_SHORT_MAX], exp[INSTANT_SHORT_MAX];

    instant_write_short(now, policy->now_s);
    instant_write_short(iat, claims->iat_s);
    instant_write_short(exp, claims->exp_s);
    finding_check(finding, "token.times");
    finding_expected(finding,
                     "iss, sub, iat, exp, jti, prj, kind, gt; iat before %s; exp after iat by at most %lld s",
                     now, (long long)policy->life_max_s);
    finding_seen(finding, "iat %s, exp %s, kind \"%s\", %zu bytes of jti", iat, exp,
                 claims_kind_text(claims->kind), claims->jti.len);
}

void found_in_claims(struct finding *finding, enum refusal refusal, const struct claims *claims,
                     const struct claims_policy *policy)
{
    finding_clear(finding);
    finding->project = claims->project;
    finding->family = claims->family;
    if (uuid_read(&finding->user, claims->sub)) memset(&finding->user, 0, sizeof finding->user);
    finding_key(finding, claims->parent);
    if (refusal == REFUSAL_TOKEN_FOREIGN)
        found_foreign(finding, claims, policy);
    else if (refusal == REFUSAL_TOKEN_EXPIRED)
        found_expired(finding, claims, policy);
    else if (refusal == REFUSAL_TOKEN_KIND) {
        finding_check(finding, "token.kind");
        finding_expected(finding, "a kind of token that this server issues");
        finding_seen(finding, "kind %s", claims_kind_text(claims->kind));
    } else if (claims->age_ms > policy->age_max_ms)
        found_too_old(finding, claims, policy);
    else
        found_inconsistent(finding, claims, policy);
}

/* ---- the proof ---- */

static bool found_other_call(struct finding *finding, const struct proof_facts *facts,
                             const struct proof_policy *policy)
{
    if (bytes_equal(facts->mth, policy->mth) && bytes_equal(facts->rpc, policy->rpc) &&
        bytes_is_absent(facts->htm) && bytes_is_absent(facts->htu))
        return false;
    finding_check(finding, "proof.call");
    finding_expected(finding, "rpc %.*s, mth %.*s", FINDING_BYTES(policy->rpc, WORD_MAX),
                     FINDING_BYTES(policy->mth, 2 * WORD_MAX));
    if (bytes_is_absent(facts->mth))
        finding_seen(finding, "htm %.*s and an htu: a proof for HTTP", FINDING_BYTES(facts->htm, WORD_MAX));
    else
        finding_seen(finding, "rpc %.*s, mth %.*s", FINDING_BYTES(facts->rpc, WORD_MAX),
                     FINDING_BYTES(facts->mth, 2 * WORD_MAX));
    return true;
}

/* Both URLs are told: a proxy that is not where public_url says it is shows here. Not what stands in a query:
 * it is not compared, and may be a token. */
static bool found_other_request(struct finding *finding, const struct proof_facts *facts,
                                const struct proof_policy *policy)
{
    if (bytes_equal(facts->htm, policy->htm) && proof_same_target(facts->htu, policy->htu) &&
        bytes_is_absent(facts->rpc) && bytes_is_absent(facts->mth))
        return false;
    finding_check(finding, "proof.request");
    finding_expected(finding, "htm %.*s, htu %.*s", FINDING_BYTES(policy->htm, WORD_MAX),
                     FINDING_BYTES(policy->htu, FINDING_TEXT_MAX));
    if (bytes_is_absent(facts->htm))
        finding_seen(finding, "rpc %.*s, mth %.*s: a proof for the socket",
                     FINDING_BYTES(facts->rpc, WORD_MAX), FINDING_BYTES(facts->mth, 2 * WORD_MAX));
    else
        finding_seen(
            finding, "htm %.*s, htu %.*s", FINDING_BYTES(facts->htm, WORD_MAX),
            FINDING_BYTES(bytes_part(facts->htu, 0, bytes_index(facts->htu, '?')), FINDING_TEXT_MAX));
    return true;
}

static bool found_other_token(struct finding *finding, const struct proof_facts *facts,
                              const struct proof_policy *policy)
{
    if (bytes_is_absent(policy->ath) || bytes_equal(facts->ath, policy->ath)) return false;
    finding_check(finding, "proof.ath");
    finding_expected(finding, "ath %.*s...: base64url of the SHA-256 of the token", FINDING_ID(policy->ath));
    if (bytes_is_absent(facts->ath))
        finding_seen(finding, "none");
    else
        finding_seen(finding, "%.*s..., %zu characters", FINDING_ID(facts->ath), facts->ath.len);
    return true;
}

void found_in_proof(struct finding *finding, const struct proof_facts *facts,
                    const struct proof_policy *policy)
{
    char now[INSTANT_SHORT_MAX], iat[INSTANT_SHORT_MAX], span[INSTANT_SPAN_MAX];

    if (bytes_is_absent(policy->htm) ? found_other_call(finding, facts, policy)
                                     : found_other_request(finding, facts, policy))
        return;
    if (!bytes_equal(facts->jkt, policy->jkt)) {
        finding_check(finding, "proof.key");
        finding_expected(finding, "a proof by the key with thumbprint %.*s...", FINDING_ID(policy->jkt));
        finding_seen(finding, "one by %.*s...", FINDING_ID(facts->jkt));
        return;
    }
    if (found_other_token(finding, facts, policy)) return;
    instant_write_short(now, policy->now_s);
    instant_write_short(iat, facts->iat_s);
    instant_write_span(span, facts->iat_s, policy->now_s);
    finding_check(finding, "proof.iat");
    finding_expected(finding, "a jti, and an iat close to %s", now);
    finding_seen(finding, "iat %s, %s", iat, span);
}
