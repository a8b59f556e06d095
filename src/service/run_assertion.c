/* run_assertion.c — which of a project's keys asks, by an assertion that its private half has signed
 * (RFC 7523 §3). Everything is checked before its jti is used up, in the ask's own commit. */
#include <stdio.h>
#include <string.h>

#include "base/instant.h"
#include "engine/assertion.h"
#include "service/key_text.h"
#include "service/presented.h"
#include "service/service_run.h"
#include "token/client_jwt.h"

#define WORD_MAX 24 /* characters shown of a short word that a stranger wrote */

static void refuse_invalid(struct run *run)
{
    run_refuse(run, REFUSAL_ASSERTION_INVALID, FIELD_NONE, NULL);
}

static void refuse_used(struct run *run)
{
    struct finding *finding = run_finding(run, "assertion.once");

    finding_expected(finding, "an assertion that was not used before");
    finding_seen(finding, "key %s has shown its jti already", finding->key);
    run_refuse(run, REFUSAL_ASSERTION_REPLAYED, FIELD_NONE, NULL);
}

static void refuse_form(struct run *run, bool is_type)
{
    struct finding *finding = run_finding(run, is_type ? "assertion.type" : "assertion.form");
    const struct credential *credential = &run->ask.credential;

    if (is_type) {
        finding_expected(finding, "client_assertion_type " ASSERTION_TYPE);
        finding_seen(finding, "another one of %zu bytes", credential->assertion_type.len);
    } else {
        finding_expected(finding,
                         "a JWT of at most %d bytes, whose claims have their types: RFC 7523 section 3",
                         CLIENT_JWT_MAX);
        finding_seen(finding, "%s, %zu bytes", presented_text(presented_kind(credential->token)),
                     credential->token.len);
    }
    refuse_invalid(run);
}

#define NAME_MAX (FINDING_WORD_MAX + 64)

/* A name as it may be told: backends put secrets where names belong, and all of those are longer than a
 * client's id. What is a URL is none. */
static const char *write_name(char out[NAME_MAX], struct bytes name)
{
    if (bytes_start_with(name, BYTES("https://")) || bytes_start_with(name, BYTES("http://")))
        (void)snprintf(out, NAME_MAX, "%.*s", FINDING_BYTES(name, NAME_MAX - 1));
    else if (name.len > KEY_PUBLIC_ID_MAX)
        (void)snprintf(out, NAME_MAX, "%s, %zu bytes", presented_text(presented_kind(name)), name.len);
    else
        (void)snprintf(out, NAME_MAX, "%.*s", FINDING_BYTES(name, KEY_PUBLIC_ID_MAX));
    return out;
}

/* Whom it names is looked up before anything is proved: a public id is no secret. */
static void refuse_unknown(struct run *run, const struct fact_key *key, struct bytes iss)
{
    struct finding *finding = run_finding(run, key ? "key.public_key" : "key.known");
    char name[NAME_MAX];

    finding_expected(finding, "iss of a key that was made with --public-key");
    if (key) finding_key(finding, key->public_id);
    finding_seen(finding, "%s, which is %s", write_name(name, iss),
                 key ? "a key with a secret" : "no key of this server");
    refuse_invalid(run);
}

static void refuse_signature(struct run *run, const struct fact_key *key, const struct client_jwt *jwt,
                             enum alg alg)
{
    bool is_alg = !client_jwt_names_alg(jwt, alg);
    struct finding *finding = run_finding(run, is_alg ? "assertion.alg" : "assertion.signature");

    finding_key(finding, key->public_id);
    if (is_alg) {
        finding_expected(finding, "alg %s, as key %s has it", alg_jose(alg), finding->key);
        finding_seen(finding, "alg %.*s", FINDING_BYTES(jwt->alg, WORD_MAX));
    } else {
        finding_expected(finding, "a signature by the private half of key %s", finding->key);
        finding_seen(finding, "one of %zu bytes that does not verify", jwt->signature.len);
    }
    refuse_invalid(run);
}

