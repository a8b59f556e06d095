#include "service/issue.h"

#include <string.h>

#include "base/base64url.h"
#include "engine/age.h"
#include "engine/limits.h"
#include "service/found_token.h"

/* One list in two rooms: the engine must not know claims, nor the token room the engine. */
_Static_assert((int)TOKEN_SUBSCRIBER == (int)KIND_SUBSCRIBER && (int)TOKEN_GUEST == (int)KIND_GUEST &&
                   (int)TOKEN_INVITE == (int)KIND_INVITE && (int)TOKEN_EMBED == (int)KIND_EMBED &&
                   (int)TOKEN_PARTICIPANT == (int)KIND_PARTICIPANT &&
                   (int)TOKEN_EMBEDDED == (int)KIND_EMBEDDED && (int)TOKEN_KINDS == (int)KIND_COUNT,
               "the kinds of tokens");
_Static_assert(ADDRESSES_MAX == CLAIMS_ADDRESSES_MAX, "the addresses of a token");

/* Tokens that open a socket carry its clients' own type; the others that of RFC 9068 §2.1. */
static struct bytes typ_of(enum token_kind kind)
{
    return kind == TOKEN_PARTICIPANT || kind == TOKEN_EMBEDDED ? BYTES("at+jwt") : ACCESS_TYP;
}

enum err issuer_open(struct issuer *out, struct key_bench *bench, struct bytes url, struct bytes ch)
{
    memset(out, 0, sizeof *out);
    out->bench = bench;
    out->url = url;
    buf_init(&out->header, 2048);
    buf_init(&out->scratch, JWS_MAX);
    buf_init(&out->text, JWS_MAX + SEAL_REFRESH_MAX);
    buf_init(&out->header_plain, 2048);
    jws_header(&out->header, bench->sign_alg, typ_of(TOKEN_SUBSCRIBER), bench->sign_kid, ch);
    jws_header(&out->header_plain, bench->sign_alg, typ_of(TOKEN_PARTICIPANT), bench->sign_kid, BYTES_NONE);
    return buf_error(&out->header) ? buf_error(&out->header) : buf_error(&out->header_plain);
}

void issuer_release(struct issuer *issuer)
{
    buf_release(&issuer->header);
    buf_release(&issuer->header_plain);
    buf_release(&issuer->scratch);
    buf_wipe(&issuer->text);
}

/* RFC 9068 §2.2 wants a client: the key whose holder asked for it, or, of whoever came without
 * one, the project. */
static struct bytes client_of(char room[UUID_TEXT_LEN], const struct grant *grant)
{
    if (!bytes_is_absent(grant->parent_key)) return grant->parent_key;
    uuid_write(room, &grant->project);
    return bytes_of(room, UUID_TEXT_LEN);
}

enum err issue_access(struct buf *out, struct issuer *issuer, const struct grant *grant)
{
    char sub[UUID_TEXT_LEN], jti[UUID_TEXT_LEN], client[UUID_TEXT_LEN];
    struct claims claims = {0};
    const struct buf *header;

    uuid_write(sub, &grant->user);
    uuid_write(jti, &grant->jti);
    claims.iss = claims.aud = issuer->url;
    claims.sub = bytes_of(sub, sizeof sub);
    claims.jti = bytes_of(jti, sizeof jti);
    claims.iat_s = grant->iat_s;
    claims.exp_s = grant->exp_s;
    claims.gt_ms = grant->gt_ms;
    claims.age_ms = grant->age_ms;
    claims.project = grant->project;
    claims.kind = (enum claims_kind)grant->kind;
    if (grant->may_self_refresh) claims.scope = BYTES("sat:refresh");
    /* those that are exchanged for their successors know the end from nothing else */
    if (grant->may_self_refresh || grant->kind == TOKEN_EMBED)
        claims.end_s = grant->absolute_end_s - grant->aged_ms / 1000;
    claims.family = grant->family;
    claims.parent = grant->parent_key;
    if (!bytes_equal(typ_of(grant->kind), ACCESS_TYP)) claims.client = client_of(client, grant);
    claims.application = grant->application;
    claims.jkt = grant->jkt;
    claims.resource = grant->resource;
    claims.inviter = grant->inviter;
    claims.address_count = grant->address_count;
    memcpy(claims.addresses, grant->addresses, sizeof claims.addresses);
    buf_reset(&issuer->scratch);
    claims_write(&issuer->scratch, &claims);
    if (buf_error(&issuer->scratch)) return buf_error(&issuer->scratch);
    header = bytes_equal(typ_of(grant->kind), ACCESS_TYP) ? &issuer->header : &issuer->header_plain;
    return jws_sign(out, issuer->bench->sign, buf_bytes(header), buf_bytes(&issuer->scratch));
}

static enum refusal check_signature(struct key_bench *bench, const struct jws *jws)
{
    size_t i;

    for (i = 0; i < bench->check_count; i++) {
        if (!bytes_equal(bench->checks[i].kid, jws->kid)) continue;
        /* RFC 8725 §3.1: the algorithm is the key's; the header may only agree */
        if (!bytes_equal(jws->alg, bytes_of_text(alg_jose(bench->checks[i].alg))))
            return REFUSAL_TOKEN_MALFORMED;
        return crypto_check(bench->checks[i].check, jws->signing_input, jws->signature)
                   ? REFUSAL_NONE
                   : REFUSAL_TOKEN_SIGNATURE;
    }
    return REFUSAL_TOKEN_KEY_UNKNOWN;
}

