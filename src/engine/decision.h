/* decision.h — what the engine proposes and what it decides: conditional writes, the rows they meet, grants.
 *
 * A plan holds writes with their preconditions built in ("insert if absent"); the store does all or none
 * and gives a row back for each. A write that meets an existing row is no failure: the row comes back and
 * settle decides. */
#ifndef COATCHECK_ENGINE_DECISION_H
#define COATCHECK_ENGINE_DECISION_H

#include "engine/outcome.h"

enum write_kind {
    WRITE_NONE,
    /* facts; each raises the store's version row, so that snapshots are rebuilt */
    WRITE_PROJECT,
    WRITE_AGE, /* moves a test project's clock forward; ROW_ABSENT if there is none, or it is live */
    WRITE_KEY,
    WRITE_ORIGIN,
    WRITE_ADDRESS,
    WRITE_STUDY,
    WRITE_RING_KEY,
    WRITE_SETTING, /* ROW_ABSENT if the value is out of its bounds */
    WRITE_ORIGIN_GONE,
    WRITE_RESOURCE, /* insert, or update the names, user, is_disabled and budget of one's own; ROW_EXISTS if
                       it is another project's, of another type, or not as if_updated_ms says */
    WRITE_RESOURCE_GONE, /* with its addresses and counts; its click-to-call keys are retired */
    WRITE_EPOCH,         /* raises the deployment epoch: every sealed credential is void */
    WRITE_CUTOFF,        /* t is assigned inside the commit; the row tells it. Does not raise the version */
    /* users */
    WRITE_USER, /* insert unless (project, reference) exists, or for kinds without one (project, id); then the
                   row that exists comes back. Without an address if that has no type */
    WRITE_PROFILE, /* update the given fields of an existing user; ROW_ABSENT if the user is gone */
    WRITE_ONCE,    /* insert a 16-byte id into an expiry bucket unless it is there: replay protection. In a
                      bucket that was forgotten every id counts as there: a clock may have been set back */
    WRITE_BOUND, /* insert a token's id with the key that it is bound to, unless it is there; ROW_EXISTS with
                    the key that was first. Forgotten by its bucket, as WRITE_ONCE */
    WRITE_USE, /* count one more, unless `most` are counted: ROW_EXISTS then. What is over counts as spent */
    WRITE_PRUNE,     /* forget up to PRUNE_ROWS_MAX ids, counts, families and cutoffs whose time is over;
                        ROW_ABSENT when none is left. Raises pruned_through in the same commit: what expired
                        by then stays expired, whatever the clock says. Comes alone */
    WRITE_PAYLOAD,   /* of an embedded user who was not changed since if_updated_ms, else ROW_EXISTS with the
                        user as it stands; ROW_ABSENT if the user is gone, or not an embedded one. Raises
                        updated_ms by 1 at least */
    WRITE_USER_GONE, /* with the user's interviews and answers; an anonymous visitor has those alone.
                        ROW_ABSENT if there was nothing. Families stay: a row that is forgotten early would
                        let its credentials begin anew */
    /* refresh credentials */
    WRITE_FAMILY, /* by (bucket_s, id, project). from_generation 0: insert, live or dead; into a bucket that
                     was forgotten, one that is dead counts as there. Else compare-and-set: the row must be
                     live, of this user and at from_generation (FAMILY_ANY_GENERATION: wherever it is); to
                     FAMILY_LIVE all fields are taken over, to FAMILY_DEAD the state alone. ROW_EXISTS with
                     the family as it stands if the row is not so, ROW_ABSENT if a compare-and-set met none */
    /* what is only told, never decided by */
    WRITE_KEY_USED, /* does not raise the version; ROW_EXISTS if a later use is known */
    /* interviews */
    WRITE_INTERVIEW,      /* insert */
    WRITE_INTERVIEW_STEP, /* from one of the states to another, of this user; ROW_EXISTS with the interview as
                             it stands, ROW_ABSENT if there is none of this user */
    WRITE_ANSWER          /* put, while the interview is INTERVIEW_AGREED; rows as WRITE_INTERVIEW_STEP */
};

