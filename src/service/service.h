/* service.h — runs an ask: facts, engine.plan, store.commit, engine.settle, sign.
 *
 * One struct service per lane, used from its thread only. service_start answers at once when nothing has to
 * be read or written (then done is called before it returns), otherwise later, from the lane's mailbox. The
 * struct run belongs to the caller, who keeps it, and everything the ask points to, until done. What was not
 * stored is never signed. */
#ifndef COATCHECK_SERVICE_SERVICE_H
#define COATCHECK_SERVICE_SERVICE_H

#include "engine/limit.h"
#include "service/finding.h"
#include "service/ice.h"
#include "service/issue.h"
#include "service/lease.h"
#include "service/users.h"

struct run;
typedef void run_done_fn(struct run *run);

struct service_options {
    struct store *store;
    struct keyring *ring; /* held, once the service is there */
    uint64_t epoch;
    struct bytes url, ch; /* issuer and audience; the ch header member, absent if there is none */
    struct ice_options ice;
    struct dice dice;
    size_t users_max;
    /* how the lane is reached from the store's threads */
    void (*post)(void *lane, struct mail *mail);
    void *lane;
    /* runs work(run) off the lane, then done(run) on it: for the slow hash of a password */
    enum err (*errand)(void *lane, struct run *run, void (*work)(struct run *), void (*done)(struct run *));
    bool wants_nonces; /* proofs of the strict profile have to carry one of ours */
    /* a user changed in the store: other lanes must forget their copy; may be NULL */
    void (*user_changed)(void *lane, const struct uuid *project, const struct uuid *id);
    /* counts one of these; false: not before *wait_ms from now. NULL: nothing is limited */
    bool (*may)(void *lane, int64_t *wait_ms, enum limit limit, struct bytes of);
    /* Takes a place among the sessions that are open at once with one credential, on all lanes together, for
     * a connect: it is given back when its socket is no live session, or none any more. *out false: `most`
     * are taken. NULL: none are counted */
    enum err (*seat)(bool *out, void *lane, struct run *run, const struct uuid *of, int64_t most);
    /* a cutoff was committed: done(run) when every lane refuses what it voids and has closed its
     * sessions. Cannot fail */
    void (*cut)(void *lane, struct run *run, const struct cutoff *cutoff,
                void (*done)(struct run *run, size_t sessions_closed));
    /* a commit changed the facts: done(run), on this lane, when every lane decides by them; may be NULL */
    void (*facts_changed)(void *lane, struct run *run, void (*done)(struct run *));
};

struct service;
MUST_USE enum err service_new(struct service **out, const struct service_options *options,
                              struct publication *facts);
void service_free(struct service *service);
/* A newer snapshot; on failure the old one stays. */
MUST_USE enum err service_take_facts(struct service *service, struct publication *facts);
/* A newer ring, or another epoch: what is signed, sealed and verified from now on is so by these keys. On
 * failure the old ones stay. Nothing happens if they are what the service has. */
MUST_USE enum err service_take_ring(struct service *service, struct keyring *ring, uint64_t epoch);
struct keyring *service_ring(const struct service *service);
const struct facts *service_facts(const struct service *service);
void service_close_store(struct service *service); /* the store is gone: who would ask it fails */
/* What it voids is refused from now on. ERR_NO_MEMORY: ask again until it is taken. */
MUST_USE enum err service_take_cutoff(struct service *service, const struct cutoff *cutoff);
void service_forget_user(struct service *service, const struct uuid *project, const struct uuid *id);
/* As this lane met the user lately, until the next ask; NULL: it did not, and nothing is looked up. */
const struct user *service_known_user(const struct service *service, const struct uuid *project,
                                      const struct uuid *id);

/* Seals what a session's client has to present to have it back; appends the text. */
MUST_USE enum err service_seal_resume(struct service *service, struct buf *out,
                                      const struct resume_state *state);
/* Greatest cutoff that applies to this holder by now; INT64_MIN: none. */
int64_t service_cutoff_ms(const struct service *service, const struct holder *holder);

/* Whether this credential is a live project key that may be used from this Origin: for those who must know
 * before the ask is whole. The ask itself checks again. finding is filled on a refusal. */
MUST_USE enum err service_check_key(enum refusal *out, struct service *service,
                                    const struct credential *credential, uint32_t takes_keys,
                                    struct bytes origin, struct finding *finding);

struct run {
    /* yours */
    struct ask ask;
    struct refused refused; /* set: the dialect refused already; credentials are still checked first */
    enum err unreadable; /* the body or a member could not be read at all: told after the credential check */
    bool takes_bound_as_bearer; /* a column of the route table */
    uint32_t takes_keys;        /* another: KEY_BIT of each kind of key that may ask this */
    struct bytes proof_method;  /* sockets: the RPC method a proof must name */
    struct bytes http_method,
        http_path;       /* requests: what a proof must name; the path as it came, without query */
    int64_t now_ms;      /* engine time */
    int64_t wall_ms;     /* the machine's: for the time in a proof, which a browser's clock has made */
    int64_t step_ms;     /* not 0: the wall clock is so far ahead, and nobody has confirmed it */
    struct arena *arena; /* for everything the answer points to */
    run_done_fn *done;
    void *owner;

    /* the answer, from done on */
    struct outcome outcome;
    struct uuid of;         /* the project that it was found to be of; zero: of none */
    struct finding finding; /* whole when the outcome is REFUSED or FAILED; meaningless otherwise */

    /* the service's */
    struct service *service;
    struct lease *lease;
    struct desk *desk; /* what it began with */
    const struct fact_project *project;
    const struct fact_key *key;
    struct plan plan;
    struct row rows[PLAN_WRITES_MAX];
    struct store_commit commit;
    struct store_read read;
    void (*unsure)(struct run *run); /* where it goes on when a commit failed; NULL: it has failed, too */
    void *kept;                      /* what this kind of ask keeps over its waits, in the arena */
    struct once *once;               /* what is used up by this ask, in the arena; NULL: nothing */
    uint32_t read_limit;             /* of the next read of a list */
    struct address *found;           /* ADDRESSES_MAX of them, in the arena; NULL: nothing was looked up */
    size_t found_count;
    void (*then_found)(struct run *run);
    uint64_t changes_before_read;
    struct bytes password; /* to be hashed: the ask's */
    uint8_t password_hash[PASSWORD_HASH_LEN];
    bool has_password_hash, has_finding;
    enum err error;                /* of the errand under way */
    void (*then)(struct run *run); /* where it goes on after a read, a commit, a cutoff or an errand */
    size_t sessions_closed;        /* by the latest cutoff */
    unsigned tries;
    void *errand[16]; /* room for the lane's errand, or for a cutoff on its way */
};

#define RUN_ARENA_MAX 65536 /* bytes an ask's answer may take */

void service_start(struct service *service, struct run *run);

#endif