static enum refusal holder_of(struct holder *out, const struct claims *claims)
{
    static const enum user_kind user_kinds[TOKEN_KINDS] = {[TOKEN_SUBSCRIBER] = USER_SUBSCRIBER,
                                                           [TOKEN_GUEST] = USER_GUEST,
                                                           [TOKEN_INVITE] = USER_GUEST,
                                                           [TOKEN_EMBED] = USER_GUEST,
                                                           [TOKEN_PARTICIPANT] = USER_PARTICIPANT,
                                                           [TOKEN_EMBEDDED] = USER_EMBEDDED};

    if (!user_kinds[claims->kind]) return REFUSAL_TOKEN_KIND;
    if (uuid_read(&out->user, claims->sub) || uuid_is_zero(&out->user)) return REFUSAL_TOKEN_MALFORMED;
    out->project = claims->project;
    out->application = claims->application;
    out->family = claims->family;
    out->kind = (enum token_kind)claims->kind;
    out->user_kind = user_kinds[claims->kind];
    out->is_full_subscriber = out->kind == TOKEN_SUBSCRIBER;
    out->parent_key = claims->parent;
    out->resource = claims->resource;
    out->inviter = claims->inviter;
    out->address_count = claims->address_count;
    memcpy(out->addresses, claims->addresses, sizeof out->addresses);
    out->may_self_refresh = bytes_equal(claims->scope, BYTES("sat:refresh"));
    out->jti = claims->jti;
    out->jkt = claims->jkt;
    out->iat_s = claims->iat_s;
    out->exp_s = claims->exp_s;
    out->gt_ms = claims->gt_ms;
    out->age_ms = claims->age_ms;
    out->absolute_end_s = claims->end_s;
    return REFUSAL_NONE;
}

/* What the header says, against our keys. */
static enum refusal check_header(struct finding *finding, struct key_bench *bench, const struct jws *jws)
{
    bool is_ours = bytes_equal(jws->typ, ACCESS_TYP) || bytes_equal(jws->typ, typ_of(TOKEN_PARTICIPANT));
    enum refusal refusal = is_ours ? check_signature(bench, jws) : REFUSAL_TOKEN_KIND;

    if (refusal) found_in_header(finding, refusal, bench, jws);
    return refusal;
}

/* Real time for iat; for exp, what the token's project has aged since the mint counts as well. A project that
 * is not here has no age, and is refused by whoever needs it. */
static struct claims_policy policy_for(const struct claims *claims, const struct issuer *issuer,
                                       const struct facts *facts, int64_t now_ms)
{
    const struct fact_project *project = facts_project(facts, &claims->project);
    int64_t age_ms = project ? project->age_ms : claims->age_ms;

    return (struct claims_policy){.iss = issuer->url,
                                  .aud = issuer->url,
                                  .now_s = now_ms / 1000,
                                  .moved_now_s = age_now_ms(now_ms, age_ms, claims->age_ms) / 1000,
                                  .age_max_ms = age_ms,
                                  .life_max_s =
                                      claims->kind == KIND_INVITE ? INVITE_LIFE_MAX_S : TOKEN_LIFE_MAX_S,
                                  .requires_ours = true};
}

/* What the claims say; the signature is good. */
static enum err check_claims(struct holder *out, enum refusal *refusal, struct finding *finding,
                             struct arena *arena, struct issuer *issuer, const struct jws *jws,
                             const struct facts *facts, int64_t now_ms)
{
    struct claims_policy policy;
    struct claims claims;
    enum err e = claims_read(&claims, arena, jws->payload, issuer->url);

    *refusal = REFUSAL_TOKEN_MALFORMED;
    if (e) {
        found_no_claims(finding, jws->payload);
        return e;
    }
    /* RFC 8725 §3.11: typ and kind both say what it is, and must say the same */
    if (!bytes_equal(jws->typ, typ_of((enum token_kind)claims.kind))) {
        *refusal = REFUSAL_TOKEN_KIND;
        found_other_typ(finding, jws, claims_kind_text(claims.kind), typ_of((enum token_kind)claims.kind));
        return ERR_OK;
    }
    policy = policy_for(&claims, issuer, facts, now_ms);
    *refusal = claims_check(&claims, &policy);
    if (!*refusal || *refusal == REFUSAL_TOKEN_EXPIRED) { /* which is checked last */
        enum refusal other = holder_of(out, &claims);
        if (other) *refusal = other;
    }
    if (*refusal) found_in_claims(finding, *refusal, &claims, &policy);
    return ERR_OK;
}

enum err issue_verify_late(struct holder *out, enum refusal *refusal, struct finding *finding,
                           struct arena *arena, struct issuer *issuer, struct bytes token,
                           const struct facts *facts, int64_t now_ms)
{
    struct jws jws;
    enum err e;

    memset(out, 0, sizeof *out);
    *refusal = REFUSAL_TOKEN_MALFORMED;
    e = jws_split(&jws, arena, token);
    if (e)
        found_no_token(finding, token);
    else
        *refusal = check_header(finding, issuer->bench, &jws);
    if (!e && !*refusal) e = check_claims(out, refusal, finding, arena, issuer, &jws, facts, now_ms);
    jws_release(&jws);
    if (*refusal && *refusal != REFUSAL_TOKEN_EXPIRED) memset(out, 0, sizeof *out);
    return e == ERR_MALFORMED || e == ERR_TOO_LARGE ? ERR_OK : e; /* both are the token's fault: a refusal */
}

enum err issue_verify(struct holder *out, enum refusal *refusal, struct finding *finding, struct arena *arena,
                      struct issuer *issuer, struct bytes token, const struct facts *facts, int64_t now_ms)
{
    enum err e = issue_verify_late(out, refusal, finding, arena, issuer, token, facts, now_ms);

    if (*refusal) memset(out, 0, sizeof *out);
    return e;
}
