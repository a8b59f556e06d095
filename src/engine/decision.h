/* decision.h — what the engine proposes and what it decides: conditional writes, the rows they meet, grants.
 *
 * A plan holds writes with their preconditions built in ("insert if absent"); the store does all or none and
 * gives a row back for each. A write that meets an existing row is no failure: the row comes back and settle
 * decides. */
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
    /* users */
    WRITE_USER,    /* insert unless (project, reference) exists; then the row that exists comes back */
    WRITE_PROFILE, /* update the given fields of an existing user; ROW_ABSENT if the user is gone */
    WRITE_ONCE,    /* insert a 16-byte id into an expiry bucket unless it is there: replay protection */
    WRITE_PRUNE    /* forget up to PRUNE_ROWS_MAX ids whose bucket is over; ROW_ABSENT when none is left */
};

#define PRUNE_ROWS_MAX 1000 /* of one write: the writer serves others between two of them */

enum ring_use { RING_SIGN = 1, RING_SEAL, RING_HASH };
enum ring_state { RING_PUBLISHED = 1, RING_SIGNING, RING_RETIRED };

struct ring_key {    /* private material is wrapped under the master key; the engine never sees it open */
    struct bytes id; /* "kid": 8 hex characters */
    enum ring_use use;
    enum ring_state state;
    struct bytes algorithm; /* JOSE name for RING_SIGN, absent otherwise */
    struct bytes wrapped;
    int64_t created_ms;
};

struct study {
    struct uuid id, project;
    struct bytes title, questions_json;
};

struct write {
    enum write_kind kind;
    union {
        struct fact_project project; /* origins and age not read: see WRITE_ORIGIN, WRITE_AGE */
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
            int64_t through_s; /* buckets at or before it */
        } prune;
    };
};

enum row_state { ROW_WRITTEN, ROW_EXISTS, ROW_ABSENT };

struct row {
    enum row_state state;
    struct user user; /* WRITE_USER and WRITE_PROFILE: the user as it now stands */
};

#define PLAN_WRITES_MAX 4

struct grant { /* an access token to be signed, and the refresh credential beside it */
    struct uuid project, user, application, jti, family;
    enum user_kind user_kind;
    struct bytes parent_key;
    struct bytes jkt; /* absent: unbound */
    bool may_self_refresh;
    int64_t iat_s, exp_s, gt_ms;
    int64_t age_ms; /* of the project, at this mint */
    bool has_refresh;
    int64_t refresh_exp_s, absolute_end_s;
};

struct plan {
    struct refused refused; /* decided already: nothing is written */
    struct write writes[PLAN_WRITES_MAX];
    size_t write_count; /* 0 and not refused: nothing to store, settle at once */
    struct grant grant;
};

struct decision {
    struct refused refused;
    struct grant grant;
    bool has_user;
    struct user user; /* as the store knows it after a write: for the caller's cache */
};

#endif
