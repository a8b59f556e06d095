/* service_run.h — inside the service: the steps that its kinds of ask share. Not for other folders. */
#ifndef COATCHECK_SERVICE_SERVICE_RUN_H
#define COATCHECK_SERVICE_SERVICE_RUN_H

#include "engine/budget.h"
#include "engine/capability.h"
#include "service/desk.h"
#include "service/key_uses.h"
#include "engine/proof.h"
#include "service/service.h"

struct cutoffs;

struct service {
    struct service_options options;
    struct desk *desks, *desk; /* all; the current one */
    struct key_bench bench;    /* its bench, borrowed */
    struct issuer issuer;      /* on this bench */
    struct users *users;
    struct lease *lease;
    struct cutoffs *cutoffs;
    struct key_uses uses;
    uint64_t changes; /* of users, ours and those we were told of */
};

void run_finish(struct run *run, enum outcome_kind kind);
void run_refuse(struct run *run, enum refusal refusal, enum ask_field field, const char *because);
void run_refuse_as(struct run *run, const struct refused *refused);
void run_fail(struct run *run, enum err error);
/* The run's finding, emptied, with what is proved of its lineage by now: to be filled just
 * before run_refuse. */
struct finding *run_finding(struct run *run, const char *check);
void run_found_origins(struct finding *finding, const struct fact_project *project, struct bytes origin);

/* Asks the store and goes on in then(run), on this lane; run->read or run->commit holds the answer. */
void run_read(struct run *run, enum read_kind kind, const struct uuid *project, const struct uuid *id,
              struct bytes text, void (*then)(struct run *run));
void run_read_family(struct run *run, const struct family *family, void (*then)(struct run *run));
void run_commit(struct run *run, void (*then)(struct run *run));
/* The same for those who can find out what became of a commit that failed: run->commit.error says how. */
void run_commit_or(struct run *run, void (*then)(struct run *run), void (*unsure)(struct run *run));
/* A cutoff was committed: goes on in then(run) when every lane refuses what it voids and has closed its
 * sessions (run->sessions_closed). Cannot fail. The id is copied. */
void run_cut(struct run *run, const struct cutoff *cutoff, void (*then)(struct run *run));
/* in this lane's cache; others forget theirs */
void run_remember(struct run *run, const struct user *user, bool changed);
void run_remember_read(struct run *run); /* run->read.user, unless it may be out of date already */

/* Fills run->password_hash, on a pool thread, and goes on in then(run). scrypt takes tens of milliseconds: only
 * for an ask that nothing else refuses. password: the ask's. */
void run_hash_password(struct run *run, struct bytes password, void (*then)(struct run *run));

/* Counts one; false: it was one too many, and the run is refused. */
bool run_limit(struct run *run, enum limit limit, struct bytes of);

/* Of a budget: what to tell of the part that is used up; the run is refused. */
void run_overspent(struct run *run, const struct budget *budget, const struct budget_spent *spent);
/* Takes a place for a session of each that is given. False: the run is over. */
bool run_seat(struct run *run, const struct budget *budget);

/* Whom a credential comes from and speaks for, as far as it says: what a cutoff can name. */
struct lineage {
    const struct uuid *project, *user, *family, *resource, *inviter; /* NULL or zero: none */
    struct bytes key;                                                /* absent: none */
};
/* the greatest; INT64_MIN: none */
int64_t run_cutoff_ms(const struct run *run, const struct lineage *lineage);

/* Who asks. True: go on. False: the run is refused or failed already. */
bool run_authenticate_key(struct run *run); /* fills project and key */
/* Of run_authenticate_key: by an assertion instead of a secret. Its jti is kept for the ask's commit. */
bool run_authenticate_assertion(struct run *run);
/* False: what only a backend has came from a page, and the run is refused. */
bool run_check_origin_of_secret(struct run *run, const struct fact_project *project,
                                const struct fact_key *key);
/* Fills project and outcome.holder; a proof that has to be remembered is in the plan's writes. */
bool run_authenticate_token(struct run *run, struct bytes token, struct bytes proof, enum capability needs);
/* The same for a request's own credential: Authorization: Bearer. */
bool run_authenticate_bearer(struct run *run, struct bytes proof, enum capability needs);
/* And where a proof counts for more than a bound token's holder. */
struct proof_terms {
    struct bytes proof; /* absent: none was sent */
    bool is_strict;     /* the proof is the credential's own (RFC 9449 §7.1), whatever stands elsewhere */
    bool is_needed;     /* by an unbound token too: its key is what is asked about */
    bool may_lack_ath;  /* what it names of the token must be right, but may be nothing */
    struct bytes jkt;   /* out: of the key that made it; absent: it was not looked at */
};
bool run_authenticate_by(struct run *run, struct bytes token, struct proof_terms *terms,
                         enum capability needs);
bool run_authenticate_bearer_by(struct run *run, struct proof_terms *terms, enum capability needs);
/* True, and the run is refused: a cutoff came while the store was asked. The last act before a
 * grant: from there to a session's place in the lane's index nothing else happens on this lane, so
 * none can fall between. */
bool run_was_cut(struct run *run);
int64_t run_holder_cutoff_ms(const struct run *run); /* of outcome.holder; INT64_MIN: none */
/* Of a token that is good in itself: why it may not pass. policy->jkt: the key that a proof had to be by, if
 * the token names none. */
struct admit_facts;
void run_found_not_admitted(struct run *run, enum refusal refusal, const struct admit_facts *facts,
                            const struct proof_policy *policy);