#define FAMILY_ANY_GENERATION UINT32_MAX

#define PRUNE_ROWS_MAX 1000 /* of one write: the writer serves others between two of them */

enum ring_use { RING_SIGN = 1, RING_SEAL, RING_HASH };
/* RING_GONE is never stored: writing it deletes the row, and the wrapped key with it. */
enum ring_state { RING_PUBLISHED = 1, RING_SIGNING, RING_RETIRED, RING_GONE };

struct ring_key {    /* private material is wrapped under the master key; the engine never sees it open */
    struct bytes id; /* "kid": 8 hex characters */
    enum ring_use use;
    enum ring_state state;
    struct bytes algorithm; /* JOSE name for RING_SIGN, absent otherwise */
    /* absent in a write: a key that is there keeps its own; ROW_ABSENT if there is none */
    struct bytes wrapped;
    int64_t created_ms;
    int64_t since_ms; /* when it came to its state */
};

/* The line of refresh credentials that descends from one mint, from its first refresh on. */
enum family_state { FAMILY_LIVE = 1, FAMILY_DEAD };
struct family {
    struct uuid id, project, user;
    enum family_state state;
    uint32_t generation; /* of the refresh token that is good now */
    int64_t rotated_ms;  /* when it was first given out */
    int64_t succ_exp_s;  /* exp of the access token given out with it */
    int64_t age_ms;      /* of the project, at that moment */
    int64_t bucket_s; /* first second at which the row may be forgotten: birth + absolute end, never moved */
    struct bytes holder; /* who rotated last: a key's thumbprint (bound), or an API key's public id */
    bool holder_is_bound;
    struct bytes seal_key; /* id of the key that sealed it: a retry gets the same bytes */
};

/* A cutoff's t lies after every stamp that a mint under way could still take: lease, skew, commit,
 * a second each. */
#define CUTOFF_AHEAD_MS 3000
#define CUTOFF_APART_MS 2 /* of two cutoffs of one project: a mint between them fits */

struct write {
    enum write_kind kind;
    bool is_gate;  /* if it meets a row that is not as it needs it, nothing of this commit is written: the
                      other rows come back as ROW_SKIPPED */
    int64_t gt_ms; /* USER, INTERVIEW, INTERVIEW_STEP, ANSWER: of the credential it descends from; 0: of none.
                      ROW_ABSENT if a cutoff of the user or the project stands at it or later, so that nobody
                      who was removed comes back; and nothing of the commit is then written, as of a gate */
    int64_t if_updated_ms; /* RESOURCE: of one that is there, and was not changed since; 0: whatever stands */
    union {
        struct fact_project project; /* origins and age not read: see WRITE_ORIGIN, WRITE_AGE. ROW_ABSENT if a
                                        setting is out of its bounds */
        struct {
            struct uuid project;
            int64_t by_ms; /* within the bounds of engine/age.h, else ROW_ABSENT */
        } age;
        struct fact_key key;
        struct {
            struct uuid project;
            struct bytes origin;
        } origin;
        struct address address; /* of a resource; name must be free in its project */
        struct study study;
        struct ring_key ring_key;
        struct {
            struct user user; /* address.name is used if free in the project, else address_name_alt */
            struct bytes address_name_alt;
            struct bytes password_hash; /* absent, or PASSWORD_HASH_LEN bytes */
        } user;
        struct {
            struct uuid project, user;
            struct profile profile;     /* absent fields stay */
            struct bytes password_hash; /* absent stays */
            int64_t now_ms;
        } profile;
        struct {
            struct uuid id;
            int64_t bucket_s; /* first second at which it may be forgotten */
        } once;
        struct {
            struct uuid id;
            struct bytes jkt; /* JKT_LEN characters */
            int64_t bucket_s;
        } bound;
        struct {
            struct uuid project, of;
            int64_t span_s;  /* what is counted: uses in a span of that length; 0: in a whole life */
            int64_t from_s;  /* the span's first second */
            int64_t until_s; /* first second at which it may be forgotten; a later one replaces it */
            int64_t most;
        } use;
        struct {
            int64_t through_s; /* buckets at or before it */
        } prune;
        struct {
            struct uuid project;
            enum setting setting;
            int64_t value;
        } setting;
        struct resource resource; /* RESOURCE_GONE reads id and project only */
        struct {
            struct cutoff cutoff;   /* t_ms is not read */
            int64_t now_ms, keep_s; /* kept for t + keep_s: the longest absolute life */
        } cutoff;
        struct {
            struct uuid project, user;
            struct bytes payload;     /* replaces; absent stays */
            struct bytes external_id; /* absent stays */
            int64_t if_updated_ms, now_ms;
        } payload;
        struct {
            struct uuid project, user;
        } user_gone;
        struct {
            struct family family;
            uint32_t from_generation; /* 0: there must be no row */
        } family;
        struct {
            struct bytes public_id;
            int64_t used_ms;
        } key_used;
        struct interview interview;
        struct {
            struct uuid project, id, user;
            uint32_t from; /* states as bits: 1u << INTERVIEW_OPEN */
            enum interview_state to;
            int64_t now_ms;
        } interview_step;
        struct {
            struct uuid project, interview, user;
            struct bytes question, answer;
            int64_t now_ms;
        } answer;
    };
};