/* ---- the claims ---- */

static void found_name(struct finding *finding, const char *name, struct bytes wanted, struct bytes seen)
{
    char text[NAME_MAX];

    finding_expected(finding, "%s %.*s", name, FINDING_BYTES(wanted, FINDING_TEXT_MAX));
    if (bytes_is_absent(seen))
        finding_seen(finding, "none, or several");
    else
        finding_seen(finding, "%s %s", name, write_name(text, seen));
}

static void found_time(struct finding *finding, const char *name, const char *wanted, int64_t at_s,
                       int64_t now_s)
{
    char now[INSTANT_SHORT_MAX], at[INSTANT_SHORT_MAX], span[INSTANT_SPAN_MAX];

    instant_write_short(now, now_s);
    finding_expected(finding, wanted, now);
    if (at_s < 0) {
        finding_seen(finding, "no %s", name);
        return;
    }
    instant_write_short(at, at_s);
    instant_write_span(span, at_s, now_s);
    finding_seen(finding, "%s %s, %s", name, at, span);
}

static void found_claims(struct finding *finding, enum assertion_check check,
                         const struct assertion_facts *facts, const struct assertion_policy *policy)
{
    char restored[INSTANT_SHORT_MAX];

    switch (check) {
    case ASSERTION_GOOD:
        return;
    case ASSERTION_TYP:
        finding_expected(finding, "typ client-authentication+jwt, JWT, or none");
        finding_seen(finding, "typ %.*s", FINDING_BYTES(facts->typ, WORD_MAX));
        return;
    case ASSERTION_ISS:
        found_name(finding, "iss", policy->client, facts->iss);
        return;
    case ASSERTION_SUB:
        found_name(finding, "sub", policy->client, facts->sub);
        return;
    case ASSERTION_CLIENT_ID:
        found_name(finding, "client_id", policy->client, policy->client_id);
        return;
    case ASSERTION_AUD:
        found_name(finding, "aud", policy->issuer, facts->aud);
        return;
    case ASSERTION_EXP:
        found_time(finding, "exp", "exp after %s", facts->exp_s, policy->now_s);
        return;
    case ASSERTION_EXP_FAR:
        found_time(finding, "exp", "exp at most five minutes after %s", facts->exp_s, policy->now_s);
        return;
    case ASSERTION_IAT:
        found_time(finding, "iat", "iat not after %s", facts->iat_s, policy->now_s);
        return;
    case ASSERTION_NBF:
        found_time(finding, "nbf", "nbf not after %s", facts->nbf_s, policy->now_s);
        return;
    case ASSERTION_JTI:
        finding_expected(finding, "a jti, another one in each assertion");
        finding_seen(finding, "none");
        return;
    case ASSERTION_FORGOTTEN:
        instant_write_short(restored, policy->restored_s);
        finding_expected(
            finding,
            "one that says it was made since the restore of %s: iat some seconds after it, or exp "
            "more than five minutes",
            restored);
        finding_seen(finding, "one that may have been used before, which nobody knows any more");
        return;
    }
}

static bool check_claims(struct run *run, const struct fact_key *key, const struct client_jwt *jwt)
{
    const struct assertion_facts facts = {
        .typ = jwt->typ,
        .iss = jwt->iss,
        .sub = jwt->sub,
        .aud = jwt->aud,
        .jti = jwt->jti,
        .exp_s = jwt->exp_s,
        .iat_s = jwt->iat_s,
        .nbf_s = jwt->nbf_s,
    };
    const struct assertion_policy policy = {.client = key->public_id,
                                            .client_id = run->ask.credential.user,
                                            .issuer = run->service->options.url,
                                            .now_s = run->wall_ms / 1000,
                                            .restored_s = (int64_t)lease_facts(run->lease)->epoch};
    enum assertion_check check = assertion_check(&facts, &policy);
    struct finding *finding;

    if (check == ASSERTION_GOOD) return true;
    finding = run_finding(run, assertion_check_name(check));
    finding_key(finding, key->public_id);
    found_claims(finding, check, &facts, &policy);
    refuse_invalid(run);
    return false;
}

