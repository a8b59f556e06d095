/* issue.h — grants become tokens, tokens become holders: the only place where the engine's words meet
 * signatures.
 *
 * Both directions use one issuer: the configured public URL, audience the same. Nothing is decided here
 * beyond what a signature and the claims' own rules say. */
#ifndef COATCHECK_SERVICE_ISSUE_H
#define COATCHECK_SERVICE_ISSUE_H

#include "service/finding.h"
#include "service/keys.h"
#include "token/jws.h"

struct issuer { /* one lane's */
    struct key_bench *bench;
    struct bytes url;   /* iss and aud */
    struct buf header;  /* base64url header of access tokens, made once */
    struct buf scratch; /* claims under way */
    struct buf text;    /* tokens under way: whoever takes them wipes it */
};

MUST_USE enum err issuer_open(struct issuer *out, struct key_bench *bench, struct bytes url, struct bytes ch);
void issuer_release(struct issuer *issuer);

/* Appends the signed access token, or the sealed refresh token, to out. */
MUST_USE enum err issue_access(struct buf *out, struct issuer *issuer, const struct grant *grant);
MUST_USE enum err issue_refresh(struct buf *out, struct issuer *issuer, const struct grant *grant);

/* Verifies an access token: form, key, signature, claims, times; the facts tell its project's age. A refusal
 * in *refusal, with the check that failed in *finding; else the holder, whose strings live in the arena. That
 * the project exists is not decided here. ERR_NO_MEMORY and the like mean we could not decide. */
MUST_USE enum err issue_verify(struct holder *out, enum refusal *refusal, struct finding *finding,
                               struct arena *arena, struct issuer *issuer, struct bytes token,
                               const struct facts *facts, int64_t now_ms);

#endif