enum row_state { ROW_WRITTEN, ROW_EXISTS, ROW_ABSENT, ROW_SKIPPED };

struct row {
    enum row_state state;
    struct user user;           /* USER, PROFILE, PAYLOAD: the user as it now stands */
    struct family family;       /* FAMILY */
    struct interview interview; /* INTERVIEW, INTERVIEW_STEP, ANSWER */
    int64_t t_ms;               /* CUTOFF */
    struct bytes jkt;           /* BOUND: the key that stands there now */
};

#define PLAN_WRITES_MAX  6
#define PLAN_FURTHER_MAX 2 /* times that a decision may ask for more writes */

struct grant { /* an access token to be signed, and the refresh credential beside it; or what an opened one
                  carries */
    enum token_kind kind;
    struct uuid project, user, application, jti, family;
    uint32_t generation; /* of the refresh credential: 0 at the mint */
    enum user_kind user_kind;
    struct uuid addresses[ADDRESSES_MAX];
    size_t address_count;
    struct uuid resource, inviter; /* zero: none */
    struct bytes parent_key;
    struct bytes jkt; /* absent: unbound */
    bool may_self_refresh;
    int64_t iat_s, exp_s, gt_ms;
    int64_t age_ms;  /* of the project, at this mint */
    int64_t aged_ms; /* what it aged since the family's root: by that refresh_exp_s and absolute_end_s are
                        ahead of the access token's times */
    bool has_refresh;
    int64_t refresh_exp_s, absolute_end_s;
    struct bytes seal_key; /* absent: the ring's present one */
};

struct ticket { /* a one-time credential: what it will make of whoever redeems it first */
    enum ticket_kind kind;
    struct uuid id, project, user;
    struct bytes parent_key;
    int64_t gt_ms, iat_s, exp_s, age_ms;
    bool is_new_user;
    struct bytes external_id, payload; /* absent: none */
};

struct plan {
    struct refused refused; /* decided already: nothing is written, or only what the refusal has to leave */
    struct write writes[PLAN_WRITES_MAX];
    size_t write_count; /* 0 and not refused: nothing to store, settle at once */
    struct grant grant;
    struct ticket ticket;   /* of asks for one, and of those that redeem one */
    unsigned further_count; /* how often settle has replaced the writes by further ones */
    bool has_cutoff;        /* one is written already */
};

struct decision {
    struct refused refused;
    struct grant grant;
    bool has_user;
    struct user user; /* as the store knows it after a write: for the caller's cache */
    bool has_further; /* nothing is decided yet: the plan holds more writes; commit them, settle again */
    bool has_cutoff;  /* one was written: the lanes have to know before anything is answered */
    struct cutoff cutoff;
};

#endif