/* ---- the key ---- */

/* What is on record was checked when it was put there. */
static enum err read_key(struct jwk *out, const struct fact_key *key)
{
    struct json object = {NULL};
    enum err e = json_read(&object, key->public_key);

    if (!e) e = jwk_read(out, object);
    json_free(object);
    return e == ERR_MALFORMED ? ERR_CORRUPT : e;
}

/* By the key's id and not by its thumbprint: two projects may have been given one public key. */
static enum err name_assertion(uint8_t digest[SHA256_LEN], struct run *run, const struct fact_key *key,
                               struct bytes jti)
{
    struct buf name;
    enum err e;

    buf_init(&name, 512);
    buf_append_text(&name, "client assertion ");
    buf_append(&name, key->public_id);
    buf_append_byte(&name, ' ');
    buf_append(&name, jti);
    e = buf_error(&name);
    if (!e) e = crypto_sha256(run->service->bench.crypto, digest, buf_bytes(&name));
    buf_release(&name);
    return e;
}

/* The signature is good: whoever asks has the key. Whether that is still of use comes last. */
static bool take_key(struct run *run, const struct fact_key *key, const struct client_jwt *jwt)
{
    const struct fact_project *project = facts_project(lease_facts(run->lease), &key->project);
    uint8_t digest[SHA256_LEN];
    enum err e;

    if (key->is_retired || !project) {
        struct finding *finding = run_finding(run, "key.live");
        finding_key(finding, key->public_id);
        finding->project = key->project;
        finding_expected(finding, "a key in use, of a project that is there");
        finding_seen(finding, "key %s, %s", finding->key,
                     key->is_retired ? "retired" : "whose project is gone");
        run_refuse(run, REFUSAL_KEY_RETIRED, FIELD_NONE, NULL);
        return false;
    }
    if (!run_check_origin_of_secret(run, project, key)) return false;
    e = name_assertion(digest, run, key, jwt->jti);
    if (!e) e = run_keep_once(run, digest, jwt->exp_s, refuse_used);
    if (e) {
        run_fail(run, e);
        return false;
    }
    run->project = project;
    run->key = key;
    key_uses_note(&run->service->uses, key->public_id, run->now_ms);
    return true;
}

static bool check_signature(struct run *run, const struct fact_key *key, const struct client_jwt *jwt)
{
    struct jwk jwk;
    bool is_good = false;
    enum err e = read_key(&jwk, key);

    if (!e) e = client_jwt_verify(&is_good, jwt, run->service->bench.crypto, &jwk);
    if (e)
        run_fail(run, e == ERR_MALFORMED ? ERR_CORRUPT : e);
    else if (!is_good)
        refuse_signature(run, key, jwt, jwk.alg);
    return is_good;
}

bool run_authenticate_assertion(struct run *run)
{
    const struct credential *credential = &run->ask.credential;
    const struct fact_key *key;
    struct client_jwt jwt;
    enum err e;

    if (!bytes_equal(credential->assertion_type, BYTES(ASSERTION_TYPE))) {
        refuse_form(run, true);
        return false;
    }
    e = client_jwt_read(&jwt, run->arena, credential->token);
    if (e && e != ERR_MALFORMED) {
        run_fail(run, e);
        return false;
    }
    if (e) {
        refuse_form(run, false);
        return false;
    }
    key = jwt.iss.len ? facts_key(lease_facts(run->lease), jwt.iss) : NULL;
    if (!key || bytes_is_absent(key->public_key) || !(run->takes_keys & KEY_BIT(key->kind))) {
        refuse_unknown(run, key, jwt.iss);
        return false;
    }
    return check_signature(run, key, &jwt) && check_claims(run, key, &jwt) && take_key(run, key, &jwt);
}