/* What the dialect could not read is told once the caller is known. False: the run is over. */
bool run_goes_on(struct run *run);

/* Looks up addresses of the project by id, of resources and users alike, and goes on in then(run) with those
 * that exist in run->found: at most ADDRESSES_MAX. */
void run_find_addresses(struct run *run, const struct uuid *ids, size_t count, void (*then)(struct run *run));

/* ---- once ---- */
#define ONCE_BUCKETS 2
/* What shows who asks is used up by the first commit of the ask, or by one of its own before the answer;
 * refuse(run) when it was before. digest names it, end_s is when nobody would take it any more. */
MUST_USE enum err run_keep_once(struct run *run, const uint8_t digest[SHA256_LEN], int64_t end_s,
                                void (*refuse)(struct run *run));
/* One of the writes by which a thing is used up: nth < ONCE_BUCKETS. */
void run_write_once(struct write *write, const uint8_t digest[SHA256_LEN], int64_t end_s, size_t nth);
/* At once, and goes on in then(run): for an ask that looks last at what may change meanwhile. */
void run_once_first(struct run *run, void (*then)(struct run *run));
/* For service.c, around its commits: puts those writes into one that begins; looks at their rows (false: the
 * run is refused); true when the answer has to wait for them, and run_finish is called again. */
void run_once_joins(struct run *run);
bool run_once_settles(struct run *run);
bool run_once_delays(struct run *run, enum outcome_kind kind);

/* ---- proofs ---- */
/* is_broken: no proof at all by its form, or its signature does not verify. Strings live in the arena. */
MUST_USE enum err run_read_proof(struct proof_facts *out, bool *is_broken, struct run *run,
                                 struct bytes proof);
/* base64url(SHA-256(token)): what a proof names the token by that comes with it (RFC 9449 §4.3, check 11). */
MUST_USE enum err run_hash_token(struct bytes *out, struct run *run, struct bytes token);
/* Puts the writes by which a proof is used up behind those that the plan has; nothing of the commit is
 * written if it was used before. */
MUST_USE enum err run_plan_once(struct run *run, const struct proof_facts *proof, enum proof_profile profile);
/* The rows of the last commit say so; the plan's writes before `from` are none of a proof's. */
bool run_was_used(const struct run *run, size_t from);
void run_found_replay(struct run *run, enum proof_profile profile);
/* The same for a proof beside an access token, of an ask that has yet to plan: see run_keep_once. */
MUST_USE enum err run_keep_proof(struct run *run, const struct proof_facts *proof);
void run_refuse_replay(struct run *run, enum proof_profile profile);
/* A proof of the strict profile, against the URL that this request was sent to. jkt: of the key that it must
 * be by; absent: of any. token: the access token it must name; absent: none. With a nonce where the server
 * wants one. False: the run is refused or failed already. */
bool run_prove(struct proof_facts *out, struct run *run, struct bytes proof, struct bytes jkt,
               struct bytes token);

void run_sign(struct run *run, const struct grant *grant); /* the end of every mint: OUTCOME_MINTED */
/* False: a page of an Origin that run->project does not list, and the run is refused. */
bool run_check_origin(struct run *run);
/* Signs a session without a refresh credential, and finishes. */
void run_sign_session(struct run *run, const struct grant *grant, struct bytes external_id);
/* The publishable key that a text names; NULL: none of this server. */
const struct fact_key *run_publishable(const struct run *run, struct bytes text);
/* Two JSON objects as one, in the run's arena; either may be absent. ERR_TOO_LARGE far beyond PAYLOAD_MAX. */
enum err run_merge_payload(struct bytes *out, struct run *run, struct bytes under, struct bytes over);

/* For asks by a key: true if nothing speaks against this one, by what the dialect and the engine found. */
bool run_passes(struct run *run, struct refused refused);
/* on every lane: the user is gone */
void run_forget(struct run *run, const struct uuid *project, const struct uuid *user);
/* The second row of a commit was a cutoff: goes on when every lane refuses what it voids. */
void run_voided(struct run *run, void (*then)(struct run *run));
/* A commit changed the facts: goes on when every lane decides by them. */
void run_facts_changed(struct run *run, void (*then)(struct run *run));
/* A page of the project's subscribers, into run->read. */
void run_read_page(struct run *run, struct bytes cursor, uint32_t limit, void (*then)(struct run *run));
bool run_page_begins(struct run *run); /* authenticated, checked, and with room for a page */
void run_own_address(struct run *run); /* of the subscriber that owns the page asked for */
void run_user_go(struct run *run);     /* with a key that is authenticated already */

void run_mint(struct run *run);
void run_refresh(struct run *run);
void run_launch(struct run *run);
void run_bootstrap(struct run *run);
void run_redeem(struct run *run);
void run_visit(struct run *run);
void run_study(struct run *run);
void run_interview(struct run *run);
void run_participant(struct run *run);
void run_user(struct run *run);
void run_users(struct run *run);
void run_resource(struct run *run);
void run_resources(struct run *run);
void run_make_key(struct run *run);
void run_guest(struct run *run);
void run_invite(struct run *run);
void run_embed(struct run *run);
void run_bind(struct run *run);
void run_who(struct run *run);
void run_addresses(struct run *run);
void run_address(struct run *run);
void run_connect(struct run *run);
void run_reauthenticate(struct run *run);
void run_dial(struct run *run);
void run_revoke(struct run *run);
void run_introspect(struct run *run);
void run_revocations(struct run *run);

#endif
