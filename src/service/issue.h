/* issue.h — grants become tokens, tokens become holders: the only place where the engine's words
 * meet signatures.
 *
 * Both directions use one issuer: the configured public URL, audience the same. Nothing is decided here
 * beyond what a signature and the claims' own rules say. */
#ifndef COATCHECK_SERVICE_ISSUE_H
#define COATCHECK_SERVICE_ISSUE_H

#include "engine/resume.h"
#include "service/finding.h"
#include "service/keys.h"
#include "token/jws.h"

struct issuer { /* one lane's */
    struct key_bench *bench;
    struct bytes url;        /* iss and aud */
    struct buf header;       /* base64url header of access tokens, made once; of those for the socket */
    struct buf header_plain; /* of those that no socket takes: RFC 9068 */
    struct buf scratch;      /* claims under way */
    struct buf text;         /* tokens under way: whoever takes them wipes it */
};

MUST_USE enum err issuer_open(struct issuer *out, struct key_bench *bench, struct bytes url, struct bytes ch);
void issuer_release(struct issuer *issuer);

/* Appends the signed access token, the sealed refresh token, or the sealed ticket, to out. A refresh token
 * whose grant names a seal key is sealed under that one, so that a retry gets the same bytes: ERR_CORRUPT if
 * the ring has it no more. */
MUST_USE enum err issue_access(struct buf *out, struct issuer *issuer, const struct grant *grant);
MUST_USE enum err issue_refresh(struct buf *out, struct issuer *issuer, const struct grant *grant);
MUST_USE enum err issue_ticket(struct buf *out, struct issuer *issuer, const struct ticket *ticket);

/* What a sealed credential carries: true if it is one of ours, of this kind, under a key and epoch we have.
 * Nothing else is checked: not its times, not its project, not whether it was used. Strings live in the
 * arena. What could not be opened is explained in *finding. */
MUST_USE enum err issue_open_refresh(bool *is_ours, struct grant *out, struct finding *finding,
                                     struct arena *arena, struct issuer *issuer, struct bytes text);
MUST_USE enum err issue_open_ticket(bool *is_ours, struct ticket *out, struct finding *finding,
                                    struct arena *arena, struct issuer *issuer, enum ticket_kind kind,
                                    struct bytes text);

/* Verifies an access token: form, key, signature, claims, times; the facts tell its project's age. A refusal
 * in *refusal, with the check that failed in *finding; else the holder, whose strings live in the arena. That
 * the project exists is not decided here. ERR_NO_MEMORY and the like mean we could not decide. */
MUST_USE enum err issue_verify(struct holder *out, enum refusal *refusal, struct finding *finding,
                               struct arena *arena, struct issuer *issuer, struct bytes token,
                               const struct facts *facts, int64_t now_ms);
/* The same, for whoever asks of a token that has expired whose it was: the holder is whole with
 * REFUSAL_TOKEN_EXPIRED, too. */
MUST_USE enum err issue_verify_late(struct holder *out, enum refusal *refusal, struct finding *finding,
                                    struct arena *arena, struct issuer *issuer, struct bytes token,
                                    const struct facts *facts, int64_t now_ms);

/* Appends the sealed state; and what a sealed state says, as for a ticket. */
MUST_USE enum err issue_resume(struct buf *out, struct issuer *issuer, const struct resume_state *state);
MUST_USE enum err issue_open_resume(bool *is_ours, struct resume_state *out, struct finding *finding,
                                    struct arena *arena, struct issuer *issuer, struct bytes text);

#endif
